# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What tenants tell of the domains that are adopted: which ERP may be behind an application, and what is open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import DROP, KEEP, Answers
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import DomainReading, Finding, OpenRisk
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import ErpWay, Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import LiveApplication, TenantFacts

_FIRST_NAME = ".onmicrosoft."
"""In the name that a tenant gets when it is made, which is no domain of ours."""


@dataclass(frozen=True, slots=True)
class TenantPart:
    """What the tenants tell of one domain: the ways in which an ERP may send, those of reports among them, and
    applications that nobody named."""

    ways: tuple[ErpWay, ...] = ()
    findings: tuple[Finding, ...] = ()


def is_application(what: str) -> bool:
    """Whether a finding is about an application of a tenant.

    :param what: its name
    """
    return what.startswith("entra ")


class TenantReading:
    """Reads what was found in tenants.

    :param tenants: what was read
    :param domains: those that are adopted, as A-labels
    :param recognition: what the catalogue knows
    :param named: ids of applications that environments of the inventory sign in with, in lower case
    :param answers: what a person said
    """

    def __init__(
        self,
        tenants: Sequence[TenantFacts],
        domains: Collection[str],
        recognition: Recognition,
        named: Collection[str],
        answers: Answers,
    ) -> None:
        self._tenants, self._domains, self._recognition = tenants, sorted(domains), recognition
        self._named, self._answers = named, answers
        self._parts: dict[str, list[tuple[tuple[ErpWay, ...], Finding]]] = {}
        for tenant in tenants:
            for one in tenant.applications:
                holder = self._holder(tenant, one)
                if holder is not None and one.app_id.lower() not in named:
                    self._parts.setdefault(holder, []).append(self._open(tenant, one, holder))

    def part(self, domain: str, reported: Sequence[ErpWay]) -> TenantPart:
        """What is told of one domain.

        :param domain: as A-labels
        :param reported: the ways that reports tell of
        """
        found = self._parts.get(domain, ())
        ways = tuple(way for own, _finding in found for way in own)
        return TenantPart((*ways, *reported), tuple(finding for _ways, finding in found))

    def kept(self, reading: DomainReading, listed: Mapping[str, str]) -> DomainReading:
        """Leave the applications that an entry lists where their tenant was not read now, or not all of it.

        :param reading: of one domain
        :param listed: what its entry lists as unexplained, with its evidence
        """
        own = [one for one in self._tenants if reading.domain in one.domains]
        if own and not any(one.problem or one.unread for one in own):
            return reading
        found = {one.what for one in reading.findings}
        held = [
            Finding(what, evidence, "medium")
            for what, evidence in listed.items()
            if is_application(what) and what not in found and self._is_open(what, reading.domain)
        ]
        return replace(reading, findings=(*reading.findings, *held))

    def _is_open(self, what: str, domain: str) -> bool:
        said = set(self._answers.of(what, domain) or ())
        return not said & {DROP, KEEP} and what.partition(" ")[2].lower() not in self._named

    def questions(self) -> Iterator[tuple[str, Finding]]:
        """What is asked about whole tenants and senders, each with the domain or the tenant that it is about."""
        for one in self._tenants:
            yield from ((place, finding) for place, finding in self._of_tenant(one))

    def _holder(self, tenant: TenantFacts, application: LiveApplication) -> str | None:
        """The domain that an application is told at: that of its mailboxes, else the first of its tenant."""
        ours = [name for name in self._domains if name in tenant.domains]
        own = {one.rpartition("@")[2].lower() for one in application.addresses}
        return next((name for name in ours if name in own), ours[0] if ours else None)

    def _open(
        self, tenant: TenantFacts, application: LiveApplication, holder: str
    ) -> tuple[tuple[ErpWay, ...], Finding]:
        ways = tuple(self._recognition.ways_of_application(application, holder))
        systems = tuple(dict.fromkeys(way.system for way in ways))
        evidence = f"tenant {tenant.tenant_id}: {application.told}"
        risk: OpenRisk = "high" if application.every_mailbox else "medium"
        return ways, Finding(f"entra {application.app_id}", evidence, risk, systems)

    def _of_tenant(self, tenant: TenantFacts) -> Iterator[tuple[str, Finding]]:
        what = f"tenant {tenant.tenant_id}"
        ours = [name for name in self._domains if name in tenant.domains]
        place = ours[0] if ours else tenant.tenant_id
        if tenant.problem:
            question = f"It could not be read: {tenant.problem} Run adopt again when it can be."
            yield place, Finding(what, "", "high", question=question, listed=False)
            return
        if tenant.unread:
            told = "; ".join(f"{part}: {why}" for part, why in sorted(tenant.unread.items()))
            question = f"Not all of it could be read, so that senders may be missing: {told}."
            yield place, Finding(what, "", "medium", question=question, listed=False)
        others = [name for name in tenant.domains if name not in self._domains and _FIRST_NAME not in f"{name}."]
        if others:
            question = f"It has verified {', '.join(others)}. Add them to mail_adopt_domains if mail is sent as them."
            yield place, Finding(f"domains of {what}", "", "low", question=question, listed=False)
        for one in tenant.senders:
            if one["result"] != "pass":
                question = f"{one['reason']}. {one['next_step'] or 'Look at it in Microsoft 365.'}"
                risk: OpenRisk = "high" if one["result"] == "fail" else "low"
                finding = Finding(f"sender {one['address']}", "", risk, question=question, listed=False)
                yield str(one["domain"]), finding
