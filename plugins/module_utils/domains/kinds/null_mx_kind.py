# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A null MX (RFC 7505): a domain that takes no mail says so, and senders learn it at once instead of after days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import (
    Change,
    Key,
    RRset,
    ZoneState,
    mx_parts,
    mx_value,
    values_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    DEFAULT_TTL,
    RecordPlan,
    World,
    check_is_here,
    not_served,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.wildcard import ended_mail, ended_wildcard
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_NULL = mx_value(0, ".")
_WHERE = "MX records"


@dataclass(frozen=True, slots=True)
class NullMxRecipe:
    """That a domain takes no mail, or that it does not say so."""

    name: str
    ttl: int | None
    absent: bool = False
    kind: str = "null_mx"

    @property
    def keys(self) -> tuple[Key, ...]:
        return ((self.name, "MX"),)

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`. Only a null MX is ours; any other MX says that the domain takes mail."""
        check_is_here(
            self.name, state, "null MX", "Publish the null MX at the target, or replace the CNAME by address records."
        )
        found = state.rrsets.get((self.name, "MX"))
        before = " | ".join(values_of(found)) or None
        if self.absent:
            ours = found is not None and is_null_mx(found)
            return RecordPlan(before, None if ours else before, Change(found, None) if ours else None)
        if found and not is_null_mx(found):
            raise Refused(self._receives(values_of(found)))
        wanted = RRset(self.name, "MX", self._seconds(found), values_of(found) or (_NULL,))
        return RecordPlan(before, wanted.values[0], None if wanted == found else Change(found, wanted))

    def judge(self, plan: RecordPlan, world: World) -> None:
        """See :meth:`Recipe.judge`; a domain that sends is warned, and one that a wildcard lets take mail."""
        if self.absent:
            return
        if plan.creates:
            plan.warnings += filter(None, [ended_wildcard(self.name, world), ended_mail(self.name, world)])
        self._judge_sending(plan, world)

    def unserved(self) -> Problem:
        """See :meth:`Recipe.unserved`."""
        return not_served(self.name)

    def _judge_sending(self, plan: RecordPlan, world: World) -> None:
        """Receivers refuse mail whose bounces nobody takes (RFC 7505 section 4.2)."""
        try:
            records = spf.select_spf(world.lookup(self.name, "TXT"))
        except Unresolved as reason:
            plan.warnings.append(f"{self.name}: whether it sends mail cannot be looked up: {reason}")
            return
        if any(map(_lets_send, records)):
            plan.warnings.append(
                f"{self.name}: its SPF record lets servers send as this domain, but receivers may refuse mail from a "
                "domain that takes none (RFC 7505 section 4.2); publish v=spf1 -all, or let it take mail"
            )

    def _seconds(self, found: RRset | None) -> int:
        return self.ttl if self.ttl is not None else (found.ttl if found else DEFAULT_TTL)

    def _receives(self, values: tuple[str, ...]) -> Problem:
        rule = "the domain receives mail: a null MX stands alone, and its mail would be refused"
        way_out = "Remove these MX records first, if nobody shall write to this domain any more."
        return Problem(self.name, _WHERE, " | ".join(values), rule, "RFC 7505 section 3", way_out)


def is_null_mx(found: RRset) -> bool:
    """Tell whether MX records say that a domain takes no mail: one whose host is the root; its preference does not
    count (RFC 7505 section 3)."""
    return len(found.values) == 1 and mx_parts(found.values[0])[1] == "."


def _lets_send(record: str) -> bool:
    """Whether an SPF record says more than that nobody sends; ``exp=`` only explains that (RFC 7208 section 6.2)."""
    return any(term != "-all" and not term.startswith("exp=") for term in record.lower().split()[1:])


def _read(
    _subject: str, name: str, ttl: int | None, options: Mapping[str, Any], _problems: list[Problem]
) -> list[NullMxRecipe]:
    """See ``Kind.read``."""
    return [NullMxRecipe(name, ttl, options["state"] == "absent")]


NULL_MX_KIND = Kind(
    option="null_mx",
    read=_read,
    results=(RecordResult("null_mx", "null_mx", "null MX"),),
    declared=True,
)
