# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A null MX on real master files: where it is published, what is left alone, what is refused and what is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company, check_problem

NAME = "acme.example"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, {})


def test_a_domain_says_that_it_takes_no_mail(company: Company) -> None:
    company.live('@ IN TXT "note"', "www IN MX 10 ns1")
    before = company.files()
    planned = company.run(write=False, null_mx={})
    assert company.files() == before
    done = company.run(null_mx={}, ttl=None)
    assert [step.change for step in planned.steps] == [step.change for step in done.steps]
    assert (done.steps[0].plan.before, done.steps[0].plan.after, done.warnings) == (None, "0 .", [])
    found = company.rrset(NAME, "MX")
    assert found is not None and (found.ttl, found.values) == (3600, ("0 .",))
    assert (company.read(NAME), company.read("www.acme.example", "MX")) == (["note"], ["10 ns1.acme.example"])
    written = company.files()
    assert (company.run(null_mx={}).changed, company.files()) == (False, written)


def test_a_null_mx_that_stands_is_kept_as_it_is(company: Company) -> None:
    company.live("@ 77 IN MX 10 .")
    assert not company.run(null_mx={}).changed
    done = company.run(null_mx={}, ttl=60)
    assert (done.changed, done.steps[0].plan.after) == (True, "10 .")
    found = company.rrset(NAME, "MX")
    assert found is not None and (found.ttl, found.values) == (60, ("10 .",))


def test_a_null_mx_and_an_spf_record_of_one_name_are_one_write(company: Company) -> None:
    path = company.live('@ IN TXT "v=spf1 mx ~all"')
    done = company.run(null_mx={}, spf={"all": "-all", "exclusive": True})
    assert ([step.recipe.kind for step in done.steps], done.warnings) == (["spf", "null_mx"], [])
    assert (company.read(NAME, "MX"), company.read(NAME)) == (["0 ."], ["v=spf1 -all"])
    assert " 2 7200" in path.read_text()  # the serial rose once
    assert not company.run(null_mx={}, spf={"all": "-all", "exclusive": True}).changed


@pytest.mark.parametrize(
    ("records", "changed", "left"),
    [
        (["@ IN MX 5 ."], True, []),
        (["@ IN MX 10 ns1", "@ IN MX 20 mx.service.example."], False, ["10 ns1.acme.example", "20 mx.service.example"]),
        (["@ IN MX 10 ns1", "@ IN MX 0 ."], False, ["0 .", "10 ns1.acme.example"]),
        ([], False, []),
    ],
    ids=["null", "hosts", "both", "nothing"],
)
def test_absent_takes_a_null_mx_only(company: Company, records: list[str], changed: bool, left: list[str]) -> None:
    company.live('@ IN TXT "v=spf1 mx ~all"', *records)
    done = company.run(null_mx={"state": "absent"})
    assert (done.changed, company.read(NAME, "MX"), company.read(NAME)) == (changed, left, ["v=spf1 mx ~all"])
    told = done.steps[0].plan.after
    assert (sorted(told.split(" | ")) if told else [], done.warnings) == (left, [])
    assert not company.run(null_mx={"state": "absent"}).changed


REFUSED: list[tuple[list[str], str, tuple[str, str, str | None, str, str, str]]] = [
    (
        ["@ IN MX 10 mx.service.example."],
        NAME,
        (NAME, "MX records", "10 mx.service.example", "the domain receives mail", "RFC 7505 section 3", "Remove these"),
    ),
    (
        ["@ IN MX 0 .", "@ IN MX 10 ns1"],
        NAME,
        (NAME, "MX records", "0 . | 10 ns1.acme.example", "a null MX stands alone", "RFC 7505 section 3", "Remove"),
    ),
    (
        ["shop IN CNAME shops.service.example."],
        "shop.acme.example",
        (
            "shop.acme.example",
            "CNAME record",
            "shops.service.example",
            "this name can hold no null MX of its own",
            "RFC 1034 section 3.6.2",
            "Publish the null MX at the target",
        ),
    ),
    (
        ["shop IN NS ns1.service.example."],
        "shop.acme.example",
        (
            "shop.acme.example",
            "delegation",
            "shop.acme.example",
            "delegated away from zone acme.example",
            "RFC 1034 section 4.2",
            "Name the DNS account that serves that zone",
        ),
    ),
    (
        [],
        "other.example",
        (
            "other.example",
            "zone",
            None,
            "none of the 2 zones there holds",
            "RFC 1034 section 4.2",
            "Check the domain's spelling",
        ),
    ),
]


@pytest.mark.parametrize(("records", "domain", "told"), REFUSED, ids=["MX", "both", "CNAME", "delegated", "no zone"])
def test_a_null_mx_that_cannot_stand_there_is_refused(
    company: Company, records: list[str], domain: str, told: tuple[str, str, str | None, str, str, str]
) -> None:
    company.live(*records)
    company.zone("right.example")
    (problem,) = company.problems("right.example", domain, null_mx={})
    check_problem(problem, *told)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"state": "gone"}, ["null_mx", "state", "must be one of: present, absent"]),
        ({"preference": 10}, ["null_mx", "preference", "no such option"]),
        (["yes"], ["null_mx", "dict"]),
    ],
)
def test_a_wrong_option_is_refused_before_the_first_write(company: Company, options: Any, words: list[str]) -> None:
    company.zone("right.example")
    wrong = {"domain": NAME, "null_mx": options}
    problems = company.problems({"domain": "right.example", "null_mx": {}}, wrong)
    assert {problem.subject for problem in problems} == {NAME}
    for word in words:
        assert word in "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("record", "warned"),
    [
        ("v=spf1 ip4:192.0.2.1 -all", True),
        ("v=spf1 redirect=spf.service.example", True),
        ("v=spf1 ~all", True),
        ("v=spf1 -ALL", False),
        ("v=spf1 -all exp=why.acme.example", False),
        ("no SPF record", False),
    ],
)
def test_an_spf_record_that_lets_somebody_send_is_warned_of(company: Company, record: str, warned: bool) -> None:
    company.live(f'@ IN TXT "{record}"')
    for write in (False, True, True):
        warnings = company.run(write=write, null_mx={}).warnings
        assert [NAME in one and "RFC 7505 section 4.2" in one for one in warnings] == [True] * warned
    assert company.read(NAME) == [record]


def test_a_sender_that_cannot_be_looked_up_is_warned_of(company: Company) -> None:
    (warning, *_delegation) = company.run(null_mx={}, seen=False).warnings
    assert "acme.example: whether it sends mail cannot be looked up: " in warning
    assert company.read(NAME, "MX") == ["0 ."]


def test_a_wildcard_that_ends_at_the_null_mx_is_warned_of(company: Company) -> None:
    company.live("* IN MX 10 ns1", "* IN A 192.0.2.80", "own IN TXT hello")
    shop, own = company.run_all("shop.acme.example", "own.acme.example", null_mx={})
    addresses, mail = shop.warnings
    assert "shop.acme.example: its A come from the wildcard *.acme.example" in addresses
    assert "it takes mail at ns1.acme.example by the wildcard *.acme.example" in mail
    assert own.warnings == []
    company.live("* IN MX 0 .")
    (null,) = company.run_all("shop.acme.example", write=False, null_mx={})
    assert not any("takes mail" in warning for warning in null.warnings)
    company.live("* IN MX 10 ns1", "shop IN MX 0 .")
    assert [outcome.warnings for outcome in company.run_all("shop.acme.example", null_mx={}, ttl=60)] == [[]]
