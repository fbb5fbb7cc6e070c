# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The senders of all environments, gathered for the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_senders import (
    estate_senders,
    service_senders,
)

SENDER: dict[str, Any] = {
    "environment": "acme_profit",
    "from": "erp@acme.example",
    "domain": "acme.example",
    "envelope_from": None,
    "envelope_domain": "acme.example",
    "service": "ziggo",
    "sources": ["ip4:192.0.2.1"],
    "sources_date": "2015-11-18",
    "sources_given": False,
    "dkim": None,
    "origin": "erp_mail_senders.environment",
    "used_for": ["alerts"],
}


def needs(*senders: dict[str, Any], state: str = "present") -> dict[str, Any]:
    return {"environment": "acme_profit", "state": state, "senders": list(senders)}


def unsigned(_sender: Mapping[str, Any]) -> None:
    return None


def test_what_is_not_known_is_left_out() -> None:
    assert estate_senders([needs(SENDER)], lambda _term: True, unsigned) == [
        {
            "environment": "acme_profit",
            "from": "erp@acme.example",
            "envelope_domain": "acme.example",
            "service": "ziggo",
            "sources": ["ip4:192.0.2.1"],
            "used_for": ["alerts"],
        }
    ]


def test_sources_that_may_not_be_relied_on_are_not_known() -> None:
    asked: list[dict[str, Any]] = []

    def is_usable(term: Mapping[str, Any]) -> bool:
        asked.append(dict(term))
        return False

    (found,) = estate_senders([needs(SENDER)], is_usable, unsigned)
    assert "sources" not in found
    assert asked == [{"term": "ip4:192.0.2.1", "service": "ziggo", "date": "2015-11-18", "given": False}]


def test_a_sender_that_is_taken_for_several_reasons_is_one() -> None:
    again = {**SENDER, "origin": "erp_mail_senders.employers.100", "used_for": ["payslips", "alerts"]}
    (found,) = estate_senders([needs(SENDER, again)], lambda _term: True, unsigned)
    assert found["used_for"] == ["alerts", "payslips"]


def test_an_environment_that_goes_sends_no_more() -> None:
    assert estate_senders([needs(SENDER, state="absent")], lambda _term: True, unsigned) == []


def of_services(domains: dict[str, Any], usable: bool = True, signed: dict[str, Any] | None = None) -> list[Any]:
    return service_senders(domains, Catalogue(), lambda _term: usable, lambda _sender: signed)


def test_the_services_of_a_domain_are_senders_too() -> None:
    signed = {"domain": "acme.example", "selectors": ["selector1"]}
    (staff,) = of_services({"acme.example": {"services": ["microsoft365", "microsoft365"]}}, signed=signed)
    assert staff == {
        "from": "*@acme.example",
        "envelope_domain": "acme.example",
        "service": "microsoft365",
        "used_for": ["Microsoft 365, in services of mail_dns_domains.acme.example"],
        "dkim": signed,
        "sources": ["include:spf.protection.outlook.com"],
    }


def test_what_is_not_known_of_a_service_stays_unknown() -> None:
    (platform,) = of_services({"acme.example": {"services": ["sendgrid"]}}, usable=False)
    assert {"envelope_domain", "dkim", "sources"} & set(platform) == set()
    assert of_services({"acme.example": {"services": None}, "b.example": {"services": []}, "c.example": {}}) == []
    assert of_services({"acme.example": {"services": ["gmial"]}}) == [], "a service that nobody knows is told elsewhere"


def test_each_service_of_each_domain_is_read_as_a_sender() -> None:
    """What is made here is what mail_domains takes, and each has a name of its own to be accepted by."""
    problems: list[Problem] = []
    names = Catalogue().names("services")
    made = of_services({"acme.example": {"services": names}, "b.example": {"services": names}})
    senders = read_senders(made, problems)
    assert problems == [] and len(senders) == 2 * len(names)
    assert {sender.address for sender in senders} == {"*@acme.example", "*@b.example"}
