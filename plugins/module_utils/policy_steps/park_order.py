# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What ``park_domains`` is asked for: the records of a domain that never sends, unless somebody is seen to send as it.

Sources: an SPF record that lets nobody send, RFC 7208 section 5.1 and 10.1.2; a DMARC policy, RFC 9989 section 4.7; an
empty key for all selectors, RFC 6376 section 3.6.1 and RFC 4592; a null MX, RFC 7505.
"""

from __future__ import annotations

import datetime
import re
import sqlite3
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import reading_archive
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    unpacked_checks,
    unpacked_signatures,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import ZoneState, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.null_mx_kind import NullMxRecipe, is_null_mx
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import Recipe, RecordPlan, World
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, Order, read_order
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many

_RULES = RuleSource("docs/reports.md")
_PARKED: dict[str, Any] = {
    "spf": {"terms": [], "all": "-all", "exclusive": True, "on_duplicate": "merge"},
    "dkim": [{"selector": "*", "revoked": True}],
    "dmarc": {"policy": "reject", "subdomain_policy": "reject", "accept_unseen_senders": True},
    "null_mx": {},
}
_KEPT = ("domain", "zone", "account", "dns", "refused", "ttl")


@dataclass(frozen=True, slots=True)
class PassedMail:
    """Messages that passed DMARC with a domain in From, or SPF or DKIM with it in envelope or signature, and the day of
    the last."""

    messages: int
    last_day: str


@dataclass(frozen=True, slots=True)
class ParkedMxRecipe(NullMxRecipe):
    """A null MX where no mail is received; where other MX records stand, they stay. ``notes`` are told with it."""

    notes: tuple[str, ...] = ()

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`."""
        found = state.rrsets.get((self.name, "MX"))
        if found is not None and not is_null_mx(found):
            kept = " | ".join(values_of(found))
            return RecordPlan(kept, kept, warnings=[*self.notes, f"{self.name}: it receives mail, so its MX stays"])
        plan = NullMxRecipe.plan(self, state)
        plan.warnings += self.notes
        return plan

    def judge(self, plan: RecordPlan, world: World) -> None:
        """See :meth:`Recipe.judge`; a domain whose MX stays needs no word about a null MX."""
        if plan.change is not None:
            NullMxRecipe.judge(self, plan, world)


def read_park_order(params: Mapping[str, Any]) -> Order:
    """Read the parameters, and what reports tell of the domains.

    :param params: of the module
    :returns: what ``Run`` does
    :raises Refused: what is wrong with the task; and domains that are in use, unless those are to be skipped
    """
    entries = [_entry(one, params["tighten"]) for one in params["domains"]]
    order = read_order({**params, "domains": entries})
    passed = _passed(params.get("archive"), params["quiet_days"], {one.domain for one in order.requests})
    problems: list[Problem] = []
    for request in order.requests:
        wrong = [*_declared(request.domain, order.senders), *_reported(request.domain, passed)]
        problems += wrong
        if wrong:
            order.unread.setdefault(request.domain, []).extend(wrong)
    if problems and not order.skips_refused:
        raise Refused(problems)
    order.requests = [
        _parking(one, _notes(one.domain, passed)) for one in order.requests if one.domain not in order.unread
    ]
    return order


def _entry(entry: object, tighten: bool) -> object:
    if isinstance(entry, str):
        entry = {"domain": entry}
    if not isinstance(entry, Mapping):
        return entry  # refused by what reads it
    asked = {**_PARKED, "dmarc": {**_PARKED["dmarc"], "tighten": tighten}}
    return {key: entry[key] for key in _KEPT if key in entry} | asked


def _parking(request: DomainRequest, notes: tuple[str, ...]) -> DomainRequest:
    recipes: Iterable[Recipe] = (
        ParkedMxRecipe(one.name, one.ttl, notes=notes) if isinstance(one, NullMxRecipe) else one
        for one in request.recipes
    )
    return replace(request, recipes=tuple(recipes))


# --- in use ----------------------------------------------------------------------------------------------------------


def _passed(archive: str | None, days: int, domains: AbstractSet[str]) -> dict[str, PassedMail | None] | None:
    """By domain, the mail that passed as it in so many days, None where none did; None without an archive."""
    if archive is None:
        return None
    first = (datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=days)).isoformat()
    with reading_archive(archive) as connection:
        return _by_domain(connection, first, domains)


def _by_domain(
    connection: sqlite3.Connection, first_day: str, domains: AbstractSet[str]
) -> dict[str, PassedMail | None]:
    query = (
        "SELECT coalesce(nullif(header_from, ''), domain) AS author, 'pass' IN (dkim, spf) AS passed, "
        "signatures, checks, sum(count), max(day) FROM reports JOIN rows ON report = reports.id "
        "WHERE kind = 'dmarc' AND day >= ? GROUP BY author, passed, signatures, checks"
    )
    # what names none of them is somebody else's, and is not even taken apart
    named = re.compile("|".join(map(re.escape, sorted(domains))) or "(?!)")
    found: dict[str, PassedMail | None] = {}
    for author, passed, signatures, checks, messages, last_day in connection.execute(query, (first_day,)):
        if author not in domains and not named.search(signatures) and not named.search(checks):
            continue
        for name in domains & {author}:
            found.setdefault(name, None)
        for name in domains & (_used(signatures, checks) | ({author} if passed else set())):
            before = found.get(name) or PassedMail(0, "")
            found[name] = PassedMail(before.messages + messages, max(before.last_day, last_day))
    return found


def _used(signatures: str, checks: str) -> set[str]:
    """The domains that signed and those of the envelope; what did not pass may be of anybody."""
    signed = {one.domain for one in unpacked_signatures(signatures) if one.result == "pass"}
    return signed | {one.domain for one in unpacked_checks(checks) if one.result == "pass" and one.scope != "helo"}


def _declared(domain: str, senders: Iterable[Sender]) -> list[Problem]:
    """The declared senders that use a domain: in From, in the envelope, or to sign."""
    way_out = "A domain that somebody sends as is not parked. Take it out here, or out of that declaration."
    problems = []
    for sender in senders:
        signed = sender.signature.domain if sender.signature else None
        if domain in (sender.domain, sender.envelope_domain, signed):
            who = sender.environment or sender.service or sender.address
            rule = f"{who} is declared to send with it, as {sender.address}"
            problems.append(_RULES.problem(domain, "domains", None, rule, way_out))
    return problems


def _reported(domain: str, passed: Mapping[str, PassedMail | None] | None) -> list[Problem]:
    found = (passed or {}).get(domain)
    if found is None:
        return []
    rule = (
        f"reports show it in use: {so_many(found.messages, 'message')} passed DMARC as it, or SPF or DKIM with it, "
        f"the last on {found.last_day}"
    )
    days = Option("quiet_days")
    way_out = WayOut(("Find out who sends, and declare it. If it has ended, wait, or look at fewer days: ", days, "."))
    return [_RULES.problem(domain, "archive", None, rule, way_out)]


def _notes(domain: str, passed: Mapping[str, PassedMail | None] | None) -> tuple[str, ...]:
    if passed is None:
        return (f"{domain}: no reports were asked whether anybody sends as it",)
    if domain not in passed:
        return (f"{domain}: no report tells whether anybody sends as it",)
    return ()
