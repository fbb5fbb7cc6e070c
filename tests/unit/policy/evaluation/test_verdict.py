# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict of a sender: what passes, what fails, what cannot be told, and what is said about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation import verdict as verdict_module
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.next_steps import inventory_step
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import (
    Sender,
    Signature,
    TransportFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import RESULTS, SpfResult
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge, Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import DECLARATION_VARIABLES
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD, new_public_key
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table
from hypothesis import given
from hypothesis import strategies as st

RSA_RECORD = f"v=DKIM1; k=rsa; p={new_public_key(2048)}"
UNSIGNED = Signature("acme.example", ())
SENDER = Sender(
    "erp@acme.example",
    "acme.example",
    "acme.example",
    "bounce@acme.example",
    ("192.0.2.1",),
    UNSIGNED,
    environment="acme",
    service="own",
    used_for=("invoices",),
)


def spf(result: str) -> Callable[[Sender], SpfResult]:
    return lambda sender: SpfResult(
        result, f"it is {result} (RFC 7208 section 2.6)", address=(sender.sources or ("",))[0]
    )


def judged(
    sender: Sender,
    result: str = "fail",
    policy: str | None = "v=DMARC1; p=reject",
    keys: dict[str, str] | None = None,
    failing: tuple[str, ...] = (),
    more: dict[str, str] | None = None,
) -> Verdict:
    txt = {f"{name}._domainkey.{domain}": ED25519_RECORD for name, domain in (keys or {}).items()} | (more or {})
    if policy is not None:
        txt["_dmarc.acme.example"] = policy
    return Judge(Table(txt, failing), check_spf=spf(result)).verdict(sender)


def signed(domain: str, *selectors: str) -> Signature:
    return Signature(domain, selectors)


OTHER = replace(SENDER, envelope_domain="service.example")
SIGNED = replace(OTHER, signature=signed("acme.example", "s1"))
SHOP = replace(SENDER, address="a@shop.acme.example", domain="shop.acme.example")

# case: (sender, what judged() is given) -> (dmarc, result, disposition)
VERDICTS: list[tuple[str, Sender, dict[str, object], tuple[str, str, str]]] = [
    ("SPF aligned", SENDER, {"result": "pass"}, ("pass", "pass", "none")),
    ("SPF of another domain", OTHER, {"result": "pass"}, ("fail", "fail", "reject")),
    ("SPF fails, p=quarantine", SENDER, {"policy": "v=DMARC1; p=quarantine"}, ("fail", "fail", "quarantine")),
    ("DKIM aligned", SIGNED, {"keys": {"s1": "acme.example"}}, ("pass", "pass", "none")),
    ("DKIM without key", SIGNED, {}, ("fail", "fail", "reject")),
    (
        "DKIM of another domain",
        replace(OTHER, signature=signed("service.example", "s1")),
        {"keys": {"s1": "service.example"}},
        ("fail", "fail", "reject"),
    ),
    (
        "relaxed SPF of a subdomain",
        replace(SENDER, envelope_domain="b.acme.example"),
        {"result": "pass"},
        ("pass", "pass", "none"),
    ),
    (
        "strict SPF of a subdomain",
        replace(SENDER, envelope_domain="b.acme.example"),
        {"result": "pass", "policy": "v=DMARC1; p=reject; aspf=s"},
        ("fail", "fail", "reject"),
    ),
    (
        "strict DKIM of a subdomain",
        replace(SIGNED, signature=signed("b.acme.example", "s1")),
        {"keys": {"s1": "b.acme.example"}, "policy": "v=DMARC1; p=reject; adkim=s"},
        ("fail", "fail", "reject"),
    ),
    ("t=y is no mercy", SENDER, {"policy": "v=DMARC1; p=reject; t=y"}, ("fail", "fail", "reject")),
    ("pct is no mercy", SENDER, {"policy": "v=DMARC1; p=reject; pct=1"}, ("fail", "fail", "reject")),
    ("no record, SPF passes", SENDER, {"result": "pass", "policy": None}, ("none", "pass", "none")),
    ("no record, SPF fails", SENDER, {"policy": None}, ("none", "fail", "none")),
    ("no record, SPF of another", OTHER, {"result": "pass", "policy": None}, ("none", "unknown", "none")),
    (
        "no record, SPF of a subdomain",
        replace(SENDER, envelope_domain="bounce.acme.example"),
        {"result": "pass", "policy": None},
        ("none", "pass", "none"),
    ),
    (
        "no record, DKIM of another",
        replace(OTHER, signature=signed("service.example", "s1")),
        {"keys": {"s1": "service.example"}, "policy": None},
        ("none", "unknown", "none"),
    ),
    ("no record, SPF times out", OTHER, {"result": "temperror", "policy": None}, ("none", "unknown", "none")),
    ("void record", SENDER, {"policy": "v=DMARC1; p=x"}, ("permerror", "fail", "none")),
    (
        "void record, SPF of another",
        OTHER,
        {"result": "pass", "policy": "v=DMARC1; p=x"},
        ("permerror", "unknown", "none"),
    ),
    ("subdomain by sp", SHOP, {"policy": "v=DMARC1; p=reject; sp=quarantine"}, ("fail", "fail", "quarantine")),
    (
        "SPF unknown",
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 +all"}},
        ("unknown", "unknown", "unknown"),
    ),
    (
        "sources unknown, but nobody passes",
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 -all"}},
        ("fail", "fail", "reject"),
    ),
    (
        "sources unknown, but nothing can be evaluated",
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 ipv4:192.0.2.1 -all"}},
        ("fail", "fail", "reject"),
    ),
    ("sources unknown, but no SPF record", replace(SENDER, sources=None), {}, ("fail", "fail", "reject")),
    ("envelope unknown", replace(SENDER, envelope_domain=None), {"result": "pass"}, ("unknown", "unknown", "unknown")),
    ("signature unknown", replace(SENDER, signature=None), {}, ("unknown", "unknown", "unknown")),
    ("signature unknown, SPF passes", replace(SENDER, signature=None), {"result": "pass"}, ("pass", "pass", "none")),
    (
        "unknown SPF of another domain",
        replace(OTHER, sources=None),
        {"more": {"service.example": "v=spf1 -all"}},
        ("fail", "fail", "reject"),
    ),
    (
        "one of two keys",
        replace(SIGNED, signature=signed("acme.example", "s1", "s2")),
        {"keys": {"s1": "acme.example"}},
        ("unknown", "unknown", "unknown"),
    ),
    ("SPF temperror", SENDER, {"result": "temperror"}, ("unknown", "unknown", "unknown")),
    ("SPF permerror", SENDER, {"result": "permerror"}, ("fail", "fail", "reject")),
    ("key times out", SIGNED, {"failing": ("s1._domainkey.acme.example",)}, ("unknown", "unknown", "unknown")),
    (
        "policy times out, SPF passes",
        SENDER,
        {"result": "pass", "failing": ("_dmarc.acme.example",)},
        ("temperror", "unknown", "unknown"),
    ),
    (
        "policy times out, SPF of another",
        OTHER,
        {"result": "pass", "failing": ("_dmarc.acme.example",)},
        ("temperror", "unknown", "unknown"),
    ),
    (
        "policy times out, nothing passes",
        SENDER,
        {"failing": ("_dmarc.acme.example",)},
        ("temperror", "fail", "unknown"),
    ),
]


@pytest.mark.parametrize(("case", "sender", "given_", "expected"), VERDICTS, ids=[row[0] for row in VERDICTS])
def test_each_sender_gets_its_verdict(
    case: str, sender: Sender, given_: dict[str, object], expected: tuple[str, str, str]
) -> None:
    verdict = judged(sender, **given_)  # type: ignore[arg-type]
    assert (verdict.dmarc.result, verdict.result, verdict.disposition) == expected
    assert "(RFC " in verdict.reason
    assert (verdict.next_step is None) is (verdict.result == "pass")


@pytest.mark.parametrize("result", RESULTS)
def test_only_an_spf_pass_passes(result: str) -> None:
    expected = {"pass": "pass", "temperror": "unknown"}.get(result, "fail")
    assert judged(SENDER, result).result == expected


# What the two standards see differently, and which of them is shown.
BY_STANDARD = [
    # the organisation has a policy, but a tree walk finds none above the subdomain's several
    (
        "np is for RFC 9989 only",
        {"_dmarc.acme.example": "v=DMARC1; p=none; np=reject"},
        "gone.acme.example",
        "RFC 9989",
        "reject",
    ),
    (
        "a weaker np is no mercy",
        {"_dmarc.acme.example": "v=DMARC1; p=reject; np=none"},
        "gone.acme.example",
        "RFC 7489",
        "reject",
    ),
    (
        "a public suffix's policy",
        {"_dmarc.bank.example": "v=DMARC1; p=reject; psd=y"},
        "x.y.bank.example",
        "RFC 9989",
        "reject",
    ),
    ("equal", {"_dmarc.acme.example": "v=DMARC1; p=reject"}, "acme.example", "RFC 9989", "reject"),
]


@pytest.mark.parametrize(("case", "records", "domain", "standard", "disposition"), BY_STANDARD)
def test_the_worse_standard_is_shown(
    case: str, records: dict[str, str], domain: str, standard: str, disposition: str
) -> None:
    sender = replace(SENDER, address=f"a@{domain}", domain=domain)
    judge = Judge(Table(records), check_spf=spf("fail"), exists=lambda name: not name.startswith("gone."))
    verdict = judge.verdict(sender)
    assert (verdict.dmarc.standard, verdict.disposition) == (standard, disposition), case


def test_a_pass_must_hold_under_both_standards() -> None:
    # A bank below a public suffix that the list does not know: only the tree walk tells its customers apart.
    records = {"_dmarc.bank.example": "v=DMARC1; p=reject; psd=y", "_dmarc.a.bank.example": "v=DMARC1; p=reject"}
    sender = replace(SENDER, domain="a.bank.example", envelope_domain="b.bank.example")
    verdict = Judge(Table(records), check_spf=spf("pass")).verdict(sender)
    assert (verdict.result, verdict.disposition, verdict.dmarc.standard) == ("fail", "reject", "RFC 9989")

    # A public suffix with a policy, but without psd=y: only the suffix list tells its customers apart.
    records = {"_dmarc.co.uk": "v=DMARC1; p=reject", "_dmarc.a.co.uk": "v=DMARC1; p=quarantine"}
    sender = replace(SENDER, domain="a.co.uk", envelope_domain="b.co.uk")
    verdict = Judge(Table(records), check_spf=spf("pass")).verdict(sender)
    assert (verdict.result, verdict.disposition, verdict.dmarc.standard) == ("fail", "quarantine", "RFC 7489")


BELOW = replace(SENDER, envelope_domain="bounce.acme.example")
NO_POLICY: list[tuple[Sender, str, str, str, str]] = [
    (BELOW, "pass", "pass", "would be aligned with acme.example if a policy were published", ""),
    (
        OTHER,
        "pass",
        "unknown",
        "if a policy were published, there would be no aligned pass: SPF passes for service",
        "Be",
    ),
    (OTHER, "temperror", "unknown", "there would be no certain aligned pass", "Look again"),
    (BELOW, "softfail", "fail", "neither SPF nor DKIM passes for any domain", "Put ip4:192.0.2.1"),
]


@pytest.mark.parametrize(("sender", "found", "result", "reason", "step"), NO_POLICY)
def test_without_a_policy_it_is_told_what_would_be_with_one(
    sender: Sender, found: str, result: str, reason: str, step: str
) -> None:
    """The mail of the first is accepted, and a record that asks for nothing does not change that."""
    verdict = judged(sender, found, policy=None)
    assert verdict.result == result and reason in verdict.reason, verdict.reason
    assert "nothing is evaluated for alignment (RFC 9989 section 4.10.2)" in verdict.reason
    assert (verdict.next_step or "").startswith(step) and (verdict.next_step is None) is (result == "pass")
    published = judged(sender, found, policy="v=DMARC1; p=none")
    assert published.result == ("fail" if found != "temperror" and result != "pass" else published.result)
    assert published.result == result or result == "unknown", "a first policy of p=none makes nothing worse or better"


@given(st.sampled_from([*RESULTS, "unknown"]), st.sampled_from(["acme.example", "a.b.acme.example", "x.example"]))
def test_what_would_be_with_a_policy_is_what_is_with_one(found: str, envelope: str) -> None:
    sender = replace(SENDER, envelope_domain=envelope)
    without, with_one = judged(sender, found, policy=None), judged(sender, found, policy="v=DMARC1; p=none")
    assert without.spf.aligned == with_one.spf.aligned
    assert without.result == with_one.result or (without.result == "unknown" and with_one.result == "fail")
    assert "RFC 9989 section 4.10.2" in without.reason and "4.10.2" not in with_one.reason


def test_of_two_passes_the_one_without_a_policy_is_shown() -> None:
    # Two records at the subdomain: a tree walk goes on to the organisation's, RFC 7489 ends there.
    table = Table(
        {"_dmarc.acme.example": "v=DMARC1; p=none", "_dmarc.shop.acme.example": ("v=DMARC1", "v=DMARC1; p=none")}
    )
    verdict = Judge(table, check_spf=spf("pass")).verdict(replace(SHOP, envelope_domain="shop.acme.example"))
    assert (verdict.result, verdict.dmarc.result, verdict.dmarc.standard) == ("pass", "none", "RFC 7489")


def test_a_verdict_in_plain_values_says_everything() -> None:
    verdict = judged(SIGNED, "pass", keys={"s1": "acme.example"})
    plain = verdict.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["sender"] == {
        "environment": "acme",
        "from": "erp@acme.example",
        "envelope_from": "bounce@acme.example",
        "envelope_domain": "service.example",
        "service": "own",
        "used_for": ["invoices"],
    }
    assert set(plain) == {
        *("sender", "spf", "dkim", "dmarc", "transport", "result", "disposition", "reason", "next_step", "receivers"),
        "cautions",
    }
    assert set(plain["spf"]) == {"result", "domain", "aligned", "reason", "term", "address", "caution"}
    assert set(plain["dkim"]) == {"result", "domain", "selectors", "aligned", "reason", "caution"}
    assert set(plain["dmarc"]) == {"result", "policy", "record_name", "record", "standard", "reason"}
    assert set(plain["receivers"][0]) == {"receiver", "demand", "met", "reason", "next_step"}
    assert plain["dkim"]["selectors"][0]["name"] == "s1._domainkey.acme.example"
    assert (plain["dmarc"]["record_name"], plain["dmarc"]["record"]) == ("_dmarc.acme.example", "v=DMARC1; p=reject")
    assert "DKIM passes for acme.example, aligned with acme.example" in plain["reason"]


CAUTIONS = [
    (f"{RSA_RECORD}; t=y", "t=y says that DKIM is being tested"),
    (ED25519_RECORD, "there is no RSA key beside it"),
    (f"{ED25519_RECORD}; t=y", "there is no RSA key beside it"),
]


@pytest.mark.parametrize(("record", "words"), CAUTIONS)
def test_a_key_that_some_receivers_do_not_take_is_named_in_the_reason(record: str, words: str) -> None:
    verdict = judged(SIGNED, "fail", more={"s1._domainkey.acme.example": record})
    assert verdict.result == "pass" and words in (verdict.dkim.caution or "")
    assert f"; but s1._domainkey.acme.example: {words}" in verdict.reason
    assert "(RFC " in verdict.reason


def test_an_rsa_key_beside_another_one_leaves_no_caution() -> None:
    both = replace(SIGNED, signature=signed("acme.example", "s1", "s2"))
    more = {"s1._domainkey.acme.example": ED25519_RECORD, "s2._domainkey.acme.example": RSA_RECORD}
    assert not any("_domainkey" in caution for caution in judged(both, "fail", more=more).cautions)


@pytest.mark.parametrize("sources", [None, ("192.0.2.1",)])
def test_what_is_nearly_a_record_is_named_in_the_reason(sources: tuple[str, ...] | None) -> None:
    txt = {"acme.example": "v=spf1;ip4:192.0.2.1 -all", "_dmarc.acme.example": "v=DMARC1 p=reject"}
    verdict = Judge(Table(txt)).verdict(replace(SENDER, sources=sources))
    assert verdict.spf.result == "none"
    assert 'acme.example has no SPF record: "v=spf1;ip4:192.0.2.1 -all" looks meant as SPF' in verdict.spf.reason
    assert verdict.dmarc.result == "none"
    assert '"v=DMARC1 p=reject" at _dmarc.acme.example looks meant as DMARC' in verdict.dmarc.reason


STEPS = [
    (SENDER, {"result": "none"}, "Publish an SPF record at acme.example"),
    (SENDER, {"result": "softfail"}, "Put ip4:192.0.2.1 in front of all in the SPF record of acme.example"),
    (SENDER, {"result": "permerror"}, "Replace the SPF record of acme.example by one that covers ip4:192.0.2.1"),
    (SIGNED, {}, "at s1._domainkey.acme.example"),
    (OTHER, {"result": "pass"}, "Let bounces go to a domain of acme.example"),
    (OTHER, {}, "signed with DKIM as acme.example"),
    (replace(SENDER, envelope_domain=None, signature=None), {}, "the address that bounces go to and the DKIM domain"),
    (
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 ip4:192.0.2.1"}},
        "Declare the servers that send.",
    ),
    (
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 -all"}},
        "Put the servers that send in front of -all in the SPF record of acme.example",
    ),
    (
        replace(SENDER, envelope_from="", envelope_domain=None),
        {},
        "Declare the name that the server greets with (helo)",
    ),
    (SENDER, {"result": "temperror"}, "Look again"),
    (
        replace(SIGNED, signature=signed("acme.example", "s1", "s2")),
        {"keys": {"s1": "acme.example"}},
        "Publish the key that the service gives at s2._domainkey.acme.example, or declare only",
    ),
]


@pytest.mark.parametrize(("sender", "given_", "step"), STEPS, ids=[row[2] for row in STEPS])
def test_the_next_step_is_the_nearest_way_to_a_pass(sender: Sender, given_: dict[str, object], step: str) -> None:
    assert step in (judged(sender, **given_).next_step or "")  # type: ignore[arg-type]


OURS = ("acme.example",)
DKIM = "erp_mail_dkim.acme.example or mail_dns_domains.acme.example.dkim"
BOUNCES = replace(SENDER, envelope_domain="bounce.acme.example")
VARIABLES: dict[str, tuple[Sender, dict[str, object], tuple[str, ...], list[str]]] = {
    "no SPF record": (SENDER, {"result": "none"}, OURS, ["erp_mail_spf_terms", "mail_dns_domains.acme.example.serv"]),
    "SPF fails": (SENDER, {}, OURS, ["Put ip4:192.0.2.1 in", "erp_mail_spf_terms"]),
    "SPF is broken": (
        SENDER,
        {"result": "permerror"},
        OURS,
        ["Replace the SPF record of acme.example", "in the zone"],
    ),
    "no key": (SIGNED, {}, OURS, ["s1._domainkey.acme.example", DKIM]),
    "bounces elsewhere": (OTHER, {"result": "pass"}, OURS, ["erp_mail_envelope_from", DKIM]),
    "bounces elsewhere and fails": (OTHER, {}, OURS, [f"declare the selectors: {DKIM}"]),
    "nothing declared": (
        replace(SENDER, envelope_domain=None, signature=None),
        {},
        OURS,
        ["Declare erp_mail_envelope_from", f"and {DKIM}"],
    ),
    "no sources": (
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 ip4:192.0.2.1"}},
        OURS,
        ["Declare erp_mail_spf_terms"],
    ),
    "nobody passes": (
        replace(SENDER, sources=None),
        {"more": {"acme.example": "v=spf1 -all"}},
        OURS,
        ["in front of -all in the SPF record of acme.example", "erp_mail_spf_terms"],
    ),
    "one key of two": (
        replace(SIGNED, signature=signed("acme.example", "s1", "s2")),
        {"keys": {"s1": "acme.example"}},
        OURS,
        ["s2._domainkey.acme.example", DKIM],
    ),
    "no answer": (SENDER, {"result": "temperror"}, OURS, ["Look again"]),
    "not ours": (SENDER, {}, ("other.example",), ["acme.example is not in mail_dns_domains", "add it there"]),
    "bounces not ours": (BOUNCES, {}, OURS, ["bounce.acme.example is not in mail_dns_domains"]),
}


@pytest.mark.parametrize("case", VARIABLES)
def test_the_next_step_of_an_inventory_names_its_variables(case: str) -> None:
    sender, known, domains, words = VARIABLES[case]
    step = inventory_step(judged(sender, **known), domains) or ""  # type: ignore[arg-type]
    assert [word for word in words if word not in step] == [], step
    variables = re.findall(r"(?:erp_mail|mail_dns)_[a-z_]+", step)
    assert [name for name in variables if name not in DECLARATION_VARIABLES] == []


def test_an_inventory_is_told_nothing_of_a_pass() -> None:
    assert inventory_step(judged(SENDER, "pass"), ()) is None


SPF_RECORDS = {
    "acme.example": "v=spf1 ip4:192.0.2.0/24 include:spf.service.example -all",
    "spf.service.example": "v=spf1 ip4:198.51.100.0/24 ~all",
    "local.example": "v=spf1 exists:%{l}.local.example -all",
    "slow.example": "v=spf1 include:gone.example -all",
    "_dmarc.acme.example": "v=DMARC1; p=reject",
}


@pytest.mark.parametrize(
    ("envelope", "sources", "result", "verdict"),
    [
        ("acme.example", ("192.0.2.1",), "pass", "pass"),
        ("acme.example", ("include:spf.service.example",), "pass", "pass"),
        ("acme.example", ("192.0.2.1", "203.0.113.1"), "fail", "fail"),
        ("none.example", ("192.0.2.1",), "none", "fail"),
        ("acme.example", (), "unknown", "unknown"),
        ("slow.example", ("192.0.2.1",), "temperror", "fail"),
        # The local part of the envelope sender is not known.
        ("local.example", ("192.0.2.1",), "unknown", "fail"),
    ],
)
def test_spf_is_evaluated_by_check_host(envelope: str, sources: tuple[str, ...], result: str, verdict: str) -> None:
    sender = replace(SENDER, envelope_domain=envelope, envelope_from=None, sources=sources)
    found = Judge(Table(SPF_RECORDS, ["gone.example"])).verdict(sender)
    assert (found.spf.result, found.result) == (result, verdict)
    assert found.spf.reason


GREETING = "mail.sender.example"
STRICT = {
    "acme.example": "v=spf1 ip4:192.0.2.0/24 -all",
    "service.example": "v=spf1 -all",
    GREETING: "v=spf1 ip4:192.0.2.1 -all",
    "_dmarc.acme.example": "v=DMARC1; p=quarantine",
    "s1._domainkey.acme.example": RSA_RECORD,
}
BY_DKIM = replace(SENDER, signature=signed("acme.example", "s1"))
STRICT_CAUTIONS: dict[str, tuple[Sender, list[str]]] = {
    "nothing": (replace(SENDER, helo=GREETING), []),
    "no greeting": (SENDER, []),
    "a greeting of others": (replace(SENDER, helo=GREETING, sources=("192.0.2.9",)), ["check the greeting"]),
    "a greeting in capitals": (replace(SENDER, helo="Service.Example."), ["check the greeting"]),
    "a greeting without a record": (replace(SENDER, helo="nothing.example"), []),
    "a greeting by address": (replace(SENDER, helo="[192.0.2.1]"), []),
    "SPF fails, DKIM passes": (replace(BY_DKIM, sources=("203.0.113.1",)), ["honour -all"]),
    "SPF of another fails, DKIM passes": (replace(BY_DKIM, envelope_domain="service.example"), ["honour -all"]),
    "both": (
        replace(BY_DKIM, envelope_domain="service.example", helo=GREETING, sources=("203.0.113.1",)),
        ["honour -all", "check the greeting"],
    ),
}


@pytest.mark.parametrize(("sender", "kinds"), STRICT_CAUTIONS.values(), ids=STRICT_CAUTIONS.keys())
def test_a_pass_that_strict_receivers_refuse_has_a_caution_for_each_reason(sender: Sender, kinds: list[str]) -> None:
    verdict = Judge(Table(STRICT)).verdict(sender)
    assert (verdict.result, verdict.next_step) == ("pass", None)
    assert len(verdict.cautions) == len(kinds) == verdict.reason.count("; but receivers ")
    assert all(kind in caution and "(RFC " in caution for kind, caution in zip(kinds, verdict.cautions, strict=True))
    assert verdict.as_dict()["cautions"] == list(verdict.cautions)


@pytest.mark.parametrize(
    ("records", "domain", "cautioned"),
    [
        ({"_dmarc.acme.example": "v=DMARC1; p=reject"}, "acme.example", True),
        ({"_dmarc.acme.example": "v=DMARC1; p=quarantine"}, "acme.example", False),
        ({"_dmarc.acme.example": "v=DMARC1; p=none; sp=reject"}, "shop.acme.example", True),
        ({"_dmarc.acme.example": "v=DMARC1; p=none; sp=reject"}, "acme.example", False),
        # np is what RFC 9989 alone looks at, and p what RFC 7489 does: either may reject.
        ({"_dmarc.acme.example": "v=DMARC1; p=reject; np=none"}, "gone.acme.example", True),
        ({"_dmarc.acme.example": "v=DMARC1; p=none; np=reject"}, "gone.acme.example", True),
    ],
)
def test_mail_that_is_rejected_when_forwarded_has_a_caution(
    records: dict[str, str], domain: str, cautioned: bool
) -> None:
    sender = replace(SENDER, address=f"a@{domain}", domain=domain, envelope_domain=domain)
    judge = Judge(Table(records), check_spf=spf("pass"), exists=lambda name: not name.startswith("gone."))
    verdict = judge.verdict(sender)
    assert verdict.result == "pass"
    assert [("RFC 9989 section 7.4" in one) for one in verdict.cautions] == ([True] if cautioned else [])


@pytest.mark.parametrize(
    ("helo", "sources", "spf_result", "result"),
    [
        ("acme.example", ("192.0.2.1",), "pass", "pass"),
        ("acme.example", ("203.0.113.1",), "fail", "fail"),
        (GREETING, ("192.0.2.1",), "pass", "fail"),
        ("[192.0.2.1]", ("192.0.2.1",), "none", "fail"),
        (None, ("192.0.2.1",), "unknown", "unknown"),
    ],
)
def test_the_null_sender_is_judged_by_the_greeting(
    helo: str | None, sources: tuple[str, ...], spf_result: str, result: str
) -> None:
    """RFC 7208 section 2.4: MAIL FROM is postmaster at the greeting then, and so is what DMARC aligns."""
    problems: list[Problem] = []
    given_ = {"from": "erp@acme.example", "envelope_from": "", "sources": list(sources), "helo": helo}
    (sender,) = read_senders([given_ | {"dkim": {"domain": "acme.example", "selectors": []}}], problems)
    assert problems == []
    verdict = Judge(Table(STRICT)).verdict(sender)
    assert (verdict.spf.result, verdict.result, verdict.spf.domain) == (spf_result, result, helo)
    assert helo or "the name that the server greets with" in verdict.reason


SERVICE = replace(OTHER, sources=("include:spf.service.example",))
EXAMPLES: list[tuple[Sender, str, dict[str, object]]] = [
    (SENDER, "pass", {}),
    (replace(SENDER, sources=("192.0.2.9",)), "fail", {}),
    (SERVICE, "pass", {}),
    (replace(SERVICE, signature=signed("acme.example", "s1")), "pass", {"keys": {"s1": "acme.example"}}),
    (replace(SERVICE, signature=None), "pass", {}),
    (SERVICE, "pass", {"policy": None}),
    (SENDER, "pass", {"failing": ("_dmarc.acme.example",)}),
    (replace(SHOP, envelope_domain="shop.acme.example"), "none", {}),
]


def test_the_examples_of_the_documentation_are_true() -> None:
    page = (Path(__file__).parents[4] / "docs" / "verdicts.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith(("| erp@acme", "| erp@shop"))]
    for row, (sender, result, given_) in zip(rows, EXAMPLES, strict=True):
        verdict = judged(sender, result, **given_)  # type: ignore[arg-type]
        told = verdict.result if verdict.result != "fail" else f"fail, {verdict.disposition}"
        assert row[5].strip().startswith(f"{told}:"), row
        assert row[1].strip().endswith(sender.domain) and row[2].strip().startswith(sender.envelope_domain or "")


@pytest.mark.parametrize(
    ("policy", "step"),
    [
        ("v=DMARC1; p=x", "Correct the policy record of acme.example."),
        ("v=DMARC1; p=none; p=none", "Correct the policy record of acme.example."),
        (None, 'Publish _dmarc.acme.example TXT "v=DMARC1; p=none", with an address for reports.'),
        ("v=DMARC1; p=none", None),
    ],
)
def test_receivers_want_a_policy_that_can_be_applied(policy: str | None, step: str | None) -> None:
    steps = {demand.next_step for demand in judged(SENDER, "pass", policy).receivers if "DMARC" in demand.demand}
    assert steps == {step}


def test_what_evaluates_spf_may_run_into_the_dns() -> None:
    def times_out(_sender: Sender) -> SpfResult:
        raise Unresolved("acme.example TXT: timed out")

    verdict = Judge(Table(), check_spf=times_out).verdict(SENDER)
    assert (verdict.spf.result, verdict.result) == ("temperror", "unknown")
    assert "timed out" in verdict.spf.reason


def test_discovery_is_done_once_per_domain_and_by_several_threads_at_once() -> None:
    table = Table({"_dmarc.acme.example": "v=DMARC1; p=reject"})
    judge = Judge(table, check_spf=spf("pass"))
    first = judge.verdict(SHOP)
    asked = len(table.names)
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(judge.verdict, [SHOP] * 100))
    assert set(verdicts) == {first}
    assert len(table.names) == asked


_results = st.sampled_from([*RESULTS, "unknown"])
_domains = st.sampled_from(["acme.example", "shop.acme.example", "acme.co.uk", "other.example", "co.uk"])
_records = st.builds(
    lambda tags: "; ".join(["v=DMARC1", *tags]),
    st.lists(
        st.sampled_from(
            ["p=reject", "p=none", "sp=x", "np=reject", "psd=y", "psd=n", "aspf=s", "adkim=s", "rua=x", "?"]
        ),
        max_size=4,
    ),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Table, Sender, str]:
    names = ["acme.example", "shop.acme.example", "example", "uk", "co.uk", "acme.co.uk", "other.example"]
    txt = {f"_dmarc.{name}": draw(_records) for name in names if draw(st.booleans())}
    selectors = draw(st.lists(st.sampled_from(["s1", "s2"]), unique=True))
    signature = draw(st.none() | st.builds(Signature, _domains, st.just(tuple(selectors))))
    for name in names:
        txt |= {f"{selector}._domainkey.{name}": ED25519_RECORD for selector in ("s1", "s2") if draw(st.booleans())}
    failing = draw(
        st.lists(st.sampled_from([f"_dmarc.{name}" for name in names] + ["s1._domainkey.acme.example"]), max_size=2)
    )
    domain, envelope = draw(_domains), draw(st.none() | _domains)
    sources = draw(st.none() | st.just(("192.0.2.1",)))
    return Table(txt, failing), Sender(f"a@{domain}", domain, envelope, None, sources, signature), draw(_results)


@given(cases())
def test_no_pass_without_an_aligned_pass_and_no_disposition_without_a_policy(case: tuple[Table, Sender, str]) -> None:
    table, sender, result = case
    verdict = Judge(table, check_spf=spf(result)).verdict(sender)
    certain = [part for part in (verdict.spf, verdict.dkim) if part.result == "pass" and part.aligned]
    if verdict.result == "pass":
        assert certain and verdict.disposition == "none" and verdict.dmarc.result in ("pass", "none", "permerror")
    if verdict.result == "fail":
        assert not certain
        assert verdict.dmarc.result == "fail" or "pass" not in (verdict.spf.result, verdict.dkim.result)
        assert verdict.disposition == (
            verdict.dmarc.policy or ("unknown" if verdict.dmarc.result == "temperror" else "none")
        )
    if verdict.result == "unknown":
        asks = verdict.dmarc.policy in ("quarantine", "reject") or verdict.dmarc.result == "temperror"
        assert verdict.disposition == ("unknown" if asks else "none")
        parts = [verdict.spf.result, verdict.dkim.result, verdict.dmarc.result]
        is_open = {"unknown", "temperror"} & set(parts) or None in (verdict.spf.aligned, verdict.dkim.aligned)
        assert is_open or (verdict.dmarc.result in ("none", "permerror") and "pass" in parts)
    assert verdict.as_dict()["result"] == verdict.result


@given(cases())
def test_better_spf_never_makes_a_verdict_worse(case: tuple[Table, Sender, str]) -> None:
    table, sender, result = case
    rank = {"fail": 0, "unknown": 1, "pass": 2}
    some = Judge(table, check_spf=spf(result)).verdict(sender)
    best = Judge(table, check_spf=spf("pass")).verdict(replace(sender, sources=("192.0.2.1",)))
    assert rank[best.result] >= rank[some.result]


@pytest.mark.parametrize(
    ("found", "spf_result", "told"),
    [
        ("pass", "pass", "pass"),
        ("fail", "pass", "fail"),
        ("unknown", "pass", "unknown"),
        ("pass", "fail", "fail"),
        ("unknown", "fail", "fail"),
    ],
)
def test_a_sender_whose_mail_is_not_handed_in_never_plainly_passes(found: str, spf_result: str, told: str) -> None:
    transport = TransportFinding(found, "nobody in the tenant has this address", "Make a shared mailbox with it.")
    verdict = judged(replace(SENDER, transport=transport), spf_result)
    plain = verdict.as_dict()
    assert (plain["result"], plain["transport"]["result"]) == (told, found)
    assert plain["reason"].startswith(transport.reason) == (found != "pass")
    assert str(plain["next_step"]).startswith("Make a shared mailbox") == (found != "pass")
    assert verdict.result == judged(SENDER, spf_result).result, "what receivers make of it is compared, not this"


def test_only_the_last_domains_are_remembered_and_each_is_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policies of thousands of domains would be kept to the end of the run, each for one sender."""
    monkeypatch.setattr(verdict_module, "_MOST_REMEMBERED", 2)
    senders = [replace(SENDER, domain=f"d{number}.example") for number in (1, 1, 2, 3, 1)]
    asked: list[str] = []

    def lookup(name: str, _rdtype: str) -> tuple[str, ...]:
        asked.append(name)
        return ("v=DMARC1; p=none",) if name.startswith("_dmarc.d") else ()

    judge = Judge(lookup)
    verdicts = [judge.verdict(sender) for sender in senders]
    assert [one.dmarc.record_name for one in verdicts] == [f"_dmarc.{one.domain}" for one in senders]
    assert verdicts[0] == verdicts[1] == verdicts[4]
    by_domain = [asked.count(f"_dmarc.d{number}.example") for number in (1, 2, 3)]
    assert by_domain[0] == 2 * by_domain[1] == 2 * by_domain[2], "the first was forgotten once, and not before"
