# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that are odd, or nearly one: the verdict before the change is what the receiver does with them."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome, Signing, domain_entry
from ansible_collections.mailroom.erp.tests.receiver.keys import pkcs1_pem
from ansible_collections.mailroom.erp.tests.receiver.result_matrix import OWN_SPF
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED, STRANGER

_POLICIES = (
    ("capitals", "P=reject is a policy (RFC 9989 section 4.8)", "v=DMARC1; P=reject"),
    ("empty_part", "what is no tag is ignored (RFC 9989 section 4.8)", "v=DMARC1;; oops; p=reject"),
    ("no_mailto", "rua without mailto: takes nothing from the policy", "v=DMARC1; p=reject; rua=d@no-mailto.example"),
    ("no_semicolon", "no policy record (RFC 9989 section 4.7)", "v=DMARC1 p=reject"),
    ("backslash", "no policy record (RFC 9989 section 4.7)", r"v=DMARC1\\; p=reject"),
)
_REPLACED: dict[str, Any] = {**OWN_SPF, "near_miss": "replace"}


def odd_policies() -> list[Case]:
    """Live policies that are odd; quarantine is asked for, and what is nearly a record gives way."""
    return [_policy(*row) for row in _POLICIES]


def _policy(name: str, about: str, live: str) -> Case:
    domain = f"{name.replace('_', '-')}.example"
    return Case(
        f"odd_{name}",
        about,
        f"factuur@{domain}",
        STRANGER,
        Outcome("fail", "none", "fail", "quarantine"),
        (domain_entry(domain, "quarantine", spf=OWN_SPF, near_miss="replace"),),
        {domain: (f'_dmarc TXT "{live}"',)},
    )


def odd_senders() -> list[Case]:
    """SPF records that are nearly one, a term that receivers ignore, and a key in the form of PKCS#1."""
    return [
        _sender(
            "joined_words", "words joined to one: no SPF record (RFC 7208 section 4.5)", "v=spf1 ip4:192.0.2.9 -all"
        ),
        _sender("quoted", "quotes in it: no SPF record (RFC 7208 section 4.5)", r'"\"v=spf1 ip4:192.0.2.200 -all\""'),
        _sender("ignored_term", "ip4= is no mechanism (RFC 7208 section 6)", '"v=spf1 ip4=192.0.2.10 -all"'),
        Case(
            "pkcs1",
            "a key given as BEGIN RSA PUBLIC KEY is published as receivers read it (RFC 6376 section 3.6.1)",
            "factuur@pkcs1.example",
            STRANGER,
            Outcome("none", "pass", "pass", "none"),
            (domain_entry("pkcs1.example", "reject", dkim=[{"selector": "s1", "public_key": pkcs1_pem("service")}]),),
            signing=Signing("pkcs1.example"),
        ),
    ]


def _sender(name: str, about: str, live: str) -> Case:
    domain = f"{name.replace('_', '-')}.example"
    return Case(
        f"odd_{name}",
        about,
        f"factuur@{domain}",
        LISTED,
        Outcome("pass", "none", "pass", "none"),
        (domain_entry(domain, "reject", spf=_REPLACED),),
        {domain: (f"@ TXT {live}",)},
    )
