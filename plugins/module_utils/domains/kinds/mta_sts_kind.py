# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""MTA-STS (RFC 8461): the policy by which senders insist on TLS, as a file for a web server, and its TXT record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.near_miss_choice import RecordValues
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    LooksUpFirst,
    RecordPlan,
    WantedFile,
    World,
    left_to,
    look_elsewhere,
    manager_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import (
    LONGEST_MAX_AGE,
    MtaStsError,
    MtaStsPolicy,
    check_policy,
    is_mta_sts,
    mta_sts_concerns,
    mta_sts_faults,
    mta_sts_name,
    mta_sts_record,
    mta_sts_records,
    mx_pattern,
    parse_mta_sts,
    policy_concerns,
    policy_id,
    policy_text,
    policy_url,
    uncovered_mx,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_mta_sts
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut

_WHERE = "MTA-STS record"
_RULES = RuleSource("documentation of mailroom.erp.mail_domains")
_NULL_MX = "."
_MX = Option("mta_sts.mx")


@dataclass(frozen=True, slots=True)
class MtaStsRecipe(LooksUpFirst):
    """The policy of one domain. ``hosts`` says why the hosts of its MX records are not known, where they were asked."""

    domain: str
    ttl: int | None
    policy: MtaStsPolicy
    folder: Path | None = None
    absent: bool = False
    hosts: str | None = None
    near_miss: str = "refuse"
    kind: str = "mta_sts"

    @property
    def name(self) -> str:
        return mta_sts_name(self.domain)

    @property
    def keys(self) -> tuple[Key, ...]:
        return ((self.name, "TXT"),)

    @property
    def asks(self) -> bool:
        """See :meth:`LooksUpFirst.asks`: the hosts of a policy that names none are those of the MX records."""
        return not self.absent and self.policy.mode != "none" and not self.policy.mx

    def answered(self, world: World) -> MtaStsRecipe:
        """See :meth:`LooksUpFirst.answered`."""
        try:
            hosts = _mx_hosts(self.domain, world)
        except Unresolved as reason:
            return replace(self, hosts=str(reason))
        return replace(self, policy=replace(self.policy, mx=tuple(sorted(set(hosts)))))

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`. The id of the record follows from the policy, so it changes when the policy does."""
        manager = manager_of(self.name, state)
        if manager is not None:
            return left_to(self.name, manager)
        found = state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.domain, self.name, found, is_mta_sts, near_mta_sts, self.near_miss, "mta_sts")
        records = values.records
        if len(records) > 1 and not self.absent:
            rule = f"the domain has {len(records)} MTA-STS records, so that senders act as if there were none"
            way_out = "Remove all but one from the zone."
            raise Refused(Problem(self.domain, _WHERE, " | ".join(records), rule, "RFC 8461 section 3.1", way_out))
        self._check_policy()
        after = None if self.absent else self._after(records[0] if records else None)
        warnings = [*values.warnings(), *(self._concerns(after) if after is not None else self._still_kept(records))]
        plan = RecordPlan(values.before, after, values.change(self.ttl, after), warnings, file=self._file())
        plan.details["policy"] = None if self.absent else policy_text(self.policy)
        return plan

    def judge(self, plan: RecordPlan, world: World) -> None:
        """See that the policy covers the hosts that get the domain's mail: senders that enforce it refuse any other.

        :raises Refused: it does not, or that cannot be told, and the record or the file would change
        """
        plan.details.setdefault("policy", None)
        if plan.elsewhere is not None:
            plan.warnings += self._concerns_elsewhere(plan, world)
            return
        problem = None if self.absent or self.policy.mode == "none" else self._uncovered(world)
        if problem is not None and (plan.changes or plan.file):
            raise Refused(problem)
        plan.warnings += [str(problem)] if problem is not None else []

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`: the domain's zone is ours, so the name was delegated to somebody else."""
        return left_to(self.name, "a zone that this DNS account does not serve")

    def _check_policy(self) -> None:
        if self.absent:
            return
        if self.hosts is not None:
            rule = f"no `mx` is given, and the MX records of the domain cannot be looked up: {self.hosts}"
            raise Refused(
                _RULES.problem(self.domain, "mta_sts.mx", None, rule, WayOut(("Give ", _MX, ", or mend the look-up.")))
            )
        if self.asks:
            raise Refused(self._takes_no_mail())
        way_out = "Correct the option."
        faults = check_policy(self.policy)
        problems = [_RULES.told(self.domain, "mta_sts", fault.value, str(fault), way_out) for fault in faults]
        if problems:
            raise Refused(problems)

    def _after(self, before: str | None) -> str:
        way_out = "Remove the record from the zone, or correct it."
        try:
            record = mta_sts_record(self.policy, None if before is None else parse_mta_sts(before))
        except MtaStsError as error:
            raise Refused(_RULES.told(self.domain, _WHERE, error.value, str(error), way_out)) from None
        faults = mta_sts_faults(parse_mta_sts(record))
        if faults:
            raise Refused([_RULES.told(self.domain, _WHERE, record, fault, way_out) for fault in faults])
        return record

    def _file(self) -> WantedFile | None:
        """The policy where a web server finds it, in the folder of the host name that senders ask."""
        if self.folder is None:
            return None
        path = self.folder / f"mta-sts.{self.domain}" / ".well-known" / "mta-sts.txt"
        return WantedFile(path, None if self.absent else policy_text(self.policy))

    def _still_kept(self, records: list[str]) -> list[str]:
        """A record that goes ends no policy: senders keep the one that they have, unless it was taken back before."""
        taken_back = {policy_id(replace(self.policy, mode="none", mx=mx)) for mx in (self.policy.mx, ())}
        if all(any(one in record for one in taken_back) for record in records):
            return []
        rule = "senders go on with the policy that they have until its max_age is over (RFC 8461 sections 3.3, 8.3)"
        return [f"{self.domain}: {rule}; publish mode: none for that long first, with the same max_age"]

    def _concerns(self, record: str) -> list[str]:
        found = [*mta_sts_concerns(parse_mta_sts(record)), *policy_concerns(self.policy)]
        if self.folder is None:
            found.append(f"the policy must be served at {policy_url(self.domain)} before senders see this record")
        return [f"{self.domain}: {one}" for one in found]

    def _uncovered(self, world: World) -> Problem | None:
        """What is wrong with the policy for the hosts that the world finds; None when it covers them all."""
        try:
            hosts = _mx_hosts(self.domain, world)
        except Unresolved as reason:
            rule = f"whether it covers the domain's mail servers cannot be looked up: {reason}"
            return _RULES.problem(self.domain, "mta_sts.mx", None, rule, "See why the name servers do not answer.")
        if not hosts:
            return self._takes_no_mail()
        left = uncovered_mx(self.policy, hosts)
        if not left:
            return None
        rule = f"no pattern of the policy allows this MX of the domain; it has {', '.join(self.policy.mx)}"
        way_out = WayOut(("Add it to ", _MX, ", or leave ", _MX, " out to take the hosts of the MX records."))
        return Problem(self.domain, "mta_sts.mx", ", ".join(left), rule, "RFC 8461 section 4.1", way_out)

    def _takes_no_mail(self) -> Problem:
        rule = "the domain takes no mail (null MX), so there is nothing to send to by TLS"
        way_out = WayOut(
            ("Leave ", Option("mta_sts"), " out, or take the policy back with ", Option("mta_sts.mode: none"), ".")
        )
        return Problem(self.domain, "mta_sts", None, rule, "RFC 7505 section 3", way_out)

    def _concerns_elsewhere(self, plan: RecordPlan, world: World) -> list[str]:
        """A record that is managed elsewhere is looked at where the world finds it."""
        records = look_elsewhere(plan, self.name, world, mta_sts_records, f"{self.name}: cannot be looked up")
        if records is None or self.absent:
            return []
        if len(records) == 1:
            return [f"{self.domain}: {fault}" for fault in _record_faults(records[0])]
        rule = f"there are {len(records)} MTA-STS records where it is managed, so that senders act as if there were no"
        return [f"{self.name}: {rule} policy (RFC 8461 section 3.1)"]


def _record_faults(text: str) -> list[str]:
    try:
        return mta_sts_faults(parse_mta_sts(text))
    except MtaStsError as error:
        return [str(error)]


def _mx_hosts(domain: str, world: World) -> tuple[str, ...]:
    """The hosts that get a domain's mail: without MX it is the domain itself (RFC 5321 section 5.1), () for none.

    :raises Unresolved: they cannot be looked up
    """
    hosts = world.lookup(domain, "MX")
    return tuple(host for host in hosts if host != _NULL_MX) if hosts else (domain,)


def _read(
    subject: str, name: str, ttl: int | None, options: Mapping[str, Any], problems: list[Problem]
) -> list[MtaStsRecipe]:
    """See ``Kind.read``."""
    patterns = []
    for pattern in options["mx"]:
        try:
            patterns.append(mx_pattern(pattern.strip()))
        except MtaStsError as error:
            problems.append(_RULES.told(subject, "mta_sts.mx", error.value, str(error), "Correct the name."))
    if not 0 <= options["max_age"] <= LONGEST_MAX_AGE:
        rule = f"max_age is a number of seconds from 0 to {LONGEST_MAX_AGE}"
        value = str(options["max_age"])
        problems.append(Problem(subject, "mta_sts.max_age", value, rule, "RFC 8461 section 3.2", "Correct the number."))
    policy = MtaStsPolicy(options["mode"], tuple(dict.fromkeys(patterns)), options["max_age"])
    folder = Path(options["policy_dir"]) if options.get("policy_dir") else None
    return [MtaStsRecipe(name, ttl, policy, folder, options["state"] == "absent", near_miss=options["near_miss"])]


MTA_STS_KIND = Kind(
    option="mta_sts",
    read=_read,
    results=(RecordResult("mta_sts", "mta_sts", "MTA-STS"),),
    declared=True,
    is_record=is_mta_sts,
)
