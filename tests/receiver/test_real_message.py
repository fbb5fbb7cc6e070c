# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_test hands messages to a receiver that enforces, and reads what SPF, DKIM and DMARC found from what arrived.

The Authentication-Results are those of policyd-spf, OpenDKIM and OpenDMARC; the verdicts were made before the records.
"""

from __future__ import annotations

import smtplib
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import wrong_mail_test_arguments
from ansible_collections.mailroom.erp.tests.receiver.case import Case
from ansible_collections.mailroom.erp.tests.receiver.cases import CASES
from ansible_collections.mailroom.erp.tests.receiver.conftest import Receiver
from ansible_collections.mailroom.erp.tests.receiver.milters import AUTHSERV_ID
from ansible_collections.mailroom.erp.tests.receiver.postfix import RECIPIENT, Postfix
from ansible_collections.mailroom.erp.tests.receiver.publish import Run
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import run_once


def options(case: Case, state: Path, maildir: Path, verdict: dict[str, Any]) -> dict[str, Any]:
    """The task that tests the sender of a case."""
    host, port = Postfix.ADDRESS
    smtp = {"host": host, "port": port, "security": "none", "auth": "none", "ehlo_name": case.helo}
    fetch = {"authserv_id": AUTHSERV_ID, "maildir": str(maildir), "timeout": 10.0}
    return {
        "from": case.address,
        "to": RECIPIENT,
        "submission": "smtp",
        "smtp": {**smtp, "envelope_from": case.envelope or case.address},
        "state_dir": str(state),
        "fetch": fetch,
        "verdict": verdict,
    }


def is_sendable(case: Case) -> bool:
    """Whether the module sends it: it signs nothing, and what is held arrives nowhere."""
    given = options(case, Path("/"), Path("/"), {})
    return case.signing is None and case.answer.disposition != "quarantine" and not wrong_mail_test_arguments(given)


SENDABLE = [name for name, case in CASES.items() if is_sendable(case)]


def test_a_message_over_graph_is_judged_where_it_arrives(planned: Run, receiver: Receiver, tmp_path: Path) -> None:
    """The test tenant hands it on as Exchange would: from a server that the sender's SPF record names."""
    name = next(name for name in SENDABLE if CASES[name].answer.dmarc == "pass")
    case = CASES[name]

    def deliver(content: bytes) -> None:
        with smtplib.SMTP(*Postfix.ADDRESS, case.helo, timeout=60, source_address=(case.ip, 0)) as client:
            client.sendmail(case.envelope or case.address, [RECIPIENT], content)

    with EntraServer() as tenant:
        tenant.directory.add_user(case.address)
        tenant.directory.deliver = deliver
        option = tenant.tenant_option(tenant.directory.add_client("ERP", ["Mail.Send"]))
        given = options(case, tmp_path, receiver.postfix.folder / "mail" / "box", planned.verdicts[name])
        del given["smtp"]
        done = run_once({**given, "submission": "graph", "tenant": option})
    assert (done["outcome"], done["observed"]["arrived"], done["observed"]["agrees"]) == ("accepted", True, True), done


def test_there_are_senders_of_every_kind() -> None:
    assert len(SENDABLE) > 20
    assert {CASES[name].answer.disposition for name in SENDABLE} == {"none", "reject"}


@pytest.mark.parametrize("name", SENDABLE)
def test_what_is_observed_is_what_the_verdict_said(
    name: str, planned: Run, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda where, timeout: connect(where, timeout, (case.ip, 0)))
    maildir = receiver.postfix.folder / "mail" / "box"
    done = run_once(options(case, tmp_path, maildir, planned.verdicts[name]))
    if case.answer.disposition == "reject":
        assert (done["outcome"], done["sent"], done["answer"]["code"]) == ("refused", False, 550), done
        return
    seen = done["observed"]
    assert (done["outcome"], seen["arrived"]) == ("accepted", True), done
    assert (seen["spf"]["result"], seen["dkim"]["result"]) == (case.answer.spf, case.answer.dkim), seen
    told = {one["method"]: (one["verdict"], one["observed"]) for one in seen["differences"]}
    foretold = case.expected_verdict
    wanted = {
        method: (getattr(foretold, method), getattr(case.answer, method))
        for method in ("spf", "dkim", "dmarc")
        if getattr(foretold, method) not in ("unknown", "temperror", getattr(case.answer, method))
        and getattr(case.answer, method) != "temperror"
    }
    assert told == wanted and seen["agrees"] is (not wanted), seen
