# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Looks for a message in a Maildir: nothing is moved or marked there."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.observation import (
    CannotFetch,
    NoMailboxYet,
    header_of,
    is_test,
    newest,
)
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular

_LONGEST_HEADER = 256 * 1024
_MOST_FILES = 2000
"""The newest files that are looked at; a message that just came is one of them."""


class MaildirLook:
    """Looks into one Maildir.

    :param folder: it has the folders ``new`` and ``cur``
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, test_id: str) -> bytes | None:
        """Look once.

        :param test_id: of the message
        :returns: its header; None when it is not there
        :raises CannotFetch: there is no such Maildir, or it cannot be read
        """
        return newest((time, header) for time, header in self._headers() if is_test(header, test_id))

    def _headers(self) -> list[tuple[float, bytes]]:
        return [(time, header) for time, file in self._files() if (header := _header(file)) is not None]

    def _files(self) -> list[tuple[float, Path]]:
        found: list[tuple[float, Path]] = []
        try:
            for name in ("new", "cur"):
                with os.scandir(self._folder / name) as entries:
                    found += [(entry.stat().st_mtime, Path(entry.path)) for entry in entries if entry.is_file()]
        except FileNotFoundError as error:
            if (self._folder / "new").is_dir() and (self._folder / "cur").is_dir():
                return []  # a message was moved while we looked
            raise NoMailboxYet(f"fetch.maildir {self._folder} is no Maildir: {error.strerror}") from None
        except OSError as error:
            raise CannotFetch(f"fetch.maildir {self._folder} cannot be read: {error.strerror}") from None
        return sorted(found, reverse=True)[:_MOST_FILES]


def _header(file: Path) -> bytes | None:
    """The header of a message; None for one that was moved meanwhile."""
    try:
        with open(open_regular(file, os.O_RDONLY), "rb") as opened:
            return header_of(opened.read(_LONGEST_HEADER))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotFetch(f"fetch.maildir: {file} cannot be read: {error.strerror}") from None
