# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is asked of a domain's SPF record and what the DNS holds to one planned change. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, SpfRequest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import spf, spf_merge
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import (
    MAX_LOOKUPS,
    MAX_VOID,
    Budget,
    BudgetCounter,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

DEFAULT_TTL = 3600
"""Seconds; the TTL of an RRset that this collection makes when the user names none."""

_LARGEST_RDATA = 65535
_WHERE = "SPF record"


@dataclass(slots=True)
class SpfPlan:
    """One domain's SPF record from ``before`` to ``after`` (None: no record) and the change that does it, if any."""

    before: str | None
    after: str | None
    change: Change | None = None
    warnings: list[str] = field(default_factory=list)
    budget: Budget | None = None

    @property
    def creates(self) -> bool:
        return self.before is None and self.after is not None


def plan_spf(request: DomainRequest, wanted: SpfRequest, state: ZoneState) -> SpfPlan:
    """Plan the change of one SPF record.

    :param request: the domain's request
    :param wanted: its SPF part
    :param state: what the zone holds at the domain's name
    :returns: the plan; without a change when the record is already as wanted
    :raises Refused: the DNS or the wish breaks a rule; the problem names record, rule and way out
    """
    found = state.rrsets.get((request.domain, "TXT"))
    records = spf.select(found.values) if found else []
    _check_alias(request, state)
    before = records[0] if len(records) == 1 else " | ".join(records) or None
    after = _after(request, wanted, records)
    plan = SpfPlan(before, after, _change(request, found, records, after))
    if after is not None:
        plan.warnings = [f"{request.domain}: {concern}" for concern in spf_merge.concerns(spf.parse(after))]
    return plan


def check_budget(
    request: DomainRequest, wanted: SpfRequest, plan: SpfPlan, counter: Callable[[], BudgetCounter]
) -> None:
    """Count what the planned record costs and refuse it when receivers could not evaluate it.

    An unchanged record is never refused, nor one that a change makes cheaper: both are warnings.

    :param counter: gives the counter over live answers with the planned records laid over them
    :raises Refused: an eleventh lookup, a third void one, or a tree that does not resolve (RFC 7208 section 4.6.4)
    """
    if plan.after is None or wanted.lookup_limit == "ignore":
        return
    budget = plan.budget = counter().count(spf.parse(plan.after), request.domain)
    faults = _faults(budget)
    if not faults:
        return
    if plan.change and wanted.lookup_limit == "enforce" and not _improves(plan, budget, request.domain, counter):
        raise Refused([_refusal(request, plan.after, fault, budget) for fault in faults])
    plan.warnings += [f"{request.domain}: {fault}" for fault in faults]


def _check_alias(request: DomainRequest, state: ZoneState) -> None:
    alias = state.rrsets.get((request.domain, "CNAME"))
    if alias:
        raise Refused(
            Problem(
                request.domain,
                "CNAME record",
                alias.values[0],
                "no other record may stand beside a CNAME, so this name can hold no SPF record of its own",
                "RFC 1034 section 3.6.2",
                "Replace the CNAME by address records, or publish the terms at its target.",
            )
        )


def _after(request: DomainRequest, wanted: SpfRequest, records: list[str]) -> str | None:
    if wanted.absent:
        return None
    if not records:
        return _first_record(request, wanted)
    try:
        parsed = [spf.parse(text) for text in records]
        if len(parsed) > 1 and wanted.on_duplicate == "fail":
            raise Refused(_duplicates(request, records))
        live = parsed[0] if len(parsed) == 1 else spf_merge.unite(parsed, request.domain)
        return _checked(request, str(spf_merge.merge(live, wanted.wish, request.domain)))
    except spf.SpfError as error:
        raise Refused(_unmergeable(request, error)) from None


def _first_record(request: DomainRequest, wanted: SpfRequest) -> str | None:
    """A record is made only when something is wanted of it: terms, or an explicit ``all``."""
    if not wanted.wish.add and wanted.wish.all == "keep":
        return None
    if not wanted.create:
        raise Refused(
            Problem(
                request.domain,
                _WHERE,
                None,
                "the domain has none yet, and a first one turns the mail of every sender it leaves out into a softfail",
                "RFC 7208 section 8.5",
                "State who else sends as this domain: its `services` in mail_dns_domains, a list, [] for nobody.",
            )
        )
    try:
        return _checked(request, str(spf_merge.create(wanted.wish, request.domain)))
    except spf.SpfError as error:
        raise Refused(_unmergeable(request, error)) from None


def _checked(request: DomainRequest, text: str) -> str:
    """The planned text, which must be a record that can be published: what we write we can read."""
    spf.parse(text)
    strings = (len(text) + 254) // 255
    if len(text) + strings > _LARGEST_RDATA:
        rule = (
            f"the record would have {len(text)} bytes; TXT data holds at most {_LARGEST_RDATA}, length bytes included"
        )
        raise Refused(
            Problem(
                request.domain,
                _WHERE,
                text,
                rule,
                "RFC 1035 section 3.3.14",
                "Replace single addresses by networks or an include.",
            )
        )
    return text


def _change(request: DomainRequest, found: RRset | None, records: list[str], after: str | None) -> Change | None:
    if not records and after is None:
        return None
    values = _replaced(found.values if found else (), records, after)
    result = RRset(request.domain, "TXT", _ttl(request, found, after), values) if values else None
    return None if result == found else Change(found, result)


def _ttl(request: DomainRequest, found: RRset | None, after: str | None) -> int:
    """The TTL asked for, as long as there is a record to have it; else the one that is there."""
    if request.ttl is not None and after is not None:
        return request.ttl
    return found.ttl if found else DEFAULT_TTL


def _replaced(values: tuple[str, ...], records: list[str], after: str | None) -> tuple[str, ...]:
    """The TXT values with the SPF record replaced in its place; all others as they were."""
    new = () if after is None else (after,)
    if not records:
        return (*values, *new)
    place = values.index(records[0])
    following = place + 1
    return (*values[:place], *new, *(value for value in values[following:] if not spf.is_spf(value)))


def _duplicates(request: DomainRequest, records: list[str]) -> Problem:
    return Problem(
        request.domain,
        _WHERE,
        " | ".join(records),
        f"the domain has {len(records)} SPF records, which is a permerror: no receiver accepts any of them",
        "RFC 7208 section 4.5",
        "Remove all but one, or have them united by on_duplicate: merge.",
    )


def _unmergeable(request: DomainRequest, error: spf.SpfError) -> Problem:
    rule, paren, source = str(error).rpartition(" (")
    way_out = getattr(
        error, "way_out", "Correct that term in the zone first: receivers answer a broken record with permerror."
    )
    if not paren:
        rule, source = str(error), "documentation of mailroom.erp.spf_record)"
    return Problem(request.domain, _WHERE, error.term, rule, source.removesuffix(")"), way_out)


def _faults(budget: Budget) -> list[str]:
    least = "at least " if budget.indeterminate else ""
    faults = list(budget.broken)
    if budget.total > MAX_LOOKUPS:
        faults.append(
            f"it costs {least}{budget.total} DNS lookups, at most {MAX_LOOKUPS} are allowed (RFC 7208 section 4.6.4)"
        )
    if budget.void > MAX_VOID:
        faults.append(
            f"{budget.void} of its DNS lookups find nothing, at most {MAX_VOID} should (RFC 7208 section 4.6.4)"
        )
    return faults


def _improves(plan: SpfPlan, budget: Budget, domain: str, counter: Callable[[], BudgetCounter]) -> bool:
    """Whether the change takes cost or broken branches away without adding any."""
    try:
        old = counter().count(spf.parse(plan.before or ""), domain)
    except spf.SpfError:
        return False
    before, now = (old.total, old.void, len(old.broken)), (budget.total, budget.void, len(budget.broken))
    return now != before and all(new <= known for new, known in zip(now, before, strict=True))


def _refusal(request: DomainRequest, record: str, fault: str, budget: Budget) -> Problem:
    rule, _paren, source = fault.rpartition(" (")
    costs = ", ".join(f"{term} {lookups}" for term, lookups, _void in budget.terms)
    return Problem(
        request.domain,
        "planned SPF record",
        record,
        f"{rule}; cost per term: {costs}",
        source.removesuffix(")"),
        "Remove terms that no longer send (state: absent), replace an include by its addresses, "
        "or publish it all the same with lookup_limit: warn.",
    )
