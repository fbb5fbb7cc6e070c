# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Brings the files of one environment to what they should hold, and says what differs, for a person and in short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import (
    FileChange,
    apply_files,
    plan_files,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.environment_texts import PAGE, SETTINGS
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import mask_secrets, with_secret


def write_environment(
    folder: Path, files: Mapping[str, str | None], password: Callable[[], str] | None, write: bool
) -> list[FileChange]:
    """Compare the files of an environment, and write what differs.

    :param folder: of the environment
    :param files: the text of each by name; None for one that shall not exist
    :param password: reads the secret that ``settings.yml`` is to hold; None when it only names the variable
    :param write: False in check mode
    :returns: what changed, or would
    :raises OSError: a file cannot be read or written
    :raises Refused: the secret cannot be read
    """
    changes = plan_environment(folder, files, password)
    if write:
        apply_files(changes)
    return changes


def plan_environment(
    folder: Path, files: Mapping[str, str | None], password: Callable[[], str] | None
) -> list[FileChange]:
    """Compare the files of an environment, as :func:`write_environment` does, and write nothing.

    :returns: what must change
    :raises OSError: a file cannot be read
    :raises Refused: the secret cannot be read
    """
    wanted = dict(files)
    settings = wanted.get(SETTINGS)
    if password and settings:
        wanted[SETTINGS] = with_secret(settings, password)
    return plan_files(folder, wanted)


def file_differences(changes: list[FileChange]) -> list[dict[str, Any]]:
    """What a person sees of the changes in diff mode; the page says what the sheet says, so it is left out.

    :param changes: what :func:`plan_environment` gave
    :returns: differences as Ansible shows them, secrets masked; of a file that comes or goes only its length
    """
    return [_difference(change) for change in changes if change.path.name != PAGE]


def _difference(change: FileChange) -> dict[str, str]:
    """The texts before and after, secrets masked; a secret that changes is seen to change, but not how."""
    name = str(change.path)
    before, after = mask_secrets(change.before or "", "(secret)"), mask_secrets(change.after or "", "(secret)")
    if before == after and change.before != change.after:
        after = mask_secrets(change.after or "", "(another secret)")
    if change.before is None or change.after is None:
        before, after = _length(change.before), _length(change.after)
    return {"before_header": name, "after_header": name, "before": before, "after": after}


def _length(text: str | None) -> str:
    return "" if text is None else f"({so_many(len(text.splitlines()), 'line')})\n"
