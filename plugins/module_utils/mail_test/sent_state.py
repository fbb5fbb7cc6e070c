# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What has been sent, on disk: so that no message is sent twice, whenever a run dies and however many run at once."""

from __future__ import annotations

import contextlib
import datetime
import errno
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import StillLocked, hold
from ansible_collections.mailroom.erp.plugins.module_utils.json_answer import json_object
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import (
    MAIL_TEST_RULES,
    MailTest,
    ServiceLimits,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import read_regular
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import make_folder

UNDER_WAY, SENT, REFUSED_AS_EXPECTED = "under_way", "sent", "refused_as_expected"
_STATES = (UNDER_WAY, SENT, REFUSED_AS_EXPECTED)
_VERSION = 1
_LOCK_SECONDS = 1800.0
"""How long another run with the same message is waited for."""
_MOST_ENTRIES = 400
"""Of one sender and address; older ones are forgotten, except what may have been sent."""
_MINUTE, _DAY = 60.0, 86400.0


@dataclass(frozen=True, slots=True)
class SentEntry:
    """What is remembered of one test; ``at`` is ISO 8601, UTC."""

    state: str
    test_id: str
    message_id: str
    at: str


class SentState:
    """The tests of one sender and address. Only to be used while :func:`sent_state` holds its lock.

    :param file: where they are kept
    :param once_per: the value that names this test among them
    """

    def __init__(self, file: Path, once_per: str) -> None:
        self._file, self._key = file, once_per
        self._entries = _read(file)

    @property
    def entry(self) -> SentEntry | None:
        """What is known of this test."""
        return self._entries.get(self._key)

    def note(self, entry: SentEntry) -> None:
        """Remember, on the disk, before anything else happens.

        :raises Refused: it cannot be written
        """
        self._entries.pop(self._key, None)
        self._entries[self._key] = entry
        self._write()

    def forget(self, test_id: str) -> None:
        """A test was refused, or nothing was sent: the next run may try again. What an earlier one has left stays.

        :param test_id: of the test
        :raises Refused: it cannot be written
        """
        if self.entry is not None and self.entry.test_id == test_id:
            del self._entries[self._key]
            self._write()

    def _write(self) -> None:
        done = [key for key, entry in self._entries.items() if entry.state != UNDER_WAY and key != self._key]
        for key in done[: max(0, len(self._entries) - _MOST_ENTRIES)]:
            del self._entries[key]
        _write(self._file, {"entries": {key: asdict(entry) for key, entry in self._entries.items()}})


@contextlib.contextmanager
def sent_state(folder: Path, test: MailTest, once_per: str, write: bool) -> Iterator[SentState]:
    """Open what is known of a test. Others with the same sender and address wait until the context ends.

    :param folder: where it is kept
    :param test: the task
    :param once_per: the value that names this test
    :param write: False only looks, without a lock
    :raises Refused: it cannot be read or written, or another run does not end
    """
    file = folder / f"{_digest(test.sender.lower(), test.recipient.lower())}.json"
    if not write:
        yield SentState(file, once_per)
        return
    with _locked(folder, file.with_suffix(".lock")):
        yield SentState(file, once_per)


def settings_digest(test: MailTest, tenant: Mapping[str, Any] | None) -> str:
    """What stands for ``once_per`` where nobody gave one: the settings, without secrets.

    :param test: the task
    :param tenant: the option
    """
    smtp = test.smtp
    way = (smtp.host, smtp.port, smtp.security, smtp.auth, smtp.user, smtp.envelope_from) if smtp else (test.mailbox,)
    application = [str((tenant or {}).get(name)) for name in ("tenant_id", "client_id", "cloud", "graph_url")]
    return "settings " + _digest(test.sender, test.recipient, str(test.expects_refusal), *map(str, way), *application)


def reserve(folder: Path, account: str, limits: ServiceLimits) -> str | None:
    """Count one more message of an account, once its limits allow it; waits for the limit of a minute.

    :param folder: where it is kept
    :param account: whose limits they are
    :param limits: None in them is no limit
    :returns: why it is not allowed; None when it is, and has been counted
    :raises Refused: it cannot be read or written
    """
    if limits.messages_per_minute is None and limits.messages_per_day is None:
        return None
    file = folder / f"count-{_digest(account)}.json"
    while True:
        with _locked(folder, file.with_suffix(".lock")):
            now = time.time()
            times = [one for one in _read_times(file) if now - _DAY < one <= now]
            if limits.messages_per_day is not None and len(times) >= limits.messages_per_day:
                allowed = f"limits.messages_per_day allows {limits.messages_per_day}"
                return f"this account has sent {len(times)} messages in the last 24 hours, {allowed}"
            recent = [one for one in times if one > now - _MINUTE]
            if limits.messages_per_minute is None or len(recent) < limits.messages_per_minute:
                _write(file, {"times": [*times, now]})
                return None
        time.sleep(max(0.05, min(recent) + _MINUTE - now))


@contextlib.contextmanager
def _locked(folder: Path, file: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            make_folder(folder)
            stack.enter_context(hold(file, _LOCK_SECONDS))
        except StillLocked:
            rule = "another run of this test holds it, and does not end"
            raise Refused(_problem(file, rule, "Wait for that run, or end it.")) from None
        except OSError as error:
            raise Refused(_unusable(file, error)) from None
        yield


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _read(file: Path) -> dict[str, SentEntry]:
    found = _content(file).get("entries", {})
    if isinstance(found, dict) and all(_is_entry(one) for one in found.values()):
        return {key: SentEntry(**one) for key, one in found.items()}
    raise Refused(_damaged(file))


def _is_entry(found: object) -> bool:
    names = {"state", "test_id", "message_id", "at"}
    if not isinstance(found, dict) or set(found) != names or not all(isinstance(one, str) for one in found.values()):
        return False
    return found["state"] in _STATES


def _read_times(file: Path) -> list[float]:
    found = _content(file).get("times", [])
    if isinstance(found, list) and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in found):
        return found
    raise Refused(_damaged(file))


def _content(file: Path) -> dict[str, Any]:
    """A file that is damaged is no empty one: what it said was sent would be sent again."""
    try:
        data = read_regular(file)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return {}
        raise Refused(_unusable(file, error)) from None
    body = json_object(data)
    if body is None or body.get("version") != _VERSION:
        raise Refused(_damaged(file))
    return body


def _write(file: Path, content: Mapping[str, Any]) -> None:
    try:
        replace_file(file, json.dumps({"version": _VERSION, **content}, indent=1).encode() + b"\n")
    except OSError as error:
        raise Refused(_unusable(file, error)) from None


def _damaged(file: Path) -> Any:
    rule = "it is not what mail_test writes: what it says was sent cannot be known"
    return _problem(file, rule, "Move the file away; what has been sent may then be sent again.")


def _unusable(file: Path, error: OSError) -> Any:
    return _problem(file, f"it cannot be used: {error.strerror or error}", "Correct state_dir, or its rights.")


def _problem(file: Path, rule: str, way_out: str) -> Any:
    return MAIL_TEST_RULES.problem("mail_test", "state_dir", os.fspath(file), rule, way_out)


def now_text() -> str:
    """The present time, as entries have it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
