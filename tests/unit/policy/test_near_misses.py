# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT values that are meant as a record and are none: each is found and named, and nothing else is."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import is_key
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import is_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import is_mta_sts
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import (
    near_dkim,
    near_dmarc,
    near_mta_sts,
    near_spf,
    near_tls_rpt,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import is_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_rpt import is_tls_rpt
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD
from hypothesis import given
from hypothesis import strategies as st

SPF = {
    "v=spf1mx-all": "its words are joined",
    "v=spf1include:spf.example~all": "its words are joined",
    "v=spf1-all": "its words are joined",
    "v=spf1;mx -all": "the character ;",
    "v=spf1, mx -all": "the character ,",
    "v=spf1\tmx -all": "cannot be seen (U+0009)",
    "v=spf1\u00a0mx -all": "cannot be seen (U+00A0)",
    " v=spf1 mx -all": "a blank stands before it",
    "\nv=spf1 mx -all": "cannot be seen (U+000A) stands before it",
    "\ufeffv=spf1 mx -all": "cannot be seen (U+FEFF)",
    '"v=spf1 mx -all"': "quotes are a part of it",
    "\u201cv=spf1 mx -all\u201d": "quotes are a part of it",
    "'v=spf1 mx -all'": "quotes are a part of it",
    ' "v=spf1 mx -all"': "quotes are a part of it",
    "v = spf1 mx -all": "it does not begin with v=spf1, but with v = spf1",
    "v:spf1 mx -all": "it does not begin with v=spf1",
    "v=spf mx -all": "it does not begin with v=spf1",
    "v=spf2 mx -all": "it does not begin with v=spf1",
    "v=spfv1 mx -all": "it does not begin with v=spf1",
    "spf1 mx -all": "it does not begin with v=spf1",
}
DMARC = {
    "v=DMARC1 p=reject": "no semicolon stands behind v=DMARC1, but a blank",
    "v=DMARC1\\; p=reject": "a backslash stands behind v=DMARC1",
    "v=DMARC1, p=reject": "the character ,",
    "v=DMARC1p=reject": "the character p",
    " v=DMARC1; p=reject": "a blank stands before it",
    '"v=DMARC1; p=reject"': "quotes are a part of it",
    "v=dmarc1; p=reject": "the version is v=dmarc1, not v=DMARC1",
    "v=DMARC2; p=reject": "it does not begin with v=DMARC1",
    "v=DMARC10; p=reject": "the character 0",
    "v DMARC1; p=reject": "it does not begin with v=DMARC1",
    "DMARC1; p=reject": "it does not begin with v=DMARC1",
    "p=reject; rua=mailto:d@acme.example": "it does not begin with v=DMARC1",
    "rua=mailto:d@acme.example; v=DMARC1; p=none": "it does not begin with v=DMARC1",
}
KEY = ED25519_RECORD.rpartition("p=")[2]
DKIM = {
    f'"{ED25519_RECORD}"': "quotes are a part of it",
    f"v=DKIM1 k=ed25519 p={KEY}": "say DKIM1",
    f"v=DKIM1; k=ed25519; p={KEY}; p={KEY}": "at most once",
    f"v=DKIM1; k=ed25519;; p={KEY}": "name=value",
    f"v=DKIM1; k=ed25519; P={KEY}": "there is no p=",
}
TLS_RPT = {
    "v=TLSRPTv1 rua=mailto:t@acme.example": "a blank",
    "v=tlsrptv1; rua=mailto:t@acme.example": "the version is v=tlsrptv1",
    '"v=TLSRPTv1; rua=mailto:t@acme.example"': "quotes",
    "v=TLSRPT1; rua=mailto:t@acme.example": "it does not begin with v=TLSRPTv1",
}
MTA_STS = {
    "v=STSv1 id=1": "a blank",
    " v=STSv1; id=1": "a blank stands before it",
    "v=stsv1; id=1": "the version is v=stsv1",
    "v=STS1; id=1": "it does not begin with v=STSv1",
}
KINDS = (
    (near_spf, is_spf, SPF),
    (near_dmarc, is_dmarc, DMARC),
    (near_dkim, is_key, DKIM),
    (near_tls_rpt, is_tls_rpt, TLS_RPT),
    (near_mta_sts, is_mta_sts, MTA_STS),
)
NEAR = [(near, text, words) for near, _is_record, cases in KINDS for text, words in cases.items()]


@pytest.mark.parametrize(("near", "text", "words"), NEAR, ids=range(len(NEAR)))
def test_what_is_nearly_a_record_is_named(near: object, text: str, words: str) -> None:
    assert callable(near)
    sentence = near(text)
    assert sentence is not None
    assert sentence.startswith("looks meant as ") and words in sentence and "(RFC " in sentence


RECORDS = [
    (near_spf, "v=spf1"),
    (near_spf, "V=SPF1 mx -all"),
    (near_dmarc, "v = DMARC1 ; p=none"),
    (near_dkim, ED25519_RECORD),
    (near_tls_rpt, "v=TLSRPTv1; rua=mailto:t@acme.example"),
    (near_mta_sts, "v=STSv1; id=1"),
]
OTHERS = [
    "",
    "hello",
    "google-site-verification=abc",
    "MS=ms12345",
    "spf2.0/mfrom,pra include:a.example -all",
    "v=verifydomain MS=1",
    "_globalsign-domain-verification=x",
    "apple-domain=abc",
    "v=BIMI1; l=https://acme.example/logo.svg",
    "d=acme.example; v=1",
]


@pytest.mark.parametrize(
    ("near", "text"),
    [*RECORDS, *((kind[0], other) for kind in KINDS for other in OTHERS)],
)
def test_what_is_a_record_or_is_not_meant_as_one_is_no_near_miss(near: object, text: str) -> None:
    assert callable(near)
    assert near(text) is None


@given(st.text(st.sampled_from("v=spf1 DMARCdmarcDKIMp;\\\"'\t\n\u00a0\ufeffTLSRPTv"), max_size=30))
def test_any_text_is_a_record_or_near_or_neither(text: str) -> None:
    for near, is_record, _cases in KINDS:
        sentence = near(text)
        assert sentence is None or (not is_record(text) and "looks meant as" in sentence)
