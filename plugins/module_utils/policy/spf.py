# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""SPF records, read and written without loss (RFC 7208 section 12): what is not ours comes back byte for byte."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

QUALIFIERS = "+-~?"

_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_MECHANISM = re.compile(r"(?P<qualifier>[-+?~]?)(?P<name>[a-z0-9]+)(?P<rest>[:/].*)?", re.IGNORECASE | re.DOTALL)
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>.*)", re.IGNORECASE | re.DOTALL)
_MACRO = r"%\{[slodiphcrtv](?!0)[0-9]*r?[-.+,/_=]*\}|%[%_-]"
_MACRO_EXPAND = re.compile(_MACRO, re.IGNORECASE)
_MACRO_STRING = re.compile(rf"(?:{_MACRO}|[!-$&-~])*", re.IGNORECASE)
_VISIBLE = re.compile(r"[!-~]+")
_TOP_LABEL = re.compile(r"(?=[0-9]*[a-z])[a-z0-9]+|[a-z0-9]+-[a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_ENDS_IN_MACRO = re.compile(rf".*(?:{_MACRO})", re.IGNORECASE | re.DOTALL)
_PREFIX = re.compile(r"(?:/(?P<v4>0|[1-9][0-9]?))?(?://(?P<v6>0|[1-9][0-9]{0,2}))?$")
_EXPLANATION_ONLY = ("%{c", "%{r", "%{t")
_LONGEST_KNOWN = 255
_MAY_NAME_DOMAIN = frozenset({"a", "mx", "ptr"})
_MUST_NAME_DOMAIN = frozenset({"include", "exists"})


class SpfError(ValueError):
    """A term or record breaks the grammar; the message is the rule with its RFC section, ``term`` what broke it."""

    def __init__(self, term: str, rule: str) -> None:
        self.term = term
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class Directive:
    """A mechanism with its qualifier. ``raw`` is the text as it stood.

    ``domain`` is the domain-spec as written (None when bare), ``network`` the addresses of ip4 and ip6 with host bits
    cleared, ``prefix4`` and ``prefix6`` the lengths in bits that a and mx compare (32 and 128 when not written).
    """

    raw: str
    qualifier: str
    mechanism: str
    domain: str | None = None
    network: Network | None = None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class Modifier:
    """``redirect=``, ``exp=`` or an unknown modifier, which must be ignored and kept (RFC 7208 section 6)."""

    raw: str
    name: str
    value: str


Term = Union[Directive, Modifier]


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """One record: the version as written, then each term with the spaces before it, then trailing spaces."""

    version: str
    items: tuple[tuple[str, Term], ...]
    tail: str = ""

    @property
    def terms(self) -> list[Term]:
        return [term for _space, term in self.items]

    def __str__(self) -> str:
        return self.version + "".join(space + term.raw for space, term in self.items) + self.tail


def is_spf(text: str) -> bool:
    """Tell whether a TXT value is an SPF record: ``v=spf1`` and then a space or the end (RFC 7208 section 4.5)."""
    return _VERSION.match(text) is not None


def select_spf(values: Iterable[str]) -> list[str]:
    """Pick the SPF records among decoded TXT values, in their order."""
    return [value for value in values if is_spf(value)]


@lru_cache(maxsize=1 << 12)
def parse_spf(text: str) -> SpfRecord:
    """Parse a record. ``str(parse(text)) == text`` for every text that it accepts.

    :param text: a decoded TXT value
    :returns: the record
    :raises SpfError: the text is no SPF record or breaks the grammar (a permerror for every receiver)
    """
    version = _VERSION.match(text)
    if version is None:
        raise SpfError(text, "an SPF record begins with v=spf1 and a space (RFC 7208 section 4.5)")
    pieces = re.findall(r"( +)([^ ]+)", text[version.end() :])
    record = SpfRecord(version.group(), tuple((space, parse_term(raw)) for space, raw in pieces), _tail(text))
    _check_unique_modifiers(record.terms)
    return record


def parse_term(raw: str) -> Term:
    """Parse one term by the grammar of RFC 7208 section 12.

    :param raw: the term with its qualifier, without spaces around it
    :raises SpfError: with the broken rule
    """
    return _known_term(raw) if len(raw) <= _LONGEST_KNOWN else _parsed_term(raw)


@lru_cache(maxsize=8192)
def _known_term(raw: str) -> Term:
    """Terms are values, and the same ones stand in many records."""
    return _parsed_term(raw)


def _parsed_term(raw: str) -> Term:
    _check_characters(raw)
    modifier = _MODIFIER.fullmatch(raw)
    if modifier:
        return _modifier(raw, modifier["name"], modifier["value"])
    mechanism = _MECHANISM.fullmatch(raw)
    if mechanism is None:
        raise SpfError(raw, "a term is a mechanism or name=value (RFC 7208 section 4.6.1)")
    return _directive(raw, mechanism["qualifier"] or "+", mechanism["name"].lower(), mechanism["rest"] or "")


def is_all(term: Term) -> bool:
    """Tell whether a term is the mechanism ``all``, after which no mechanism is tested (RFC 7208 section 5.1)."""
    return isinstance(term, Directive) and term.mechanism == "all"


def is_redirect(term: Term) -> bool:
    """Tell whether a term is the modifier ``redirect=`` (RFC 7208 section 6.1)."""
    return isinstance(term, Modifier) and term.name == "redirect"


def effective(terms: Sequence[Term]) -> list[Term]:
    """The terms that a receiver tests: up to and with the first ``all``, which also switches ``redirect=`` off.

    Source: RFC 7208 sections 5.1 and 6.1.
    """
    first = next((index for index, term in enumerate(terms) if is_all(term)), None)
    if first is None:
        return list(terms)
    modifiers = [term for term in terms[first:] if isinstance(term, Modifier)]
    return [term for term in [*terms[: first + 1], *modifiers] if not is_redirect(term)]


@lru_cache(maxsize=1 << 12)
def canonical_domain(spec: str) -> str:
    """A domain-spec in the form in which equal ones are equal: lower case outside macros, no trailing dot.

    The case of a macro letter is kept: upper case asks for URL escaping (RFC 7208 section 7.3).
    """
    parts: list[str] = []
    position = 0
    for macro in _MACRO_EXPAND.finditer(spec):
        start = macro.start()
        parts += [spec[position:start].lower(), macro.group()]
        position = macro.end()
    return "".join([*parts, spec[position:].lower()]).removesuffix(".")


def _tail(text: str) -> str:
    length = len(text.rstrip(" "))
    return text[length:]


def _check_characters(raw: str) -> None:
    if not raw:
        raise SpfError(raw, "a term is not empty (RFC 7208 section 4.6.1)")
    if not _VISIBLE.fullmatch(raw):
        raise SpfError(
            raw,
            "a term holds visible ASCII characters only, no spaces and no control characters (RFC 7208 section 7.1)",
        )


def _check_unique_modifiers(terms: Iterable[Term]) -> None:
    seen: set[str] = set()
    for term in terms:
        if isinstance(term, Modifier) and term.name in ("redirect", "exp"):
            if term.name in seen:
                raise SpfError(term.raw, f"{term.name}= stands at most once in a record (RFC 7208 section 6)")
            seen.add(term.name)


def _modifier(raw: str, name: str, value: str) -> Modifier:
    name = name.lower()
    if name in ("redirect", "exp"):
        _check_domain_spec(raw, value)
    elif not _MACRO_STRING.fullmatch(value):
        raise SpfError(raw, "the value of a modifier is a macro-string: a % begins a macro (RFC 7208 section 7.1)")
    return Modifier(raw, name, value)


def _directive(raw: str, qualifier: str, mechanism: str, rest: str) -> Directive:
    if mechanism == "all":
        if rest:
            raise SpfError(raw, "the mechanism all takes no argument (RFC 7208 section 5.1)")
        return Directive(raw, qualifier, mechanism)
    if mechanism in ("ip4", "ip6"):
        return Directive(raw, qualifier, mechanism, network=_network(raw, mechanism, rest))
    if mechanism in _MUST_NAME_DOMAIN or mechanism in _MAY_NAME_DOMAIN:
        return _with_domain(raw, qualifier, mechanism, rest)
    raise SpfError(
        raw, f"{mechanism!r} is no mechanism: all, include, a, mx, ptr, ip4, ip6 or exists (RFC 7208 section 5)"
    )


def _with_domain(raw: str, qualifier: str, mechanism: str, rest: str) -> Directive:
    prefix4, prefix6 = 32, 128
    if mechanism in ("a", "mx"):
        rest, prefix4, prefix6 = _split_prefix(raw, rest)
    if not rest and mechanism in _MAY_NAME_DOMAIN:
        return Directive(raw, qualifier, mechanism, None, None, prefix4, prefix6)
    if not rest.startswith(":"):
        raise SpfError(raw, f"{mechanism} is followed by a colon and a domain (RFC 7208 section 5)")
    domain = rest[1:]
    _check_domain_spec(raw, domain)
    return Directive(raw, qualifier, mechanism, domain, None, prefix4, prefix6)


def _split_prefix(raw: str, rest: str) -> tuple[str, int, int]:
    before, v4, v6, _end = _PREFIX.split(rest, maxsplit=1)
    prefix4, prefix6 = int(v4 or 32), int(v6 or 128)
    if prefix4 > 32 or prefix6 > 128:
        raise SpfError(raw, "a prefix length is at most /32 for IPv4 and //128 for IPv6 (RFC 7208 section 5.6)")
    return before, prefix4, prefix6


def _check_domain_spec(raw: str, spec: str) -> None:
    if not _MACRO_STRING.fullmatch(spec):
        raise SpfError(raw, "a % in a domain begins a macro such as %{i} (RFC 7208 section 7.1)")
    if any(macro.group().lower().startswith(_EXPLANATION_ONLY) for macro in _MACRO_EXPAND.finditer(spec)):
        raise SpfError(raw, "the macros c, r and t stand only in explanations (RFC 7208 section 7.2)")
    if not _ends_well(spec):
        raise SpfError(raw, "a domain ends in a dot and a top label, or in a macro (RFC 7208 section 7.1)")
    _check_lengths(raw, spec)


def _ends_well(spec: str) -> bool:
    """The rule domain-end, in time linear in the length."""
    _before, dot, label = spec.removesuffix(".").rpartition(".")
    return bool(dot and _TOP_LABEL.fullmatch(label)) or _ENDS_IN_MACRO.fullmatch(spec) is not None


def _check_lengths(raw: str, spec: str) -> None:
    """Names that could never be looked up (RFC 1035 section 2.3.4); a macro's length is unknown and passes."""
    if _MACRO_EXPAND.search(spec):
        return
    labels = spec.removesuffix(".").split(".")
    if len(spec.removesuffix(".")) > 253 or any(len(label) > 63 for label in labels):
        raise SpfError(raw, "a name has at most 253 bytes and a label at most 63 (RFC 1035 section 2.3.4)")
    if not all(labels):
        raise SpfError(raw, "a name has no empty label (RFC 1035 section 2.3.1)")


def _network(raw: str, mechanism: str, rest: str) -> Network:
    address, slash, prefix = rest.removeprefix(":").partition("/")
    longest = 32 if mechanism == "ip4" else 128
    if slash and not (re.fullmatch(r"0|[1-9][0-9]{0,2}", prefix) and int(prefix) <= longest):
        raise SpfError(raw, f"the prefix length of {mechanism} is a number from 0 to {longest} (RFC 7208 section 5.6)")
    kind = ipaddress.IPv4Network if mechanism == "ip4" else ipaddress.IPv6Network
    try:
        if not rest.startswith(":") or "%" in address:
            raise ValueError("no address")
        return kind((address, int(prefix) if slash else longest), strict=False)
    except ValueError:
        version = "IPv4" if mechanism == "ip4" else "IPv6"
        raise SpfError(
            raw, f"{mechanism} is followed by a colon and one {version} address or network (RFC 7208 section 5.6)"
        ) from None
