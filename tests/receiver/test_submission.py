# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_test against programs that companies run: Postfix with SASL, and IMAP of Dovecot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.receiver import namespace
from ansible_collections.mailroom.erp.tests.receiver.postfix import RECIPIENT
from ansible_collections.mailroom.erp.tests.receiver.submission import (
    ACCOUNTS,
    OTHER_SENDER,
    SENDER,
    Dovecot,
    Submission,
)
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import run_once


@dataclass(frozen=True, slots=True)
class Servers:
    """The two programs."""

    postfix: Submission
    dovecot: Dovecot

    def smtp(self, **more: Any) -> dict[str, Any]:
        place = {"host": "localhost", "port": 587, "ca_file": self.dovecot.ca_file}
        return {**place, "user": "erp", "password": ACCOUNTS["erp"], **more}

    def fetch(self, **more: Any) -> dict[str, Any]:
        imap = {"host": "localhost", "user": "post", "password": ACCOUNTS["post"], "ca_file": self.dovecot.ca_file}
        return {"authserv_id": "mx.receiver.example", "imap": {**imap, **more}, "timeout": 10.0}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    folder = namespace.folder()
    postfix, dovecot = folder / "submission", folder / "dovecot"
    with Dovecot(dovecot, postfix / "mail" / "box") as accounts, Submission(postfix, dovecot) as started:
        yield Servers(started, accounts)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def start(**options: Any) -> dict[str, Any]:
        given = {"from": SENDER, "to": RECIPIENT, "submission": "smtp", "state_dir": str(tmp_path)}
        return run_once({**given, **options})

    return start


Run = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("security", ["implicit", "starttls"])
@pytest.mark.parametrize("auth", ["plain", "login"])
def test_a_message_that_is_handed_in_arrives(run: Run, servers: Servers, auth: str, security: str) -> None:
    done = run(smtp=servers.smtp(auth=auth), fetch=servers.fetch(security=security))
    assert (done["failed"], done["outcome"], done["answer"]["code"]) == (False, "accepted", 250), done
    assert done["answer"]["text"].startswith("Ok: queued as ") and done["observed"]["arrived"] is True, done
    box = servers.postfix.folder / "mail" / "box"
    assert list((box / "new").iterdir()) and not list((box / "cur").iterdir()), "nothing was moved or marked"
    assert run(smtp=servers.smtp(auth=auth))["sent"] is False


def test_a_wrong_password(run: Run, servers: Servers) -> None:
    done = run(smtp=servers.smtp(password="canary-wrong-password"))
    assert (done["outcome"], done["sent"], done["cause"]["name"]) == ("refused", False, "credentials_invalid")
    assert (done["answer"]["code"], done["answer"]["enhanced"]) == (535, "5.7.8")


def test_another_sender_is_refused(run: Run, servers: Servers) -> None:
    done = run(**{"from": OTHER_SENDER}, smtp=servers.smtp(), expect="refused")
    assert (done["failed"], done["proof"], done["cause"]["name"]) == (False, "holds", "send_as_denied_words"), done
    assert done["answer"]["code"] == 553 and "not owned by user erp" in done["answer"]["text"]


def test_nobody_relays_without_an_account(run: Run, servers: Servers) -> None:
    done = run(smtp=servers.smtp(auth="none"), to="somebody@elsewhere.example")
    assert (done["outcome"], done["sent"]) == ("refused", False), done
    assert run(smtp=servers.smtp(security="none", accept_cleartext=True))["cause"]["name"] == "auth_after_tls"


def test_an_imap_server_that_refuses(run: Run, servers: Servers) -> None:
    reason = run(smtp=servers.smtp(), fetch=servers.fetch(password="canary-wrong-password"))["observed"]["reason"]
    assert reason.startswith("fetch.imap localhost:993: ") and "canary" not in reason
    reason = run(smtp=servers.smtp(), once_per="2", fetch=servers.fetch(folder="No such folder"))["observed"]["reason"]
    assert reason.startswith("fetch.imap.folder: "), reason
