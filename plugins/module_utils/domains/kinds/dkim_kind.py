# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One DKIM selector of a domain: a CNAME to the key of a service, or a key of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.cname_kind import (
    BESIDE,
    alias_change,
    check_room,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.near_miss_choice import RecordValues
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    RecordPlan,
    World,
    left_to,
    read_name,
    read_selector,
    too_long,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_dkim
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut

_RULES = RuleSource("documentation of mailroom.erp.dkim_record")


@dataclass(frozen=True, slots=True)
class DkimRecipe:
    """What is asked of one selector: ``target`` is a name, ``record`` a TXT value; both may be None to take it away."""

    name: str
    ttl: int | None
    target: str | None = None
    record: str | None = None
    absent: bool = False
    validate: str = "warn"
    near_miss: str = "refuse"
    kind: str = "dkim"

    @property
    def keys(self) -> tuple[Key, ...]:
        types = BESIDE if self.target and not self.absent else ("TXT",)
        return tuple((self.name, rdtype) for rdtype in ("CNAME", *types))

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`."""
        holder = state.elsewhere.get(self.name)
        if holder:
            return left_to(self.name, f"zone {holder}")
        alias, text = state.rrsets.get((self.name, "CNAME")), state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.name, self.name, text, dkim.is_key, near_dkim, self.near_miss, "dkim")
        before = alias.values[0] if alias else values.before
        if self.absent:
            return self._removal(before, alias, values)
        if self.target:
            check_room(self.name, state)
            return RecordPlan(before, self.target, alias_change(self.name, self.ttl, alias, self.target))
        if alias:
            raise Refused(self._alias_in_the_way(alias))
        return RecordPlan(before, self.record, values.change(self.ttl, self.record), values.warnings())

    def judge(self, plan: RecordPlan, world: World) -> None:
        """Follow the selector to the key and judge it as receivers do.

        :raises Refused: there is no usable key, and ``validate`` is "require"
        """
        plan.details["key"] = None
        if self.absent or self.validate == "ignore" or self.record == dkim.REVOKED:
            return
        try:
            values = world.lookup(self.name, "TXT")
        except Unresolved as reason:
            faults, concerns = [f"the key cannot be looked up: {reason} (RFC 6376 section 3.6.2)"], []
        else:
            verdict = dkim.judge_published(values)
            faults, concerns = verdict.faults, [*verdict.concerns, *_beside_rsa(verdict)]
            plan.details["key"] = {"algorithm": verdict.algorithm, "bits": verdict.bits, "usable": not faults}
        if faults and self.validate == "require":
            raise Refused([self._unusable(fault) for fault in faults])
        plan.warnings += [f"{self.name}: {one}" for one in [*faults, *concerns]]

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`: the domain's zone is ours, so the selector was delegated to somebody else."""
        return left_to(self.name, "a zone that this DNS account does not serve")

    def _removal(self, before: str | None, alias: RRset | None, values: RecordValues) -> RecordPlan:
        if alias and (self.target is None or alias.values[0] == self.target):
            return RecordPlan(before, None, Change(alias, None))
        live = [dkim.normal_form(record) for record in values.records]
        if alias or not values.before or self.target or self.record not in (None, *live):
            return RecordPlan(before, before, warnings=values.warnings())
        return RecordPlan(before, None, values.change(None, None), values.warnings())

    def _alias_in_the_way(self, alias: RRset) -> Problem:
        rule = "the selector is an alias, so that its key is managed at the target, and no TXT may stand beside a CNAME"
        remove = Option("dkim.state: absent")
        way_out = WayOut(("Publish the key under another selector, or remove the alias first (", remove, ")."))
        return Problem(self.name, "CNAME record", alias.values[0], rule, "RFC 1034 section 3.6.2", way_out)

    def _unusable(self, fault: str) -> Problem:
        way_out = WayOut(("Have the service publish the key first, or use ", Option("dkim.validate: warn"), "."))
        return _RULES.told(self.name, "DKIM key", self.target, fault, way_out)


def _read(
    subject: str, name: str, ttl: int | None, options: Mapping[str, Any], problems: list[Problem]
) -> list[DkimRecipe]:
    """See ``Kind.read``."""
    before = len(problems)
    absent = options["state"] == "absent"
    given = [option for option in ("target", "public_key", "revoked") if options.get(option)]
    if len(given) > 1 or (not given and not absent):
        rule = "a selector is a CNAME to a service's key (target), a key of one's own (public_key), or revoked"
        problems.append(_RULES.problem(subject, "dkim", " and ".join(given), rule, "Give one of the three."))
    revoked = bool(options.get("revoked"))
    selector = _selector(subject, options["selector"], revoked, problems)
    target = _target(subject, name, selector, options.get("target"), problems)
    record = dkim.REVOKED if revoked else _record(subject, options.get("public_key"), problems)
    if len(problems) > before:
        return []
    owner, choices = f"{selector}._domainkey.{name}", (options["validate"], options["near_miss"])
    return [DkimRecipe(owner, ttl, target, record, absent, *choices)]


def _beside_rsa(verdict: dkim.KeyVerdict) -> list[str]:
    """What to see to with a key that not all receivers know: another one may sign, too, which is not known here."""
    if verdict.faults or verdict.algorithm != "ed25519":
        return []
    rule = "receivers that do not know ed25519 find no signature: have the mail signed with an RSA key, too"
    return [f"{rule} (RFC 8463 section 6)"]


def _selector(subject: str, selector: str, revoked: bool, problems: list[Problem]) -> str:
    """A selector; that of a revoked key may be ``*``, which answers for all that have no record of their own."""
    return selector if selector == "*" and revoked else read_selector(subject, "dkim.selector", selector, problems)


def _target(subject: str, name: str, selector: str, target: str | None, problems: list[Problem]) -> str | None:
    if not target:
        return None
    filled = target.replace("{domain}", name).replace("{selector}", selector)
    plain = read_name(subject, "dkim.target", filled, "Correct the target.", problems)
    if plain == f"{selector}._domainkey.{name}":
        rule = "the selector would be an alias of itself"
        problems.append(
            Problem(subject, "dkim.target", filled, rule, "RFC 1034 section 3.6.2", "Name the service's key.")
        )
    return plain


def _record(subject: str, public_key: str | None, problems: list[Problem]) -> str | None:
    if not public_key:
        return None
    try:
        record = dkim.key_record(public_key)
    except dkim.KeyProblem as error:
        problems.append(_RULES.told(subject, "dkim.public_key", None, str(error), "Give the public key."))
        return None
    problem = too_long(subject, "dkim.public_key", record)
    if problem:
        problems.append(problem)
    return record


DKIM_KIND = Kind(
    option="dkim",
    read=_read,
    results=(RecordResult("dkim", "dkim", "DKIM", many=True),),
    declared=True,
    is_record=dkim.is_key,
)
