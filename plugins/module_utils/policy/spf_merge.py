# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Merging terms into a live SPF record: nothing that was not asked for is lost, moved or respelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Union

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, idna_encoded
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    QUALIFIERS,
    Directive,
    Modifier,
    SpfError,
    SpfRecord,
    Term,
    canonical_domain,
    effective,
    is_all,
    is_redirect,
    parse_term,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, WayOut

_INTERNATIONAL = re.compile(r"[^\s:=/%{}]*[^\x00-\x7f][^\s:=/%{}]*")
_MEANT_AS_MECHANISM = re.compile(r"all|include|a|mx|ptr|ipv?4|ipv?6|exists")
_JOINED = re.compile(r"(?:include|ip4|ip6|mx|exists|redirect|exp|ptr)[:=].*", re.IGNORECASE)
_SOFTEST_FIRST = "?~-+"
_LONG_RECORD = 450
_REMOVAL = "spf.state: absent"
"""How a term is taken away."""


class MergeError(SpfError):
    """A wished term cannot be merged; ``way_out`` is the next step."""

    def __init__(self, term: str, rule: str, way_out: Union[str, WayOut]) -> None:
        super().__init__(term, rule)
        self.way_out = way_out


@dataclass(frozen=True, slots=True)
class SpfWish:
    """What a user wants of a domain's SPF record, parsed.

    ``add`` are terms that must be effective, ``remove`` terms that must be gone, ``all`` is "keep" or one of
    ``-all``, ``~all``, ``?all``, ``exclusive`` says that no other term may stay. ``keep`` are terms that
    stay in any case where they are there.
    """

    add: tuple[Term, ...] = ()
    remove: tuple[Term, ...] = ()
    all: str = "keep"
    exclusive: bool = False
    keep: tuple[Term, ...] = ()


def wished_term(raw: str, removed: bool = False) -> Term:
    """Parse one term of a wish.

    :param raw: one mechanism or modifier, as a user types it; internationalised domains become A-labels
    :param removed: it shall go, so that it may be any term that is there
    :raises SpfError: it breaks the grammar
    :raises MergeError: it is something that no wish may hold: a whole record, several terms, or ``all``
    """
    if re.match(r"v=spf1\b", raw, re.IGNORECASE):
        raise MergeError(
            raw, "a term is one mechanism or modifier, not a record", "Leave v=spf1 out and list each term by itself."
        )
    if " " in raw.strip(" "):
        raise MergeError(
            raw, "a term holds no spaces (RFC 7208 section 4.6.1)", "Give each term as an item of its own."
        )
    term = parse_term(_with_alabels(raw))
    ignored = None if removed else ignored_term(term)
    if ignored is not None:
        joined = isinstance(term, Directive)
        way_out = "Give each term as an item of its own." if joined else f"Write {_as_mechanism(term.raw)}."
        raise MergeError(raw, ignored, way_out)
    if is_all(term):
        raise MergeError(
            raw, "all is no term to merge: its place is the end", WayOut(("Use ", Option("spf.all"), " instead."))
        )
    return term


def _with_alabels(raw: str) -> str:
    try:
        return _INTERNATIONAL.sub(lambda name: idna_encoded(name.group()), raw)
    except BadName as error:
        raise SpfError(raw, str(error)) from None


def identity(term: Term, domain: str) -> tuple[object, ...]:
    """What makes two terms equal however they are spelled.

    ``+include:`` equals ``include:``, ``ip4:192.0.2.1`` equals ``ip4:192.0.2.1/32``, a bare ``a`` equals
    ``a:<domain>``; case and a trailing dot do not matter (RFC 7208 sections 4.6.2, 5 and 12).

    :param term: a parsed term
    :param domain: the domain whose record the term stands in, as A-labels
    """
    if isinstance(term, Modifier):
        named = term.name in ("redirect", "exp")
        return ("=", term.name, canonical_domain(term.value) if named else term.value)
    return (term.qualifier, *_matches(term, domain))


def merge_spf(record: SpfRecord, wish: SpfWish, domain: str) -> SpfRecord:
    """Make a record as wished. Merging twice gives what merging once gives.

    New terms go before ``all``, or else before ``redirect=``; order, qualifiers, macros, unknown modifiers, case and
    spacing of everything else stay. Removal takes exactly the equal terms.

    :param record: the live record, parsed
    :param wish: what is wanted
    :param domain: the domain of the record, as A-labels
    :returns: the new record; equal to ``record`` when nothing had to change
    :raises MergeError: a term would have no effect where it would come to stand, or contradicts one that is there
    """
    kept = {identity(term, domain) for term in wish.keep}
    gone = {identity(term, domain) for term in wish.remove} - kept
    wanted = {identity(term, domain) for term in wish.add} | kept
    result = record
    if gone or wish.exclusive:
        items = (
            (space, term)
            for space, term in record.items
            if identity(term, domain) not in gone
            and (not wish.exclusive or is_all(term) or identity(term, domain) in wanted)
        )
        result = replace(record, items=tuple(items))
    index = _Index(effective(result.terms), domain)
    for term in wish.add:
        result = _add(result, term, index)
    return result if wish.all == "keep" else _set_all(result, wish.all)


def create_spf(wish: SpfWish, domain: str) -> SpfRecord:
    """Build a domain's first record: the wished terms, then ``~all`` unless another ``all`` or a redirect is wished."""
    record = merge_spf(SpfRecord("v=spf1", ()), replace(wish, all="keep", remove=()), domain)
    if wish.all == "keep" and any(is_redirect(term) for term in record.terms):
        return record
    return _set_all(record, "~all" if wish.all == "keep" else wish.all)


def unite_spf(records: Sequence[SpfRecord], domain: str) -> SpfRecord:
    """Make one record of several, which together are a permerror (RFC 7208 section 4.5).

    The first one stays; the others' effective terms are merged into it; of their ``all`` the softest one is kept,
    so that nobody's mail begins to fail by the repair.

    :raises MergeError: the records contradict each other
    """
    first, *others = records
    for other in others:
        terms = tuple(term for term in effective(other.terms) if not is_all(term))
        first = merge_spf(first, SpfWish(terms), domain)
    qualifiers = {
        term.qualifier
        for record in records
        for term in effective(record.terms)
        if isinstance(term, Directive) and is_all(term)
    }
    softest = next((qualifier for qualifier in _SOFTEST_FIRST if qualifier in qualifiers), None)
    return first if softest is None else _set_all(first, f"{softest}all")


def spf_concerns(record: SpfRecord) -> list[str]:
    """What a reviewer would call out in a record that is valid nevertheless; one sentence each, with its source."""
    found = []
    live = effective(record.terms)
    for term in live:
        if is_all(term) and isinstance(term, Directive) and term.qualifier in "+?":
            found.append(f"{term.raw} lets anyone send as this domain (RFC 7208 section 8); use ~all or -all")
        if isinstance(term, Directive) and term.mechanism == "ptr":
            found.append(f"{term.raw} is slow and unreliable and should not be published (RFC 7208 section 5.5)")
    dead = [term.raw for term in record.terms if term not in live]
    if dead:
        found.append(f"{' '.join(dead)}: without effect, because all stands before it (RFC 7208 sections 5.1 and 6.1)")
    if len(str(record)) > _LONG_RECORD:
        found.append(
            f"the record has {len(str(record))} bytes; above {_LONG_RECORD} the answer may not fit in 512 bytes of UDP "
            "and some receivers lose it (RFC 7208 section 3.4)"
        )
    return found


def ignored_terms(record: SpfRecord) -> list[str]:
    """Terms of a valid record that say something else than they are meant to; one sentence each, with its source."""
    return [sentence for term in record.terms if (sentence := ignored_term(term)) is not None]


def ignored_term(term: Term) -> str | None:
    """Why receivers do not do what a valid term is meant to say: ``ip4=`` for ``ip4:``, two words that became one.

    :returns: one sentence with its source, None when there is nothing to say
    """
    if isinstance(term, Modifier) and _MEANT_AS_MECHANISM.fullmatch(term.name):
        rule = "but receivers ignore it as a modifier that nobody knows"
        return f"{term.raw} looks meant as {_as_mechanism(term.raw)}, {rule} (RFC 7208 section 6)"
    if isinstance(term, Modifier) and term.name == "v":
        return (
            f"{term.raw} looks meant as the beginning of a second record, but receivers ignore it (RFC 7208 section 6)"
        )
    joined = _JOINED.search(term.domain or "") if isinstance(term, Directive) else None
    if joined is None:
        return None
    rule = "strings of one record are joined with nothing between (RFC 7208 section 3.3)"
    return f"{term.raw} looks meant as two terms, with a space before {joined[0]}: {rule}"


def _as_mechanism(raw: str) -> str:
    """A term that was written as a modifier, as it is meant."""
    name, _equals, value = raw.partition("=")
    name = re.sub("^ipv(?=[46]$)", "ip", name, flags=re.IGNORECASE)
    return f"{name}:{value}" if value else name


def _matches(term: Directive, domain: str) -> tuple[object, ...]:
    """The mechanism and everything that it compares, without the qualifier."""
    target = canonical_domain(term.domain) if term.domain else domain
    if term.mechanism in ("all", "ip4", "ip6"):
        return (term.mechanism, term.network)
    return (term.mechanism, target, term.prefix4, term.prefix6)


class _Index:
    """The terms that receivers test, found by what they match, so that thousands are merged in linear time."""

    def __init__(self, live: Iterable[Term], domain: str) -> None:
        self._domain = domain
        self._modifiers: set[tuple[object, ...]] = set()
        self._directives: dict[tuple[object, ...], tuple[int, Directive]] = {}
        self._prefixes: set[int] = set()
        for term in live:
            self.note(term)

    def note(self, term: Term) -> None:
        """Take a term up; the first of several that match the same decides, as for a receiver."""
        if isinstance(term, Modifier):
            self._modifiers.add(identity(term, self._domain))
        else:
            place = len(self._directives)
            if term.network is not None:
                self._prefixes.add(term.network.prefixlen)
            self._directives.setdefault(_matches(term, self._domain), (place, term))

    def holds(self, wanted: Modifier) -> bool:
        return identity(wanted, self._domain) in self._modifiers

    def match(self, wanted: Directive) -> Directive | None:
        """The first term that matches all that ``wanted`` would: the same mechanism, or a network around its own."""
        keys = [_matches(wanted, self._domain), *self._around(wanted)]
        found = [self._directives[key] for key in keys if key in self._directives]
        return min(found, key=lambda entry: entry[0])[1] if found else None

    def _around(self, wanted: Directive) -> Iterator[tuple[object, ...]]:
        """The keys of all networks that hold this one, of the sizes that there are."""
        if wanted.network is not None:
            for prefix in self._prefixes:
                if prefix < wanted.network.prefixlen:
                    yield (wanted.mechanism, wanted.network.supernet(new_prefix=prefix))


def _add(record: SpfRecord, wanted: Term, index: _Index) -> SpfRecord:
    if isinstance(wanted, Modifier):
        if index.holds(wanted):
            return record
        _check_modifier(record, wanted)
    else:
        term = index.match(wanted)
        if term is not None and term.qualifier != wanted.qualifier:
            raise _contradiction(term, wanted)
        if term is not None:
            return record
    index.note(wanted)
    return _insert(record, wanted)


def _contradiction(term: Directive, wanted: Directive) -> MergeError:
    return MergeError(
        wanted.raw,
        f"the record already holds {term.raw}, which is tested first and gives another result (RFC 7208 section 4.6.2)",
        WayOut(
            (
                f"Decide which one is right: remove {term.raw} first (",
                Option(_REMOVAL),
                "), or declare the term with its qualifier.",
            )
        ),
    )


def _check_modifier(record: SpfRecord, wanted: Modifier) -> None:
    if is_redirect(wanted) and any(is_all(term) for term in record.terms):
        raise MergeError(
            wanted.raw,
            "redirect= is ignored in a record that holds all (RFC 7208 section 6.1)",
            "Declare the terms themselves, or an include: of that domain.",
        )
    for term in record.terms:
        if isinstance(term, Modifier) and term.name == wanted.name and term.name in ("redirect", "exp"):
            raise MergeError(
                wanted.raw,
                f"the record already holds {term.raw} and {term.name}= stands at most once (RFC 7208 section 6)",
                WayOut((f"Remove {term.raw} first (", Option(_REMOVAL), ").")),
            )


def _insert(record: SpfRecord, term: Term) -> SpfRecord:
    terms = record.terms
    end = next((index for index, other in enumerate(terms) if is_all(other)), None)
    if end is None:
        end = next((index for index, other in enumerate(terms) if is_redirect(other)), len(terms))
    place = len(terms) if isinstance(term, Modifier) else end
    return replace(record, items=(*record.items[:place], (" ", term), *record.items[place:]))


def _set_all(record: SpfRecord, wanted: str) -> SpfRecord:
    if any(is_redirect(term) for term in effective(record.terms)):
        raise MergeError(
            wanted,
            "the record hands the rest over by redirect=, which all would switch off (RFC 7208 section 6.1)",
            "Change all at the domain that redirect= names, or remove the redirect= first.",
        )
    items = list(record.items)
    for index, (space, term) in enumerate(items):
        if is_all(term):
            if _qualifier(term.raw) != _qualifier(wanted):
                items[index] = (space, parse_term(wanted))
            return replace(record, items=tuple(items))
    return replace(record, items=(*items, (" ", parse_term(wanted))))


def _qualifier(raw: str) -> str:
    return raw[0] if raw[0] in QUALIFIERS else "+"


def names_twice(terms: Iterable[Term], others: Iterable[Term], domain: str) -> list[Term]:
    """The terms that a wish both adds and removes, which is a contradiction of the user's own."""
    removed = {identity(term, domain) for term in others}
    return [term for term in terms if identity(term, domain) in removed]
