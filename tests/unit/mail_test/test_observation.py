# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message as it arrived: found in a Maildir or over IMAP, and what its receiver wrote, beside the verdict."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.servers.imap import ImapServer
from ansible_collections.mailroom.erp.tests.servers.mail_server import LOST, MailServer, make_maildir
from ansible_collections.mailroom.erp.tests.servers.scripted import ScriptedServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import RECIPIENT, Run, signed_in

RESULTS = "spf=pass smtp.mailfrom=acme.example; dkim=none; dmarc=pass header.from=acme.example"
FOUND = f"Authentication-Results: mx.test; {RESULTS}"
FORGED = "Authentication-Results: mx.evil.example; spf=fail; dkim=pass; dmarc=fail"
VERDICT = {"spf": {"result": "pass"}, "dkim": {"result": "none"}, "dmarc": {"result": "pass"}}
PASSWORD = "canary-7f3a9c1e5b"


@pytest.fixture
def maildir(server: MailServer, tmp_path: Path) -> Path:
    """The Maildir that the server delivers to."""
    server.maildir, server.adds = make_maildir(tmp_path / "Maildir"), f"{FORGED}\r\n{FOUND}\r\n"
    return server.maildir


@pytest.fixture(params=["implicit", "starttls"])
def imap(request: pytest.FixtureRequest, maildir: Path) -> Iterator[ImapServer]:
    with ImapServer(maildir, RECIPIENT, PASSWORD, request.param) as started:
        yield started


def fetch(maildir: Path, **more: Any) -> dict[str, Any]:
    return {"authserv_id": "mx.test", "maildir": str(maildir), "timeout": 1.0, **more}


def test_what_the_receiver_found_agrees_with_the_verdict(run: Run, server: MailServer, maildir: Path) -> None:
    done = run(smtp=signed_in(server), fetch=fetch(maildir), verdict=VERDICT)
    seen = done["observed"]
    assert (seen["arrived"], seen["reason"], seen["agrees"], seen["differences"]) == (True, None, True, [])
    assert seen["spf"] == {"result": "pass", "domain": "acme.example"} and seen["dkim"]["result"] == "none"
    assert seen["dmarc"] == {"result": "pass", "domain": "acme.example"} and done["warnings"] == []
    (file,) = (maildir / "new").iterdir()
    assert not list((maildir / "cur").iterdir()) and file.exists()


def test_what_differs_is_named(run: Run, server: MailServer, maildir: Path) -> None:
    verdict = {**VERDICT, "spf": {"result": "fail"}, "dkim": {"result": "unknown"}}
    done = run(smtp=signed_in(server), fetch=fetch(maildir), verdict=verdict)
    assert done["observed"]["agrees"] is False and not done["failed"]
    assert done["observed"]["differences"] == [{"method": "spf", "verdict": "fail", "observed": "pass"}]
    assert done["warnings"] == ["erp@acme.example: spf: the verdict says fail, the receiver pass"]


def test_a_forged_header_is_not_believed(run: Run, server: MailServer, maildir: Path) -> None:
    server.adds = f"{FORGED}\r\n"
    done = run(smtp=signed_in(server), fetch=fetch(maildir), verdict=VERDICT)
    seen = done["observed"]
    assert (seen["arrived"], seen["agrees"], seen["spf"]["result"]) == (True, None, None)
    assert "no Authentication-Results of 'mx.test'" in seen["reason"]


def test_another_message_is_not_taken_for_it(run: Run, server: MailServer, maildir: Path) -> None:
    (maildir / "cur" / "1:2,S").write_text(f"{FOUND}\n\nX-Mailroom-Test: {'0' * 32}\n")
    os.mkfifo(maildir / "new" / "pipe")
    server.maildir = None
    done = run(smtp=signed_in(server), fetch=fetch(maildir, timeout=0.1), verdict=VERDICT)
    assert (done["observed"]["arrived"], done["observed"]["agrees"]) == (False, None)
    assert (done["failed"], done["outcome"]) == (False, "accepted")
    assert "not there after 0.1 seconds" in done["warnings"][0]


def test_a_message_that_arrived_was_sent(run: Run, server: MailServer, maildir: Path) -> None:
    server.answers = {"message": LOST}
    done = run(smtp=signed_in(server), fetch=fetch(maildir))
    assert (done["failed"], done["outcome"], done["sent"]) == (False, "accepted", True)
    assert run(smtp=signed_in(server))["earlier"]["state"] == "sent"


def test_a_message_that_may_have_been_sent_is_looked_for(run: Run, server: MailServer, maildir: Path) -> None:
    server.answers = {"message": LOST}
    assert run(smtp=signed_in(server))["outcome"] == "unknown"
    done = run(smtp=signed_in(server), fetch=fetch(maildir))
    assert (done["failed"], done["outcome"], done["earlier"]["state"]) == (False, "not_sent", "sent")
    assert len(server.messages) == 1


def test_no_maildir(run: Run, server: MailServer, tmp_path: Path) -> None:
    done = run(smtp=signed_in(server), fetch=fetch(tmp_path / "none"))
    assert done["observed"]["arrived"] is None and "is no Maildir" in done["observed"]["reason"]
    assert done["outcome"] == "accepted"


def test_a_maildir_that_the_first_message_makes(run: Run, server: MailServer, tmp_path: Path) -> None:
    folder = tmp_path / "late"

    def delivered(stage: str, moment: str) -> None:
        if (stage, moment) == ("message", "after"):
            message = server.messages[-1]
            threading.Timer(0.3, lambda: (make_maildir(folder) / "new" / "1").write_bytes(message)).start()

    server.hook = delivered
    assert run(smtp=signed_in(server), fetch=fetch(folder, timeout=5.0))["observed"]["arrived"] is True


@pytest.mark.parametrize("kept", [b"X-Mailroom-Test", b"Message-ID", b"Subject"])
def test_one_of_three_headers_is_enough(run: Run, server: MailServer, maildir: Path, kept: bytes) -> None:
    gone = {b"X-Mailroom-Test", b"Message-ID", b"Subject"} - {kept}
    taken = server.take

    def take(content: bytes, recipients: list[str]) -> None:
        lines = content.split(b"\r\n")
        taken(b"\r\n".join(line for line in lines if line.partition(b":")[0] not in gone), recipients)

    server.take = take  # type: ignore[method-assign]
    assert run(smtp=signed_in(server), fetch=fetch(maildir))["observed"]["arrived"] is True


def test_over_imap(run: Run, server: MailServer, imap: ImapServer) -> None:
    over = {"authserv_id": "mx.test", "imap": imap.imap_option(), "timeout": 5.0}
    done = run(smtp=signed_in(server), fetch=over, verdict=VERDICT)
    assert (done["observed"]["arrived"], done["observed"]["agrees"]) == (True, True), done
    assert "STORE" not in imap.commands and "SELECT" not in imap.commands


def test_a_mailbox_that_refuses(run: Run, server: MailServer, imap: ImapServer) -> None:
    imap.refuses = "you said {command}"
    over = {"authserv_id": "mx.test", "imap": imap.imap_option(), "timeout": 5.0}
    done = run(smtp=signed_in(server), fetch=over)
    reason = done["observed"]["reason"]
    assert done["observed"]["arrived"] is None and "you said LOGIN" in reason and PASSWORD not in str(done)
    imap.refuses = ""
    over["imap"] = {**imap.imap_option(), "folder": "Else"}
    assert "no such folder" in run(smtp=signed_in(server), once_per="2", fetch=over)["observed"]["reason"]
    over["imap"] = {**imap.imap_option(), "ca_file": None}
    assert "not trusted" in run(smtp=signed_in(server), once_per="3", fetch=over)["observed"]["reason"]


def goes_on(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"* x\r\n" * 1000)


def test_an_imap_server_that_goes_on_and_on(run: Run, server: MailServer) -> None:
    with ScriptedServer(goes_on) as imap:
        option = {"host": "127.0.0.1", "port": imap.port, "security": "starttls", "user": "a", "password": PASSWORD}
        done = run(smtp=signed_in(server), fetch={"authserv_id": "mx.test", "imap": option, "timeout": 1.0})
    assert done["observed"]["arrived"] is None and done["observed"]["reason"].startswith("fetch.imap 127.0.0.1")
