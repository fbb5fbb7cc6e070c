# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding up the needs of several hosts: terms, accounts and policies of each domain, and what contradicts itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import is_stale
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import (
    ACCOUNT,
    COMPLETE,
    OPTIONS,
    OTHER_ACCOUNT,
    TODAY,
)
from hypothesis import given
from hypothesis import strategies as st

DOMAINS: dict[str, Any] = {"acme.example": {"services": []}}


def term(text: str, service: str = "own_relay", date: str | None = None, given: bool = True) -> dict[str, Any]:
    return {"term": text, "service": service, "source": "a page", "date": date, "given": given}


AFAS = term("include:spf.afas.online", "afas_online", "2026-11", False)
ZIGGO = term("ip4:212.54.42.9", "ziggo", "2015-11-18", False)


def host(
    name: str, *terms: dict[str, Any], state: str = "present", domain: str = "acme.example", **more: Any
) -> HostNeeds:
    needs = {"environment": name, "state": state, "domains": {domain: list(terms)} if terms else {}, "foreign": []}
    return HostNeeds(**{"host": name, "declares": True, "needs": needs, "account": ACCOUNT, "domains": DOMAINS, **more})


def terms_of(plan: EstatePlan) -> dict[str, list[str]]:
    assert plan.problems == []
    return {entry["domain"]: entry["spf"]["terms"] for entry in plan.domains}


def rules(plan: EstatePlan) -> list[str]:
    return [str(problem) for problem in plan.problems]


def test_the_terms_of_all_hosts_come_together_once() -> None:
    plan = add_up([host("b", AFAS, term("ip4:192.0.2.1")), host("a", AFAS)], OPTIONS)
    assert terms_of(plan) == {"acme.example": ["include:spf.afas.online", "ip4:192.0.2.1"]}
    assert plan.dns == ACCOUNT
    assert "dns" not in plan.domains[0]


def test_equal_terms_in_other_spellings_are_one() -> None:
    plan = add_up([host("a", term("ip4:192.0.2.1")), host("b", term("+IP4:192.0.2.1/32"))], OPTIONS)
    assert len(terms_of(plan)["acme.example"]) == 1
    assert term_key("include:SPF.example.") == term_key("+include:spf.example")


def test_declared_services_add_their_terms() -> None:
    plan = add_up([host("a", AFAS, domains={"acme.example": {"services": ["microsoft365"]}})], OPTIONS)
    wanted = ["include:spf.protection.outlook.com", "include:spf.afas.online"]
    assert terms_of(plan) == {"acme.example": wanted}


def test_a_declared_service_that_nobody_else_needs_is_published_too() -> None:
    plan = add_up([host("a", domains={"acme.example": {"services": ["gmail"]}})], OPTIONS)
    assert terms_of(plan) == {"acme.example": ["include:_spf.google.com"]}


def test_a_service_of_unknown_terms_is_warned_about() -> None:
    plan = add_up([host("a", domains={"acme.example": {"services": ["sendgrid"]}})], OPTIONS)
    assert plan.domains == [] and plan.problems == []
    assert "sendgrid" in str(plan.warnings[0]) and "unknown" in str(plan.warnings[0])


def test_a_domain_that_is_not_ours_is_never_planned() -> None:
    assert terms_of(add_up([host("a", AFAS, domain="other.example")], OPTIONS)) == {}


def test_the_first_record_waits_for_the_services_to_be_stated() -> None:
    unstated = add_up([host("a", AFAS, domains={"acme.example": {}})], OPTIONS)
    assert unstated.domains[0]["spf"]["create"] is False
    assert "create" not in add_up([host("a", AFAS)], OPTIONS).domains[0]["spf"]


def test_names_are_compared_as_a_labels() -> None:
    plan = add_up(
        [host("a", AFAS, domain="xn--bckerei-5wa.example", domains={"Bäckerei.example.": {"services": []}})], OPTIONS
    )
    assert terms_of(plan) == {"xn--bckerei-5wa.example": ["include:spf.afas.online"]}


def test_each_domain_has_the_account_of_those_who_need_it() -> None:
    domains = {
        "acme.example": {"services": []},
        "beta.example": {"services": []},
        "own.example": {"dns": OTHER_ACCOUNT},
    }
    plan = add_up(
        [
            host("a", AFAS, domains=domains),
            host("b", AFAS, domain="beta.example", domains=domains, account=OTHER_ACCOUNT),
            host("c", AFAS, domain="own.example", domains=domains, account=None),
        ],
        OPTIONS,
    )
    assert plan.problems == []
    accounts = {entry["domain"]: entry.get("dns", plan.dns) for entry in plan.domains}
    assert accounts == {"acme.example": ACCOUNT, "beta.example": OTHER_ACCOUNT, "own.example": OTHER_ACCOUNT}


def test_a_domain_that_nobody_needs_has_the_common_account() -> None:
    domains = {"acme.example": {"services": ["gmail"]}}
    assert add_up([host("a", domains=domains), host("b", domains=domains)], OPTIONS).dns == ACCOUNT


REFUSED: list[tuple[str, list[HostNeeds], EstateOptions, list[str]]] = [
    (
        "two accounts",
        [host("a", AFAS), host("b", AFAS, account=OTHER_ACCOUNT)],
        OPTIONS,
        ["acme.example", "a and b", "different DNS accounts"],
    ),
    (
        "two declarations",
        [host("a", AFAS), host("b", AFAS, domains={"acme.example": {}})],
        OPTIONS,
        ["acme.example", "a and b", "differently"],
    ),
    (
        "no account",
        [host("a", AFAS, account=None)],
        OPTIONS,
        ["acme.example", "no host of this play has a DNS account"],
    ),
    (
        "no account that all share",
        [
            host("a", account=ACCOUNT, domains={"acme.example": {"services": ["gmail"]}}),
            host("b", account=OTHER_ACCOUNT, domains=None),
        ],
        OPTIONS,
        ["a and b"],
    ),
    (
        "wrong account",
        [host("a", AFAS, account={"provider": "zonefil"})],
        OPTIONS,
        ["a: mail_dns_account: provider is not one"],
    ),
    (
        "wrong own account",
        [host("a", AFAS, domains={"acme.example": {"dns": "zonefile"}})],
        OPTIONS,
        ["mail_dns_domains.acme.example.dns"],
    ),
    (
        "undefined secret",
        [host("a", AFAS, account={**ACCOUNT, "path": "{{ vault_path }}"})],
        OPTIONS,
        ["a: mail_dns_account: path", "not defined"],
    ),
    ("domains are a list", [host("a", domains=["acme.example"])], OPTIONS, ["a: mail_dns_domains", "dictionary"]),
    (
        "domain is text",
        [host("a", domains={"acme.example": "gmail"})],
        OPTIONS,
        ["acme.example", "dictionary, not a str"],
    ),
    (
        "unknown key",
        [host("a", domains={"acme.example": {"service": []}})],
        OPTIONS,
        ["mail_dns_domains.service", "services"],
    ),
    (
        "services are text",
        [host("a", domains={"acme.example": {"services": "gmail"}})],
        OPTIONS,
        ["services is a list"],
    ),
    (
        "flatten is text",
        [host("a", domains={"acme.example": {"flatten": "spf.afas.online"}})],
        OPTIONS,
        ["acme.example: mail_dns_domains.flatten", "list of domains"],
    ),
    (
        "flatten is no name",
        [host("a", domains={"acme.example": {"flatten": ["include:spf.afas.online"]}})],
        OPTIONS,
        ["acme.example: flatten", "include:spf.afas.online"],
    ),
    (
        "flatten_refresh is text",
        [host("a", domains={"acme.example": {"flatten": ["spf.afas.online"], "flatten_refresh": "weekly"}})],
        OPTIONS,
        ["acme.example: mail_dns_domains.flatten_refresh", "number of days"],
    ),
    (
        "flatten_refresh is too large",
        [host("a", domains={"acme.example": {"flatten": ["spf.afas.online"], "flatten_refresh": 366}})],
        OPTIONS,
        ["acme.example: flatten_refresh", "1 to 365"],
    ),
    (
        "unknown service",
        [host("a", domains={"acme.example": {"services": ["gmial"]}})],
        OPTIONS,
        ["gmial", "Did you mean gmail?"],
    ),
    ("bad name", [host("a", domains={"acme": {"services": []}})], OPTIONS, ["two labels"]),
    ("one domain twice", [host("a", domains={"acme.example": {}, "ACME.example": {}})], OPTIONS, ["declared twice"]),
    ("needs unknown", [host("a", needs=None)], OPTIONS, ["a: erp_mail_needs", "tasks_from: validate"]),
    (
        "removal from a part",
        [host("a", AFAS, state="absent")],
        OPTIONS,
        ["a: erp_mail_state of acme.example", "mail_dns_complete: true"],
    ),
    (
        "removal under --limit",
        [host("a", AFAS, state="absent")],
        replace(COMPLETE, limit=True),
        ["a: erp_mail_state of acme.example", "--limit"],
    ),
    (
        "removal from some hosts",
        [host("a", AFAS, state="absent")],
        replace(COMPLETE, left_out=("z",)),
        ["a: erp_mail_state of acme.example", "not in this play: z"],
    ),
    (
        "acceptance of nobody",
        [host("a")],
        replace(OPTIONS, accept_stale=frozenset({"zigo"})),
        ["mail_dns_accept_stale", "zigo", "Did you mean ziggo?"],
    ),
    (
        "two services of one name",
        [host("a", services={"x": {"title": "1"}}), host("b", services={"x": {"title": "2"}})],
        OPTIONS,
        ["a and b", "erp_mail_catalogue_services.x"],
    ),
    ("malformed service", [host("a", services={"x": {"title": "1"}})], OPTIONS, ["catalogue service x"]),
]


@pytest.mark.parametrize(("hosts", "options", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_added_up_is_a_problem(hosts: list[HostNeeds], options: EstateOptions, said: list[str]) -> None:
    found = rules(add_up(hosts, options))
    assert any(all(part in problem for part in said) for problem in found), found


def test_an_account_s_values_are_never_shown() -> None:
    account = {
        "provider": "rfc2136",
        "server": "192.0.2.1",
        "key_name": "k",
        "key_secret": "hunter2hunter2",
        "tokn": "hunter2hunter2",
    }
    found = add_up([host("a", AFAS, account=account), host("b", AFAS)], OPTIONS)
    assert found.problems and "hunter2" not in "".join(rules(found))


def test_a_decommissioned_environment_takes_its_terms_along() -> None:
    plan = add_up([host("a", AFAS), host("b", term("ip4:192.0.2.1"), state="absent")], COMPLETE)
    assert terms_of(plan) == {"acme.example": ["include:spf.afas.online"]}
    assert plan.domains[0]["spf"]["absent_terms"] == ["ip4:192.0.2.1"]


def test_what_others_still_need_stays() -> None:
    gmail = term("include:_spf.google.com", "gmail", "2026-11", False)
    domains = {"acme.example": {"services": ["gmail"]}}
    gone = host("b", AFAS, gmail, state="absent", domains=domains)
    plan = add_up([host("a", AFAS, domains=domains), gone], OPTIONS)
    assert plan.problems == []
    assert "absent_terms" not in plan.domains[0]["spf"]


def test_a_stale_address_is_held_back_until_it_is_accepted() -> None:
    held = add_up([host("a", ZIGGO, AFAS)], OPTIONS)
    assert terms_of(held) == {"acme.example": ["include:spf.afas.online"]}
    for part in ("acme.example", "ip4:212.54.42.9", "ziggo", "2015-11-18", "mail_dns_accept_stale: [ziggo]"):
        assert part in str(held.warnings[0])
    accepted = add_up([host("a", ZIGGO)], replace(OPTIONS, accept_stale=frozenset({"ziggo"})))
    assert terms_of(accepted) == {"acme.example": ["ip4:212.54.42.9"]} and accepted.warnings == []


def test_a_stale_address_of_a_decommissioned_environment_is_removed() -> None:
    plan = add_up([host("a", ZIGGO, state="absent")], COMPLETE)
    assert plan.problems == [] and plan.domains[0]["spf"] == {"terms": [], "absent_terms": ["ip4:212.54.42.9"]}


@pytest.mark.parametrize(
    ("text", "date", "stale"),
    [
        ("ip4:192.0.2.1", "2025-11-21", False),
        ("ip4:192.0.2.1", "2025-11-20", True),
        ("ip4:192.0.2.1", "2025-12", False),
        ("+IP6:2001:db8::1", "2024-01", True),
        ("ip4:192.0.2.1", None, True),
        ("include:spf.example.com", "2001-01-01", False),
        ("include:spf.example.com", None, False),
    ],
)
def test_addresses_age_and_names_do_not(text: str, date: str | None, stale: bool) -> None:
    assert is_stale(term(text, date=date, given=False), TODAY) is stale
    assert is_stale(term(text, date=date, given=True), TODAY) is False


SELECTOR = {"selector": "s1", "target": "s1.service.example"}


@pytest.mark.parametrize(
    ("options", "tighten"), [(OPTIONS, False), (COMPLETE, True), (replace(COMPLETE, limit=True), False)]
)
def test_a_policy_may_be_tightened_only_by_a_run_that_knows_every_sender(options: EstateOptions, tighten: bool) -> None:
    declared = {"services": [], "dmarc": {"policy": "reject"}, "dkim": [SELECTOR]}
    (entry,) = add_up([host("a", domains={"acme.example": declared})], options).domains
    assert entry["dmarc"] == {"policy": "reject", "tighten": tighten}
    assert entry["dkim"] == [SELECTOR]
    assert entry["spf"] is None


@pytest.mark.parametrize("terms", [(), (AFAS,)])
def test_includes_that_are_to_be_flattened_are_handed_on(terms: tuple[dict[str, Any], ...]) -> None:
    declared = {"services": [], "flatten": ["spf.afas.online"], "flatten_refresh": 3}
    plan = add_up([host("a", *terms, domains={"acme.example": declared})], OPTIONS)
    stated = {"flatten": ["spf.afas.online"], "flatten_refresh": 3, "other_flattened": "restore"}
    assert plan.problems == []
    assert plan.domains[0]["spf"] == {"terms": [one["term"] for one in terms], **stated}


def test_the_services_that_mx_hosts_tell_are_named() -> None:
    suffixes = {entry["suffix"]: entry["service"] for entry in add_up([host("a", AFAS)], OPTIONS).mx_services}
    assert suffixes["mail.protection.outlook.com"] == suffixes["mx.microsoft"] == "microsoft365"
    assert suffixes["aspmx.l.google.com"] == "gmail"


TERMS = st.lists(
    st.sampled_from([AFAS, ZIGGO, term("ip4:192.0.2.1"), term("ip4:192.0.2.1", "ziggo", "2015-11-18", False)]),
    max_size=4,
)
DECLARATIONS = st.sampled_from([DOMAINS, {"acme.example": {}}, {"acme.example": {"services": ["gmail"]}}, None])


@st.composite
def estates(draw: st.DrawFn) -> list[HostNeeds]:
    return [
        host(
            f"host_{number}",
            *draw(TERMS),
            state=draw(st.sampled_from(["present", "absent"])),
            account=draw(st.sampled_from([ACCOUNT, OTHER_ACCOUNT, None])),
            domains=draw(DECLARATIONS),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


@given(estates(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_hosts_does_not_matter(hosts: list[HostNeeds], random: Any, complete: bool) -> None:
    shuffled = list(hosts)
    random.shuffle(shuffled)
    options = replace(OPTIONS, complete=complete)
    assert add_up(shuffled, options) == add_up(hosts, options)
