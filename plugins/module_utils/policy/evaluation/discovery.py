# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which policy receivers apply to a From domain, and which organisation a domain belongs to, under both standards.

RFC 9989 walks up the DNS; RFC 7489, which most receivers still follow, uses the public suffix list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dmarc_reading import (
    FoundPolicy,
    PolicyRecord,
    find,
    policy_name,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved

RFC_9989 = "RFC 9989"
RFC_7489 = "RFC 7489"

_ANY_POLICY = ("v=DMARC1; p=none",)
_MOST_ABOVE = 7
_EXISTENCE = ("A", "AAAA", "MX", "TXT", "NS")


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy that receivers apply to mail of one From domain that fails.

    ``result`` is "found", "none" (no record: DMARC is not applied), "permerror" (there is one, but it cannot be
    applied) or "temperror". ``policy`` is what the record asks for, t= and pct= not counted; None when DMARC is not
    applied. ``reason`` is one sentence with its source. ``is_broken`` says that what is published must be corrected
    before receivers can apply it.
    """

    result: str
    reason: str
    policy: str | None = None
    record: PolicyRecord | None = None
    is_broken: bool = False

    @property
    def is_applied(self) -> bool | None:
        """Whether receivers apply DMARC at all; None when the policy cannot be looked up."""
        return None if self.result == "temperror" else self.result == "found"

    def is_strict(self, tag: str) -> bool:
        """Whether ``adkim`` or ``aspf`` asks for strict alignment; relaxed is the default, also without a record."""
        return self.result == "found" and self.record is not None and self.record.choice(tag) == "s"


class Standard(Protocol):
    """One standard's eyes. May be used by several threads at once."""

    @property
    def name(self) -> str:
        """:data:`RFC_9989` or :data:`RFC_7489`."""

    def organisation(self, domain: str) -> str:
        """The organisational domain of a domain.

        :raises Unresolved: a name that decides it cannot be looked up
        """

    def policy(self, domain: str) -> Policy:
        """The policy that applies to a From domain. A name that cannot be looked up makes it a temperror."""

    def with_policy(self, domain: str) -> Standard:
        """The same eyes as if a sound record of a domain were published: what it asks for is not looked at."""


class TreeWalk:
    """RFC 9989: the organisational domain and the policy are found by walking up the DNS, at most 8 queries.

    :param lookup: asks the DNS, and should remember its answers
    :param exists: tells whether a domain exists, that is, whether its name is no NXDOMAIN (RFC 9989 section 3.2.13);
        None when the caller cannot know, then the stricter of sp and np is taken for a domain without usual records
    """

    name = RFC_9989

    def __init__(self, lookup: Lookup, exists: Callable[[str], bool] | None = None) -> None:
        self._lookup = lookup
        self._exists = exists

    def organisation(self, domain: str) -> str:
        """See :meth:`Standard.organisation`; RFC 9989 section 4.10.2."""
        return _organisation(domain, [found.record for found in self._walk(domain) if found.record])

    def policy(self, domain: str) -> Policy:
        """See :meth:`Standard.policy`; RFC 9989 section 4.10.1."""
        try:
            return self._policy(domain)
        except Unresolved as error:
            return _temperror(domain, error)

    def with_policy(self, domain: str) -> TreeWalk:
        """See :meth:`Standard.with_policy`."""
        published = (policy_name(domain), "TXT")
        lookup = self._lookup
        return TreeWalk(lambda name, kind: _ANY_POLICY if (name, kind) == published else lookup(name, kind))

    def _policy(self, domain: str) -> Policy:
        own = find(self._lookup, domain)
        if own.record:
            return _applied(own.record, "p", ("p", "sp", "np"))
        walk = self._walk(domain)
        records = [found.record for found in walk if found.record]
        organisation = _organisation(domain, records)
        above = next((record for record in records if record.domain == organisation), None)
        # Without a record of the organisation's own, only that of a public suffix is left, the last one found.
        record = above or (records[-1] if records else None)
        if record is None:
            fault = next((found for found in walk if found.fault), None)
            fault = fault or next((found for found in walk if found.near), own)
            return _nothing(domain, fault, "RFC 9989 section 4.10.1")
        return _applied(record, self._tag(domain, record), ("p", "sp", "np"))

    def _walk(self, domain: str) -> list[FoundPolicy]:
        """What the names from the domain up to the top or to a psd tag hold, the longest first (section 4.10)."""
        walk = []
        for name in walk_names(domain):
            walk.append(find(self._lookup, name))
            record = walk[-1].record
            if record and record.choice("psd") != "u":
                break
        return walk

    def _tag(self, domain: str, record: PolicyRecord) -> str:
        """Which tag of a record above a domain holds its policy; sp and np default to p (section 4.7)."""
        existing = "sp" if record.choice("sp") else "p"
        missing = "np" if record.choice("np") else existing
        if record.choice(existing) == record.choice(missing):
            return existing
        exists = self._is_there(domain)
        if exists is None:
            return max(existing, missing, key=lambda tag: dmarc.POLICIES.index(record.choice(tag) or "none"))
        return existing if exists else missing

    def _is_there(self, domain: str) -> bool | None:
        """Whether a domain exists; None when it cannot be told."""
        try:
            if self._exists:
                return self._exists(domain)
            return any(self._lookup(domain, kind) for kind in _EXISTENCE) or None
        except Unresolved:
            return None


class SuffixList:
    """RFC 7489: the organisational domain is one label below a public suffix; there are only p and sp.

    :param lookup: asks the DNS, and should remember its answers
    :raises MissingLibrary: publicsuffixlist is not installed
    """

    name = RFC_7489

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._suffixes = _suffixes()

    def organisation(self, domain: str) -> str:
        """See :meth:`Standard.organisation`; RFC 7489 section 3.2. A public suffix stands for itself."""
        found: str | None = self._suffixes.privatesuffix(domain)
        return found or domain

    def policy(self, domain: str) -> Policy:
        """See :meth:`Standard.policy`; RFC 7489 section 6.6.3."""
        try:
            own = find(self._lookup, domain)
            organisation = self.organisation(domain)
            inherits = organisation != domain and own.is_empty
            found = find(self._lookup, organisation) if inherits else own
        except Unresolved as error:
            return _temperror(domain, error)
        if found.record is None:
            return _nothing(domain, found, "RFC 7489 section 6.6.3")
        if "p" not in found.record.tags and not found.record.asks_for_reports:
            reason = f"{found.record.name} has no p= and no rua=, so it is not applied (RFC 7489 section 6.6.3)"
            return Policy("permerror", reason, record=found.record, is_broken=True)
        return _applied(found.record, "sp" if inherits and found.record.choice("sp") else "p", ("p", "sp"))

    def with_policy(self, _domain: str) -> SuffixList:
        """See :meth:`Standard.with_policy`: no record changes which organisation a domain belongs to."""
        return self


def walk_names(domain: str) -> list[str]:
    """The domains that a tree walk asks about, in its order: at most eight (RFC 9989 section 4.10 steps 3 to 7)."""
    labels = domain.split(".")
    count = len(labels)
    first_above = max(1, count - _MOST_ABOVE)
    return [domain, *(".".join(labels[start:]) for start in range(first_above, count))]


def _organisation(domain: str, records: list[PolicyRecord]) -> str:
    """Which of the names of a walk is the organisational domain (RFC 9989 section 4.10.2).

    A psd tag ends the walk, so only the last record can have one.
    """
    if not records:
        return domain
    last = records[-1]
    if last.choice("psd") == "y" and last.domain != domain:
        labels = domain.split(".")
        start = len(labels) - last.domain.count(".") - 2
        return ".".join(labels[start:])
    return last.domain


def _applied(record: PolicyRecord, tag: str, policies: tuple[str, ...]) -> Policy:
    """The policy of a record (RFC 9989 section 4.10.1, RFC 7489 section 6.6.3 step 6).

    A record without p= has p=none (RFC 9989 section 4.7); one whose policies are invalid has it only when it asks for
    reports.
    """
    where = "RFC 9989 section 4.10.1" if "np" in policies else "RFC 7489 section 6.6.3"
    invalid = record.invalid(*policies)
    if invalid:
        return _invalid(record, invalid, where)
    policy = record.choice(tag) or "none"
    said = f"{tag}={policy}" if tag in record.tags else "nothing of a policy, which is p=none"
    return Policy("found", f"{record.name} says {said} ({where})", policy, record)


def _invalid(record: PolicyRecord, invalid: list[str], where: str) -> Policy:
    """The policy of a record in which some policies are none."""
    # OpenDMARC 1.4.2 applies a policy that stands before the broken tag.
    also = f", but some receivers apply p={record.choice('p')} all the same" if record.choice("p") else ""
    said = f"{record.name} says {', '.join(invalid)}"
    if record.asks_for_reports:
        return Policy("found", f"{said}, so it counts as p=none{also} ({where})", "none", record)
    return Policy("permerror", f"{said}, so it is not applied{also} ({where})", record=record, is_broken=True)


def _nothing(domain: str, found: FoundPolicy, source: str) -> Policy:
    if found.fault is None:
        rule = f"neither {policy_name(domain)} nor a name above it has a policy record"
        return Policy("none", f"{rule}: {found.near}" if found.near else f"{rule} ({source})")
    return Policy("none" if found.several else "permerror", found.fault, is_broken=True)


def _temperror(domain: str, reason: Unresolved) -> Policy:
    return Policy("temperror", f"the policy of {domain} cannot be looked up: {reason} (RFC 9989 section 5.3.6)")


@cache
def _suffixes() -> Any:
    """The public suffix list that comes with the package."""
    return require("publicsuffixlist").PublicSuffixList()
