# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A plain CNAME that a sending service asks for, such as the one of its envelope sender; and what all CNAMEs share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    DEFAULT_TTL,
    RecordPlan,
    World,
    left_to,
    read_name,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource

BESIDE = ("TXT", "A", "AAAA", "MX")
"""Types that are looked for where a CNAME shall stand, because they would be in its way."""

_RULES = RuleSource("documentation of mailroom.erp.mail_domains")


@dataclass(frozen=True, slots=True)
class CnameRecipe:
    """One alias inside a domain."""

    name: str
    ttl: int | None
    target: str
    absent: bool = False
    kind: str = "cname"

    @property
    def keys(self) -> tuple[Key, ...]:
        types = ("CNAME",) if self.absent else ("CNAME", *BESIDE)
        return tuple((self.name, rdtype) for rdtype in types)

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`; taken away is only the alias that was named."""
        holder = state.elsewhere.get(self.name)
        if holder:
            return left_to(self.name, f"zone {holder}", judged=False)
        alias = state.rrsets.get((self.name, "CNAME"))
        before = alias.values[0] if alias else None
        if not self.absent:
            check_room(self.name, state)
            return RecordPlan(before, self.target, alias_change(self.name, self.ttl, alias, self.target))
        if alias and before == self.target:
            return RecordPlan(before, None, Change(alias, None))
        return RecordPlan(before, before)

    def judge(self, plan: RecordPlan, world: World) -> None:
        """See :meth:`Recipe.judge`: where the alias leads is the service's own business."""

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`."""
        return left_to(self.name, "a zone that this DNS account does not serve", judged=False)


def alias_change(name: str, ttl: int | None, found: RRset | None, target: str) -> Change | None:
    """The change that makes a name an alias of a target; None when it is so already.

    :param ttl: asked for, in seconds; None keeps what is there
    """
    seconds = ttl if ttl is not None else (found.ttl if found else DEFAULT_TTL)
    wanted = RRset(name, "CNAME", seconds, (target,))
    return None if found == wanted else Change(found, wanted)


def check_room(name: str, state: ZoneState) -> None:
    """See that nothing stands where a CNAME shall stand alone (RFC 1034 section 3.6.2).

    :param state: with the types of ``BESIDE`` read at the name
    :raises Refused: naming what stands there
    """
    crowd = [state.rrsets[(name, rdtype)] for rdtype in BESIDE if (name, rdtype) in state.rrsets]
    if crowd:
        rule = f"a CNAME stands alone, and there is a {crowd[0].type} record at this name"
        way_out = "If it is an old record that no sender uses any more, remove it first."
        raise Refused(Problem(name, crowd[0].type, crowd[0].values[0], rule, "RFC 1034 section 3.6.2", way_out))


def _read(
    subject: str, domain: str, ttl: int | None, options: Mapping[str, Any], problems: list[Problem]
) -> list[CnameRecipe]:
    """See ``Kind.read``. A name without a dot is a label below the domain."""
    before = len(problems)
    given = options["name"]
    full = given if "." in given else f"{given}.{domain}"
    name = read_name(subject, "cnames.name", full, "Correct the name.", problems)
    target = read_name(subject, "cnames.target", options["target"], "Correct the name.", problems)
    if name and (name == domain or not is_inside(name, domain)):
        rule = f"the name of the alias is below {domain}"
        problems.append(_RULES.problem(subject, "cnames.name", given, rule, "Correct the name."))
    if name and target and name == target:
        rule = "the name would be an alias of itself"
        problems.append(
            Problem(subject, "cnames.target", target, rule, "RFC 1034 section 3.6.2", "Correct the target.")
        )
    if name is None or target is None or len(problems) > before:
        return []
    return [CnameRecipe(name, ttl, target, options["state"] == "absent")]


CNAME_KIND = Kind(
    option="cnames",
    read=_read,
    results=(RecordResult("cname", "cnames", "CNAME", many=True),),
)
