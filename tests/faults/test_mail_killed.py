# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No message is sent twice: runs that die before each of their steps, and services that fail at each of theirs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.faults.nursery import JsonProcess
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.mail_server import DROPPED, LOST, MailServer

SENDER, PASSWORD = "erp@acme.example", "correct-horse-battery"


class Runs(JsonProcess):
    """Runs of mail_test, which may be killed."""

    def __init__(self, state: Path) -> None:
        super().__init__(Path(__file__).with_name("mail_victim.py"))
        self._given = {"from": SENDER, "to": "tests@acme.example", "state_dir": str(state)}

    def run(self, kill_at: int = 0, **options: Any) -> dict[str, Any]:
        """Run once; ``outcome`` is None when it was killed before that step."""
        self.write({"params": {**self._given, **options}, "kill_at": kill_at})
        result: dict[str, Any] = self.read()
        return result


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path / "state") as started:
        yield started


def kill_at_each_step(runs: Runs, sent: Callable[[], int], **options: Any) -> int:
    """Kill a run before its first step, another before its second, until one lives; each is followed by two more.

    :param sent: how many messages the service has taken
    :returns: how many runs were killed
    """
    for number in itertools.count(1):
        before = sent()
        first = runs.run(number, once_per=str(number), **options)
        reached = sent() - before
        second = runs.run(once_per=str(number), **options)["outcome"]
        third = runs.run(once_per=str(number), **options)["outcome"]
        assert second is not None and third is not None, (number, first["steps"][-3:])
        assert sent() - before <= 1, f"sent twice: killed before step {number}, {first['steps'][-3:]}"
        if second["outcome"] == "unknown":
            # It may have been sent, which the run after next says as well, with the way out.
            assert second["cause"]["name"] == third["cause"]["name"] == "may_have_been_sent", second
            assert second["failed"] and "accept_second_message" in second["msg"]
            assert sent() - before == reached
        else:
            assert sent() - before == 1 and not third.get("failed"), (number, second, third)
            assert (second["outcome"] == "accepted") is (reached == 0), (number, second)
            assert third["outcome"] == "not_sent" and third["earlier"]["state"] == "sent"
        if first["signal"] == 0:
            return number - 1
    raise AssertionError("unreachable")


def test_a_run_over_smtp_that_dies_anywhere(runs: Runs) -> None:
    with MailServer() as server:
        server.accounts = {SENDER: PASSWORD}
        smtp = server.smtp_option(user=SENDER, password=PASSWORD)
        killed = kill_at_each_step(runs, lambda: len(server.messages), submission="smtp", smtp=smtp)
    print(f"{killed} runs were killed")
    assert killed >= 40


def test_a_run_over_graph_that_dies_anywhere(runs: Runs) -> None:
    with EntraServer() as tenant:
        tenant.directory.add_user(SENDER)
        option = tenant.tenant_option(tenant.directory.add_client("ERP", ["Mail.Send"]))
        sent = tenant.directory.sent
        killed = kill_at_each_step(runs, lambda: len(sent), submission="graph", tenant=option)
    print(f"{killed} runs were killed")
    assert killed >= 40


ANSWERS = ["421 4.3.2 closing", "451 4.7.500 busy", "550 5.7.60 no", "535 5.7.3 no", "250 fine", DROPPED, LOST]


@pytest.mark.parametrize("stage", ["auth", "mail", "rcpt", "message"])
def test_a_server_that_fails_at_any_stage(runs: Runs, stage: str) -> None:
    with MailServer() as server:
        server.accounts = {SENDER: PASSWORD}
        options: dict[str, Any] = {"submission": "smtp", "smtp": server.smtp_option(user=SENDER, password=PASSWORD)}
        for number, answer in enumerate(ANSWERS * 4):
            server.answers = {stage: answer}
            before = len(server.messages)
            first = runs.run(once_per=str(number), **options)["outcome"]
            server.answers = {}
            second = runs.run(once_per=str(number), **options)["outcome"]
            taken = len(server.messages) - before
            assert taken <= 1, (stage, answer)
            unknown = first["sent"] is None
            assert unknown is (second["outcome"] == "unknown"), (answer, first, second)
            assert unknown is (stage == "message" and answer in (LOST, DROPPED)), (answer, first)
            # A server that says it took the message, and did not, is believed.
            assert unknown or taken == 1 or (stage, answer) == ("message", "250 fine"), (answer, first, second)
