# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What came of each environment in a run of ``site``: what changed for it, what failed, and with what difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import domains_sent_as
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import tenant_failures


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The files of one environment: their names as far as they changed, their differences, and why they could not be
    written."""

    changed: Sequence[str] = ()
    differences: Sequence[Mapping[str, Any]] = ()
    failure: str | None = None


@dataclass(frozen=True)
class SiteRun:
    """All that a run knows at its end.

    ``hosts``: those of the play, the first of which the tasks for all ran on; ``needs`` by host. ``refused``: what
    ``EstateRefusals`` has, as a dict; ``goes_on``: whether anything might be written. ``records``: what
    ``mail_domains`` returned, empty when there were none; ``tenants``: the results of ``entra_environments``, each with
    the hosts ``asked``; ``files`` by host.
    """

    hosts: Sequence[str]
    needs: Mapping[str, Mapping[str, Any]]
    refused: Mapping[str, Any]
    goes_on: bool
    records: Mapping[str, Any] = field(default_factory=dict)
    tenants: Sequence[Mapping[str, Any]] = ()
    files: Mapping[str, WrittenFiles] = field(default_factory=dict)

    @classmethod
    def of_results(
        cls, known: Mapping[str, Any], tenants: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]
    ) -> SiteRun:
        """A run by the results of its tasks; its files are not known yet.

        :param known: ``judged``, ``plan`` and ``records``
        :param tenants: as above
        :param variables: those of a host of the play
        """
        return cls(
            hosts=[str(host) for host in variables["ansible_play_hosts_all"]],
            needs=known["judged"]["needs"],
            refused=known["plan"]["refused"],
            goes_on=known["plan"]["goes_on"],
            records=known["records"],
            tenants=tenants,
        )

    @property
    def environments(self) -> list[str]:
        """The hosts that declare an environment."""
        return [host for host in self.hosts if host in self.needs]

    @property
    def failed_domains(self) -> dict[str, str]:
        """The domains that failed while records were made, with the reason; those refused before are not among them."""
        failures = self.records.get("failures") or []
        return {one["domain"]: one["msg"] for one in failures if one["domain"] not in self.refused["domains"]}

    @property
    def changed_domains(self) -> dict[str, list[str]]:
        """The domains that changed, or would, each with the kinds of its records that did."""
        domains = self.records.get("domains") or []
        return {one["domain"]: _kinds(one) for one in domains if one["changed"]}

    def dependents(self, domain: str) -> list[str]:
        """The environments that a domain's records are made for; without any, the host that the tasks ran on.

        :param domain: the name as A-labels
        """
        return self._dependents.get(domain) or [*self.hosts[:1]]

    @cached_property
    def _dependents(self) -> dict[str, list[str]]:
        """The environments that send as each domain."""
        found: dict[str, list[str]] = {}
        for host in self.environments:
            for domain in domains_sent_as(self.needs[host]):
                found.setdefault(domain, []).append(host)
        return found


@dataclass(slots=True)
class EnvironmentOutcome:
    """What came of one host: what changed (or would), in words; what failed, one sentence each; and the differences."""

    changed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    differences: list[Mapping[str, Any]] = field(default_factory=list)

    def as_dict(self, with_differences: bool, result_file: str | None = None) -> dict[str, Any]:
        """What ``erp_outcome`` gives the host.

        :param with_differences: whether they are to be shown
        :param result_file: where all that is known of a run that failed is written down
        """
        diff = self.differences if with_differences else []
        return {"changed": self.changed, "failed": self.failed, "diff": diff, "result_file": result_file}


def unwell(run: SiteRun) -> dict[str, list[str]]:
    """The environments for which not all was done, with the reasons, before their files are written.

    :param run: its ``files`` are not looked at
    """
    refused = run.refused
    failed = {host: list(reasons) for host, reasons in refused["environments"].items()}
    for host, domains in refused["dependents"].items():
        failed.setdefault(host, []).extend(reason for name in domains for reason in refused["domains"][name])
    waited_for = {name for domains in refused["dependents"].values() for name in domains}
    alone = {name: "\n".join(reasons) for name, reasons in refused["domains"].items() if name not in waited_for}
    for domain, reason in {**alone, **run.failed_domains}.items():
        for host in run.dependents(domain):
            failed.setdefault(host, []).append(_named(domain, reason))
    for host, reasons in tenant_failures(run.tenants).items():
        failed.setdefault(host, reasons)
    if refused["run"]:
        failed.setdefault(run.hosts[0], []).extend(refused["run"])
    return {host: list(dict.fromkeys(reasons)) for host, reasons in failed.items()}


def outcomes(run: SiteRun) -> dict[str, EnvironmentOutcome]:
    """What came of each environment of which there is something to tell; the others are as they were.

    :param run: all that is known at its end
    """
    found = {host: EnvironmentOutcome(failed=reasons) for host, reasons in unwell(run).items()}
    for host, files in run.files.items():
        _add_files(found, host, files)
    if run.goes_on:
        _add_records(found, run)
        _add_tenants(found, run.tenants)
    return found


def _add_files(found: dict[str, EnvironmentOutcome], host: str, files: WrittenFiles) -> None:
    if not files.changed and not files.failure:
        return
    outcome = found.setdefault(host, EnvironmentOutcome())
    outcome.changed += [", ".join(files.changed)] if files.changed else []
    outcome.failed += [files.failure] if files.failure else []
    outcome.differences += files.differences


def _add_records(found: dict[str, EnvironmentOutcome], run: SiteRun) -> None:
    changed = run.changed_domains
    for domain, kinds in changed.items():
        for host in run.dependents(domain):
            found.setdefault(host, EnvironmentOutcome()).changed.insert(0, f"{', '.join(kinds)} of {domain}")
    for difference in run.records.get("diff") or []:
        domain = longest_match(str(difference["before_header"]).split()[0], set(changed)) or ""
        host = run.dependents(domain)[0]
        found.setdefault(host, EnvironmentOutcome()).differences.insert(0, difference)


def _add_tenants(found: dict[str, EnvironmentOutcome], results: Iterable[Mapping[str, Any]]) -> None:
    for result in results:
        changed = [host for host, one in (result.get("environments") or {}).items() if one["changed"]]
        for host in changed:
            found.setdefault(host, EnvironmentOutcome()).changed.append("its part of the tenant")
        if changed:
            found[changed[0]].differences += result.get("diff") or []


def _kinds(domain: Mapping[str, Any]) -> list[str]:
    """The kinds of records of a domain that changed, as people call them."""
    labels = []
    for called in RECORD_RESULTS.values():
        found: Any = domain.get(called.key) or []
        records = found if called.many or not found else [found]
        if any(one["record"]["before"] != one["record"]["after"] for one in records):
            labels.append(called.label)
    return labels or ["records"]


def _named(name: str, reason: str) -> str:
    """A reason that names what it is about."""
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"
