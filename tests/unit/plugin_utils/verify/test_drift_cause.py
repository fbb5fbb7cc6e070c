# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what way a record differs from what is declared: one sentence for each kind, and one for anything at all."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.drift_cause import RecordSight, drift_cause
from hypothesis import given
from hypothesis import strategies as st

SPF = "v=spf1 mx include:a.example ~all"
DMARC = "v=DMARC1; p=reject; rua=mailto:d@acme.example"
KEYS = [f"v=DKIM1; k=rsa; p={letter * 40}" for letter in "AB"]
KINDS = ["spf", "dkim", "dmarc", "cname", "report", "null_mx", "tls_rpt", "mta_sts"]
CAUSES = {
    "never made": ("spf", None, SPF, "it is declared, and was not made yet"),
    "shall not be": ("spf", SPF, None, "it stands there, and is declared not to be"),
    "term": ("spf", "v=spf1 mx ~all", SPF, "a term is missing: include:a.example"),
    "two terms": ("spf", "v=spf1 ~all", SPF, "a term is missing: mx, include:a.example"),
    "more": ("spf", "v=spf1 mx include:a.example a ~all", SPF, "a term stands there that shall not: a"),
    "end": ("spf", "v=spf1 mx include:a.example", SPF, "its end was changed: nothing, where ~all is declared"),
    "both": (
        "spf",
        "v=spf1 a +all",
        "v=spf1 mx ~all",
        "a term is missing: mx; a term stands there that shall not: a; "
        "its end was changed: +all, where ~all is declared",
    ),
    "qualifier": (
        "spf",
        "v=spf1 mx ?include:a.example ~all",
        SPF,
        "a term is missing: include:a.example; a term stands there that shall not: ?include:a.example",
    ),
    "order": ("spf", "v=spf1 include:a.example mx ~all", SPF, "its terms stand in another order"),
    "spaces": ("spf", "v=spf1  mx include:a.example ~all", SPF, "it is written differently"),
    "tightened": (
        "dmarc",
        "v=DMARC1; p=reject",
        "v=DMARC1; p=none",
        "the policy was tightened: p=reject, where none is declared",
    ),
    "no tags": ("dmarc", "???", DMARC, "the record was broken: it is no list of tags"),
    "tag": ("dmarc", f"{DMARC}; pct=50", DMARC, "pct=50 stands there, and shall not"),
    "key": ("dkim", KEYS[0], KEYS[1], "the key was replaced by another one"),
    "no key": ("dkim", "hello world", KEYS[1], "what stands there is no key"),
    "key tag": ("dkim", f"{KEYS[0]}; t=y", KEYS[0], "t=y stands there, and shall not"),
    "alias for key": (
        "dkim",
        "s1.keys.example.",
        KEYS[0],
        "an alias to s1.keys.example stands there in place of the key",
    ),
    "alias": (
        "cname",
        "b.example.",
        "a.example.",
        "the alias was moved: it leads to b.example, where a.example is declared",
    ),
    "other": ("null_mx", "10 mx.", "0 .", "another value stands there"),
    "beside": ("report", "v=DMARC1 | x", "v=DMARC1", "a second record stands beside it"),
}


@pytest.mark.parametrize(("kind", "live", "declared", "cause"), CAUSES.values(), ids=CAUSES)
def test_each_cause_has_its_words(kind: str, live: str | None, declared: str | None, cause: str) -> None:
    assert drift_cause(RecordSight(kind, "acme.example", live, declared)) == cause


def test_what_was_there_is_gone_or_was_removed() -> None:
    assert drift_cause(RecordSight("spf", "acme.example", None, SPF, was_there=True)) == "the record is gone"
    removed = RecordSight("spf", "acme.example", "v=spf1 mx ~all", SPF, was_there=True)
    assert drift_cause(removed) == "a term was removed: include:a.example"


def test_a_ttl_is_told_beside_what_else_differs() -> None:
    sight = RecordSight("spf", "acme.example", "v=spf1 mx ~all", SPF, 60, 3600)
    assert drift_cause(sight).endswith("; the TTL was changed: 60 s, where 3600 s are declared")


def test_addresses_of_a_flattened_include_that_moved_are_no_terms_that_somebody_changed() -> None:
    live, wanted = "v=spf1 ip4:192.0.2.1 ~all", "v=spf1 ip4:192.0.2.2 ~all"
    moved = RecordSight("spf", "acme.example", live, wanted, flattened=("a.example",))
    assert drift_cause(moved) == "the addresses of flattened includes moved: a.example"
    assert "a term" in drift_cause(RecordSight("spf", "acme.example", live, wanted))


@given(kind=st.sampled_from(KINDS), live=st.none() | st.text(), declared=st.none() | st.text())
def test_anything_has_a_cause(kind: str, live: str | None, declared: str | None) -> None:
    assert drift_cause(RecordSight(kind, "acme.example", live, declared))
