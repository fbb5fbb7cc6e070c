# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""TLS reports (RFC 8460): where senders report whether they could reach a domain's mail servers by TLS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.near_miss_choice import RecordValues
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    RecordPlan,
    World,
    left_to,
    look_elsewhere,
    manager_of,
    too_long,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_tls_rpt
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_rpt import (
    TlsRptError,
    TlsRptWish,
    is_tls_rpt,
    merge_tls_rpt,
    parse_tls_rpt,
    tls_report_uri,
    tls_rpt_concerns,
    tls_rpt_faults,
    tls_rpt_name,
    tls_rpt_records,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut

_WHERE = "TLSRPT record"
_RULES = RuleSource("documentation of mailroom.erp.mail_domains")


@dataclass(frozen=True, slots=True)
class TlsRptRecipe:
    """Where reports about one domain shall go."""

    domain: str
    ttl: int | None
    wish: TlsRptWish
    absent: bool = False
    near_miss: str = "refuse"
    kind: str = "tls_rpt"

    @property
    def name(self) -> str:
        return tls_rpt_name(self.domain)

    @property
    def keys(self) -> tuple[Key, ...]:
        return ((self.name, "TXT"),)

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`; addresses and fields that are there are kept, an alias is left to its target."""
        manager = manager_of(self.name, state)
        if manager is not None:
            return left_to(self.name, manager)
        found = state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.domain, self.name, found, is_tls_rpt, near_tls_rpt, self.near_miss, "tls_rpt")
        records = values.records
        if len(records) > 1 and not self.absent:
            rule = f"the domain has {len(records)} TLSRPT records, so that senders act as if there were none"
            way_out = "Remove all but one from the zone."
            raise Refused(Problem(self.domain, _WHERE, " | ".join(records), rule, "RFC 8460 section 3", way_out))
        after = None if self.absent else self._after(records[0] if records else None)
        change = values.change(self.ttl, after)
        return RecordPlan(values.before, after, change, [*values.warnings(), *self._concerns(after)])

    def judge(self, plan: RecordPlan, world: World) -> None:
        """A record that is managed elsewhere is looked at where the world finds it."""
        records = look_elsewhere(plan, self.name, world, tls_rpt_records, f"{self.name}: cannot be looked up")
        if records is None or self.absent:
            return
        if len(records) != 1:
            plan.warnings.append(
                f"{self.name}: there are {len(records)} TLSRPT records where it is managed, so that nobody reports "
                "(RFC 8460 section 3)"
            )
        else:
            plan.warnings += self._concerns(records[0])

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`: the domain's zone is ours, so the name was delegated to somebody else."""
        return left_to(self.name, "a zone that this DNS account does not serve")

    def _after(self, before: str | None) -> str:
        whole = Option("tls_rpt.exclusive: true")
        way_out = WayOut(("Correct the record in the zone first, or give all of it with ", whole, "."))
        try:
            record = merge_tls_rpt(self._live(before), self.wish)
        except TlsRptError as error:
            raise Refused(_RULES.told(self.domain, _WHERE, error.value, str(error), way_out)) from None
        faults = tls_rpt_faults(record)
        if faults:
            raise Refused([_RULES.told(self.domain, _WHERE, str(record), fault, way_out) for fault in faults])
        problem = too_long(self.domain, _WHERE, str(record))
        if problem:
            raise Refused(problem)
        return str(record)

    def _live(self, before: str | None) -> TagList | None:
        """The live record; one that cannot be read is replaced where all of it is given."""
        try:
            return None if before is None else parse_tls_rpt(before)
        except TlsRptError:
            if self.wish.exclusive:
                return None
            raise

    def _concerns(self, record: str | None) -> list[str]:
        if record is None:
            return []
        try:
            parsed = parse_tls_rpt(record)
        except TlsRptError as error:
            return [f"{self.domain}: {error}"]
        return [f"{self.domain}: {one}" for one in (*tls_rpt_faults(parsed), *tls_rpt_concerns(parsed))]


def _read(
    subject: str, name: str, ttl: int | None, options: Mapping[str, Any], problems: list[Problem]
) -> list[TlsRptRecipe]:
    """See ``Kind.read``."""
    absent, uris = options["state"] == "absent", []
    for address in options["rua"]:
        try:
            uris.append(tls_report_uri(address.strip().replace("{domain}", name)))
        except TlsRptError as error:
            problems.append(_RULES.told(subject, "tls_rpt.rua", error.value, str(error), "Correct the address."))
    if not options["rua"] and not absent:
        rule = "a TLSRPT record says where reports go, and no address is given"
        problems.append(Problem(subject, "tls_rpt.rua", None, rule, "RFC 8460 section 3", "Give at least one address."))
    wish = TlsRptWish(tuple(dict.fromkeys(uris)), options["exclusive"])
    return [TlsRptRecipe(name, ttl, wish, absent, options["near_miss"])]


TLS_RPT_KIND = Kind(
    option="tls_rpt",
    read=_read,
    results=(RecordResult("tls_rpt", "tls_rpt", "TLSRPT"),),
    declared=True,
    is_record=is_tls_rpt,
)
