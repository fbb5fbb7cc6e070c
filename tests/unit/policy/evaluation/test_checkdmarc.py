# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same records and names read by checkdmarc: 10,000 generated cases, every difference on a closed list.

MAILROOM_SEED=<number> runs the cases of another run again; each failure names its seed.
"""

from __future__ import annotations

import ipaddress
import os
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import checkdmarc.dmarc as their_dmarc
import checkdmarc.spf as their_spf
import dns.resolver
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import SuffixList, TreeWalk
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dmarc_reading import find
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table
from checkdmarc.utils import get_base_domain

SEED = int(os.environ.get("MAILROOM_SEED") or random.SystemRandom().randrange(2**32))
DMARC_RECORDS, SPF_RECORDS, DOMAINS, WALKS = 4000, 2000, 2000, 2000
TAGS = ("p", "sp", "np", "adkim", "aspf", "psd", "t")


@pytest.fixture(autouse=True)
def _seed_is_told() -> None:
    print(f"MAILROOM_SEED={SEED}")


def cases(count: int, make: Callable[[random.Random], Any]) -> Iterator[Any]:
    draw = random.Random(SEED)
    return (make(draw) for _number in range(count))


# --- policy records --------------------------------------------------------------------------------------------------

NO_TAG = "what is no tag is discarded, the rest stands (RFC 9989 section 4.8)"
NO_VALUE = (
    "a value that may not be is discarded, and p, sp and np have a rule of their own (RFC 9989 sections 4.8, 4.10.1)"
)
DOUBLED = "a tag that nobody knows stands twice, too, and makes the record void (RFC 6376 section 3.2)"
_WELL_FORMED = re.compile(r"\s*[a-zA-Z]+\s*=\s*[\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e]\s*")
_POLICY = ("none", "quarantine", "reject")
_ALLOWED = {"p": _POLICY, "sp": _POLICY, "np": _POLICY, "psd": ("y", "n", "u"), "t": ("y", "n")}
_POLICY_LIKE = (*_POLICY, "REJECT", "strict", "none quarantine", "")
_VALUES = {
    "p": _POLICY_LIKE,
    "sp": _POLICY_LIKE,
    "np": _POLICY_LIKE,
    "adkim": ("r", "s", "S", "x"),
    "aspf": ("r", "s", "S", "x"),
    "psd": ("y", "n", "u", "Y", "x"),
    "t": ("y", "n", "maybe"),
    "fo": ("0", "1", "d:s", "1:d"),
    "pct": ("50", "x"),
    "x": ("1", "a b"),
    "ri": ("86400",),
    "rf": ("afrf",),
}
_NO_TAGS = ("oops", "=1", "", " ", "p reject", "x1=1", "\xe9=1")
_BEGINNINGS = (*["v=DMARC1"] * 8, "V=DMARC1", "v = DMARC1", "v=dmarc1", "v=DMARC2", " v=DMARC1", "v=DMARC1 p=none")


def some_tag(draw: random.Random) -> str:
    name = draw.choice(list(_VALUES))
    gaps = draw.choices(["", "", "", " ", "  "], k=4)
    written = draw.choice([*[name] * 6, name.upper()])
    return f"{gaps[0]}{written}{gaps[1]}={gaps[2]}{draw.choice(_VALUES[name])}{gaps[3]}"


def dmarc_text(draw: random.Random) -> str:
    parts = [some_tag(draw) for _number in range(draw.randrange(6))]
    if draw.random() < 0.1:
        parts.insert(draw.randrange(len(parts) + 1), draw.choice(_NO_TAGS))
    return ";".join([draw.choice(_BEGINNINGS), *parts]) + draw.choice(["", ";", " ; "])


def our_reading(text: str) -> dict[str, str] | str:
    found = find(Table({"_dmarc.acme.example": text}), "acme.example")
    if found.record is None:
        return "void" if found.fault else "no record"
    read = {tag: found.record.choice(tag) for tag in TAGS}
    p = read["p"] or "none"
    sp = read["sp"] or p
    return {tag: value or {"p": p, "sp": sp, "np": sp}[tag] for tag, value in read.items()}


def their_reading(text: str) -> dict[str, str] | str:
    if not their_dmarc._is_dmarc_record(text):
        return "no record"
    try:
        tags = their_dmarc.parse_dmarc_record(text, "acme.example")["tags"]
    except their_dmarc.InvalidDMARCTag:
        return "void"
    except their_dmarc.InvalidDMARCTagValue:
        return "invalid value"
    except their_dmarc.DMARCSyntaxError:
        return "syntax error"
    return {tag: str(tags[tag]["value"]) for tag in TAGS}


def dmarc_difference(text: str, theirs: dict[str, str] | str) -> str | None:
    """The entry of the closed list that a difference is under."""
    first, *parts = text.split(";")
    if theirs == "syntax error":
        last_is_empty = bool(parts) and not parts[-1].strip()
        tags = parts[:-1] if last_is_empty else parts
        return None if all(_WELL_FORMED.fullmatch(tag) for tag in tags) else NO_TAG
    if theirs == "invalid value":
        given = [part.partition("=") for part in parts]
        pairs = [(name.strip().lower(), value.strip().lower()) for name, _equals, value in given]
        return NO_VALUE if any(value not in _ALLOWED.get(name, (value,)) for name, value in pairs) else None
    names = [part.partition("=")[0].strip().lower() for part in (first, *parts)]
    return DOUBLED if names.count("x") > 1 else None


def test_policy_records_are_read_alike() -> None:
    seen: dict[str, int] = {}
    for text in cases(DMARC_RECORDS, dmarc_text):
        ours, theirs = our_reading(text), their_reading(text)
        why = "the same" if ours == theirs else dmarc_difference(text, theirs)
        assert why is not None, f"seed {SEED}: {text!r}: ours {ours}, theirs {theirs}"
        seen[why] = seen.get(why, 0) + 1
    print(seen)
    assert seen["the same"] > DMARC_RECORDS / 4
    assert set(seen) == {"the same", NO_TAG, NO_VALUE, DOUBLED}


# --- policy discovery ------------------------------------------------------------------------------------------------

SEVERAL = "several records at one name count as none, and the walk goes on (RFC 9989 section 4.10 steps 2 and 6)"


def walk_case(draw: random.Random) -> tuple[str, dict[str, tuple[str, ...]]]:
    labels = [draw.choice("abc") for _number in range(draw.randrange(10))] + ["bank", "example"]
    records: dict[str, tuple[str, ...]] = {}
    for start in range(len(labels)):
        if draw.random() < 0.3:
            texts = [f"v=DMARC1; p=none{draw.choice(['', '', '; psd=y', '; psd=n', '; psd=u', '; psd=x'])}"]
            if draw.random() < 0.1:
                texts.append("v=DMARC1; p=reject")
            if draw.random() < 0.1:
                texts.append("something else")
            records["_dmarc." + ".".join(labels[start:])] = tuple(texts)
    return ".".join(labels), records


def their_location(domain: str) -> str | None:
    try:
        return str(their_dmarc.query_dmarc_record(domain, ignore_unrelated_records=True)["location"])
    except their_dmarc.MultipleDMARCRecords:
        return SEVERAL
    except their_dmarc.DMARCRecordNotFound:
        return None


def test_policies_are_found_at_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    records: dict[str, tuple[str, ...]] = {}

    def answer(name: str, kind: str, **_options: Any) -> list[str]:
        if name.startswith("_dmarc.") and not records.get(name):
            raise dns.resolver.NXDOMAIN
        return list(records.get(name, ())) if kind == "TXT" else []

    monkeypatch.setattr(their_dmarc, "query_dns", answer)
    seen: dict[str | bool, int] = {}
    for domain, given in cases(WALKS, walk_case):
        records = given
        record = TreeWalk(Table(given)).policy(domain).record
        ours, theirs = record.domain if record else None, their_location(domain)
        several = any(len([text for text in texts if text.startswith("v=DMARC1")]) > 1 for texts in given.values())
        assert ours == theirs or (several and theirs == SEVERAL), f"seed {SEED}: {domain} {given}: {ours}, {theirs}"
        seen[theirs == SEVERAL] = seen.get(theirs == SEVERAL, 0) + 1
    assert seen[False] > WALKS / 2


# --- organisational domains of RFC 7489 ------------------------------------------------------------------------------

SUFFIXES = (
    "nl",
    "co.uk",
    "com",
    "example",
    "kawasaki.jp",
    "kobe.jp",
    "github.io",
    "xn--55qx5d.cn",
    "ck",
    "amazonaws.com",
)


def any_domain(draw: random.Random) -> str:
    labels = [draw.choice(["a", "www", "city", "xn--85x722f", "_dmarc", "x-y"]) for _number in range(draw.randrange(5))]
    return ".".join([*labels, draw.choice(SUFFIXES)])


def test_organisational_domains_of_rfc_7489_are_the_same() -> None:
    standard = SuffixList(Table())
    for domain in cases(DOMAINS, any_domain):
        assert standard.organisation(domain) == get_base_domain(domain), f"seed {SEED}: {domain}"


# --- SPF records -----------------------------------------------------------------------------------------------------

VERSION = "the version is compared without case (RFC 7208 sections 4.5 and 12)"
ACTIONS = {"+": "pass", "": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


def spf_text(draw: random.Random) -> str:
    """Records whose reading needs no DNS."""
    good = ["ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip6:2001:db8::1", "ip6:2001:db8::/32", "x=1", "IP4:192.0.2.9"]
    bad = [
        "ip4:192.0.2.256",
        "ip4:192.0.2.1/33",
        "ip6:2001:db8::/129",
        "ip4",
        "ip4:",
        "oops",
        "ip6:192.0.2.1",
        "ip4:192.0.2.1/08",
    ]
    terms = [draw.choice(["", "", "+", "-", "~", "?"]) + draw.choice(good) for _number in range(draw.randrange(5))]
    terms = [term.lstrip("+-~?") if "=" in term else term for term in terms]
    if draw.random() < 0.3:
        terms.insert(draw.randrange(len(terms) + 1), draw.choice(bad))
    if draw.random() < 0.7:
        terms.append(draw.choice(["all", "-all", "~all", "?ALL"]))
    return draw.choice(["v=spf1", "v=spf1", "V=SPF1"]) + "".join(draw.choice([" ", "  "]) + term for term in terms)


def our_terms(text: str) -> list[tuple[str, str, str]] | None:
    try:
        terms = spf.parse_spf(text).terms
    except spf.SpfError:
        return None
    return [
        (ACTIONS[term.qualifier], term.mechanism, str(term.network))
        for term in terms
        if isinstance(term, spf.Directive) and term.mechanism in ("ip4", "ip6")
    ]


def their_terms(text: str) -> list[tuple[str, str, str]] | None:
    try:
        parsed = their_spf.parse_spf_record(text, "acme.example")["parsed"]
    except their_spf.SPFSyntaxError:
        return None
    return [
        (one["action"], one["mechanism"], str(ipaddress.ip_network(one["value"], strict=False)))
        for one in parsed["mechanisms"]
    ]


def test_spf_records_are_read_alike() -> None:
    seen: dict[str, int] = {}
    for text in cases(SPF_RECORDS, spf_text):
        ours, theirs = our_terms(text), their_terms(text)
        why = "the same" if ours == theirs else VERSION if theirs is None and text.startswith("V=SPF1") else None
        assert why is not None, f"seed {SEED}: {text!r}: ours {ours}, theirs {theirs}"
        why = "both refuse" if ours is None else why
        seen[why] = seen.get(why, 0) + 1
    assert set(seen) == {"the same", "both refuse", VERSION}
    assert seen["the same"] > SPF_RECORDS / 4
