# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tryton by its file: the role writes it, trytond itself delivers, and the receiver says what the verdict said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration
from ansible_collections.mailroom.erp.tests.integration.playbook import OUR_PYTHON, run_playbook
from ansible_collections.mailroom.erp.tests.receiver import namespace
from ansible_collections.mailroom.erp.tests.receiver.case import Case
from ansible_collections.mailroom.erp.tests.receiver.cases import CASES
from ansible_collections.mailroom.erp.tests.receiver.conftest import Receiver
from ansible_collections.mailroom.erp.tests.receiver.outgoing_relay import OutgoingRelay
from ansible_collections.mailroom.erp.tests.receiver.postfix import RECIPIENT
from ansible_collections.mailroom.erp.tests.receiver.publish import Run
from ansible_collections.mailroom.erp.tests.receiver.send import Reply
from ansible_collections.mailroom.erp.tests.receiver.submission import ACCOUNTS, Dovecot

TRYTON = [name for name in CASES if name.startswith("tryton_")]
USER = "erp@tryton"
CONF = "# of the company\n[database]\nuri = sqlite://\npath = %s\n\n[email]\n; by hand\nretry = 0\n"
PLAYBOOK = "- hosts: all\n  gather_facts: false\n  roles: [mailroom.erp.erp_mail_file]\n"
Conf = Callable[..., Path]


@pytest.fixture(scope="module")
def relay() -> Iterator[OutgoingRelay]:
    folder = namespace.folder()
    with (
        Dovecot(folder / "relay-dovecot", folder / "relay-mail") as accounts,
        OutgoingRelay(folder / "relay", accounts.folder) as started,
    ):
        yield started


def declaration(case: Case, **settings: Any) -> dict[str, Any]:
    """What the inventory says of an environment that sends as a case."""
    given = {"host": "localhost", "port": 587, "security": "smtp+tls", "username": USER, **settings}
    return {
        "system": "tryton",
        "service": "own_relay",
        "senders": {"environment": case.address},
        "settings": given,
        "spf_terms": [f"ip4:{case.ip}"],
    }


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """Lets the role write a trytond.conf that holds other things too; gives the file."""
    file = tmp_path / "trytond.conf"
    file.write_text(CONF % tmp_path, encoding="utf-8")

    def written(case: Case, password: str = ACCOUNTS[USER], **settings: Any) -> Path:
        declared = {f"erp_mail_{name}": value for name, value in declaration(case, **settings).items()}
        more = {"erp_mail_password": "{{ vault }}", "vault": password, "erp_mail_file_path": str(file)}
        host = {"ansible_connection": "local", **OUR_PYTHON, **declared, **more, "mail_dns_domains": {case.domain: {}}}
        done = run_playbook(tmp_path, PLAYBOOK, {"all": {"hosts": {case.name: host}}}, "--diff", "-vvvv")
        assert (done.rc, done.changed) == (0, 1), done.output
        assert "canary" not in done.unbroken
        return file

    return written


def send_test_email(file: Path, relay: OutgoingRelay) -> subprocess.CompletedProcess[str]:
    """Let trytond itself deliver its test message, by its own program, configuration and sendmail."""
    program = Path(os.environ["MAILROOM_TRYTON"], "bin", "trytond-admin")
    trusted = {**os.environ, "SSL_CERT_FILE": str(relay.folder.with_name("relay-dovecot") / "ca.pem")}
    command = [str(program), "-c", str(file), "--test-email", RECIPIENT]
    return subprocess.run(command, env=trusted, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", TRYTON)
@pytest.mark.parametrize(("security", "port"), [("smtp+tls", 587), ("smtps", 465)])
def test_what_trytond_delivers_is_received_as_the_verdict_said(
    name: str, security: str, port: int, planned: Run, receiver: Receiver, relay: OutgoingRelay, conf: Conf
) -> None:
    case = CASES[name]
    file = conf(case, security=security, port=port)

    def hand_in(_case: Case) -> Reply:
        count = len(relay.replies())
        done = send_test_email(file, relay)
        assert done.returncode == 0, done.stderr
        return relay.reply_after(count)

    answer = receiver.answer(case, hand_in)
    assert answer.outcome == case.answer == planned.after[name], answer
    assert file.read_text(encoding="utf-8").startswith(CONF % file.parent), "what others wrote is as it was"


@pytest.mark.parametrize("name", TRYTON)
def test_the_verdict_is_about_the_sender_that_the_declaration_gives(name: str) -> None:
    case = CASES[name]
    password = Secret("vault", "vault")
    given = Declaration(name, own_domains=[case.domain], password=password, **declaration(case))
    environment, findings = judge_declaration(given, Catalogue())
    assert environment is not None and findings.errors == []
    (sender,) = environment_needs(environment, Catalogue())["senders"]
    judged = case.declaration()
    assert {key: sender[key] for key in ("from", "envelope_from")} == {
        key: judged[key] for key in ("from", "envelope_from")
    }
    assert sender["sources"] == [f"ip4:{case.ip}"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"password": "canary-wrong"}, "SMTPAuthenticationError"),
        ({"host": "relay.tryton.example"}, "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_trytond_refuses_what_the_catalogue_says_it_refuses(
    settings: dict[str, Any], told: str, receiver: Receiver, relay: OutgoingRelay, conf: Conf
) -> None:
    done = send_test_email(conf(CASES["tryton_tryton"], **settings), relay)
    assert done.returncode != 0 and told in done.stderr, done.stderr
