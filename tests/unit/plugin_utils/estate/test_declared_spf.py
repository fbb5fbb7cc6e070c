# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain of the inventory says about its own SPF record, and what that may not say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_spf import DECLARED_SPF_KEYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import ACCOUNT, COMPLETE, OPTIONS

OWN = {"term": "ip4:192.0.2.10", "service": "own_relay", "source": "a page", "date": None, "given": True}


def plan(spf: Any, *terms: dict[str, Any], options: EstateOptions = OPTIONS, **domain: Any) -> EstatePlan:
    needs = {"environment": "a", "state": "present", "domains": {"acme.example": list(terms)}, "foreign": []}
    declared = {"acme.example": {"services": [], **domain, "spf": spf}}
    return add_up([HostNeeds("a", True, needs, ACCOUNT, declared)], options)


def spf_of(found: EstatePlan) -> dict[str, Any]:
    assert found.problems == []
    (entry,) = found.domains
    spf: dict[str, Any] = entry["spf"]
    return spf


def test_what_a_domain_says_is_merged_with_what_is_needed() -> None:
    stated = {"on_duplicate": "merge", "lookup_limit": "warn", "all": "-all", "terms": ["mx", "IP4:192.0.2.10/32"]}
    assert spf_of(plan(stated, OWN)) == {
        "terms": ["ip4:192.0.2.10", "mx"],
        "on_duplicate": "merge",
        "lookup_limit": "warn",
        "all": "-all",
    }


def test_a_domain_that_nothing_is_needed_of_may_still_say_something() -> None:
    assert spf_of(plan({"all": "-all"})) == {"terms": [], "all": "-all"}
    assert plan(None).domains == [] and plan({}).domains == []


def test_flattening_stays_beside_it() -> None:
    found = spf_of(plan({"on_duplicate": "merge"}, OWN, flatten=["spf.service.example"]))
    assert (found["flatten"], found["on_duplicate"]) == (["spf.service.example"], "merge")


@pytest.mark.parametrize("stated", [{"absent_terms": ["mx"]}, {"state": "absent"}, {"exclusive": True}], ids=str)
def test_what_takes_terms_away_needs_a_run_that_knows_every_sender(stated: dict[str, Any]) -> None:
    (key,) = stated
    (problem,) = plan(stated).problems
    assert f"acme.example: mail_dns_domains.spf.{key}" in str(problem) and "mail_dns_complete: true" in str(problem)
    assert spf_of(plan(stated, options=COMPLETE)).items() >= stated.items()


def test_a_value_that_takes_nothing_away_needs_no_such_run() -> None:
    assert spf_of(plan({"state": "present", "exclusive": False, "absent_terms": []}, OWN))["terms"] == [OWN["term"]]


WRONG: list[tuple[Any, list[str]]] = [
    ("merge", ["mail_dns_domains.spf", "dictionary, not a str"]),
    ({"flatten": ["spf.service.example"]}, ["mail_dns_domains.spf.flatten", *DECLARED_SPF_KEYS]),
    ({"create": True}, ["mail_dns_domains.spf.create", "no such key"]),
    ({"on_duplicate": "unite"}, ["mail_dns_domains.spf", "on_duplicate", "unite"]),
    ({"terms": {"mx": 1}}, ["mail_dns_domains.spf", "terms"]),
    ({"state": "absent"}, ["mail_dns_domains.spf.state", "it is needed: ip4:192.0.2.10"]),
    ({"absent_terms": ["ip4:192.0.2.10/32"]}, ["absent_terms", "ip4:192.0.2.10/32", "needs this term"]),
]


@pytest.mark.parametrize(("stated", "words"), WRONG, ids=[str(case[0]) for case in WRONG])
def test_what_is_wrong_with_it_is_told_with_the_domain(stated: Any, words: list[str]) -> None:
    problems = plan(stated, OWN, options=COMPLETE).problems
    text = "\n".join(map(str, problems))
    assert text.startswith("acme.example: ") and [word for word in words if word not in text] == []


def test_what_is_no_term_is_left_to_mail_domains() -> None:
    assert spf_of(plan({"terms": ["ip4:nowhere"]}, OWN))["terms"] == ["ip4:192.0.2.10", "ip4:nowhere"]


def test_a_list_of_includes_that_is_stated_is_the_whole_list() -> None:
    assert spf_of(plan(None, flatten=[])) == {"terms": [], "flatten": [], "other_flattened": "restore"}
    assert spf_of(plan(None, OWN, flatten=["spf.service.example"]))["other_flattened"] == "restore"
    assert "other_flattened" not in spf_of(plan(None, OWN))
