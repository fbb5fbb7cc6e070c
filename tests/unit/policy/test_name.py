# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain names: one form for equal ones, a reason for what is none."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, is_inside, to_alabels
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Acme.Example.", "acme.example"),
        ("_spf.acme.example", "_spf.acme.example"),
        ("m\u00fcller.example", "xn--mller-kva.example"),
        ("Stra\u00dfe.example", "xn--strae-oqa.example"),
        ("\u4f8b\u3048.jp", "xn--r8jz45g.jp"),
        ("xn--mller-kva.EXAMPLE", "xn--mller-kva.example"),
        ("bakkerij\u3002example", "bakkerij.example"),
    ],
)
def test_equal_names_get_one_form(name: str, normal: str) -> None:
    assert to_alabels(name) == normal


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "no empty label"),
        ("example", "at least two labels"),
        ("acme..example", "no empty label"),
        (".acme.example", "no empty label"),
        ("acme.example..", "no empty label"),
        ("a" * 64 + ".example", "at most 63"),
        ("a" * 63 + ".example" + ".b" * 100, "at most 253"),
        ("-acme.example", "hyphen"),
        ("acme-.example", "hyphen"),
        ("ac me.example", "letters, digits"),
        ("acme.example\n", "letters, digits"),
        ("acme\x00.example", "letters, digits"),
        ("*.acme.example", "letters, digits"),
        ("info@acme.example", "letters, digits"),
        ("https://acme.example", "letters, digits"),
        ("m\u00fcller\u200d.example", "internationalised"),
        ("\u00fc" * 64 + ".example", "internationalised"),
        ("\u2028.example", "internationalised"),
    ],
)
def test_what_is_no_name_is_refused_with_its_rule(name: str, rule: str) -> None:
    with pytest.raises(BadName, match=rule) as caught:
        to_alabels(name)
    assert "(RFC" in str(caught.value)


@given(st.text(max_size=70))
def test_any_text_is_normalised_once_or_refused(text: str) -> None:
    try:
        normal = to_alabels(text)
    except BadName:
        return
    assert to_alabels(normal) == normal
    assert len(normal) <= 253


@pytest.mark.parametrize(
    ("name", "zone", "inside"),
    [
        ("example.com", "example.com", True),
        ("a.b.example.com", "example.com", True),
        ("notexample.com", "example.com", False),
        ("example.com", "a.example.com", False),
    ],
)
def test_inside_means_on_label_boundaries(name: str, zone: str, inside: bool) -> None:
    assert is_inside(name, zone) is inside
