# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that name a subdomain, as those of OpenDMARC do: told with the domain that governs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.policy_domains import (
    policy_finder,
    reported_below,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import reading_archive
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import BEGIN, DAY, Inform, report_text

Put = Callable[[str, str], Path]

ZONE = """$ORIGIN acme.example.
$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
_dmarc IN TXT "v=DMARC1; p=none"
_dmarc.own IN TXT "v=DMARC1; p=reject"
far IN NS ns.elsewhere.example.
"""
BELOW = {"source": "192.0.2.10", "count": 3, "header_from": "sub.acme.example", "passed": (False, False)}


@pytest.fixture
def asked(tmp_path: Path, put: Put) -> dict[str, Any]:
    """Reports on acme.example and names below it; the options that ask for acme.example."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "acme.example.zone").write_text(ZONE)
    put("alpha.xml", report_text({"count": 5}, org="alpha.example"))
    put("beta.xml", report_text({"count": 5}, org="beta.example"))
    for name in ("sub", "own", "far"):
        put(f"{name}.xml", report_text({**BELOW, "header_from": f"{name}.acme.example"}, org="beta.example",
                                       report_id=name, domain=f"{name}.acme.example"))  # fmt: skip
    return {"domains": ["acme.example"], "resolver": {"zonefiles": [str(tmp_path / "zones")]}}


def test_what_the_domain_governs_is_told_with_it(inform: Inform, asked: dict[str, Any]) -> None:
    told = inform(**asked, include_days=True, include_records=True)
    domain = told["domains"]["acme.example"]
    assert (domain["reports"], domain["reporters"], domain["reporter_names"]) == (
        3,
        2,
        ["alpha.example", "beta.example"],
    )
    assert (domain["messages"], domain["pass"], domain["fail"]) == (13, 10, 3)
    assert domain["subdomains"] == ["sub.acme.example"]
    assert domain["overlaps"] == [], "one period of one reporter, under two names"
    assert told["days"]["acme.example"] == [{"day": "2026-10-01", "messages": 13, "pass": 10, "fail": 3}]
    found = [(one["messages"], one["header_from"]) for one in told["sources"]["acme.example"]]
    assert found == [(10, ["acme.example"]), (3, ["sub.acme.example"])]
    assert set(told["sources"]) == {"acme.example", "far.acme.example"}
    named = {one["domain"] for one in told["records"]}
    assert named == {"acme.example", "sub.acme.example", "far.acme.example"}, "records name what was reported"


def test_a_subdomain_with_a_policy_of_its_own_was_not_asked_for(inform: Inform, asked: dict[str, Any]) -> None:
    told = inform(**asked)
    assert "own.acme.example" not in told["domains"] and "own.acme.example" not in told["sources"]
    both = inform(**{**asked, "domains": ["acme.example", "own.acme.example"]})
    assert both["domains"]["own.acme.example"]["messages"] == 3
    assert both["domains"]["acme.example"]["messages"] == 13


def test_of_what_nobody_can_tell_it_is_told_apart_with_the_reason(inform: Inform, asked: dict[str, Any]) -> None:
    told = inform(**asked)
    (doubtful,) = told["domains"]["acme.example"]["doubtful_subdomains"]
    assert doubtful["domain"] == "far.acme.example" and "_dmarc.far.acme.example TXT" in doubtful["reason"]
    assert told["domains"]["far.acme.example"]["messages"] == 3 and told["sources"]["far.acme.example"]
    assert told["domains"]["far.acme.example"]["subdomains"] == []


def test_where_no_domain_is_asked_for_each_name_is_told_as_reported(inform: Inform, asked: dict[str, Any]) -> None:
    told = inform(resolver={"zonefiles": []})
    names = {"acme.example", "sub.acme.example", "own.acme.example", "far.acme.example"}
    assert set(told["domains"]) == names
    assert all(one["subdomains"] == one["doubtful_subdomains"] == [] for one in told["domains"].values())
    assert told["domains"]["acme.example"]["messages"] == 10


def test_a_domain_without_reports_of_its_own_is_told_by_those_below(
    inform: Inform, asked: dict[str, Any], put: Put
) -> None:
    for name in ("alpha", "beta"):
        put(
            f"{name}.xml",
            report_text(domain="other.example", org=f"{name}.example", begin=BEGIN + DAY, end=BEGIN + 2 * DAY),
        )
    domain = inform(**asked)["domains"]["acme.example"]
    assert (domain["reports"], domain["messages"], domain["begin"]) == (1, 3, "2026-10-01T00:00:00Z")
    assert domain["policy_published"]["p"] == "none"


@pytest.mark.parametrize(
    ("subdomain", "questions"),
    [
        ("sub.acme.example", ["_dmarc.sub.acme.example"]),
        ("a.b.acme.example", ["_dmarc.a.b.acme.example", "_dmarc.b.acme.example"]),
        (
            f"{'x.' * 100}acme.example",
            [f"_dmarc.{'x.' * count}acme.example" for count in (100, 5, 4, 3, 2, 1)],
        ),
    ],
)  # fmt: skip
def test_a_name_is_looked_up_as_receivers_do(subdomain: str, questions: list[str]) -> None:
    asked: list[str] = []

    def lookup(name: str, _rdtype: str) -> tuple[str, ...]:
        asked.append(name)
        return ()

    finder = policy_finder(lookup)
    assert finder(subdomain, "acme.example") is False and asked == questions
    assert finder(subdomain, "acme.example") is False and asked == questions, "each question is asked once"


def test_names_below_further_domains_are_neither_told_nor_looked_up(
    inform: Inform, asked: dict[str, Any], tmp_path: Path
) -> None:
    inform(**asked, archive=str(tmp_path / "archive"))
    questions: list[str] = []

    def lookup(name: str, _rdtype: str) -> tuple[str, ...]:
        questions.append(name)
        return ()

    with reading_archive(str(tmp_path / "archive")) as connection:
        everything = reported_below(connection, {"acme.example"}, policy_finder(lookup))
        assert set(everything["acme.example"].governed) == {f"{name}.acme.example" for name in ("sub", "own", "far")}
        questions.clear()
        further = reported_below(connection, {"other.example"}, policy_finder(lookup), others={"acme.example"})
    assert further == {} and questions == []


def test_a_domain_of_somebody_else_below_is_told_with_none(inform: Inform, asked: dict[str, Any]) -> None:
    given = {"domains": ["acme.example"], "include_days": True}
    everything, ours = inform(**{**asked, **given}), inform(**{**asked, **given}, not_domains=["Sub.acme.example."])
    assert "sub.acme.example" in str(everything) and "sub.acme.example" not in str(ours)


def test_a_policy_below_a_name_that_cannot_be_looked_up_is_not_looked_for() -> None:
    def lookup(name: str, _rdtype: str) -> tuple[str, ...]:
        if name == "_dmarc.a.b.acme.example":
            raise Unresolved("time-out")
        return ("v=DMARC1; p=none",)

    finder = policy_finder(lookup)
    for _again in range(2):
        with pytest.raises(Unresolved, match="time-out"):
            finder("a.b.acme.example", "acme.example")
    assert finder("b.acme.example", "acme.example") is True
