# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What tenants tell of the domains that are adopted: which ERP may be behind an application, and what is open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import Finding, OpenRisk
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import ErpWay, Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import LiveApplication, TenantFacts

_FIRST_NAME = ".onmicrosoft."
"""In the name that a tenant gets when it is made, which is no domain of ours."""


@dataclass(frozen=True, slots=True)
class TenantPart:
    """What the tenants tell of one domain: the ways in which an ERP may send, and applications that nobody named."""

    ways: tuple[ErpWay, ...] = ()
    findings: tuple[Finding, ...] = ()


class TenantReading:
    """Reads what was found in tenants.

    :param tenants: what was read
    :param domains: those that are adopted, as A-labels
    :param recognition: what the catalogue knows
    :param named: ids of applications that environments of the inventory sign in with, in lower case
    """

    def __init__(
        self,
        tenants: Sequence[TenantFacts],
        domains: Collection[str],
        recognition: Recognition,
        named: Collection[str],
    ) -> None:
        self._tenants, self._domains, self._recognition = tenants, sorted(domains), recognition
        self._parts: dict[str, list[tuple[tuple[ErpWay, ...], Finding]]] = {}
        for tenant in tenants:
            for one in tenant.applications:
                holder = self._holder(tenant, one)
                if holder is not None and one.app_id.lower() not in named:
                    self._parts.setdefault(holder, []).append(self._open(tenant, one, holder))

    def part(self, domain: str) -> TenantPart:
        """What is told of one domain.

        :param domain: as A-labels
        """
        found = self._parts.get(domain, ())
        ways = tuple(way for own, _finding in found for way in own)
        return TenantPart(ways, tuple(finding for _ways, finding in found))

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
