# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system works out: the time that mails take, what the mail server and the tenant must have, its checklist."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import domains_with
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.a2000erp import most_mails, sending_time
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, GUID, accepted, judged
from hypothesis import given
from hypothesis import strategies as st


def needs(base: str, **changes: Any) -> dict[str, Any]:
    return environment_needs(accepted(BASES[base], **changes), Catalogue())


@pytest.mark.parametrize(
    ("mails", "batch", "interval", "seconds"), [(0, 10, 60, 0), (10, 10, 60, 0), (11, 10, 60, 60), (450, 20, 60, 1320)]
)
def test_mails_take_the_pauses_between_their_batches(mails: int, batch: int, interval: int, seconds: int) -> None:
    assert sending_time(mails, batch, interval) == seconds


@given(st.integers(0, 500), st.integers(1, 50), st.integers(1, 90), st.integers(1, 3600))
def test_no_window_holds_more_mails_than_said(mails: int, batch: int, interval: int, window: int) -> None:
    most = most_mails(window, batch, interval)
    starts = [number * interval for number in range(math.ceil(mails / batch))]
    sent = [sum(min(batch, mails) for at in starts if start <= at < start + window) for start in starts]
    assert most is not None and max(sent, default=0) <= most


def test_without_a_pause_nothing_holds_mails_back() -> None:
    assert most_mails(60, 10, 0) is None


SERVERS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("Enforce on 465", "smtp", {}, {"port": 465, "security": "implicit", "verify": True, "max_tls": "1.2"}),
    ("Enforce on 587", "m365", {}, {"host": "smtp.office365.com", "port": 587, "security": "starttls", "verify": True}),
    (
        "Enforce on 25",
        "smtp",
        {"settings": {"server": "relay.acme.example", "username": "erp", "port": 25}},
        {"port": 25, "security": "starttls", "verify": True},
    ),
    (
        "Enforce off",
        "smtp",
        {"settings": {"server": "relay.acme.example", "username": "erp", "enforce_secure_communication": False}},
        {"security": "opportunistic", "verify": False},
    ),
    ("KING wants AUTH LOGIN", "king", {}, {"security": "implicit", "sign_in": True, "mechanism": "LOGIN"}),
    (
        "KING compares the size",
        "king",
        {"settings": {**BASES["king"]["settings"], "max_size": 20000000}},
        {"min_size": 20000000},
    ),
    ("KING without a maximum", "king", {}, {"min_size": None}),
    ("KING with OAuth2", "king_smtp", {}, {"host": "smtp.office365.com", "port": 587, "mechanism": "XOAUTH2"}),
    (
        "Tryton with smtp+tls",
        "tryton",
        {},
        {"host": "relay.acme.example", "security": "starttls", "verify": True, "sign_in": True},
    ),
    ("Tryton at Gmail", "tryton_gmail", {}, {"host": "smtp.gmail.com", "port": 587, "security": "starttls"}),
    ("Compad with TLS", "gmail", {}, {"port": 587, "security": "starttls"}),
    ("Compad standaard", "bakery", {}, {"port": 25, "security": None, "sign_in": False}),
    ("Exalt inside", "exalt", {}, {"host": "relay.acme.example", "port": 25, "security": "none", "verify": False}),
    (
        "Exalt with the portal",
        "exalt",
        {"settings": {**BASES["exalt"]["settings"], "authentication": "TLS", "creditors_portal": True}},
        {"security": "starttls", "verify": True},
    ),
    ("Exalt at Gmail", "exalt_gmail", {}, {"host": "smtp.gmail.com", "port": 587, "security": "starttls"}),
    (
        "Exalt at Gmail on 465",
        "exalt_gmail",
        {"settings": {**BASES["exalt_gmail"]["settings"], "server_name": "smtp.gmail.com,465"}},
        {"port": 465, "security": "implicit"},
    ),
]


@pytest.mark.parametrize(("base", "changes", "wanted"), [row[1:] for row in SERVERS], ids=[row[0] for row in SERVERS])
def test_what_the_mail_server_must_have(base: str, changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = needs(base, **changes)["server"]
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("base", ["online", "exchange", "king_graph"])
def test_without_smtp_there_is_no_server(base: str) -> None:
    assert needs(base)["server"] is None


def test_exchange_needs_an_application_and_users() -> None:
    assert needs("exchange")["entra"] == {
        "kind": "application",
        "managed": False,
        "title": "AFAS Profit",
        "permissions": [
            {"resource": "Microsoft Graph", "role": "Mail.ReadWrite"},
            {"resource": "Microsoft Graph", "role": "Mail.Send"},
        ],
        "directory_id": GUID,
        "application_id": GUID,
        "secret": "vault_pw",
        "senders": ["erp@acme.example", "finance@acme.example"],
    }


@pytest.mark.parametrize("base", ["king_smtp", "king_graph"])
def test_king_needs_consent_for_the_vendor_s_application(base: str) -> None:
    found = needs(base)["entra"]
    assert found == {
        "kind": "consent",
        "application": "KING Software - SendEmail",
        "publisher": "Quadrant Automatisering B.V.",
        "app_id": GUID,
        "publisher_tenant_id": GUID,
        "scopes": ["SMTP.Send"],
        "user": "king@acme.example",
    }


def test_what_is_not_known_of_the_consent_is_null() -> None:
    assert needs("king_graph", consent=None)["entra"]["app_id"] is None


@pytest.mark.parametrize("base", ["online", "smtp", "bakery", "king", "a2000", "exalt"])
def test_others_need_nothing_of_the_tenant(base: str) -> None:
    assert needs(base)["entra"] is None


def test_dkim_of_afas_is_planned_after_spf() -> None:
    found = needs("dkim")
    assert [one["selector"] for one in found["dkim"]["acme.example"]] == ["afas1", "afas2"]
    assert all(one["after_spf"] and one["service"] == "afas_online" for one in found["dkim"]["acme.example"])
    assert [term["term"] for term in found["domains"]["acme.example"]] == ["include:spf.afas.online"]


def test_domain_authentication_of_sendgrid_is_planned_without_spf() -> None:
    found = needs("sendgrid")
    assert [one["target"] for one in found["dkim"]["acme.example"]] == [
        "s1.domainkey.u1.wl.sendgrid.net",
        "s2.domainkey.u1.wl.sendgrid.net",
    ]
    assert not any(one["after_spf"] for one in found["dkim"]["acme.example"])
    assert found["cnames"] == [{"name": "em1234.acme.example", "target": "u1.wl.sendgrid.net", "service": "sendgrid"}]
    assert found["domains"] == {"acme.example": []}


def test_a_selector_may_be_given_with_its_suffix_and_a_pattern() -> None:
    entry = {"selector": "S1._domainkey", "target": "{selector}.{domain}.signer.example"}
    found = needs("smtp", dkim={"acme.example": [entry]})["dkim"]["acme.example"][0]
    assert (found["selector"], found["target"]) == ("s1", "s1.acme.example.signer.example")


def test_selectors_of_the_domain_itself_count_as_dkim() -> None:
    assert judged(BASES["a2000"], dkim=None, signed_domains=["ACME.example"])[1].warnings == []
    assert judged(BASES["a2000"], dkim=None, signed_domains=["other.example"])[1].warnings != []


def test_domains_with_selectors_are_told_from_raw_variables() -> None:
    domains = {"a.example": {"dkim": [{"selector": "s"}]}, "b.example": {"dkim": []}, "c.example": None, "d.example": 1}
    assert domains_with({"mail_dns_domains": domains}, "dkim") == ["a.example"]
    assert domains_with({"mail_dns_domains": "{{ other }}", "other": domains}, "dkim") == ["a.example"]
    assert domains_with({"mail_dns_domains": ["a.example"]}, "dkim") == domains_with({}, "dkim") == []


def test_a_private_key_is_refused_and_not_shown() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHunter2\n-----END PRIVATE KEY-----"
    _environment, findings = judged(BASES["smtp"], dkim={"acme.example": [{"selector": "s1", "public_key": key}]})
    assert len(findings.errors) == 1 and "unter2" not in str(findings.errors[0])


@pytest.mark.parametrize("base", BASES)
def test_a_confirmed_point_is_one_of_the_system_s(base: str) -> None:
    environment, findings = judged(BASES[base], confirmed=["fields", "test_mail"])
    assert findings.errors == [] and environment is not None and list(environment.confirmed) == ["fields", "test_mail"]
