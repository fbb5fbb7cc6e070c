# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are compared as texts are where dnspython says that they are, dots in labels and the root included."""

from __future__ import annotations

import dns.exception
import dns.name
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from hypothesis import given
from hypothesis import strategies as st

WRITTEN = st.lists(st.text("aB1-_*.\\@é ", min_size=1, max_size=3), max_size=4).map(".".join)
NAMES = st.lists(st.binary(min_size=1, max_size=3) | st.sampled_from([b"a", b"b", b"a.b"]), max_size=4).map(
    lambda labels: dns.name.Name([*labels, b""])
)


@given(WRITTEN | NAMES.map(str))
def test_a_name_is_written_in_one_way(text: str) -> None:
    try:
        expected = values.text_of(values.name_of(text))
    except dns.exception.DNSException:
        with pytest.raises(dns.exception.DNSException):
            values.normal_name(text)
        return
    assert values.normal_name(text) == expected


@pytest.mark.parametrize("labels", [["a" * 63], ["a" * 64], ["a" * 63] * 3 + ["b" * 61], ["a" * 63] * 3 + ["b" * 62]])
def test_a_name_that_is_too_long_is_none(labels: list[str]) -> None:
    test_a_name_is_written_in_one_way.hypothesis.inner_test(".".join(labels))  # type: ignore[attr-defined]


@given(NAMES)
def test_what_is_above_a_name_is_what_dnspython_finds_there(name: dns.name.Name) -> None:
    if name == dns.name.root:
        with pytest.raises(dns.name.NoParent):
            values.name_above(values.text_of(name))
    else:
        assert values.name_above(values.text_of(name)) == values.text_of(name.parent())


@given(NAMES, NAMES, st.booleans())
def test_a_name_is_below_where_dnspython_says_so(name: dns.name.Name, other: dns.name.Name, below: bool) -> None:
    inner = dns.name.Name([*name.labels[:-1], *other.labels]) if below else name
    assert values.is_at_or_below(values.text_of(inner), values.text_of(other)) == inner.is_subdomain(other)
