# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What smtp_probe looks for at the server of each ERP, from declarations; it takes all of them as options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import (
    wrong_smtp_probe_arguments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.probed_server import probed_server
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, accepted

RELAY = {"server": "relay.acme.example", "username": "erp"}
PROBED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "AFAS enforces on 465",
        "smtp",
        {},
        {"port": 465, "security": "implicit", "verify": True, "expect": {"auth": "any", "tls": "1.2"}},
    ),
    (
        "AFAS enforces on 587",
        "smtp",
        {"settings": {**RELAY, "port": 587}},
        {"port": 587, "security": "starttls", "verify": True},
    ),
    (
        "AFAS enforces on 25",
        "smtp",
        {"settings": {**RELAY, "port": 25}},
        {"port": 25, "security": "starttls", "verify": True},
    ),
    (
        "AFAS does not enforce on 587",
        "smtp",
        {"settings": {**RELAY, "port": 587, "enforce_secure_communication": False}},
        {"security": "opportunistic", "verify": False, "expect": {"auth": "any", "tls": "1.2"}},
    ),
    (
        "AFAS does not enforce on 465",
        "smtp",
        {"settings": {**RELAY, "enforce_secure_communication": False}},
        {"port": 465, "security": "implicit", "verify": False},
    ),
    (
        "AFAS at Office 365",
        "m365",
        {},
        {"host": "smtp.office365.com", "port": 587, "security": "starttls", "expect": {"auth": "any", "tls": "1.2"}},
    ),
    (
        "AFAS with SendGrid",
        "sendgrid",
        {},
        {"host": "smtp.sendgrid.net", "port": 465, "security": "implicit", "verify": True},
    ),
    ("KING implicit", "king", {}, {"port": 465, "security": "implicit", "expect": {"auth": "LOGIN"}}),
    (
        "KING explicit, with a size",
        "king",
        {"settings": {**BASES["king"]["settings"], "port": 587, "security": "Explicit-TLS", "max_size": 20_000_000}},
        {"port": 587, "security": "starttls", "verify": True, "expect": {"auth": "LOGIN", "min_size": 20_000_000}},
    ),
    (
        "KING in clear, without signing in",
        "king",
        {
            "settings": {"server": "relay.acme.example", "port": 25, "security": "Geen", "authentication": False},
            "password": None,
        },
        {"port": 25, "security": "none", "expect": {}},
    ),
    ("KING with OAuth2", "king_smtp", {}, {"host": "smtp.office365.com", "port": 587, "expect": {"auth": "XOAUTH2"}}),
    (
        "Compad standaard at an internet provider",
        "bakery",
        {},
        {"host": "smtp.ziggo.nl", "port": 25, "security": "opportunistic", "verify": False, "expect": {}},
    ),
    ("Compad with TLS", "gmail", {}, {"port": 587, "security": "starttls", "verify": False, "expect": {"auth": "any"}}),
    ("A2000ERP says no security", "a2000", {}, {"port": 587, "security": "opportunistic", "expect": {"auth": "any"}}),
    ("Exalt inside", "exalt", {}, {"host": "relay.acme.example", "port": 25, "security": "none", "verify": False}),
    (
        "Exalt host,port with the portal",
        "exalt",
        {
            "settings": {
                **BASES["exalt"]["settings"],
                "server_name": "relay.acme.example,2525",
                "authentication": "TLS",
                "creditors_portal": True,
            }
        },
        {"host": "relay.acme.example", "port": 2525, "security": "starttls", "verify": True},
    ),
    ("Exalt at Gmail", "exalt_gmail", {}, {"port": 587, "security": "starttls", "verify": True}),
]


@pytest.mark.parametrize(("base", "changes", "wanted"), [row[1:] for row in PROBED], ids=[row[0] for row in PROBED])
def test_what_is_looked_for(base: str, changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = probed_server(accepted(BASES[base], **changes))
    assert found is not None and {key: found[key] for key in wanted} == wanted
    assert found["name"] == "env_1" and wrong_smtp_probe_arguments({"servers": [found]}) == []


def test_compad_sends_from_its_workstations_and_others_from_where_they_run() -> None:
    bakery, king = probed_server(accepted(BASES["bakery"])), probed_server(accepted(BASES["king"]))
    assert bakery is not None and bakery["probe_from"] == "each workstation of Compad Bakkerij"
    assert king is not None and king["probe_from"] == "the machine that KING ERP runs on"


def test_a_name_with_other_letters_is_looked_at_as_the_dns_knows_it() -> None:
    found = probed_server(accepted(BASES["smtp"], settings={"server": "post.bäckerei.example", "username": "erp"}))
    assert found is not None and found["host"] == "post.xn--bckerei-5wa.example"
    assert wrong_smtp_probe_arguments({"servers": [found]}) == []


@pytest.mark.parametrize("place", ["here", "the terminal server in Utrecht"])
def test_the_inventory_says_where_the_erp_sends_from(place: str) -> None:
    found = probed_server(accepted(BASES["king"], probe_from=place))
    assert found is not None and found["probe_from"] == place


@pytest.mark.parametrize("base", ["online", "exchange", "king_graph"])
def test_without_smtp_nothing_is_looked_at(base: str) -> None:
    assert probed_server(accepted(BASES[base])) is None
