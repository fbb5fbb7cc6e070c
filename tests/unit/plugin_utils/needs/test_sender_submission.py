# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a test message of each ERP is handed in, from declarations; mail_test takes all of them as options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import wrong_mail_test_arguments
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.sender_submission import sender_submission
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, accepted

RELAY = {"server": "relay.acme.example", "username": "erp"}
KING = {"server": "relay.acme.example", "port": 25, "security": "Geen", "authentication": False}
BY_SMTP: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "AFAS enforces on 465",
        "smtp",
        {},
        {"host": "relay.acme.example", "port": 465, "security": "implicit", "auth": "password", "user": "erp"},
    ),
    (
        "AFAS does not enforce on 587: the password goes behind TLS all the same",
        "smtp",
        {"settings": {**RELAY, "port": 587, "enforce_secure_communication": False}},
        {"port": 587, "security": "starttls", "auth": "password"},
    ),
    ("AFAS at Office 365", "m365", {}, {"host": "smtp.office365.com", "port": 587, "user": "erp@acme.example"}),
    ("KING wants LOGIN", "king", {}, {"port": 465, "security": "implicit", "auth": "login"}),
    ("KING without signing in", "king", {"settings": KING, "password": None}, {"security": "none", "auth": "none"}),
    ("Compad at an internet provider", "bakery", {}, {"host": "smtp.ziggo.nl", "security": "none", "auth": "none"}),
    ("Compad at Gmail", "gmail", {}, {"port": 587, "security": "starttls", "user": "mijnbakkerij@gmail.com"}),
    ("A2000ERP signs in as its sender", "a2000", {}, {"port": 587, "security": "starttls", "auth": "password"}),
    ("Exalt inside", "exalt", {}, {"host": "relay.acme.example", "port": 25, "security": "none", "auth": "none"}),
]
ALONE = [
    ("online", {}, "AFAS Online hands its mail in by itself"),
    ("king_graph", {}, "KING ERP signs in as a user with an application of its vendor"),
    ("king_smtp", {}, "KING ERP signs in as a user with an application of its vendor"),
    ("king", {"settings": {**BASES["king"]["settings"], "port": 25, "security": "Geen"}}, "in clear"),
]


@pytest.mark.parametrize(("base", "changes", "wanted"), [row[1:] for row in BY_SMTP], ids=[row[0] for row in BY_SMTP])
def test_over_smtp_as_the_erp_does_it(base: str, changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    environment = accepted(BASES[base], **changes)
    told = sender_submission(environment)
    assert told["submission"] == "smtp" and {name: told["smtp"].get(name) for name in wanted} == wanted
    assert told["signs_in"] is (told["smtp"]["auth"] != "none")
    smtp = {**told["smtp"], **({"password": "hunter2hunter2"} if told["signs_in"] else {})}
    task = {"from": environment.senders[0].address, "to": "tests@acme.example", "submission": "smtp", "smtp": smtp}
    assert wrong_mail_test_arguments({**task, "limits": told["limits"]}) == []


def test_an_application_sends_over_graph_within_the_limits_of_the_service() -> None:
    told = sender_submission(accepted(BASES["exchange"]))
    assert (told["submission"], told["smtp"], told["limits"]) == ("graph", None, {"messages_per_minute": 30})


@pytest.mark.parametrize(("base", "changes", "reason"), ALONE)
def test_what_only_the_erp_can_send(base: str, changes: dict[str, Any], reason: str) -> None:
    told = sender_submission(accepted(BASES[base], **changes))
    assert told["submission"] is None and reason in told["reason"]


def test_exalt_has_an_address_for_its_test_mail_and_others_have_none() -> None:
    declared = BASES["exalt"]["settings"]["notification_mailbox"]
    assert sender_submission(accepted(BASES["exalt"]))["to"] == declared
    assert sender_submission(accepted(BASES["king"]))["to"] is None


def test_where_the_erp_hands_its_mail_in() -> None:
    assert sender_submission(accepted(BASES["bakery"]))["place"] == "each workstation of Compad Bakkerij"
    assert sender_submission(accepted(BASES["king"], probe_from="here"))["place"] == "here"
