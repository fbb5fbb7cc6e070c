# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The folder in which the person stands who started a run."""

from __future__ import annotations

import os


def standing_folder() -> str:
    """Find the working directory by the name under which its user knows it, as ``pwd -L`` does (POSIX).

    The variable ``PWD`` has that name, symbolic links included, where a shell started the run; what another program
    started in another folder, as a scheduler or ansible-runner does, has inherited a ``PWD`` of somewhere else.

    :returns: an absolute path
    """
    here, named = os.getcwd(), os.environ.get("PWD", "")
    try:
        return named if os.path.isabs(named) and os.path.samefile(named, here) else here
    except OSError:
        return here


def from_here(path: str) -> str:
    """Make a path absolute.

    :param path: relative to the working directory, or with ``~``, or absolute
    :returns: the path, symbolic links as they were named
    """
    return os.path.normpath(os.path.join(standing_folder(), os.path.expanduser(path)))
