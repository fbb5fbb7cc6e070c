# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Runs ``erp_config_file``: reads the file, plans the edit, and puts the new file in the place of the old one."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file, unfinished_files
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_options import (
    wrong_config_file_arguments,
)
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_edit import IniEdit, edited_ini
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_lines import IniFault, lines_of
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import StillLocked, hold
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular

_RULES = RuleSource("mailroom.erp docs/catalogue.md")
_MOST_BYTES = 4 * 1024 * 1024
_LOCK_SECONDS = 30.0
_MOST_TRIES = 5
_HIDDEN, _OTHER_HIDDEN = "(secret)", "(another secret)"
_URI = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*://)(?:([^:@/?#]*):.*@)?((?:[\w.-]+|\[[0-9A-Fa-f:.]+\])?(?::\d+)?/?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file as it was read: where it is, links followed; its bytes and its status."""

    path: Path
    data: bytes
    status: os.stat_result


def run_config_file(module: Module) -> None:
    """Do what the module is asked for, and end it.

    :param module: with the options of :data:`ERP_CONFIG_FILE_OPTIONS`
    """
    params = module.params
    if problems := wrong_config_file_arguments(params):
        module.fail_json(msg="\n".join(problems))
    wanted = _wanted(params)
    try:
        edit, file = _plan(params, wanted)
        if edit.text.encode() != file.data and not module.check_mode:
            edit, file = _write(params, wanted)
    except Refused as refused:
        module.fail_json(msg=str(refused))
    except FileNotFoundError:
        if params["state"] == "absent":
            module.exit_json(changed=False, path=params["path"], changed_keys=[])
        rule = "there is no such file, and one that we made would have the wrong owner or be read by nobody"
        problem = _RULES.problem(params["path"], "path", None, rule, "Correct the path, or make an empty file there.")
        module.fail_json(msg=str(problem))
    for warning in _warnings(params, edit, file):
        module.warn(warning)
    shown = _differences(params, edit)
    changed_keys = [key for key in edit.before if edit.before[key] != edit.after[key]]
    difference = {"diff": shown} if module._diff else {}
    module.exit_json(
        changed=edit.text.encode() != file.data, path=params["path"], changed_keys=changed_keys, **difference
    )


def _wanted(params: dict[str, Any]) -> dict[str, str | None]:
    """The value of each key; None: it is to go."""
    given = {**params["values"], **params["secret_values"]} if params["state"] == "present" else {}
    values = {entry["name"]: given.get(entry["name"]) for entry in params["entries"]}
    return {name: None if value is None else str(value) for name, value in values.items()}


def _plan(params: dict[str, Any], wanted: dict[str, str | None]) -> tuple[IniEdit, ConfigFile]:
    """Read the file, and plan the edit.

    :raises FileNotFoundError: there is none
    :raises Refused: it cannot be read, or is no file of its kind
    """
    file = _read(Path(params["path"]))
    try:
        return edited_ini(file.data.decode("utf-8"), params["section"], wanted), file
    except UnicodeDecodeError as error:
        line = len(lines_of(file.data[: error.start].decode("latin-1"))) or 1
        rule = f"line {line} holds bytes that are not UTF-8, so nobody can tell what the ERP reads; nothing was changed"
        raise _refused(params["path"], rule, "Save it as UTF-8.") from None
    except IniFault as fault:
        rule = f"{fault}; Python's configparser, with which the ERP reads it, refuses that, so nothing was changed"
        raise _refused(params["path"], rule, "Correct the line.") from None


def _read(path: Path) -> ConfigFile:
    target = Path(os.path.realpath(path))
    try:
        with open(open_regular(target, os.O_RDONLY), "rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
            status = os.fstat(opened.fileno())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(str(path), f"it cannot be read: {error.strerror}", "Correct the path, or use become.") from None
    if len(data) > _MOST_BYTES:
        raise _refused(
            str(path), f"it has more than {_MOST_BYTES} bytes, so it is no settings file", "Correct the path."
        )
    return ConfigFile(target, data, status)


def _write(params: dict[str, Any], wanted: dict[str, str | None]) -> tuple[IniEdit, ConfigFile]:
    """Plan again under the lock, and write; what somebody else writes meanwhile is read and kept.

    :returns: the edit, and the file as it was before
    :raises FileNotFoundError: the file has gone
    :raises Refused: it cannot be written, or somebody else writes it all the time
    """
    target = Path(os.path.realpath(params["path"]))
    with _locked(target):
        _sweep(target)
        for _try in range(_MOST_TRIES):
            edit, file = _plan(params, wanted)
            if edit.text.encode() == file.data or _replaced(file, edit.text.encode()):
                return edit, file
    raise _refused(params["path"], "somebody else changes it all the time", "Run again when nobody does.")


def _replaced(file: ConfigFile, data: bytes) -> bool:
    """Put the new bytes in place, unless the file is another one by now."""
    try:
        # A file that this user may not write stays, even where the folder would let it be replaced.
        with open(open_regular(file.path, os.O_RDWR, follow=False), "rb") as opened:
            if opened.read(_MOST_BYTES + 1) != file.data:
                return False
        replace_file(file.path, data, like=file.status)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unwritable(file.path, error) from None
    return True


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold(target.with_name(f".{target.name}.lock"), _LOCK_SECONDS, 0o644))
        except OSError as error:
            raise _unwritable(target, error) from None
        except StillLocked:
            rule = f"another run has held its lock for {_LOCK_SECONDS:.0f} seconds"
            raise _refused(str(target), rule, "Wait for it to end and run again.") from None
        yield


def _sweep(target: Path) -> None:
    """Remove what a run left that was killed: it may hold the secret."""
    for left in unfinished_files(target.parent).get(target.name, []):
        with contextlib.suppress(OSError):
            left.unlink()


def _refused(path: str, rule: str, way_out: str) -> Refused:
    return Refused(_RULES.problem(path, "path", None, rule, way_out))


def _unwritable(path: Path, error: OSError) -> Refused:
    return _refused(str(path), f"it cannot be written: {error.strerror}", "Let this user write there, or use become.")


def _warnings(params: dict[str, Any], edit: IniEdit, file: ConfigFile) -> Iterator[str]:
    where = f"[{params['section']}] {', '.join(edit.kept)}"
    if edit.kept:
        rule = "it stands there without the mark of mailroom.erp, and was left alone"
        yield str(Problem(params["path"], where, None, rule, _RULES.name, "Remove it by hand if it is to go."))
    if params["secret_values"] and params["state"] == "present" and file.status.st_mode & 0o004:
        rule = "every user of this machine may read it, and it holds a secret; its mode was kept"
        yield str(Problem(params["path"], "path", None, rule, _RULES.name, "Take the right to read from others."))


def _differences(params: dict[str, Any], edit: IniEdit) -> dict[str, str]:
    """What a person sees: our keys only, because other lines may hold secrets of others."""
    before, after = [f"[{params['section']}]\n"], [f"[{params['section']}]\n"]
    for entry in params["entries"]:
        name, kind = entry["name"], entry["kind"]
        old, new = _shown(kind, edit.before[name]), _shown(kind, edit.after[name])
        if old == new and edit.before[name] != edit.after[name]:
            new = (new or "").replace(_HIDDEN, _OTHER_HIDDEN)
        before += [] if old is None else [f"{name} = {old}\n"]
        after += [] if new is None else [f"{name} = {new}\n"]
    header = f"{params['path']} (the keys of mailroom.erp only)"
    return {"before_header": header, "after_header": header, "before": "".join(before), "after": "".join(after)}


def _shown(kind: str, value: str | None) -> str | None:
    """A value without its secret; a URI that is not plainly one is hidden whole."""
    if not value or kind == "plain":
        return value
    parts = _URI.fullmatch(value) if kind == "uri" else None
    if parts is None:
        return _HIDDEN
    user = "" if parts[2] is None else f"{parts[2]}:{_HIDDEN}@"
    return f"{parts[1]}{user}{parts[3]}"
