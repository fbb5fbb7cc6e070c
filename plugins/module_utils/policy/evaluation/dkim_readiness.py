# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether receivers will find a usable key for a sender's DKIM signatures (RFC 6376 section 3.6)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import (
    ED25519_ALONE,
    KeyVerdict,
    judge_published,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved


@dataclass(frozen=True, slots=True)
class KeyCause:
    """Why a key is not usable: ``kind`` is that of :class:`KeyVerdict`, or "unresolved".

    ``alias`` is where a CNAME leads that stands at the selector, None without one.
    """

    kind: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class SelectorReadiness:
    """One selector's key: ``result`` is pass, fail, none (nothing is published) or temperror.

    ``caution`` says why some receivers take mail for unsigned all the same, ``cause`` what must be changed for the key
    to be usable.
    """

    selector: str
    name: str
    result: str
    reason: str
    algorithm: str | None = None
    caution: str | None = None
    cause: KeyCause | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """All selectors of a signature: ``result`` is pass, fail, none (not signed), temperror or unknown.

    ``caution`` says why some receivers take mail for unsigned where the result is pass.
    """

    result: str
    reason: str
    domain: str | None = None
    selectors: tuple[SelectorReadiness, ...] = ()
    caution: str | None = None


def judge_signature(signature: Signature | None, lookup: Lookup) -> Readiness:
    """Judge whether the signatures that a sender's mail carries can be verified.

    :param signature: the signing domain and its selectors; None when nobody knows whether mail is signed
    :param lookup: asks the DNS, along CNAMEs
    :returns: pass when every selector has a usable key, fail when none has; unknown when only some have, because it
        is not known which one the service signs with
    """
    if signature is None:
        return Readiness("unknown", "whether the mail is signed is not declared (RFC 6376 section 3.5)")
    if not signature.selectors:
        return Readiness("none", "the mail is declared as not signed (RFC 6376 section 3.5)", signature.domain)
    found = tuple(_judge_selector(selector, signature.domain, lookup) for selector in signature.selectors)
    return _together(signature.domain, found)


def _together(domain: str, found: tuple[SelectorReadiness, ...]) -> Readiness:
    usable = [one for one in found if one.result == "pass"]
    unusable = [one for one in found if one.result in ("fail", "none")]
    unseen = [one for one in found if one.result == "temperror"]
    if usable and unusable:
        names = ", ".join(one.name for one in unusable)
        reason = f"{names} cannot be used, and which selector signs is not known (RFC 6376 section 3.6)"
        return Readiness("unknown", reason, domain, found)
    if unseen:
        return Readiness("temperror", unseen[0].reason, domain, found)
    if unusable:
        return Readiness("fail", unusable[0].reason, domain, found)
    return Readiness("pass", usable[0].reason, domain, found, _caution(usable))


def _caution(usable: list[SelectorReadiness]) -> str | None:
    """Why some receivers take mail for unsigned; each key may be the one that signs."""
    if all(one.algorithm == "ed25519" for one in usable):
        return f"{usable[0].name}: {ED25519_ALONE}"
    return next((one.caution for one in usable if one.caution), None)


def _judge_selector(selector: str, domain: str, lookup: Lookup) -> SelectorReadiness:
    name = f"{selector}._domainkey.{domain}"
    try:
        values = lookup(name, "TXT")
    except Unresolved as reason:
        said = f"{name} cannot be looked up: {reason} (RFC 6376 section 6.1.2)"
        return SelectorReadiness(selector, name, "temperror", said, cause=KeyCause("unresolved"))
    verdict = judge_published(values)
    if verdict.faults:
        return _unusable(selector, name, verdict, _alias(lookup, name), "fail" if values else "none")
    caution = f"{name}: {'; '.join(verdict.cautions)}" if verdict.cautions else None
    return SelectorReadiness(selector, name, "pass", _usable(name, verdict), verdict.algorithm, caution)


def _unusable(selector: str, name: str, verdict: KeyVerdict, alias: str | None, result: str) -> SelectorReadiness:
    leads = f", where a CNAME leads to {alias}" if alias else ""
    cause = KeyCause(verdict.kind or "no_key", alias)
    return SelectorReadiness(selector, name, result, f"{name}{leads}: {verdict.faults[0]}", cause=cause)


def _alias(lookup: Lookup, name: str) -> str | None:
    """Where a CNAME at a name leads: who holds the key then."""
    try:
        found = lookup(name, "CNAME")
    except Unresolved:
        return None
    return found[0].lower().removesuffix(".") if found else None


def _usable(name: str, verdict: KeyVerdict) -> str:
    """The reason of a selector whose key is usable."""
    kind = f"{verdict.bits}-bit RSA" if verdict.bits else verdict.algorithm
    concerns = f"; {'; '.join(verdict.concerns)}" if verdict.concerns else " (RFC 6376 section 3.6.1)"
    return f"{name} has a usable {kind} key{concerns}"
