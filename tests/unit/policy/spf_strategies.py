# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies for SPF records: valid ones of every shape, spelled in every way."""

from __future__ import annotations

from hypothesis import strategies as st

_labels = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,8}[a-zA-Z0-9]", fullmatch=True)
_tops = st.sampled_from(["example", "nl", "COM", "xn--p1ai"])
domains = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(_labels, min_size=1, max_size=3), _tops)
macros = st.sampled_from(["%{i}", "%{ir}", "%{d}", "%{d2}", "%{S}", "%{l1r+-}", "%{h}", "%%", "%_", "%-"])
domain_specs = st.one_of(
    domains,
    st.builds(lambda name: name + ".", domains),
    st.builds(lambda macro, name: f"{macro}.{name}", macros, domains),
    st.builds(lambda name, macro: f"{name}.{macro}", domains, st.sampled_from(["%{d}", "%{o}", "%{i}"])),
)
qualifiers = st.sampled_from(["", "+", "-", "~", "?"])
_prefixes = st.sampled_from(["", "/24", "/0", "//64", "/8//0", "/32//128"])


def _cased(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([text, text.upper(), text.capitalize()])


_ip4 = st.builds(
    lambda address, prefix: f"ip4:{address}{prefix}",
    st.ip_addresses(v=4).map(str),
    st.sampled_from(["", "/32", "/16", "/0"]),
)
_ip6 = st.builds(
    lambda address, prefix: f"ip6:{address}{prefix}",
    st.ip_addresses(v=6).map(str),
    st.sampled_from(["", "/128", "/48"]),
)
_addresses = st.builds(
    lambda name, spec, prefix: name + (f":{spec}" if spec else "") + prefix,
    st.sampled_from(["a", "mx", "A", "MX"]),
    st.one_of(st.just(""), domain_specs),
    _prefixes,
)
_includes = st.builds(
    lambda name, spec: f"{name}:{spec}", st.sampled_from(["include", "exists", "Include", "ptr"]), domain_specs
)
mechanisms = st.builds(
    lambda qualifier, text: qualifier + text, qualifiers, st.one_of(_ip4, _ip6, _addresses, _includes, st.just("ptr"))
)
unknown_modifiers = st.builds(
    lambda name, value: f"{name}={value}",
    st.sampled_from(["x", "op", "v-2.y"]),
    st.from_regex(r"[a-z0-9=:/.]{0,6}", fullmatch=True),
)
addable = st.one_of(mechanisms, unknown_modifiers)
_alls = st.one_of(st.just(""), st.builds(lambda qualifier, name: qualifier + name, qualifiers, _cased("all")))
_spaces = st.sampled_from([" ", "  ", "     "])


@st.composite
def records(draw: st.DrawFn) -> str:
    """A whole record: terms in any order, modifiers anywhere, odd spacing and case."""
    terms = draw(st.lists(addable, max_size=6))
    if draw(st.booleans()):
        terms.append(draw(_alls) or "mx")
    for once in ("redirect", "exp"):
        if draw(st.integers(0, 3)) == 0:
            terms.insert(draw(st.integers(0, len(terms))), f"{once}={draw(domain_specs)}")
    if draw(st.integers(0, 5)) == 0:
        terms += draw(st.lists(mechanisms, max_size=2))
    text = draw(_cased("v=spf1")) + "".join(draw(_spaces) + term for term in terms)
    return text + draw(st.sampled_from(["", " ", "   "]))
