# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose domains and hosts are: one customer's, or several customers' who share a domain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.boundary import adopted_domains
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import (
    contradictions,
    domain_customers,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.customers.two_customers import ACME, JANSEN


def test_a_domain_may_be_of_several() -> None:
    domains: dict[str, Any] = {
        "a.example": {"customer": ACME},
        "b.example": {"customer": [ACME, JANSEN]},
        "c.example": {},
    }
    assert domain_customers(domains) == {"a.example": (ACME,), "b.example": (ACME, JANSEN)}


@pytest.mark.parametrize("given", [[], "", [ACME, ""], [[ACME]], {"name": ACME}, 7])
def test_what_is_no_name_is_refused(given: Any) -> None:
    with pytest.raises(Refused, match=r"a\.example: mail_dns_domains\.a\.example\.customer: a customer is a name"):
        domain_customers({"a.example": {"customer": given}})


@pytest.mark.parametrize(("customer", "told"), [(ACME, False), ([ACME, JANSEN], False), (None, False), (JANSEN, True)])
def test_an_environment_that_sends_as_anothers_domain_is_told_in_a_run_for_all(customer: Any, told: bool) -> None:
    host: Any = SimpleNamespace(raw={"mail_customer": ACME}, value={"mail_customer": ACME}.get)
    declared = {"mail_dns_domains": {"A.example": {"customer": customer}, "other.example": {"customer": JANSEN}}}
    found = [str(one) for one in contradictions("erp", host, {"domains": {"a.example": []}}, declared)]
    assert [ACME in one and JANSEN in one for one in found] == [True] * told


def test_only_domains_of_the_customer_are_adopted() -> None:
    domains = {"a.example": {"customer": ACME}, "j.example": {"customer": JANSEN}, "x.example": None}
    assert [*adopted_domains(domains, ACME)] == ["a.example"]
    with pytest.raises(Refused, match=f"Did you mean {ACME}"):
        adopted_domains(domains, "Acme BV")
    with pytest.raises(Refused, match="a customer is a name"):
        adopted_domains(domains, "")
