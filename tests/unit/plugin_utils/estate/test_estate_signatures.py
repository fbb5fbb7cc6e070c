# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selectors that are declared at a domain count for its senders, and never for one that another service signs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import add_up
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import ACCOUNT, OPTIONS

KEY = {"public_key": "MIIB"}


def signature(service: str, own: Any = None, **declared: Any) -> Any:
    """How mail of erp@acme.example by a service is signed, as the plan has it."""
    sender = {
        "environment": "a",
        "from": "erp@acme.example",
        "domain": "acme.example",
        "service": service,
        "sources": None,
        "sources_date": None,
        "sources_given": False,
        "dkim": own,
        "used_for": [],
    }
    needs = {"environment": "a", "state": "present", "domains": {}, "foreign": [], "senders": [sender]}
    plan = add_up([HostNeeds("a", True, needs, ACCOUNT, {"acme.example": declared})], OPTIONS)
    assert plan.problems == []
    (found,) = [one for one in plan.senders if "environment" in one]
    return found.get("dkim")


def selectors(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"selector": name, **KEY, **more} for name in names]


COUNTED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "a relay's": ("own_relay", {"services": [], "dkim": selectors("Relay", "relay2")}, ["relay", "relay2"]),
    "beside Microsoft's": (
        "own_relay",
        {"services": ["microsoft365"], "dkim": selectors("selector1", "relay")},
        ["relay"],
    ),
    "Microsoft's": (
        "microsoft365",
        {"services": ["microsoft365"], "dkim": selectors("selector1", "selector2")},
        ["selector1", "selector2"],
    ),
    "Exchange's are Microsoft's": (
        "exchange_online",
        {"services": ["microsoft365"], "dkim": selectors("selector1")},
        ["selector1"],
    ),
    "known ones, beside a service of unknown ones": (
        "microsoft365",
        {"services": ["gmail"], "dkim": selectors("selector1", "google")},
        ["selector1"],
    ),
    "not stated who else sends": ("own_relay", {"dkim": selectors("relay")}, ["relay"]),
}


@pytest.mark.parametrize("case", COUNTED)
def test_selectors_at_the_domain_count_for_its_senders(case: str) -> None:
    service, declared, wanted = COUNTED[case]
    assert signature(service, **declared) == {"domain": "acme.example", "selectors": wanted}


UNKNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "another service's": ("own_relay", {"services": [], "dkim": selectors("selector1", "s1")}),
    "perhaps another service's": ("own_relay", {"services": ["gmail"], "dkim": selectors("google")}),
    "on their way out": ("own_relay", {"services": [], "dkim": selectors("relay", state="absent")}),
    "none": ("own_relay", {"services": []}),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_guess_does_not_count(case: str) -> None:
    service, declared = UNKNOWN[case]
    assert signature(service, **declared) is None


@pytest.mark.parametrize("own", [["s9"], []], ids=["signed", "not signed"])
def test_what_the_environment_says_wins(own: list[str]) -> None:
    stated = {"domain": "acme.example", "selectors": own}
    assert signature("own_relay", stated, services=[], dkim=selectors("relay")) == stated
