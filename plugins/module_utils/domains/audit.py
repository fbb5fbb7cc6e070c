# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the DNS says about one domain's mail, as receivers see it: the records, their cost, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_flattening import facts_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_kind import (
    budget_concerns,
    budget_faults,
    budget_way_out,
    lookup_costs,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim, dmarc, spf, spf_merge
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcError
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.alignment import same_organisation
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import Policy, TreeWalk
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dkim_steps import key_step
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import (
    NearMiss,
    near_dkim,
    near_dmarc,
    near_spf,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError, SpfRecord
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_tree import spf_tree
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList
from ansible_collections.mailroom.erp.plugins.module_utils.problem import WayOut, rule_and_source

_NULL_MX = "."
_UNANSWERED = {
    "SPF record": ("receivers defer mail", "RFC 7208 section 2.6.6"),
    "DMARC record": ("receivers may defer mail", "RFC 9989 section 5.3.6"),
    "report authorisation": ("receivers may send no reports there", "RFC 9990 section 4"),
    "DKIM key": ("receivers may defer mail that is signed with it", "RFC 6376 section 6.1.2"),
    "MX records": ("bounces and replies wait", "RFC 5321 section 5.1"),
}
"""What follows for each kind of record when it cannot be looked up, with the source."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something to look at. ``level`` is "fault" when receivers will not do what is meant, else "concern";
    ``unanswered``: a name cannot be looked up, so that it may be right."""

    level: str
    record: str
    value: str | None
    rule: str
    source: str
    next_step: str
    unanswered: bool = False


@dataclass(slots=True)
class Audit:
    """What was found about one domain, as the module returns it."""

    domain: str
    spf: dict[str, Any] = field(default_factory=dict)
    dkim: list[dict[str, Any]] = field(default_factory=list)
    dmarc: dict[str, Any] = field(default_factory=dict)
    mx: list[str] | None = None
    findings: list[AuditFinding] = field(default_factory=list)


def audit(domain: str, selectors: Iterable[str], world: World) -> Audit:
    """Look at everything that the DNS says about a domain's mail.

    :param domain: as A-labels
    :param selectors: its DKIM selectors; the DNS cannot list them
    :param world: answers, live or with planned records
    :returns: what was found; nothing is raised, what cannot be looked up is a finding
    """
    auditor = _Auditor(domain, world)
    auditor.spf()
    auditor.dmarc()
    for selector in dict.fromkeys(selectors):
        auditor.selector(selector)
    auditor.signatures()
    auditor.mx()
    auditor.near_misses()
    return auditor.result


class _Auditor:
    """Fills one :class:`Audit`."""

    def __init__(self, domain: str, world: World) -> None:
        self._domain, self._world = domain, world
        self.result = Audit(domain)

    def spf(self) -> None:
        self.result.spf = {"record": None, "records": None, "lookups": None, "tree": None, "flattened": []}
        values = self._lookup(self._domain, "TXT", "SPF record")
        if values is None:
            return  # there may be one: to publish another would make two
        records = spf.select_spf(values)
        self.result.spf |= {"record": records[0] if len(records) == 1 else None, "records": records}
        if not records:
            rule = "there is none, so that receivers cannot tell who may send as this domain (RFC 7208 section 4.5)"
            self._find("fault", "SPF record", None, rule, "Publish one that lists all who send, with spf_record.")
        elif len(records) > 1:
            rule = f"there are {len(records)}, which is a permerror: no receiver accepts any of them"
            way = "Unite them: spf_record with on_duplicate: merge."
            self._find("fault", "SPF record", " | ".join(records), f"{rule} (RFC 7208 section 4.5)", way)
        else:
            self._spf_record(records[0])

    def _spf_record(self, text: str) -> None:
        try:
            record = spf.parse_spf(text)
        except SpfError as error:
            self._find("fault", "SPF record", error.term, str(error), "Correct that term in the zone.")
            return
        budget = self._world.counter.count(record, self._domain)
        self.result.spf["lookups"] = lookup_costs(budget)
        self.result.spf["tree"] = spf_tree(record, self._domain, self._world.lookup)
        for fault in budget_faults(budget):
            way = str(WayOut((*budget_way_out(fault, budget), ".")))
            self._find("fault", "SPF record", text, fault, way, fault in budget.unanswered)
        for ignored in spf_merge.ignored_terms(record):
            self._find("fault", "SPF record", text, ignored, "Correct that term in the zone.")
        for concern in (*spf_merge.spf_concerns(record), *budget_concerns(budget)):
            self._find("concern", "SPF record", text, concern, "Mend it with spf_record, unless it is meant so.")
        self._flattened(record)

    def _flattened(self, record: SpfRecord) -> None:
        """Tell includes whose addresses were looked up too long ago: the service may send from others by now."""
        self.result.spf["flattened"] = facts_of(self._domain, record)
        for fact in self.result.spf["flattened"]:
            if fact["stale"]:
                rule = (
                    f"the addresses of include:{fact['include']} were looked up on {fact['when']}, "
                    f"and {fact['refresh']} days later they are stale (docs/flatten.md)"
                )
                way = f"Run spf_record with flatten: [{fact['include']}] again."
                self._find("concern", "SPF record", fact["include"], rule, way)

    def dmarc(self) -> None:
        name = f"_dmarc.{self._domain}"
        self.result.dmarc = {"name": name, "record": None, "records": None, "policy": None}
        self.result.dmarc |= {"managed_elsewhere": self._holder(name), "reports": []}
        values = self._lookup(name, "TXT", "DMARC record")
        if values is None:
            return
        records = dmarc.select_dmarc(values)
        self.result.dmarc |= {"record": records[0] if len(records) == 1 else None, "records": records}
        if not records:
            rule = "there is none at this name; one above it may hold for it, see the verdicts (RFC 9989 section 4.10)"
            self._find(
                "concern", "DMARC record", None, rule, "Publish one, p=none with a report address to begin with."
            )
        elif len(records) > 1:
            rule = f"there are {len(records)}, so that receivers act as if there were none (RFC 9989 section 4.10)"
            self._find("fault", "DMARC record", " | ".join(records), rule, "Remove all but one from the zone.")
        else:
            self._dmarc_record(records[0])

    def _dmarc_record(self, text: str) -> None:
        try:
            record = dmarc.parse_dmarc(text)
        except DmarcError as error:
            self._find("fault", "DMARC record", error.value, str(error), "Correct it in the zone.")
            return
        policy = None if record.doubled else TreeWalk(self._world.lookup).policy(self._domain)
        self.result.dmarc["policy"] = policy.policy if policy else None
        faults = dmarc.dmarc_faults(record)
        applied = [policy.reason] if policy and faults and policy.result != "temperror" else []
        for fault in (*faults, *applied, *dmarc.ignored_values(record), *dmarc.report_faults(record)):
            self._find("fault", "DMARC record", text, fault, "Correct the tag with dmarc_record.")
        for concern in [*dmarc.dmarc_concerns(record), *_weaknesses(record, policy)]:
            self._find("concern", "DMARC record", text, concern, "Mend it with dmarc_record, unless it is meant so.")
        for destination in dmarc.destinations(record, self._domain):
            is_own = same_organisation(self._world.lookup, self._domain, destination)
            if not is_own:
                self._report(destination, is_own)

    def _report(self, destination: str, is_own: bool | None) -> None:
        """See whether a destination has agreed to get the reports.

        :param is_own: False when it is another organisation's; None when that cannot be told
        """
        name = dmarc.authorisation_name(self._domain, destination)
        found = self._lookup(name, "TXT", "report authorisation")
        agreed = None if found is None else bool(dmarc.select_dmarc(found))
        self.result.dmarc["reports"].append({"destination": destination, "name": name, "authorized": agreed})
        if agreed is not False:
            return
        way = f'Its owner publishes {name} TXT "{dmarc.AUTHORISATION}".'
        if is_own is None:
            rule = (
                f"{destination} has not agreed to get the reports, and whether it is of the same organisation, which "
                "need not agree, cannot be looked up (RFC 9990 section 4)"
            )
            way = f"See why the name servers do not answer. If it is somebody else's: {way[0].lower()}{way[1:]}"
            self._find("concern", "report authorisation", name, rule, way)
            return
        rule = f"{destination} has not agreed to get the reports, so nobody sends them there (RFC 9990 section 4)"
        self._find("fault", "report authorisation", name, rule, way)

    def selector(self, selector: str) -> None:
        name = f"{selector}._domainkey.{self._domain}"
        values = self._lookup(name, "TXT", "DKIM key")
        alias = self._beside(name, "CNAME", "DKIM key")
        found: dict[str, Any] = {"selector": selector, "name": name, "target": alias[0] if alias else None}
        self.result.dkim.append(found | dict.fromkeys(("algorithm", "bits", "usable", "fault", "digest")))
        if values is None:
            return
        verdict = dkim.judge_published(values)
        usable = not verdict.faults
        self.result.dkim[-1] |= {"algorithm": verdict.algorithm, "bits": verdict.bits, "usable": usable}
        self.result.dkim[-1] |= {"fault": verdict.kind, "digest": dkim.key_digest(values)}
        for fault in verdict.faults:
            way = key_step(verdict.kind or "no_key", name, alias[0] if alias else None)
            self._find("fault", "DKIM key", name, fault, f"{way[0].upper()}{way[1:]}.")
        for concern in verdict.concerns:
            self._find("concern", "DKIM key", name, concern, "Have the service change the key.")

    def signatures(self) -> None:
        """Tell when none of the usable keys is one that every receiver knows."""
        usable = [one for one in self.result.dkim if one["usable"]]
        if usable and all(one["algorithm"] == "ed25519" for one in usable):
            way = "Have the mail signed with an RSA key, too, under a selector of its own."
            self._find("concern", "DKIM key", usable[0]["name"], dkim.ED25519_ALONE, way)

    def mx(self) -> None:
        hosts = self._lookup(self._domain, "MX", "MX records")
        self.result.mx = None if hosts is None else [host for host in hosts if host != _NULL_MX]
        if self.result.mx == []:
            rule = "the domain takes no mail, so that bounces and replies are lost (RFC 5321 section 5.1)"
            self._find("concern", "MX records", None, rule, "Publish an MX, unless nobody shall answer.")

    def _holder(self, name: str) -> str | None:
        """Who holds a name instead of this domain's zone: the target of an alias, or a zone of its own."""
        alias = self._beside(name, "CNAME", "DMARC record")
        if alias:
            return f"the alias target {alias[0]}"
        return f"zone {name}" if self._beside(name, "NS", "DMARC record") else None

    def _beside(self, name: str, rdtype: str, record: str) -> tuple[str, ...]:
        """What tells who manages a record; a concern when it cannot be looked up."""
        try:
            return self._world.lookup(name, rdtype)
        except Unresolved as reason:
            rule = f"whether somebody else manages it cannot be looked up: {reason}"
            self._find("concern", record, name, rule, "See why the name servers do not answer.", True)
        return ()

    def _lookup(self, name: str, rdtype: str, record: str) -> tuple[str, ...] | None:
        """The values found; None, and a finding, when it cannot be looked up."""
        try:
            return self._world.lookup(name, rdtype)
        except Unresolved as reason:
            effect, source = _UNANSWERED[record]
            rule = f"it cannot be looked up, so that {effect}: {reason} ({source})"
            self._find("fault", record, name, rule, "See why the name servers do not answer.", True)
        return None

    def near_misses(self) -> None:
        """Tell values that are meant as a record and that receivers ignore, also a policy where nobody looks for it."""
        self._near_misses("SPF record", self._domain, near_spf, "spf_record")
        self._near_misses("DMARC record", f"_dmarc.{self._domain}", near_dmarc, "dmarc_record")
        for report in self.result.dmarc.get("reports", []):
            self._near_misses("report authorisation", report["name"], near_dmarc, "dmarc_record")
        for selector in self.result.dkim:
            self._near_misses("DKIM key", selector["name"], near_dkim, "dkim_record")
        for value in self._values(self._domain):
            if dmarc.is_dmarc(value) or near_dmarc(value):
                rule = f"it looks meant as DMARC, but receivers look for it at _dmarc.{self._domain} only"
                way = "Publish it there with dmarc_record, and remove it here."
                self._find("fault", "DMARC record", value, f"{rule} (RFC 9989 section 4.5)", way)

    def _near_misses(self, record: str, name: str, near: NearMiss, module: str) -> None:
        for value in self._values(name):
            sentence = near(value)
            if sentence:
                way = f"Correct it in the zone, or publish the record with {module} and near_miss: replace."
                self._find("fault", record, value, f"it {sentence}", way)

    def _values(self, name: str) -> tuple[str, ...]:
        """TXT values that were looked up before; what cannot be is told already."""
        try:
            return self._world.lookup(name, "TXT")
        except Unresolved:
            return ()

    def _find(
        self, level: str, record: str, value: str | None, sentence: str, next_step: str, unanswered: bool = False
    ) -> None:
        rule, source = rule_and_source(sentence, "docs/verdicts.md")
        self.result.findings.append(AuditFinding(level, record, value, rule, source, next_step, unanswered))


def _weaknesses(record: TagList, policy: Policy | None) -> list[str]:
    """Why a policy that is valid does not protect, or is blind."""
    found = []
    if policy and policy.policy == "none":
        found.append("p=none asks receivers to do nothing about mail that fails (RFC 9989 section 4.7)")
    if not record.get("rua"):
        found.append("there is no rua=, so that nobody learns who sends as this domain (RFC 9989 section 4.7)")
    return found
