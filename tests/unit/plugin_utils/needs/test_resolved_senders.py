# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who mail comes from: the help page of AFAS Profit sentence by sentence, then all systems by the same interface."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.resolved_senders import resolved_senders
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import MessageKind
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import GIVEN, accepted

ALL: dict[str, Any] = {
    "environment": "environment@acme.example",
    "administrations": {"1": "administration@acme.example"},
    "employers": {"100": "employer@acme.example"},
    "templates": {"reminder": "template@acme.example"},
}
REMINDER = {"templates": "reminder", "administrations": "1"}


def environment(**changes: Any) -> Environment:
    base: dict[str, Any] = {
        "system": "afas_profit",
        "transport": "afas_online",
        "senders": ALL,
        "own_domains": ["acme.example", "office.example"],
    }
    return accepted(base, **changes)


def taken(kind: str, keys: dict[str, str], senders: dict[str, Any]) -> str | None:
    found = environment(senders=senders)
    sender = rules_of("afas_profit").sender_of(found, MessageKind(kind, "", keys))
    return sender.address.partition("@")[0] if sender else None


def without(*kinds: str) -> dict[str, Any]:
    return {kind: sender for kind, sender in ALL.items() if kind not in kinds}


# the sentence of S0, the message, what is declared, and whose sender Profit takes
SENTENCES: list[tuple[str, str, dict[str, str], dict[str, Any], str]] = [
    ("you can configure a sender at three levels: the template", "message", REMINDER, ALL, "template"),
    ("Profit looks from the bottom to the top", "message", REMINDER, ALL, "template"),
    ("not configured in the template: the administration", "message", REMINDER, without("templates"), "administration"),
    (
        "not specified in the administration: the environment",
        "message",
        REMINDER,
        without("templates", "administrations"),
        "environment",
    ),
    (
        "another template has no sender",
        "message",
        {"templates": "other", "administrations": "1"},
        ALL,
        "administration",
    ),
    ("another administration has no sender", "message", {"administrations": "2"}, ALL, "environment"),
    ("manually sending a report: no template is used", "report", REMINDER, ALL, "administration"),
    ("a report: the sender from the administration", "report", {"administrations": "1"}, ALL, "administration"),
    ("a report of an administration without a sender", "report", {"administrations": "2"}, ALL, "environment"),
    ("payslips and HRM: a sender in the employer's properties", "hrm", {"employers": "100"}, ALL, "employer"),
    ("payslips: you can, so the employer may have none", "hrm", {"employers": "200"}, ALL, "environment"),
    (
        "payslips without an employer's sender: as other messages",
        "hrm",
        {"employers": "200", "administrations": "1"},
        ALL,
        "administration",
    ),
    ("alerts: Sender automatic email of the environment", "alert", {}, ALL, "environment"),
    ("alerts: the administration is not looked at", "alert", {"administrations": "1"}, ALL, "environment"),
    ("alerts: unless the template has a sender", "alert", {"templates": "reminder"}, ALL, "template"),
]


@pytest.mark.parametrize(
    ("kind", "keys", "senders", "wanted"), [r[1:] for r in SENTENCES], ids=[r[0] for r in SENTENCES]
)
def test_profit_takes_the_sender_that_its_help_page_says(
    kind: str, keys: dict[str, str], senders: dict[str, Any], wanted: str
) -> None:
    assert taken(kind, keys, senders) == wanted


def test_every_sender_of_profit_is_resolved_once_with_all_it_is_taken_for() -> None:
    found = {one["origin"]: one["used_for"] for one in resolved_senders(environment(), Catalogue())}
    assert found == {
        "erp_mail_senders.environment": [
            "alerts, Pocket activation",
            "messages of other administrations",
            "other reports, sent by hand",
            "other payslips and HRM messages",
        ],
        "erp_mail_senders.administrations.1": [
            "messages of administration 1",
            "reports of administration 1, sent by hand",
        ],
        "erp_mail_senders.templates.reminder": ["messages by template reminder"],
        "erp_mail_senders.employers.100": ["payslips and HRM messages of employer 100"],
    }


def only(**changes: Any) -> dict[str, Any]:
    (found,) = resolved_senders(environment(**changes), Catalogue())
    return found


ONE = {"environment": "erp@acme.example"}
SELECTORS = [{"selector": "s1", "target": "s1.u1.example"}, {"selector": "s2", "target": "s2.u1.example"}]


def test_afas_online_sends_as_the_sender_from_its_own_servers() -> None:
    assert only(senders=ONE, dkim={"acme.example": SELECTORS}) == {
        "environment": "env_1",
        "from": "erp@acme.example",
        "domain": "acme.example",
        "envelope_from": "erp@acme.example",
        "envelope_domain": "acme.example",
        "service": "afas_online",
        "sources": ["include:spf.afas.online"],
        "sources_date": "2026-11",
        "sources_given": False,
        "dkim": {"domain": "acme.example", "selectors": ["s1", "s2"]},
        "origin": "erp_mail_senders.environment",
        "used_for": [
            "alerts, Pocket activation",
            "messages of other administrations",
            "other reports, sent by hand",
            "other payslips and HRM messages",
        ],
    }


def test_unsigned_mail_is_declared_by_an_empty_list() -> None:
    unsigned = {"domain": "acme.example", "selectors": []}
    assert only(**SENDGRID, dkim={"acme.example": []})["dkim"] == unsigned
    assert only(**SENDGRID)["dkim"] is None
    assert only(senders=ONE)["dkim"] == unsigned, "AFAS Online signs only after DKIM was requested and applied"
    path = {"name": "em1.acme.example", "target": "u1.wl.sendgrid.net"}
    assert only(**SENDGRID, dkim={"acme.example": [path]})["dkim"] is None


SENDGRID: dict[str, Any] = {"transport": "smtp", "service": "sendgrid", "senders": ONE, "password": GIVEN}


def test_sendgrid_bounces_to_the_name_that_it_gave_out() -> None:
    path = {"name": "em1234", "target": "u1.wl.sendgrid.net"}
    found = only(**SENDGRID, dkim={"acme.example": [*SELECTORS, path]})
    assert (found["envelope_from"], found["envelope_domain"]) == (None, "em1234.acme.example")
    assert found["sources"] is None and found["dkim"]["selectors"] == ["s1", "s2"]


def test_without_domain_authentication_nothing_is_known_of_sendgrid_s_envelope() -> None:
    found = only(**SENDGRID)
    assert (found["envelope_from"], found["envelope_domain"], found["dkim"]) == (None, None, None)


def test_an_envelope_that_is_stated_wins() -> None:
    assert only(senders=ONE, envelope_from="bounces@office.example")["envelope_domain"] == "office.example"


def test_ordernow_sends_beside_the_bakery_s_own_transport() -> None:
    declared = {
        "system": "compad_bakkerij",
        "transport": None,
        "service": "ziggo",
        "senders": {"environment": "mijnbakkerij@ziggo.nl", "ordernow": "bestellen@acme.example"},
        "settings": {"ordernow": True},
    }
    own, beside = resolved_senders(environment(**declared), Catalogue())
    assert (own["from"], own["service"], own["sources"]) == ("mijnbakkerij@ziggo.nl", "ziggo", ["ip4:212.54.42.9"])
    assert (beside["from"], beside["service"], beside["sources"]) == (
        "bestellen@acme.example",
        "ordernow",
        ["ip4:84.246.4.155"],
    )


def test_ordernow_may_send_as_the_same_address() -> None:
    declared: dict[str, Any] = {
        "system": "compad_bakkerij",
        "transport": None,
        "service": "own_relay",
        "spf_terms": ["ip4:192.0.2.1"],
        "senders": {"environment": "bakker@acme.example"},
        "settings": {"server": "relay.acme.example", "ordernow": True},
    }
    own, beside = resolved_senders(environment(**declared), Catalogue())
    assert own["from"] == beside["from"] and (own["service"], beside["service"]) == ("own_relay", "ordernow")


OTHERS: list[tuple[str, dict[str, Any]]] = [
    (
        "king_erp",
        {"transport": "graph_oauth2", "senders": {"environment": "king@office.example"}, "settings": {"username": "k"}},
    ),
    ("a2000erp", {"service": "microsoft365", "senders": {"environment": "a@office.example"}, "password": GIVEN}),
    (
        "exalt",
        {
            "service": "own_relay",
            "senders": {"environment": "alerts@office.example"},
            "spf_terms": ["ip4:192.0.2.1"],
            "settings": {
                "server_name": "relay.office.example,25",
                "authentication": "none",
                "notification_mailbox": "system@office.example",
                "bounced_mailbox": "bounces@office.example",
            },
        },
    ),
]


@pytest.mark.parametrize(("system", "declared"), OTHERS, ids=[row[0] for row in OTHERS])
def test_every_system_resolves_its_senders(system: str, declared: dict[str, Any]) -> None:
    found = only(**{"system": system, "transport": None, **declared})
    assert found["from"] == declared["senders"]["environment"]
    assert found["origin"] == "erp_mail_senders.environment" and found["used_for"]
    assert found["sources"]
