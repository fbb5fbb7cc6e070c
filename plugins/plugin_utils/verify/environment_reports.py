# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is true of each environment: senders, mail server, tenant, and what nobody has confirmed. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    made_environments,
    tenant_failures,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.tenant_text import open_points
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.leaving_reports import (
    LeavingEvidence,
    leaving_report,
    leaving_sender,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    EnvironmentReport,
    MailboxReport,
    ProbeReport,
    SecretReport,
    SenderReport,
    TenantReport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import VerifyFacts

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_Found = Mapping[str, Any]


class EnvironmentReports:
    """Tells what is true of environments.

    :param facts: all that the run knows
    """

    def __init__(self, facts: VerifyFacts) -> None:
        self._facts = facts
        self._made = made_environments(facts.tenants)
        self._failed = tenant_failures(facts.tenants)
        self._differences = _differences(facts)
        self._audits = {one["domain"]: one for one in facts.audited.get("domains") or []}
        self._verdicts: dict[str, list[_Found]] = {}
        for verdict in facts.verdicts:
            if verdict["sender"]["environment"]:
                self._verdicts.setdefault(verdict["sender"]["environment"], []).append(verdict)

    def of(self, host: str) -> EnvironmentReport:
        """One environment; its state is told when it is known what is to be done.

        :param host: its name
        """
        sight, senders = self._facts.sights.get(host), [sender_report(one) for one in self._verdicts.get(host, ())]
        leaving = None
        if self._facts.needs[host].get("state") == LEAVING:
            evidence = self._facts.leaving.get(host, LeavingEvidence())
            leaving = leaving_report(self._facts.needs[host], self._audits, evidence)
            senders = [leaving_sender(one, leaving, evidence) for one in senders]
        return EnvironmentReport(
            name=host,
            customer=self._facts.customers.get(host),
            system=str(self._facts.needs[host].get("system") or ""),
            state="fine",
            senders=tuple(senders),
            probe=tuple(_probe(sight)) if sight else None,
            tenant=self._tenant(host),
            confirmations=tuple(self._facts.unconfirmed.get(host, ())),
            refused=tuple(self._facts.refused["environments"].get(host, ())),
            leaving=leaving,
        )

    def _tenant(self, host: str) -> TenantReport | None:
        made, failed = self._made.get(host), self._failed.get(host)
        if made is None and not failed:
            return None
        problem = "; ".join(failed) if failed else None
        if made is None:
            return TenantReport((), (), (), None, (), (), (), problem)
        scope = made.get("scope")
        return TenantReport(
            grants_missing=tuple(made["missing_grants"]),
            grants_unknown=tuple(made["unknown_grants"]),
            differs=tuple(self._differs(host, made)),
            scope=_scope(scope["state"]) if scope else None,
            secrets=tuple(self._secrets(made)),
            mailboxes=tuple(
                MailboxReport(one["address"], one["result"], one["reason"], one.get("next_step"))
                for one in made["senders"]
            ),
            open=tuple(open_points(made)),
            problem=problem,
        )

    def _secrets(self, made: _Found) -> Iterator[SecretReport]:
        if made["key_id"] or made["secret_due"]:
            # of a secret that is to be replaced, only the reason tells when it ends
            dated = _DATE.search(made["secret_due"] or "")
            ends, left = self._ends(made["end_date_time"] or (dated and dated[0]))
            yield SecretReport(made["key_id"] or "(would be made)", "secret", ends, left, made["secret_due"])
        for one in made["retiring"]:
            ends, left = self._ends(one["end_date_time"])
            yield SecretReport(one["key_id"], "retiring secret", ends, left, None)

    def _differs(self, host: str, made: _Found) -> Iterator[str]:
        """What a run of site would change of its part, but a secret that is due: that is told by itself."""
        told = [text for one in self._differences.get(host, ()) for text in _words(one)]
        if made["changed"] and not told and not made["secret_due"]:
            told = ["a part of it"]
        yield from told if made["changed"] else ()

    def _ends(self, moment: Any) -> tuple[str | None, int | None]:
        try:
            day = datetime.date.fromisoformat(str(moment)[:10])
        except ValueError:
            return None, None
        return day.isoformat(), (day - self._facts.today).days


def _differences(facts: VerifyFacts) -> dict[str, list[_Found]]:
    """What tenants would change, by environment."""
    hosts: dict[str, list[str]] = {}
    for tenant in facts.judged["tenants"].values():
        for entry in tenant["environments"]:
            name = entry.get("application", {}).get("unique_name")
            hosts.setdefault(name, []).append(entry["environment"])
    found: dict[str, list[_Found]] = {}
    for one in (one for result in facts.tenants for one in result.get("diff") or []):
        name, *more = str(one["before_header"]).split(" ")
        # that of a secret has no word in brackets behind the name
        for host in hosts.get(name, ()) if more else ():
            found.setdefault(host, []).append(one)
    return found


def sender_report(verdict: _Found) -> SenderReport:
    """One sender, as receivers judge it on the live records.

    :param verdict: as ``mail_auth_info`` returns it
    """
    transport = verdict.get("transport")
    return SenderReport(
        address=str(verdict["sender"]["from"]),
        service=verdict["sender"]["service"],
        verdict=verdict["result"],
        spf=verdict["spf"]["result"],
        dkim=verdict["dkim"]["result"],
        dmarc=verdict["dmarc"]["result"],
        transport=transport["result"] if transport else None,
        reason=verdict["reason"],
        next=verdict["next_step"],
    )


def _probe(sight: ServerSight) -> Iterator[ProbeReport]:
    if not sight.findings:
        yield ProbeReport(sight.name, "sound", "pass", sight.is_here, sight.summary or "nothing is wrong with it", None)
    for one in sight.findings:
        # what is told without a date is the same on the next day
        yield ProbeReport(sight.name, one["name"], one["level"], one["certain"], one["text"], one["next_step"])


def _words(difference: _Found) -> Iterator[str]:
    before, after = difference["before"], difference["after"]
    for key in dict.fromkeys([*after, *before]):
        if before.get(key) != after.get(key):
            yield f"{key.replace('_', ' ')}: {_told(before.get(key))}, where {_told(after.get(key))} is declared"


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value or "nothing")


def _scope(state: Any) -> Any:
    return state if state in ("granted", "effective", "tenant_wide") else "unknown"
