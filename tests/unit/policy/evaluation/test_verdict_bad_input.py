# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: a result and a reason in bounded time, never an exception, never a false pass."""

from __future__ import annotations

import json
import string
import time

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender, Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import SpfResult
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Judge, Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table
from hypothesis import given
from hypothesis import strategies as st

SENDER = Sender(
    "a@acme.example", "acme.example", "acme.example", None, ("192.0.2.1",), Signature("acme.example", ("s1",))
)
SECONDS = 2.0


def judged(lookup: Lookup, sender: Sender = SENDER, result: str = "fail") -> Verdict:
    return Judge(lookup, check_spf=lambda _sender: SpfResult(result, "so it is")).verdict(sender)


def _names(count: int) -> list[str]:
    letters = string.ascii_lowercase
    return [a + b + c for a in letters for b in letters for c in letters][:count]


LARGE = {
    "one value": "v=DMARC1; p=reject; x=" + "a" * 65_000,
    "many tags": "v=DMARC1; p=reject; " + ";".join(f"{name}=" for name in _names(13_000)),
    "one tag often": "v=DMARC1; p=reject;" + "sp=;" * 16_000,
    "spaces": "v=DMARC1;" + " " * 65_000 + "p=reject",
    "spaces that end in nothing": "v=DMARC1" + " " * 65_000,
    "semicolons": "v=DMARC1;p=reject" + ";" * 65_000,
    "a name without end": "v=DMARC1; p=reject; " + "a" * 65_000,
    "report addresses": "v=DMARC1; p=x; rua=" + "mailto:a," * 7_000,
    "one long address": "v=DMARC1; p=x; rua=mailto:" + "a" * 65_000,
    "equals signs": "v=DMARC1; p=reject; " + "=" * 65_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_64_kilobytes_are_judged_in_bounded_time(text: str) -> None:
    begin = time.process_time()
    verdict = judged(Table({"_dmarc.acme.example": text, "s1._domainkey.acme.example": text.replace("DMARC", "DKIM")}))
    assert time.process_time() - begin < SECONDS
    assert verdict.result == "fail" and verdict.dkim.result == "fail"


def test_a_large_record_is_read_whole() -> None:
    records = {name: judged(Table({"_dmarc.acme.example": text})) for name, text in LARGE.items()}
    assert {name: verdict.disposition for name, verdict in records.items()} == {
        **dict.fromkeys(LARGE, "reject"),
        "one tag often": "none",
        "spaces that end in nothing": "none",
        "report addresses": "none",
        "one long address": "none",
    }


def test_thousands_of_values_at_one_name_are_no_record() -> None:
    values = tuple(f"v=DMARC1; p=reject; x={number}" for number in range(10_000))
    verdict = judged(Table({"_dmarc.acme.example": values}))
    assert (verdict.dmarc.result, verdict.disposition) == ("none", "none")
    assert "10000 policy records" in verdict.dmarc.reason


def test_a_record_that_is_no_utf_8_is_read_and_can_be_shown() -> None:
    text = b"v=DMARC1; p=reject; x=\xff\xfe\xe9".decode("utf-8", "surrogateescape")
    verdict = judged(Table({"_dmarc.acme.example": text, "s1._domainkey.acme.example": text}))
    assert (verdict.disposition, verdict.dmarc.record) == ("reject", text)
    assert json.loads(json.dumps(verdict.as_dict())) == verdict.as_dict()
    broken = judged(Table({"_dmarc.acme.example": "v=DMARC1; p=rej\udcffect"}))
    assert (broken.dmarc.result, broken.disposition) == ("permerror", "none")


def test_a_dns_that_answers_nothing_passes_nobody() -> None:
    def silent(name: str, kind: str) -> tuple[str, ...]:
        raise Unresolved(f"{name} {kind}: its CNAMEs loop or are too many: {name} ...")

    for result in ("pass", "fail", "unknown"):
        verdict = judged(silent, result=result)
        assert (verdict.result, verdict.disposition, verdict.dmarc.result) == ("unknown", "unknown", "temperror")
        assert "CNAMEs loop" in verdict.dmarc.reason
    assert {demand.met for demand in verdict.receivers} == {"unknown"}


@pytest.mark.parametrize(
    ("failing", "spf", "result"),
    [
        # Whatever the policy says, nothing passes; what receivers are asked to do is not known.
        ("_dmarc.acme.example", "fail", "fail"),
        ("_dmarc.acme.example", "pass", "unknown"),
        ("s1._domainkey.acme.example", "fail", "unknown"),
        ("s1._domainkey.acme.example", "pass", "pass"),
    ],
)
def test_a_name_that_times_out_matters_where_it_decides(failing: str, spf: str, result: str) -> None:
    verdict = judged(Table({"_dmarc.acme.example": "v=DMARC1; p=reject"}, [failing]), result=spf)
    assert verdict.result == result
    assert verdict.disposition == ("none" if result == "pass" else "unknown")


_texts = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.lists(
        st.sampled_from(["v=DMARC1", ";", "p=reject", "p", "=", " ", "psd=y", "rua=mailto:a@b", "np", "\udcff", "é"])
    )
    .map("".join)
    .map(lambda text: f"v=DMARC1;{text}"),
)


@given(_texts, _texts, _texts, _texts)
def test_whatever_stands_in_the_dns_there_is_a_verdict(own: str, above: str, top: str, key: str) -> None:
    table = Table(
        {
            "_dmarc.shop.acme.example": (own,),
            "_dmarc.acme.example": (above,),
            "_dmarc.example": (top,),
            "s1._domainkey.shop.acme.example": (key,),
        }
    )
    sender = Sender(
        "a@shop.acme.example",
        "shop.acme.example",
        "acme.example",
        None,
        ("x",),
        Signature("shop.acme.example", ("s1",)),
    )
    verdict = judged(table, sender)
    assert verdict.result == "fail" and verdict.disposition in ("none", "quarantine", "reject")
    assert verdict.dmarc.result in ("fail", "none", "permerror")


@given(st.text(max_size=30), st.none() | st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_sender_claims_there_is_a_verdict(domain: str, envelope: str | None, signing: str) -> None:
    sender = Sender(f"a@{domain}", domain, envelope, None, (signing,), Signature(signing, (domain,)))
    assert judged(Table(), sender).result in ("fail", "unknown")
