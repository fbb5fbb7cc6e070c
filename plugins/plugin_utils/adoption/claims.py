# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What may be declared of a domain, part by part, and what is left open when a part cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Literal

OpenRisk = Literal["high", "medium", "low"]
"""What may go wrong while nobody has answered: mail is refused, a sender is overlooked, or nothing but order."""

OPEN_RISKS: tuple[OpenRisk, ...] = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not explained: ``what`` as ``unexplained`` has it, ``candidates`` are the services that it may stand for.
    ``listed`` False: it is asked about, and no item of ``unexplained``, because it is no value that could be kept.
    ``terms`` are the SPF terms that it is about; ``messages``: how many were reported."""

    what: str
    evidence: str
    risk: OpenRisk
    candidates: tuple[str, ...] = ()
    question: str = ""
    listed: bool = True
    terms: tuple[str, ...] = ()
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """One part of a declaration: ``value`` at ``key``, or at ``option`` of ``key``; a list takes it as one more item.

    ``note`` says why, for a comment; ``otherwise`` is what is left open where it would change a record or be refused.
    """

    key: str
    value: Any
    note: str = ""
    option: str | None = None
    many: bool = False
    otherwise: Finding | None = None

    def put(self, declared: dict[str, Any]) -> None:
        """Add it to a declaration.

        :param declared: an entry of mail_dns_domains
        """
        holder, name = (declared, self.key) if self.option is None else (declared.setdefault(self.key, {}), self.option)
        if not self.many:
            more = isinstance(self.value, dict) and isinstance(holder.get(name), dict)
            holder[name] = {**holder[name], **self.value} if more else copy(self.value)
        elif self.value not in holder.setdefault(name, []):
            holder[name].append(self.value)


@dataclass(frozen=True, slots=True)
class DomainReading:
    """All that is made of one domain's facts: claims in the order of a declaration, what nobody can explain, and what
    the ERP environments of the inventory explain, by the names that findings would have."""

    domain: str
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()
    explained: tuple[str, ...] = ()

    def declaration(self) -> dict[str, Any]:
        """The entry of mail_dns_domains."""
        declared: dict[str, Any] = {}
        for claim in self.claims:
            claim.put(declared)
        listed = {one.what: one.evidence for one in self.findings if one.listed}
        if listed:
            declared["unexplained"] = [{"what": what, "evidence": evidence} for what, evidence in listed.items()]
        return declared

    def without(self, failed: Iterable[tuple[Claim, str]]) -> DomainReading:
        """The same with some claims left open.

        :param failed: each with the reason
        """
        reasons = {id(claim): reason for claim, reason in list(failed)}
        left = [
            replace(one.otherwise, evidence=f"{one.otherwise.evidence}; not declared: {reasons[id(one)]}")
            for one in self.claims
            if id(one) in reasons and one.otherwise is not None
        ]
        claims = tuple(one for one in self.claims if id(one) not in reasons)
        return replace(self, claims=claims, findings=(*self.findings, *left))
