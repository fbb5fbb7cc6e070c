# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One domain's DMARC policy, and the agreement of those outside the domain who get its reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.near_miss_choice import RecordValues
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import (
    LooksUpFirst,
    RecordPlan,
    World,
    left_to,
    look_elsewhere,
    manager_of,
    too_long,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcError, DmarcWish
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.alignment import same_organisation
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut

_TAGS = {
    "policy": "p",
    "subdomain_policy": "sp",
    "nonexistent_policy": "np",
    "adkim": "adkim",
    "aspf": "aspf",
    "fo": "fo",
    "psd": "psd",
}
_OPTION_OF = {
    "p": Option("dmarc.policy"),
    "sp": Option("dmarc.subdomain_policy"),
    "np": Option("dmarc.nonexistent_policy"),
    "adkim": Option("dmarc.adkim"),
    "aspf": Option("dmarc.aspf"),
    "fo": Option("dmarc.fo"),
    "psd": Option("dmarc.psd"),
    "t": Option("dmarc.testing"),
}
_OBSOLETE_TAGS = Option("dmarc.obsolete_tags")
_WHERE = "DMARC record"
_RULES = RuleSource("documentation of mailroom.erp.dmarc_record")


@dataclass(frozen=True, slots=True)
class DmarcRecipe:
    """What is asked of one domain's policy record. ``target`` is where a managed policy is to end: dmarc_advance alone
    moves it there."""

    domain: str
    ttl: int | None
    wish: DmarcWish
    absent: bool = False
    tighten: bool = True
    accept_unseen: bool = False
    accept_lost_forwarded: bool = False
    authorize: bool = True
    near_miss: str = "refuse"
    target: str | None = None
    kind: str = "dmarc"

    @property
    def name(self) -> str:
        return f"_dmarc.{self.domain}"

    @property
    def keys(self) -> tuple[Key, ...]:
        return ((self.name, "TXT"),)

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`; what is there is kept, an alias or a delegation is left to who manages it."""
        manager = manager_of(self.name, state)
        if manager is not None:
            return left_to(self.name, manager)
        found = state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.domain, self.name, found, dmarc.is_dmarc, near_dmarc, self.near_miss, "dmarc")
        records = values.records
        if len(records) > 1 and not self.absent:
            raise Refused(self._duplicates(records))
        after = None if self.absent else self._after(records[0] if records else None)
        warnings = [*values.warnings(), *self._mended(records, after), *self._concerns(after)]
        return RecordPlan(values.before, after, values.change(self.ttl, after), warnings)

    def judge(self, plan: RecordPlan, world: World) -> None:
        """A record that is managed elsewhere is looked at where the world finds it; relatives may have to agree."""
        plan.warnings += self._strangers(plan.after, world)
        records = look_elsewhere(plan, self.name, world, dmarc.select_dmarc, f"{self.name}: cannot be looked up")
        if records is None:
            return
        if not records:
            plan.warnings.append(f"{self.name}: there is no policy record where it is managed (RFC 9989 section 4.7)")
        elif len(records) == 1:
            plan.warnings += self._concerns(records[0])

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`: the domain's zone is ours, so ``_dmarc`` was delegated to somebody else."""
        return left_to(self.name, "a zone that this DNS account does not serve")

    def _after(self, before: str | None) -> str:
        try:
            merged = _merged(before, self.wish)
        except DmarcError as error:
            right = _OPTION_OF.get(error.tag or "", _OBSOLETE_TAGS)
            way_out = WayOut(("Say which of the values is right with ", right, ", or correct the record in the zone."))
            raise Refused(_RULES.told(self.domain, _WHERE, error.value, str(error), way_out)) from None
        if merged.faults:
            raise Refused([self._fault(merged.text, fault) for fault in merged.faults])
        if not self.tighten and merged.is_stricter:
            raise Refused(self._tightened(merged.text, before))
        if not self.accept_unseen and merged.rejects_anew:
            raise Refused(self._unseen(merged.text))
        problem = too_long(self.domain, _WHERE, merged.text)
        if problem:
            raise Refused(problem)
        return merged.text

    def _mended(self, records: list[str], after: str | None) -> list[str]:
        """What was wrong with the live record and is not with the new one; for the person who reads the difference."""
        if after is None or not records or records[0] == after:
            return []
        return [f"{self.domain}: mended in the record: {one}" for one in _faults_gone(records[0], after)]

    def _tightened(self, after: str, before: str | None) -> Problem:
        rule = (
            f"the policy would become stricter than {before or 'none at all'}, and this run may not know every sender"
        )
        way_out = WayOut(
            ("When every sender of the domain is declared, say so with ", Option("dmarc.tighten: true"), ".")
        )
        return Problem(self.domain, _WHERE, after, rule, "docs/inventory.md", way_out)

    def _unseen(self, after: str) -> Problem:
        rule = (
            "it would be the first to ask that mail is rejected; only declared senders are judged, whoever else sends "
            "as this domain cannot be seen from here, and their mail would be lost"
        )
        reports = (
            "Read the aggregate reports of some weeks under p=quarantine; where people write to mailing lists, stay a "
            "month at p=none and as long at p=quarantine first, or do not reject (RFC 9989 section 7.4). When nobody "
            "is missing, say so with "
        )
        way_out = WayOut((reports, Option("dmarc.accept_unseen_senders: true"), "."))
        return Problem(self.domain, _WHERE, after, rule, "docs/verdicts.md", way_out)

    def _fault(self, record: str, fault: str) -> Problem:
        return _RULES.told(self.domain, _WHERE, record, fault, "Declare the tag, or correct it in the zone.")

    def _duplicates(self, records: list[str]) -> Problem:
        rule = f"the domain has {len(records)} DMARC records, so that receivers act as if there were none"
        way_out = "Remove all but one from the zone."
        return Problem(self.domain, _WHERE, " | ".join(records), rule, "RFC 9989 section 4.10", way_out)

    def _strangers(self, record: str | None, world: World) -> list[str]:
        """Where reports go above or below the domain, but to what receivers take for another organisation."""
        try:
            hosts = (
                dmarc.relatives(dmarc.parse_dmarc(record), self.domain) if record is not None and self.authorize else []
            )
        except DmarcError:
            return []
        return [_stranger(self.domain, host) for host in hosts if _is_stranger(host, self.domain, world)]

    def _concerns(self, record: str | None) -> list[str]:
        try:
            found = _sentences(record) if record is not None else ()
        except DmarcError as error:
            return [f"{self.domain}: {error}"]
        return [f"{self.domain}: {one}" for one in found]


@dataclass(frozen=True, slots=True)
class _Merged:
    """A record as it is wished, and what is to be said of it beside the one before."""

    text: str
    faults: tuple[str, ...]
    is_stricter: bool
    rejects_anew: bool


@lru_cache(maxsize=1 << 10)  # thousands of domains publish the same few records, and want the same of them
def _merged(before: str | None, wish: DmarcWish) -> _Merged:
    """:raises DmarcError: see :func:`dmarc.merge_dmarc`, and the live record is none"""
    live = dmarc.parse_dmarc(before) if before is not None else None
    record = dmarc.merge_dmarc(live, wish)
    faults = tuple(dmarc.dmarc_faults(record))
    return _Merged(str(record), faults, dmarc.is_stricter(record, live), dmarc.rejects_anew(record, live))


@lru_cache(maxsize=1 << 10)
def _faults_gone(before: str, after: str) -> tuple[str, ...]:
    """What was wrong with one record and is not with the other."""
    live, new = dmarc.parse_dmarc(before), dmarc.parse_dmarc(after)
    doubled = [dmarc.doubled_fault(live, name) for name in live.doubled]
    faults = [one for one in dmarc.report_faults(live) if one not in dmarc.report_faults(new)]
    gone = [one for one in dmarc.spelling_concerns(live) if one not in dmarc.spelling_concerns(new)]
    return (*doubled, *faults, *gone)


@lru_cache(maxsize=1 << 10)
def _sentences(text: str) -> tuple[str, ...]:
    """What a reviewer would call out in a record. :raises DmarcError: it is none"""
    record = dmarc.parse_dmarc(text)
    return (*dmarc.ignored_values(record), *dmarc.report_faults(record), *dmarc.dmarc_concerns(record))


@dataclass(frozen=True, slots=True)
class ReportRecipe(LooksUpFirst):
    """The agreement of one destination to get the reports of a domain (RFC 9990 section 4).

    It is not needed within one organisation. ``settled`` says that the DNS need not be asked whether the two are one:
    it is needed, because the wish itself says where the organisation ends.
    """

    domain: str
    destination: str
    ttl: int | None
    settled: bool = False
    needed: bool = True
    near_miss: str = "refuse"
    kind: str = "report"

    @property
    def name(self) -> str:
        return dmarc.authorisation_name(self.domain, self.destination)

    @property
    def keys(self) -> tuple[Key, ...]:
        return ((self.name, "TXT"),)

    @property
    def asks(self) -> bool:
        """See :meth:`LooksUpFirst.asks`: whether the two are one organisation, which then has two labels at least."""
        return not self.settled and self.domain.split(".")[-2:] == self.destination.split(".")[-2:]

    def answered(self, world: World) -> ReportRecipe:
        """See :meth:`LooksUpFirst.answered`."""
        return replace(self, needed=same_organisation(world.lookup, self.domain, self.destination) is not True)

    def plan(self, state: ZoneState) -> RecordPlan:
        """See :meth:`Recipe.plan`; the destination's zone is ours. An agreement that stands is kept in any case."""
        if manager_of(self.name, state) is not None:
            return self.unserved()
        found = state.rrsets.get((self.name, "TXT"))
        values = RecordValues(self.domain, self.name, found, dmarc.is_dmarc, near_dmarc, self.near_miss, "dmarc")
        if values.records:
            return RecordPlan(values.before, values.before, warnings=values.warnings())
        after = dmarc.AUTHORISATION if self.needed else None
        return RecordPlan(values.before, after, values.change(self.ttl, after), values.warnings())

    def judge(self, plan: RecordPlan, world: World) -> None:
        """Where the destination's zone is not ours, see whether its owner has agreed."""
        if not self.needed:
            # Another change of this run may have split the organisation.
            is_split = plan.after is None and _is_stranger(self.destination, self.domain, world)
            plan.warnings += [_stranger(self.domain, self.destination)] if is_split else []
            return
        doubt = f"{self.domain}: whether {self.destination} agreed cannot be looked up"
        if look_elsewhere(plan, self.name, world, dmarc.select_dmarc, doubt) == []:
            plan.warnings.append(
                f"{self.domain}: {self.destination} has not agreed to get its reports, so nobody sends them there; "
                f'its owner must publish {self.name} TXT "{dmarc.AUTHORISATION}" (RFC 9990 section 4)'
            )

    def unserved(self) -> RecordPlan:
        """See :meth:`Recipe.unserved`: the destination is somebody else's."""
        return RecordPlan(None, None, elsewhere=self.destination)


def _is_stranger(host: str, domain: str, world: World) -> bool:
    """Whether a destination is certainly of another organisation, and has certainly not agreed."""
    if same_organisation(world.lookup, domain, host) is not False:
        return False
    try:
        return not dmarc.select_dmarc(world.lookup(dmarc.authorisation_name(domain, host), "TXT"))
    except Unresolved:
        return False


def _stranger(domain: str, host: str) -> str:
    return (
        f"{domain}: some receivers take {host} for another organisation and send it no reports; publish "
        f'{dmarc.authorisation_name(domain, host)} TXT "{dmarc.AUTHORISATION}" (RFC 9990 section 4)'
    )


def _read(
    subject: str, name: str, ttl: int | None, options: Mapping[str, Any], problems: list[Problem]
) -> list[DmarcRecipe | ReportRecipe]:
    """See ``Kind.read``: the policy record, and the agreement of each report address outside the domain."""
    _check_mode(subject, options, problems)
    values = {tag: options[option] for option, tag in _TAGS.items() if options.get(option) is not None}
    if options.get("testing") is not None:
        values["t"] = "y" if options["testing"] else "n"
    values |= _obsolete(subject, options.get("obsolete_tags") or {}, problems)
    rua = _uris(subject, "rua", options["rua"], name, problems)
    ruf = _uris(subject, "ruf", options["ruf"], name, problems)
    wish = DmarcWish(values, rua, ruf, options["exclusive"], options["mode"] == "managed")
    for error in dmarc.check_wish(wish):
        problems.append(_RULES.told(subject, "dmarc", error.value, str(error), "Correct the option."))
    absent = options["state"] == "absent"
    agree = options["authorize_reports"] and not absent and (rua or ruf)
    outside = dmarc.destinations(dmarc.merge_dmarc(None, wish), name) if agree else []
    policy = DmarcRecipe(
        name,
        ttl,
        wish,
        absent,
        tighten=options["tighten"],
        accept_unseen=options["accept_unseen_senders"],
        accept_lost_forwarded=options["accept_lost_forwarded_mail"],
        authorize=options["authorize_reports"],
        near_miss=options["near_miss"],
        target=options.get("target"),
    )
    reports = (ReportRecipe(name, host, ttl, "psd" in values, near_miss=options["near_miss"]) for host in outside)
    return [policy, *reports]


def _check_mode(subject: str, options: Mapping[str, Any], problems: list[Problem]) -> None:
    managed = options["mode"] == "managed"
    if managed and options.get("policy"):
        rule = "with mode: managed the policy lives in the DNS, and only dmarc_advance moves it"
        problems.append(
            _RULES.problem(
                subject, "dmarc.policy", options["policy"], rule, WayOut(("Give ", Option("dmarc.target"), "."))
            )
        )
    if options.get("target") and not managed:
        rule = "target is where mode: managed shall end"
        problems.append(
            _RULES.problem(
                subject, "dmarc.target", options["target"], rule, WayOut(("Give ", Option("dmarc.policy"), "."))
            )
        )


def _obsolete(subject: str, given: Mapping[str, Any], problems: list[Problem]) -> dict[str, str]:
    for tag in sorted(set(given) - set(dmarc.OBSOLETE)):
        rule = f"{tag} is none of the tags that RFC 9989 removed: {', '.join(dmarc.OBSOLETE)}"
        problems.append(
            Problem(subject, "dmarc.obsolete_tags", tag, rule, "RFC 9989 appendix C", "Use its own option.")
        )
    return {tag: str(value) for tag, value in given.items()}


def _uris(subject: str, where: str, addresses: list[str], name: str, problems: list[Problem]) -> tuple[str, ...]:
    uris = []
    for address in addresses:
        try:
            uris.append(dmarc.report_uri(address.strip().replace("{domain}", name)))
        except DmarcError as error:
            problems.append(_RULES.told(subject, f"dmarc.{where}", error.value, str(error), "Correct the address."))
    return tuple(dict.fromkeys(uris))


DMARC_KIND = Kind(
    option="dmarc",
    read=_read,
    results=(RecordResult("dmarc", "dmarc", "DMARC"), RecordResult("report", "reports", "reports", many=True)),
    declared=True,
    is_record=dmarc.is_dmarc,
)
