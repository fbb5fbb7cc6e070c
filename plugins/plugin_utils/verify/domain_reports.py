# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is true of each domain: delegation, records, SPF budget, DKIM keys, DMARC, flattened includes, reports. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import GOOD_RSA_BITS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagError, parse_tags
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.environment_reports import sender_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import (
    ReportData,
    part_in,
    rows_in,
    text_in,
    texts_in,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.record_reports import RecordReports, message_parts
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    DelegationReport,
    DmarcDay,
    DmarcReport,
    DomainReport,
    EvidenceReport,
    FindingReport,
    FlattenedReport,
    GrownReport,
    KeyState,
    RecordReport,
    SelectorReport,
    SourceReport,
    SpfReport,
    SpfTermReport,
    SpfTreeReport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import VerifyFacts

_MOST_SOURCES = 20
_Found = Mapping[str, Any]
_NO_AUDIT: _Found = {"spf": {"records": None}, "dkim": [], "dmarc": {"records": None}, "findings": []}


class DomainReports:
    """Tells what is true of domains.

    :param facts: all that the run knows
    """

    def __init__(self, facts: VerifyFacts) -> None:
        self._facts = facts
        self._records = RecordReports(facts)
        self._audits = {one["domain"]: one for one in facts.audited.get("domains") or []}
        self._planned = {one["domain"]: one for one in facts.records.get("domains") or []}
        self._zones = {one["zone"]: one for one in facts.records.get("name_servers") or []}
        self._declared = {one["domain"]: one for one in facts.plan["domains"]}
        self._missing = {
            one["domain"]: tuple(str(missing["text"]) for missing in (one["decision"] or {}).get("missing") or [])
            for one in facts.advanced.get("domains") or []
        }
        for one in facts.advanced.get("failures") or []:
            self._missing[one["domain"]] = (message_parts(one["msg"])[0],)
        self._previous = facts.previous.domains

    def of(self, domain: str) -> DomainReport:
        """One domain; its state is told when it is known what is to be done.

        :param domain: as A-labels
        """
        audit, old = self._audits.get(domain, _NO_AUDIT), self._previous.get(domain, {})
        records = self._records.of(domain)
        failure = self._facts.failures.get(domain)
        return DomainReport(
            name=domain,
            customers=self._facts.customers_of(domain),
            state="fine",
            delegation=self._delegation(domain, old),
            records=records,
            spf=_spf(audit["spf"], part_in(old, "spf")),
            dkim=tuple(_selector(one, audit, old) for one in audit["dkim"]),
            dmarc=self._dmarc(domain, audit["dmarc"]),
            flattened=_flattened(records, self._planned.get(domain)),
            reports=self._evidence(domain),
            findings=tuple(_findings(audit["findings"])),
            senders=tuple(sender_report(one) for one in self._facts.service_verdicts.get(domain, ())),
            failure=str(failure["msg"]) if failure else self._facts.run_failure,
        )

    def _delegation(self, domain: str, old: ReportData) -> DelegationReport:
        zone = (self._planned.get(domain) or {}).get("zone") or longest_match(domain, set(self._zones))
        found = self._zones.get(str(zone))
        if found is None:
            return DelegationReport("fine", zone, (), (), "nothing is written to it, so nobody looked")
        if found["world"] is None:
            return DelegationReport("unknown", zone, (), (), f"it cannot be looked up: {found['problem']}")
        world, ours = tuple(found["world"]), set(found["account"] or ())
        known = texts_in(part_in(old, "delegation"), "name_servers")
        before = known if known and set(known) != set(world) else ()
        if ours and not ours & set(world):
            where = f"the world finds it at {', '.join(world)}" if world else "nobody delegates it"
            text = f"{where}, the DNS account has it for {', '.join(sorted(ours))}: nobody sees what is written there"
            return DelegationReport("moved", zone, world, before, text)
        odd = sorted(ours ^ set(world)) if ours else []
        text = f"only one of the DNS account and the world has {', '.join(odd)}" if odd else ""
        return DelegationReport("fine", zone, world, before, text)

    def _dmarc(self, domain: str, found: _Found) -> DmarcReport:
        record = found.get("record")
        declared = self._declared.get(domain, {}).get("dmarc")
        policy = declared if isinstance(declared, Mapping) else {}
        mode, target = policy.get("mode", "fixed"), policy.get("target") or policy.get("policy")
        days = self._facts.reported.get("days", {}).get(domain, [])
        return DmarcReport(
            record=record,
            policy=_tag(record, "p"),
            subdomain_policy=_tag(record, "sp"),
            target=str(target) if target else None,
            mode=None if not policy else "managed" if mode == "managed" else "declared",
            next_missing=self._missing.get(domain, ()),
            days=tuple(DmarcDay(one["day"], one["pass"], one["fail"]) for one in days),
        )

    def _evidence(self, domain: str) -> EvidenceReport | None:
        found = self._facts.reported.get("domains", {}).get(domain)
        if found is None:
            return None
        sources = self._facts.reported.get("sources", {}).get(domain) or []
        unknown = [one for one in sources if one["who"]["kind"] == "unknown"][:_MOST_SOURCES]
        told = [
            SourceReport(one["source"], one["messages"], one["dmarc"]["pass"], one["dmarc"]["fail"]) for one in unknown
        ]
        return EvidenceReport(found["messages"], found["pass"], found["fail"], found["reporters"], tuple(told))


def _spf(found: _Found, old: ReportData) -> SpfReport:
    lookups = found.get("lookups") or {}
    total, before = lookups.get("total"), old.get("lookups")
    same = found.get("record") is not None and old.get("record") == found.get("record")
    grew = same and isinstance(before, int) and isinstance(total, int) and total > before
    return SpfReport(
        record=found.get("record"),
        lookups=total,
        limit=MAX_LOOKUPS,
        void=lookups.get("void"),
        tree=_tree(found.get("tree")),
        grown=GrownReport(int(str(before)), int(str(total))) if grew else None,
    )


def _tree(found: _Found | None) -> SpfTreeReport | None:
    if found is None:
        return None
    terms = (SpfTermReport(one["term"], one["lookups"], _tree(one["tree"])) for one in found["terms"])
    return SpfTreeReport(found["domain"], tuple(terms))


def _selector(found: _Found, audit: _Found, old: ReportData) -> SelectorReport:
    name, digest = found["name"], found.get("digest")
    known = next((one for one in rows_in(old, "dkim") if one.get("name") == name), {})
    before = text_in(known, "digest")
    own = [one for one in audit["findings"] if one["value"] == name]
    text = next((f"{one['rule']} ({one['source']})" for one in own), None)
    state = _key_state(found)
    if found["usable"] and before and digest and before != digest:
        state, text = "changed", "another key stands there than in the last run"
    key_type = found["algorithm"] if found["usable"] is not None and found["fault"] != "missing" else None
    return SelectorReport(found["selector"], name, state, key_type, found["bits"], digest, text)


def _key_state(found: _Found) -> KeyState:
    if found["usable"] is None:
        return "unknown"
    if found["fault"] in ("missing", "no_key"):
        return "missing"
    if found["fault"] == "revoked":
        return "revoked"
    bits = found["bits"]
    is_weak = not found["usable"] or (bits is not None and found["algorithm"] == "rsa" and bits < GOOD_RSA_BITS)
    return "weak" if is_weak else "valid"


def _flattened(records: Iterable[RecordReport], planned: _Found | None) -> FlattenedReport | None:
    """None where nothing is flattened."""
    facts = ((planned or {}).get("spf") or {}).get("flattened") or []
    if not facts:
        return None
    causes = [one.cause for one in records if one.cause and "flattened includes moved" in one.cause]
    return FlattenedReport(tuple(causes))


def _findings(found: Iterable[_Found]) -> Iterator[FindingReport]:
    for one in found:
        text = f"{one['rule']} ({one['source']})"
        yield FindingReport(one["level"], one["record"], one["value"], text, one["next_step"], one["unanswered"])


def _tag(record: str | None, name: str) -> str | None:
    try:
        return parse_tags(record).get(name) if record else None
    except TagError:
        return None
