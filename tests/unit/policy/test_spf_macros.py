# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF macros: the examples of RFC 7208 section 7.4, and what is beyond them."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Check
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Client, Envelope
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import Programs
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import explanation, is_possible, template

DOMAIN = "email.example.com"
IP6_NAME = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"


def expanded(spec: str, ip: str = "192.0.2.3") -> str:
    check = Check(lambda _name, _rdtype: (), Programs(), Client.of(ip), Envelope.of(f"strong-bad@{DOMAIN}", "", "mx.x"))
    return template(spec).name(lambda letter: check.value(letter, DOMAIN))


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        # Beyond the examples of the RFC.
        ("%{h}.%{p}", "mx.x.unknown"),
        ("%%%_%-.%{D}.", "% %20.email.example.com"),
        ("%{S}.X.nl", "strong-bad%40email.example.com.x.nl"),
        ("%%{d}.nl", "%{d}.nl"),
        ("%{d" + "9" * 5000 + "}", "email.example.com"),
    ],
)
def test_the_examples_of_rfc_7208_section_7_4_are_expanded(spec: str, name: str) -> None:
    assert expanded(spec) == name


def test_the_address_of_an_ipv6_client_is_written_in_nibbles() -> None:
    assert expanded("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01") == IP6_NAME


@pytest.mark.parametrize("count", [1, 17, 18, 19, 1000])
def test_long_names_lose_labels_from_the_left(count: int) -> None:
    whole = ".".join([DOMAIN] * count)
    name = expanded(".".join(["%{d}"] * count))
    assert whole.endswith(name) and len(name) <= 253 and name.split(".")[0] in DOMAIN.split(".")
    assert (
        len(name) == len(whole) or len(whole.removesuffix(name).rpartition(".")[0].rpartition(".")[2]) + len(name) > 252
    )


@pytest.mark.parametrize(
    ("name", "possible"),
    [
        ("a.nl", True),
        ("a b.%20.nl", True),
        ("x" * 63 + ".nl", True),
        ("x" * 64 + ".nl", False),
        (".".join(["x" * 49] * 5) + ".nl", True),
        (".".join(["x" * 49] * 5) + ".abcd", False),
        ("", False),
        ("a..nl", False),
        (".nl", False),
        ("é.nl", False),
        ("a\\.nl", False),
        ("a\n.nl", False),
        ("\udcff.nl", False),
    ],
)
def test_a_name_that_cannot_be_looked_up_is_recognised(name: str, possible: bool) -> None:
    assert is_possible(name) is possible


@pytest.mark.parametrize("text", ["100%", "%{x}", "%{d0}", "é", "tab\t", "%{d", "\udcff"])
def test_a_broken_explanation_is_none(text: str) -> None:
    assert explanation(text) is None


def test_an_explanation_is_cut_at_its_limit() -> None:
    words = explanation("%{d} and more")
    assert words is not None
    assert words.text(lambda _letter: "x" * 100, 10) == "x" * 10
