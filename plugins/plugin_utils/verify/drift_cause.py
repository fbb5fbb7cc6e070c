# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""In what way a live record differs from what is declared, in words. Pure.

What differs is decided where records are planned (``mail_domains``); here it only gets its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import key_digest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Modifier, SpfError, SpfRecord, Term
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_merge import identity
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagError, parse_tags

_STRICTNESS = ("none", "quarantine", "reject")
_POLICIES = ("p", "sp", "np")
SEVERAL_RECORDS = " | "
"""Between the records of a name that may hold one only."""


@dataclass(frozen=True, slots=True)
class RecordSight:
    """One record that is not as declared. ``kind`` is that of its recipe; ``live`` and ``declared`` are its texts, None
    for no record, and their TTLs in seconds where they are known; ``was_there``: whether it was ever seen or written as
    declared; ``flattened``: includes whose addresses stand in the record."""

    kind: str
    name: str
    live: str | None
    declared: str | None
    live_ttl: int | None = None
    declared_ttl: int | None = None
    was_there: bool = False
    flattened: tuple[str, ...] = ()


def drift_cause(sight: RecordSight) -> str:
    """Name what differs.

    :param sight: the record
    :returns: one clause, or several with semicolons between them
    """
    return "; ".join(_clauses(sight)) or "it is not as declared"


def _clauses(sight: RecordSight) -> Iterator[str]:
    live, declared = sight.live, sight.declared
    if declared is None:
        yield "it stands there, and is declared not to be"
    elif live is None:
        yield "the record is gone" if sight.was_there else "it is declared, and was not made yet"
    elif live != declared:
        yield from _BY_KIND.get(sight.kind, _other)(sight, live, declared)
    if sight.live_ttl != sight.declared_ttl and live is not None and declared is not None:
        yield f"the TTL was changed: {sight.live_ttl} s, where {sight.declared_ttl} s are declared"


def _other(_sight: RecordSight, live: str, declared: str) -> Iterator[str]:
    if declared in live.split(SEVERAL_RECORDS):
        yield "a second record stands beside it"
    else:
        yield "another value stands there"


def _target(_sight: RecordSight, live: str, declared: str) -> Iterator[str]:
    yield f"the alias was moved: it leads to {live.rstrip('.')}, where {declared.rstrip('.')} is declared"


# --- SPF -------------------------------------------------------------------------------------------------------------


def _spf(sight: RecordSight, live: str, declared: str) -> Iterator[str]:
    if SEVERAL_RECORDS in live:
        yield "a second SPF record stands beside it, which makes both void (RFC 7208 section 4.5)"
        return
    try:
        ours, theirs = spf.parse_spf(declared), spf.parse_spf(live)
    except SpfError as error:
        yield f"the record was broken: {error} ({error.term})"
        return
    yield from _spf_terms(sight, theirs, ours)


def _spf_terms(sight: RecordSight, live: SpfRecord, declared: SpfRecord) -> Iterator[str]:
    missing = _beyond(declared.terms, live.terms, sight.name)
    more = _beyond(live.terms, declared.terms, sight.name)
    if sight.flattened and all(map(_is_address, (*missing, *more))):
        yield f"the addresses of flattened includes moved: {', '.join(sight.flattened)}"
        return
    alls = [term for term in (*missing, *more) if _is_all(term)]
    lost = [term.raw for term in missing if term not in alls]
    left = [term.raw for term in more if term not in alls]
    verb = "was removed" if sight.was_there else "is missing"
    if lost:
        yield f"a term {verb}: {', '.join(lost)}"
    if left:
        yield f"a term stands there that shall not: {', '.join(left)}"
    if alls:
        yield _all_clause(live, declared)
    if not (lost or left or alls):
        yield "its terms stand in another order" if _raws(live) != _raws(declared) else "it is written differently"


def _beyond(terms: list[Term], others: list[Term], domain: str) -> list[Term]:
    known = {identity(term, domain) for term in others}
    return [term for term in terms if identity(term, domain) not in known]


def _all_clause(live: SpfRecord, declared: SpfRecord) -> str:
    now = next((term.raw for term in live.terms if _is_all(term)), "nothing")
    wanted = next((term.raw for term in declared.terms if _is_all(term)), "nothing")
    return f"its end was changed: {now}, where {wanted} is declared"


def _raws(record: SpfRecord) -> list[str]:
    return [term.raw for term in record.terms]


def _is_all(term: Term) -> bool:
    return not isinstance(term, Modifier) and term.mechanism == "all"


def _is_address(term: Term) -> bool:
    """Whether a term is one that flattening writes: addresses, its own modifier, or a chained record."""
    return isinstance(term, Modifier) or term.mechanism in ("ip4", "ip6") or "_spf" in (term.domain or "")


# --- DKIM, DMARC and other lists of tags -----------------------------------------------------------------------------


def _dkim(sight: RecordSight, live: str, declared: str) -> Iterator[str]:
    sorts = [_sort(text) for text in (live, declared)]
    if sorts == ["alias", "alias"]:
        yield from _target(sight, live, declared)
    elif sorts == ["key", "alias"]:
        yield f"a key stands there in place of the alias to {declared.rstrip('.')}"
    elif sorts == ["alias", "key"]:
        yield f"an alias to {live.rstrip('.')} stands there in place of the key"
    elif SEVERAL_RECORDS in live:
        yield "a second key stands beside it, and receivers may take either (RFC 6376 section 3.6.2.2)"
    elif key_digest([live]) is None:
        yield "the key was revoked" if _tags(live).get("p") == "" else "what stands there is no key"
    elif key_digest([live]) != key_digest([declared]):
        yield "the key was replaced by another one"
    else:
        yield from _tag_clauses(live, declared)


def _sort(text: str) -> Literal["key", "alias"]:
    return "key" if "=" in text or " " in text else "alias"


def _dmarc(_sight: RecordSight, live: str, declared: str) -> Iterator[str]:
    if SEVERAL_RECORDS in live:
        yield "a second DMARC record stands beside it, so that receivers act as if there were none"
    else:
        yield from _tag_clauses(live, declared)


def _tag_clauses(live: str, declared: str) -> Iterator[str]:
    now, wanted = _tags(live), _tags(declared)
    if not now:
        yield "the record was broken: it is no list of tags"
        return
    names = [name for name in (*wanted, *now) if now.get(name) != wanted.get(name)]
    yield from (_tag_clause(name, now.get(name), wanted.get(name)) for name in dict.fromkeys(names))


def _tag_clause(name: str, now: str | None, wanted: str | None) -> str:
    if now is None:
        return f"{name}={wanted} was removed"
    if wanted is None:
        return f"{name}={now} stands there, and shall not"
    if name in _POLICIES and {now, wanted} <= {*_STRICTNESS}:
        looser = _STRICTNESS.index(now) < _STRICTNESS.index(wanted)
        return f"the policy was {'loosened' if looser else 'tightened'}: {name}={now}, where {wanted} is declared"
    return f"{name}= was changed: {now}, where {wanted} is declared"


def _tags(text: str) -> dict[str, str]:
    try:
        return {tag.name: tag.value for tag in parse_tags(text).tags}
    except TagError:
        return {}


def _list(_sight: RecordSight, live: str, declared: str) -> Iterator[str]:
    if SEVERAL_RECORDS in live:
        yield "a second record stands beside it"
    else:
        yield from _tag_clauses(live, declared)


_BY_KIND = {"spf": _spf, "dkim": _dkim, "cname": _target, "dmarc": _dmarc, "tls_rpt": _list, "mta_sts": _list}
