# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLSRPT records on real master files: what is merged and kept, what is refused, what is left to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company, check_problem

NAME = "_smtp._tls.acme.example"
WORLD_RECORDS = (
    'one IN TXT "v=TLSRPTv1; rua=mailto:a@service.example"',
    'odd IN TXT "v=TLSRPTv1; rua=http://service.example"',
    'broken IN TXT "v=TLSRPTv1; rua"',
    'two IN TXT "v=TLSRPTv1; rua=mailto:a@service.example"',
    'two IN TXT "v=TLSRPTv1; rua=mailto:b@service.example"',
    'none IN TXT "note"',
)
WORLD = {"service.example": zone_text("service.example", "\n".join(WORLD_RECORDS))}
RUA = {"rua": ["tls@acme.example"]}
RECORD = "v=TLSRPTv1; rua=mailto:tls@acme.example"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, WORLD)


def test_a_first_record_is_made_beside_what_is_there(company: Company) -> None:
    company.live('_smtp._tls 77 IN TXT "note"')
    before = company.files()
    rua = {"rua": [" tls@acme.example ", "https://reports.example/{domain}", "mailto:TLS@ACME.example"]}
    planned = company.run(write=False, tls_rpt=rua)
    assert company.files() == before
    done = company.run(tls_rpt=rua)
    assert [step.change for step in planned.steps] == [step.change for step in done.steps]
    record = f"{RECORD},https://reports.example/acme.example"
    found = company.rrset(NAME)
    assert found is not None and (found.ttl, sorted(found.values)) == (77, ["note", record])
    assert (done.steps[0].plan.before, done.steps[0].plan.after, done.warnings) == (None, record, [])
    written = company.files()
    assert (company.run(tls_rpt=rua).changed, company.files()) == (False, written)


def test_addresses_and_fields_that_are_there_are_kept(company: Company) -> None:
    company.live('_smtp._tls 60 IN TXT "v=TLSRPTv1;rua=mailto:old@acme.example; x-new=1;"', '_smtp._tls IN TXT "note"')
    company.run(tls_rpt=RUA)
    record = "v=TLSRPTv1;rua=mailto:old@acme.example,mailto:tls@acme.example; x-new=1;"
    found = company.rrset(NAME)
    assert found is not None and (found.ttl, sorted(found.values)) == (60, ["note", record])
    company.run(tls_rpt={**RUA, "exclusive": True}, ttl=300)
    found = company.rrset(NAME)
    assert found is not None and (found.ttl, sorted(found.values)) == (
        300,
        ["note", "v=TLSRPTv1;rua=mailto:tls@acme.example;"],
    )
    assert not company.run(tls_rpt={**RUA, "exclusive": True}).changed


def test_absent_takes_the_records_and_nothing_else(company: Company) -> None:
    company.live(
        '_smtp._tls 60 IN TXT "v=TLSRPTv1; rua=mailto:a@acme.example"',
        '_smtp._tls IN TXT "note"',
        '_smtp._tls IN TXT "v=TLSRPTv1; rua"',
        '_smtp._tls IN TXT "v=TLSRPTv10; rua=mailto:a@acme.example"',
        '@ IN TXT "v=TLSRPTv1; rua=mailto:a@acme.example"',
    )
    assert company.run(tls_rpt={"state": "absent"}).changed
    found = company.rrset(NAME)
    assert found is not None
    assert (found.ttl, sorted(found.values)) == (60, ["note", "v=TLSRPTv10; rua=mailto:a@acme.example"])
    assert company.read("acme.example") == ["v=TLSRPTv1; rua=mailto:a@acme.example"]
    assert not company.run(tls_rpt={"state": "absent"}).changed


WISHES: list[tuple[dict[str, Any], tuple[str, str | None, str, str, str]]] = [
    ({}, ("tls_rpt.rua", None, "no address is given", "RFC 8460 section 3", "Give at least one address")),
    (
        {"rua": ["http://acme.example/tls"]},
        ("tls_rpt.rua", "http://acme.example/tls", "to a mail address or to an https: URI", "RFC 8460", "Correct the"),
    ),
    (
        {"rua": ["acme.example"]},
        ("tls_rpt.rua", "acme.example", "an address is name@domain", "RFC 5321", "Correct the address"),
    ),
    (
        {"rua": ["https://acme.example/a b"]},
        ("tls_rpt.rua", "https://acme.example/a b", "percent-encoded", "RFC 3986 section 3", "Correct the address"),
    ),
]


@pytest.mark.parametrize(("options", "told"), WISHES, ids=["none", "http", "domain", "space"])
def test_a_wrong_address_is_refused_before_the_first_write(
    company: Company, options: dict[str, Any], told: tuple[str, str | None, str, str, str]
) -> None:
    company.zone("right.example")
    entries = [{"domain": "right.example", "tls_rpt": RUA}, {"domain": "Acme.Example", "tls_rpt": options}]
    (problem,) = company.problems(*entries)
    check_problem(problem, "Acme.Example", *told)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ruaa": ["a@acme.example"]}, ["ruaa", "no such option"]),
        ({**RUA, "state": "gone"}, ["state", "must be one of"]),
        ({**RUA, "exclusive": "perhaps"}, ["exclusive", "boolean"]),
    ],
)
def test_a_wrong_option_is_refused_before_the_first_write(
    company: Company, options: dict[str, Any], words: list[str]
) -> None:
    company.zone("right.example")
    entries = [{"domain": "right.example", "tls_rpt": RUA}, {"domain": "acme.example", "tls_rpt": options}]
    (problem,) = company.problems(*entries)
    assert problem.subject == "acme.example"
    for word in ("tls_rpt", *words):
        assert word in str(problem)


FAULTY = "v=TLSRPTv1; rua=http://acme.example,mailto:tls@acme.example"
LIVE: list[tuple[list[str], tuple[str, str, str, str]]] = [
    (
        [RECORD, "v=TLSRPTv1; rua=mailto:b@acme.example"],
        (
            f"{RECORD} | v=TLSRPTv1; rua=mailto:b@acme.example",
            "2 TLSRPT records, so that senders act as if there were none",
            "RFC 8460 section 3",
            "Remove all but one",
        ),
    ),
    (["v=TLSRPTv1; rua"], ("rua", "fields are written name=value", "RFC 8460 section 3", "exclusive: true")),
    ([FAULTY], (FAULTY, "neither a mailto: nor an https: URI", "RFC 8460 section 3", "Correct the record in the zone")),
]


@pytest.mark.parametrize(("records", "told"), LIVE, ids=["two", "unreadable", "faulty"])
def test_a_live_record_that_senders_do_not_follow_is_refused(
    company: Company, records: list[str], told: tuple[str, str, str, str]
) -> None:
    company.live(*(f'_smtp._tls IN TXT "{record}"' for record in records))
    company.zone("right.example")
    (problem,) = company.problems("right.example", "acme.example", tls_rpt=RUA)
    check_problem(problem, "acme.example", "TLSRPT record", *told)
    if len(records) == 1:
        company.run(tls_rpt={**RUA, "exclusive": True})
        assert company.read(NAME) == [RECORD]


def test_a_record_that_no_txt_record_holds_is_refused(company: Company) -> None:
    rua = [f"{'a' * 60}{number}@acme.example" for number in range(900)]
    (problem,) = company.problems({"domain": "acme.example", "tls_rpt": {"rua": rua}})
    assert (problem.subject, problem.where, problem.source) == (
        "acme.example",
        "TLSRPT record",
        "RFC 1035 section 3.3.14",
    )
    assert "at most 65535" in problem.rule and problem.way_out == "Make it shorter."


def test_what_only_some_senders_read_is_warned_of(company: Company) -> None:
    company.live('_smtp._tls IN TXT "v=TLSRPTv1; x=1; rua=mailto:tls@acme.example"')
    outcome = company.run(tls_rpt=RUA)
    (warning,) = outcome.warnings
    assert warning.startswith("acme.example: rua= is not right behind the version") and not outcome.changed


ELSEWHERE = [
    ("one", "v=TLSRPTv1; rua=mailto:a@service.example", None),
    ("odd", "v=TLSRPTv1; rua=http://service.example", "neither a mailto: nor an https: URI"),
    ("broken", "v=TLSRPTv1; rua", "name=value"),
    ("two", "v=TLSRPTv1; rua=mailto:a@service.example | v=TLSRPTv1; rua=mailto:b@service.example", "there are 2"),
    ("none", None, "there are 0 TLSRPT records where it is managed, so that nobody reports"),
]


@pytest.mark.parametrize(("target", "found", "words"), ELSEWHERE, ids=[row[0] for row in ELSEWHERE])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_record_at_an_alias_is_left_to_its_target_and_judged(
    company: Company, target: str, found: str | None, words: str | None, state: str
) -> None:
    company.live(f"_smtp._tls IN CNAME {target}.service.example.")
    before = company.files()
    outcome = company.run(tls_rpt={**RUA, "state": state})
    plan = outcome.steps[0].plan
    assert (plan.before, plan.after, plan.elsewhere) == (found, found, f"the alias target {target}.service.example")
    left, *judged = outcome.warnings
    assert "managed elsewhere" in left
    wrong = [words] if words and state == "present" else []
    assert len(judged) == len(wrong) and all(word in one for word, one in zip(wrong, judged, strict=True))
    assert (outcome.changed, company.files()) == (False, before)


def test_a_record_that_is_delegated_away_is_left_alone(company: Company) -> None:
    company.live("_tls IN NS ns1.nobody.invalid.")
    outcome = company.run(tls_rpt=RUA)
    plan = outcome.steps[0].plan
    assert (plan.elsewhere, outcome.changed) == ("zone _tls.acme.example", False)
    assert any(f"{NAME}: cannot be looked up" in warning for warning in outcome.warnings)
