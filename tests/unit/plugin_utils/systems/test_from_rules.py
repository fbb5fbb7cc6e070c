# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail whose From is not the account that signs in: one finding for all systems, by the service's file."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.catalogue.test_catalogue import SERVICE, SYSTEM
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, GIVEN, MISSING

USERNAME = "erp_mail_settings.username"
SENDERS = "erp_mail_senders"
OFFICE: dict[str, Any] = {"service": "microsoft365", "spf_terms": None, "password": GIVEN}
BY_PASSWORD: dict[str, dict[str, Any]] = {
    "m365": {},
    "king": {**OFFICE, "settings": {}},
    "exalt": {
        **OFFICE,
        "settings": {key: BASES["exalt"]["settings"][key] for key in ("notification_mailbox", "bounced_mailbox")},
    },
    "gmail": {**OFFICE, "senders": {"environment": "erp@acme.example"}, "own_domains": ["acme.example"]},
}
"""Each system whose screen has a field for the account, by SMTP with a password through Microsoft 365."""


def told(base: str, username: str | None = None, catalogue: Catalogue | None = None, **changes: Any) -> list[Problem]:
    """The warnings about what the service does with another From."""
    declared = {"password": MISSING, **BASES[base], **changes}
    if username is not None:
        declared["settings"] = {**declared.get("settings", {}), "username": username}
    _environment, findings = judge_declaration(Declaration("env_1", **declared), catalogue or Catalogue())
    assert findings.errors == []
    words = ("needs the right to send as", "cannot be told whether it takes", "has not verified")
    return [problem for problem in findings.warnings if any(word in problem.rule for word in words)]


@pytest.mark.parametrize("base", BY_PASSWORD)
def test_every_system_is_told_of_another_from_through_microsoft_365(base: str) -> None:
    [problem] = told(base, "office@acme.example", **BY_PASSWORD[base])
    sender = {**BASES[base], **BY_PASSWORD[base]}["senders"]["environment"]
    assert (problem.where, problem.value) == (USERNAME, "office@acme.example")
    assert f"to send as {sender}" in problem.rule and "refuses" in problem.rule and "5.7.60" in problem.rule
    assert "Send As" in str(problem.way_out) and "Microsoft Learn" in problem.source


@pytest.mark.parametrize("base", [name for name in BY_PASSWORD if name != "m365"])
@pytest.mark.parametrize("spelling", [str, str.upper])
def test_the_account_s_own_address_is_taken(base: str, spelling: Any) -> None:
    sender = {**BASES[base], **BY_PASSWORD[base]}["senders"]["environment"]
    assert told(base, spelling(sender), **BY_PASSWORD[base]) == []


@pytest.mark.parametrize("base", BY_PASSWORD)
def test_an_account_that_is_no_address_cannot_be_told(base: str) -> None:
    [problem] = told(base, "erp", **BY_PASSWORD[base])
    assert problem.where == USERNAME and "cannot be told" in problem.rule and "5.7.60" in problem.rule


@pytest.mark.parametrize("base", ["king_smtp", "king_graph"])
def test_a_user_who_consents_sends_as_itself_only(base: str) -> None:
    [problem] = told(base, "office@acme.example")
    assert problem.where == USERNAME and "send as king@acme.example" in problem.rule
    assert told(base) == []
    assert "cannot be told" in told(base, "office")[0].rule


def test_all_senders_of_an_environment_are_named_once_and_those_of_the_account_are_not() -> None:
    senders = {
        "environment": "erp@acme.example",
        "administrations": {"1": "Sales@acme.example", "2": "sales@acme.example"},
        "employers": {"7": "pay@acme.example"},
    }
    [problem] = told("m365", senders=senders)
    assert "send as Sales@acme.example, pay@acme.example:" in problem.rule


def test_names_are_compared_as_a_labels() -> None:
    own = {"own_domains": ["xn--bcher-kva.example"], "senders": {"environment": "erp@xn--bcher-kva.example"}}
    assert told("king", "erp@bücher.example", **{**BY_PASSWORD["king"], **own}) == []


def test_a2000_signs_in_as_its_sender() -> None:
    settings = {key: BASES["a2000"]["settings"][key] for key in ("max_mails_per_batch", "batch_interval")}
    assert told("a2000", **OFFICE, settings=settings) == []


@pytest.mark.parametrize("base", ["exchange", "online", "bakery", "king", "a2000", "exalt", "smtp"])
def test_others_have_nothing_to_do_with_it(base: str) -> None:
    assert told(base) == []


def test_gmail_puts_the_account_s_address_in_its_place() -> None:
    [problem] = told("exalt_gmail", "office@acme.example")
    assert "puts the account's address in the place" in problem.rule and "Send mail as" in str(problem.way_out)
    assert told("exalt_gmail") == []


def test_sendgrid_takes_only_what_it_has_verified() -> None:
    assert told("sendgrid") == []
    [problem] = told("sendgrid", dkim=None)
    assert problem.where == SENDERS and "erp@acme.example, finance@acme.example" in problem.rule
    assert "erp_mail_dkim" in str(problem.way_out)


def test_the_server_s_name_decides_not_the_service_s() -> None:
    settings = {"server": "smtp.office365.com", "port": 587, "username": "office@acme.example"}
    [problem] = told("smtp", settings=settings)
    assert "Microsoft 365 refuses" in problem.rule


def test_what_another_service_sends_is_not_the_account_s() -> None:
    senders = {"environment": "erp@acme.example", "ordernow": "shop@acme.example"}
    changes = {**BY_PASSWORD["gmail"], "senders": senders, "settings": {"ordernow": True}}
    assert told("gmail", "erp@acme.example", **changes) == []


def service(**rule: str) -> Catalogue:
    """The catalogue with a system and a service of one's own, whose file has this rule."""
    fields = [
        *SYSTEM["transports"]["smtp"]["fields"],
        {"id": "pw", "label": "P", "secret": "erp_mail_password", "source": "page"},
    ]
    transport = {**SYSTEM["transports"]["smtp"], "fields": fields}
    system = {**SYSTEM, "transports": {"smtp": transport}, "rules": []}
    own = {**SERVICE, "from_rule": {"value": rule, "source": "page"}} if rule else SERVICE
    return Catalogue({"ledger": system}, {"mailer": own})


LEDGER: dict[str, Any] = {"system": "ledger", "service": "mailer", "transport": None, "settings": {}, "password": GIVEN}


def test_a_system_that_names_no_account_cannot_be_told() -> None:
    [problem] = told("smtp", catalogue=service(other="refused"), **LEDGER, senders={"environment": "a@acme.example"})
    assert problem.where == "erp_mail_transport" and "cannot be told" in problem.rule


@pytest.mark.parametrize("rule", [{}, {"other": "taken"}])
def test_a_service_that_takes_all_or_whose_rule_nobody_gave_is_no_finding(rule: dict[str, str]) -> None:
    assert told("smtp", catalogue=service(**rule), **LEDGER, senders={"environment": "a@acme.example"}) == []


@pytest.mark.parametrize("name", ["microsoft365", "exchange_online", "gmail", "outlook", "sendgrid"])
def test_each_rule_of_the_catalogue_has_a_dated_source(name: str) -> None:
    fact = Catalogue().service(name).from_rule
    assert fact.value is not None and fact.source is not None and fact.source.url and fact.source.date
