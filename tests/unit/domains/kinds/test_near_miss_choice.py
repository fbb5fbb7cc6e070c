# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT values that are nearly records, on real master files: a new record beside one waits until the user decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import refusal_text
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company

KEY = ED25519_RECORD.rpartition("p=")[2]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, {})


Case = tuple[str, str, str, Any, str, str]
"""Owner name, its TXT data in a master file, its decoded value, the wish, what is written, and why it is ignored."""
SPF: Any = {"spf": {"terms": ["ip4:192.0.2.1"]}}
DMARC: Any = {"dmarc": {"policy": "none"}}
CASES: dict[str, Case] = {
    "words joined": ("", "v=spf1 mx -all", "v=spf1mx-all", SPF, "v=spf1 ip4:192.0.2.1 ~all", "words are joined"),
    "quotes": ("", '"\\"v=spf1 mx -all\\""', '"v=spf1 mx -all"', SPF, "v=spf1 ip4:192.0.2.1 ~all", "quotes"),
    "semicolon": ("", '"v=spf1;mx"', "v=spf1;mx", SPF, "v=spf1 ip4:192.0.2.1 ~all", "the character ;"),
    "no semicolon": ("_dmarc.", '"v=DMARC1 p=none"', "v=DMARC1 p=none", DMARC, "v=DMARC1; p=none", "no semicolon"),
    "blank": (
        "_dmarc.",
        '" v=DMARC1; p=none"',
        " v=DMARC1; p=none",
        DMARC,
        "v=DMARC1; p=none",
        "a blank stands before",
    ),
    "a backslash": (
        "_dmarc.",
        '"v=DMARC1\\\\; p=none"',
        "v=DMARC1\\; p=none",
        DMARC,
        "v=DMARC1; p=none",
        "a backslash stands behind",
    ),
    "a key": (
        "s1._domainkey.",
        f'"v=DKIM1 k=ed25519 p={KEY}"',
        f"v=DKIM1 k=ed25519 p={KEY}",
        {"dkim": [{"selector": "s1", "public_key": ED25519_RECORD}]},
        ED25519_RECORD,
        "looks meant as a DKIM key",
    ),
    "TLS reports": (
        "_smtp._tls.",
        '"v=tlsrptv1; rua=mailto:t@acme.example"',
        "v=tlsrptv1; rua=mailto:t@acme.example",
        {"tls_rpt": {"rua": ["t@acme.example"]}},
        "v=TLSRPTv1; rua=mailto:t@acme.example",
        "the version is v=tlsrptv1",
    ),
}


def chosen(wish: dict[str, Any], choice: str, **more: Any) -> dict[str, Any]:
    """A wish with the option ``near_miss``."""
    ((kind, options),) = wish.items()
    added = {"near_miss": choice, **more}
    return {kind: [{**options[0], **added}] if isinstance(options, list) else {**options, **added}}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_new_record_beside_a_near_miss_waits_for_the_user(company: Company, case: Case) -> None:
    owner, data, value, wish, record, words = case
    name = f"{owner}acme.example"
    company.live(f"{name}. IN TXT {data}", f'{name}. IN TXT "hello"')
    (problem,) = company.problems({"domain": "acme.example", **wish})
    subject = name if "_domainkey" in name else "acme.example"
    assert (problem.subject, problem.where, problem.value) == (subject, f"TXT value at {name}", value)
    assert "looks meant as" in problem.rule and words in problem.rule and problem.source.startswith("RFC ")
    assert "near_miss: replace" in str(problem.way_out) and "near_miss: keep" in str(problem.way_out)
    (kind,) = wish
    asked = refusal_text(Refused(problem), {"inventory_domains": ["acme.example"]})
    assert f"mail_dns_domains.acme.example.{kind}.near_miss: replace" in asked
    kept = company.run(write=False, **chosen(wish, "keep"))
    assert any(words in warning for warning in kept.warnings)
    (change,) = kept.steps[0].changes
    assert change.after is not None and set(change.after.values) == {value, "hello", record}
    replaced = company.run(**chosen(wish, "replace"))
    assert company.read(name) == sorted(["hello", record])
    assert any("it is taken away" in warning for warning in replaced.warnings)
    assert value in (replaced.steps[0].plan.before or "")
    assert not company.run(**wish).changed


def test_beside_a_record_a_near_miss_is_named_and_stays_unless_replaced(company: Company) -> None:
    company.live('@ IN TXT "v=spf1;mx"', '@ IN TXT "v=spf1 mx ~all"')
    outcome = company.run(**SPF)
    assert outcome.changed and any("looks meant as SPF" in warning for warning in outcome.warnings)
    assert company.read("acme.example") == ["v=spf1 mx ip4:192.0.2.1 ~all", "v=spf1;mx"]
    assert company.run(**chosen(SPF, "replace")).changed
    assert company.read("acme.example") == ["v=spf1 mx ip4:192.0.2.1 ~all"]


@pytest.mark.parametrize("choice", ["refuse", "keep"])
def test_an_absent_record_leaves_a_near_miss_unless_it_is_replaced(company: Company, choice: str) -> None:
    company.live('_dmarc IN TXT "v=DMARC1 p=none"')
    outcome = company.run(dmarc={"state": "absent", "near_miss": choice})
    assert not outcome.changed and any("looks meant as DMARC" in warning for warning in outcome.warnings)
    assert company.run(dmarc={"state": "absent", "near_miss": "replace"}).changed
    assert company.read("_dmarc.acme.example") == []


def test_an_agreement_beside_a_near_miss_waits_too(company: Company) -> None:
    company.zone("reports.example", 'acme.example._report._dmarc IN TXT " v=DMARC1"')
    dmarc = {"rua": ["a@reports.example"]}
    assert "acme.example: TXT value at acme.example._report._dmarc.reports.example" in company.refusal(dmarc=dmarc)
    company.run(dmarc={**dmarc, "near_miss": "replace"})
    assert company.read("acme.example._report._dmarc.reports.example") == ["v=DMARC1"]


def test_terms_that_receivers_ignore_are_named_in_a_record_that_is_changed(company: Company) -> None:
    company.live('@ IN TXT "v=spf1 ip4=192.0.2.9 -all"')
    outcome = company.run(**SPF)
    assert company.read("acme.example") == ["v=spf1 ip4=192.0.2.9 ip4:192.0.2.1 -all"]
    assert any("ip4=192.0.2.9 looks meant as ip4:192.0.2.9" in warning for warning in outcome.warnings)
