# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""All that a run of ``verify`` knows, before anything is made of it."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import domains_sent_as
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.leaving_reports import LeavingEvidence
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import PreviousReport


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands that mend what is found. ``inventories``: what ansible-playbook was given with -i; ``snapshots``:
    the folder."""

    inventories: Sequence[str]
    snapshots: Path

    @property
    def site(self) -> str:
        """Makes all as declared."""
        return self._playbook("site")

    @property
    def rotate(self) -> str:
        """Makes the secrets that are due."""
        return self._playbook("rotate_secrets")

    def restore(self, snapshot: str) -> str:
        """Brings back what stood there before a run.

        :param snapshot: the name of its file
        """
        return f"{self._playbook('restore')} -e mail_restore_snapshot={shlex.quote(str(self.snapshots / snapshot))}"

    def _playbook(self, name: str) -> str:
        sources = " ".join(f"-i {shlex.quote(one)}" for one in self.inventories)
        return f"ansible-playbook {sources} mailroom.erp.{name}"


@dataclass(frozen=True)
class VerifyFacts:
    """What a run knows. ``judged`` is what ``erp_environments_info`` returned, ``plan`` what ``erp_environments_plan``
    did, ``records`` and ``live`` what ``mail_domains`` and ``mail_auth_info`` did of records and senders, ``audited``
    what the latter did of domains, ``reported`` what ``dmarc_report_info`` did, ``advanced`` what ``dmarc_advance``
    would do, and ``tenants`` the results of ``entra_environments``. ``customers`` are those of hosts,
    ``domain_customers`` those that domains declare; ``unexplained`` by domain what nobody can explain; ``unconfirmed``
    by host the points of the checklist that nobody confirmed; ``writes`` the last ones of the journal; ``leaving`` by
    host whether one that leaves still sends.
    """

    now: datetime.datetime
    judged: Mapping[str, Any]
    plan: Mapping[str, Any]
    commands: Commands
    previous: PreviousReport = field(default_factory=PreviousReport)
    records: Mapping[str, Any] = field(default_factory=dict)
    live: Mapping[str, Any] = field(default_factory=dict)
    audited: Mapping[str, Any] = field(default_factory=dict)
    reported: Mapping[str, Any] = field(default_factory=dict)
    advanced: Mapping[str, Any] = field(default_factory=dict)
    tenants: Sequence[Mapping[str, Any]] = ()
    sights: Mapping[str, ServerSight] = field(default_factory=dict)
    customers: Mapping[str, str] = field(default_factory=dict)
    domain_customers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unexplained: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unconfirmed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    writes: Mapping[Key, LastWrite] = field(default_factory=dict)
    leaving: Mapping[str, LeavingEvidence] = field(default_factory=dict)

    @property
    def needs(self) -> Mapping[str, Mapping[str, Any]]:
        """What each environment needs, by host."""
        found: Mapping[str, Mapping[str, Any]] = self.judged["needs"]
        return found

    @property
    def today(self) -> datetime.date:
        """The day of the run (UTC)."""
        return self.now.date()

    @property
    def made(self) -> str:
        """The time of the run as ISO 8601."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def refused(self) -> Mapping[str, Any]:
        """What was left out and why, as ``erp_environments_plan`` returns it."""
        found: Mapping[str, Any] = self.plan["refused"]
        return found

    @cached_property
    def verdicts(self) -> list[Mapping[str, Any]]:
        """The verdicts on the live records."""
        found = self.records.get("verdicts")
        return list(found["before"]) if found else list(self.live.get("verdicts") or [])

    @cached_property
    def domains(self) -> list[str]:
        """All domains that are ours, as A-labels."""
        return sorted(self.plan["names"])

    @cached_property
    def dependents(self) -> dict[str, tuple[str, ...]]:
        """The environments that send as each domain."""
        found: dict[str, list[str]] = {}
        for host, needs in self.needs.items():
            for domain in sorted(domains_sent_as(needs)):
                found.setdefault(domain, []).append(host)
        return {domain: tuple(hosts) for domain, hosts in found.items()}

    @cached_property
    def failures(self) -> dict[str, Mapping[str, Any]]:
        """The domains whose records could not be planned, each with ``refused`` and ``msg``."""
        found = {one["domain"]: one for one in self.records.get("failures") or []}
        for name, reasons in self.refused["domains"].items():
            found.setdefault(name, {"domain": name, "refused": True, "msg": "\n".join(reasons)})
        return found

    @cached_property
    def run_failure(self) -> str | None:
        """Why no records could be looked at; None where nothing stopped the run."""
        told = [*self.refused["run"]]
        if self.records.get("msg") and "domains" not in self.records:
            told.append(str(self.records["msg"]))
        return "\n".join(dict.fromkeys(told)) or None

    @cached_property
    def differences(self) -> dict[Key, Mapping[str, str]]:
        """The differences of records by name and type."""
        found: dict[Key, Mapping[str, str]] = {}
        for one in self.records.get("diff") or []:
            parts = str(one["before_header"]).split(" ", 2)
            if len(parts) == 3:
                found[parts[0], parts[1]] = one
        return found

    def domain_of(self, name: str) -> str | None:
        """The domain of ours that a name is in."""
        return longest_match(name, self._names)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.domains)

    @cached_property
    def service_verdicts(self) -> dict[str | None, list[Mapping[str, Any]]]:
        """The verdicts of the services that each domain declares; no environment has them."""
        found: dict[str | None, list[Mapping[str, Any]]] = {}
        for one in self.verdicts:
            if not one["sender"]["environment"]:
                domain = self.domain_of(str(one["sender"]["from"]).rpartition("@")[2])
                found.setdefault(domain, []).append(one)
        return found

    def customers_of(self, domain: str) -> tuple[str, ...]:
        """Whose a domain is: as it declares itself, else those of the environments that send as it.

        :param domain: as A-labels
        """
        if domain in self.domain_customers:
            return self.domain_customers[domain]
        found = (self.customers.get(host) for host in self.dependents.get(domain, ()))
        return tuple(sorted({one for one in found if one}))
