# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has been sent, on disk: two runs at the same time, files that are damaged, and how much is kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test import sent_state as state_module
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import ServiceLimits
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.sent_state import (
    SENT,
    UNDER_WAY,
    SentEntry,
    SentState,
    reserve,
)
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import RECIPIENT, SENDER, Run, run_once, signed_in


def test_runs_at_the_same_time_send_one(server: MailServer, tmp_path: Path) -> None:
    given = {"from": SENDER, "to": RECIPIENT, "submission": "smtp", "state_dir": str(tmp_path), "once_per": "x"}
    params: list[dict[str, Any]] = [{**given, "smtp": signed_in(server)}] * 12
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        results = list(pool.map(run_once, params))
    assert sorted(str(one["outcome"]) for one in results) == ["accepted"] + ["not_sent"] * 11
    assert len(server.messages) == 1 and len({one["message_id"] for one in results}) == 1


def files(folder: Path) -> list[Path]:
    return list((folder / "mail_test").glob("*.json"))


def test_the_file_is_for_this_user_and_holds_no_secret(run: Run, server: MailServer, tmp_path: Path) -> None:
    run(smtp=signed_in(server))
    (file,) = files(tmp_path / "state")
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o77 == 0
    assert "battery" not in file.read_text() and "erp@" not in file.name
    assert json.loads(file.read_text())["entries"].popitem()[1]["state"] == "sent"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\0", b'{"version": 2, "entries": {}}', b'{"version": 1, "entries": {"a": {"state": "x"}}}'],
)
def test_a_damaged_file_sends_nothing(run: Run, server: MailServer, tmp_path: Path, content: bytes) -> None:
    run(smtp=signed_in(server))
    (file,) = files(tmp_path / "state")
    file.write_bytes(content)
    done = run(smtp=signed_in(server))
    assert done["failed"] and "state_dir" in done["msg"] and "Move the file away" in done["msg"]
    assert len(server.messages) == 1 and file.read_bytes() == content


def test_a_folder_that_cannot_be_written_sends_nothing(run: Run, server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    done = run(smtp=signed_in(server))
    assert done["failed"] and "it cannot be used" in done["msg"] and server.messages == []


def test_a_state_that_is_a_pipe_does_not_hold_the_run(run: Run, server: MailServer, tmp_path: Path) -> None:
    run(smtp=signed_in(server))
    (file,) = files(tmp_path / "state")
    file.unlink()
    os.mkfifo(file)
    assert "no regular file" in run(smtp=signed_in(server))["msg"]


def test_old_entries_are_forgotten_but_not_what_may_have_been_sent(tmp_path: Path) -> None:
    for number in range(state_module._MOST_ENTRIES + 20):
        state = UNDER_WAY if number == 3 else SENT
        SentState(tmp_path / "a.json", str(number)).note(SentEntry(state, "id", "<id@a>", "2026-11-29T00:00:00Z"))
    kept = json.loads((tmp_path / "a.json").read_text())["entries"]
    assert len(kept) <= state_module._MOST_ENTRIES + 1 and "3" in kept and "4" not in kept
    assert str(state_module._MOST_ENTRIES + 19) in kept


def test_the_limit_of_a_minute_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = [1000.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    limits = ServiceLimits(2, 3, None)
    assert [reserve(tmp_path, "a", limits) for _number in range(3)] == [None, None, None]
    assert waits == [60.0] and reserve(tmp_path, "b", limits) is None
    told = reserve(tmp_path, "a", limits)
    assert told is not None and "allows 3" in told
    now[0] += 86400
    assert reserve(tmp_path, "a", limits) is None
