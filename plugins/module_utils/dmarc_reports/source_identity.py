# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Who a reported source is: a declared sender, a service of the catalogue, or unknown, always with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import DkimResult, SpfCheck
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.server_networks import (
    NetworkFinder,
    ServerNetworks,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender, Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside

_WEIGHTS = {"dkim": 4, "address": 2, "envelope": 1}
_MOST_KNOWN = 20_000
_PROOF_TEXTS = {
    "dkim": "its DKIM signature passed",
    "address": "the source is one of its servers",
    "envelope": "SPF passed for its envelope domain",
}


class MailTraits(NamedTuple):
    """What a report tells of messages, as far as it tells who sent them, but for their source."""

    header_from: str
    envelope_from: str
    signatures: tuple[DkimResult, ...]
    spf_checks: tuple[SpfCheck, ...]


@dataclass(frozen=True, slots=True)
class KnownService:
    """A sending service, as far as its mail is known by it: its SPF terms, and its own domains that it signs as."""

    name: str
    title: str
    spf_terms: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SenderGroup:
    """Declared senders that no report can tell apart: one From domain, sent and signed in one way. ``label`` names
    them: environments where there are any, else the service or the addresses."""

    domain: str
    envelope_domain: str | None
    sources: tuple[str, ...] | None
    signature: Signature | None
    environments: tuple[str, ...]
    services: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def label(self) -> str:
        """For people."""
        return f"{', '.join(self.environments or self.services or self.addresses)} ({self.domain})"


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """Who a source is. ``kind`` is declared, service or unknown; ``groups`` are indices of sender groups, more than one
    when it cannot be told which; ``proof`` says by what it is known: dkim, address, envelope."""

    kind: str
    reason: str
    groups: tuple[int, ...] = ()
    environments: tuple[str, ...] = ()
    service: str | None = None
    proof: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same, as modules return it."""
        return {
            "kind": self.kind,
            "environments": list(self.environments),
            "service": self.service,
            "proof": list(self.proof),
            "reason": self.reason,
        }


_NOBODY_ASKED = SourceIdentity("unknown", "nobody asked yet")


def sender_groups(senders: Iterable[Sender]) -> tuple[SenderGroup, ...]:
    """Put together the senders that reports cannot tell apart, in the order given."""
    found: dict[tuple[object, ...], list[Sender]] = {}
    for sender in senders:
        key = (sender.domain, sender.envelope_domain, sender.sources, sender.signature)
        found.setdefault(key, []).append(sender)
    return tuple(
        SenderGroup(
            members[0].domain,
            members[0].envelope_domain,
            members[0].sources,
            members[0].signature,
            _once(one.environment for one in members),
            _once(one.service for one in members),
            _once(one.address for one in members),
        )
        for members in found.values()
    )


class SourceIdentifier:
    """Tells who sources are; each question is answered once.

    :param groups: the declared senders
    :param services: the services that may be behind other sources
    :param lookup: asks the DNS for the addresses of SPF terms
    """

    def __init__(self, groups: Sequence[SenderGroup], services: Sequence[KnownService], lookup: Lookup) -> None:
        self._finder = NetworkFinder(lookup)
        self.groups = tuple(groups)
        self._services = tuple(services)
        self._of_domain: dict[str, list[int]] = {}
        for index, group in enumerate(self.groups):
            self._of_domain.setdefault(group.domain, []).append(index)
        self._known: dict[tuple[object, ...], SourceIdentity | None] = {}

    def _of_group(self, index: int) -> ServerNetworks:
        group = self.groups[index]
        return self._finder.networks(group.sources or (), group.envelope_domain or group.domain)

    def _of_service(self, service: KnownService) -> ServerNetworks:
        return self._finder.networks(service.spf_terms, "")

    def identity(self, source: str, traits: MailTraits) -> SourceIdentity:
        """Tell who a source is. The same answer is one object, found once: of an address only the networks count.

        :param source: an address or a network
        :param traits: what else is told of its messages
        """
        here = self._of_domain.get(traits.header_from)
        if not here:
            return self._other(source, (traits, ()), traits)
        held = tuple([self._of_group(index).holds(source) for index in here])
        key: tuple[object, ...] = (traits, held)
        found = self._known.get(key, _NOBODY_ASKED)
        if found is _NOBODY_ASKED:
            found = self._keep(key, self._declared(traits, dict(zip(here, held, strict=True))))
        return found or self._other(source, key, traits)

    def _other(self, source: str, key: tuple[object, ...], traits: MailTraits) -> SourceIdentity:
        """A source that nobody has declared; only now are the services' networks asked for."""
        held = tuple([self._of_service(one).holds(source) for one in self._services])
        key = (*key, held)
        found = self._known.get(key)
        if found is None:
            found = self._service(traits, held) or self._unknown(traits)
            self._keep(key, found)
        return found

    def _keep(self, key: tuple[object, ...], found: SourceIdentity | None) -> SourceIdentity | None:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known[key] = found
        return found

    def _declared(self, traits: MailTraits, held: Mapping[int, bool | None]) -> SourceIdentity | None:
        proofs = {index: self._proof(index, traits, held[index]) for index in held}
        best = max((_weight(proof) for proof in proofs.values()), default=0)
        if not best:
            return None
        groups = tuple(index for index, proof in proofs.items() if _weight(proof) == best)
        proof = proofs[groups[0]]
        reason = " and ".join(_PROOF_TEXTS[one] for one in proof)
        if proof == ("dkim",) and held[groups[0]] is False and self.groups[groups[0]].sources:
            reason += "; the source is none of its servers: the mail was passed on"
        if len(groups) > 1:
            reason += f"; reports cannot tell which: {'; '.join(self.groups[index].label for index in groups)}"
        members = [self.groups[index] for index in groups]
        environments = _once(name for group in members for name in group.environments)
        services = _once(name for group in members for name in group.services)
        service = services[0] if len(services) == 1 else None
        return SourceIdentity("declared", reason, groups, environments, service, proof)

    def _proof(self, index: int, traits: MailTraits, held: bool | None) -> tuple[str, ...]:
        group = self.groups[index]
        found = {
            "dkim": group.signature is not None and _is_signed(group.signature, traits),
            "address": held is True,
            "envelope": group.envelope_domain is not None and _is_enveloped(group.envelope_domain, traits),
        }
        return tuple(name for name, holds in found.items() if holds)

    def _service(self, traits: MailTraits, held: Iterable[bool | None]) -> SourceIdentity | None:
        passed = {one.domain for one in traits.signatures if one.result == "pass"}
        for service, holds in zip(self._services, held, strict=True):
            signed = next((name for name in passed for own in service.domains if is_inside(name, own)), None)
            if signed:
                reason = f"{service.title} signed it as {signed}; nobody is declared to send so"
                return SourceIdentity("service", reason, service=service.name, proof=("dkim",))
            if holds:
                reason = f"the source is one of the servers of {service.title}; nobody is declared to send so"
                return SourceIdentity("service", reason, service=service.name, proof=("address",))
        return None

    def _unknown(self, traits: MailTraits) -> SourceIdentity:
        here = self._of_domain.get(traits.header_from, [])
        signed = [one.domain for one in traits.signatures if one.result == "pass"]
        reasons = [f"nobody is declared to send as {traits.header_from}"] if not here else []
        reasons += ["it is neither a server of a declared sender or known service, nor signed by one"] if here else []
        reasons += [f"its signature of {', '.join(_once(signed))} passed"] if signed else []
        claims = {one.domain for one in traits.signatures if one.result != "pass"}
        if claims & {group.signature.domain for group in self.groups if group.signature}:
            reasons.append("it bears a signature of a declared sender that did not pass")
        reasons += [f"its addresses could not be looked up: {one}" for one in self._unresolved(here)]
        return SourceIdentity("unknown", "; ".join(reasons))

    def _unresolved(self, groups: Iterable[int]) -> tuple[str, ...]:
        networks = [*map(self._of_group, groups), *map(self._of_service, self._services)]
        return _once(reason for one in networks for reason in one.unresolved)


def read_services(entries: Iterable[Mapping[str, Any]]) -> tuple[KnownService, ...]:
    """Read the option ``services``.

    :param entries: with ``name``, and what is known of ``title``, ``spf_terms`` and ``domains``
    """
    return tuple(
        KnownService(
            one["name"],
            one.get("title") or one["name"],
            tuple(one.get("spf_terms") or ()),
            tuple(name.lower().rstrip(".") for name in one.get("domains") or ()),
        )
        for one in entries
    )


def _is_signed(signature: Signature, traits: MailTraits) -> bool:
    """Whether the declared signature passed. A report of RFC 7489 need not tell the selector."""
    selectors = {one.lower() for one in signature.selectors}
    return bool(selectors) and any(
        one.result == "pass" and one.domain == signature.domain and (not one.selector or one.selector in selectors)
        for one in traits.signatures
    )


def _is_enveloped(domain: str, traits: MailTraits) -> bool:
    return any(one.result == "pass" and one.domain == domain and one.scope != "helo" for one in traits.spf_checks)


def _weight(proof: Iterable[str]) -> int:
    return sum(_WEIGHTS[one] for one in proof)


def _once(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in values if one))
