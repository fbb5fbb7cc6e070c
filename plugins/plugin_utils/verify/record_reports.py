# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Each record of a domain: as declared or drifted, why, since when, and what brings it back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import select_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import select_spf
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.drift_cause import (
    SEVERAL_RECORDS,
    RecordSight,
    drift_cause,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import (
    ReportData,
    rows_in,
    text_in,
    texts_in,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import RecordReport, RecordState
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import VerifyFacts

_WITH_TTL = re.compile(r"TTL (\d+): ")
_WAY_OUT = re.compile(r"\)\. (?P<way>[^()]*\.)$")
_FILE_DIFFERS = "the policy file on the web server is not as declared"


@dataclass(frozen=True, slots=True)
class _Found:
    """One record as it was planned: ``kind`` of its recipe, and the result of the module."""

    kind: str
    result: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.result["name"])

    @property
    def live(self) -> str | None:
        return self.result["record"]["before"]  # type: ignore[no-any-return]

    @property
    def declared(self) -> str | None:
        return self.result["record"]["after"]  # type: ignore[no-any-return]

    @property
    def label(self) -> str:
        return RECORD_RESULTS[self.kind].label

    @property
    def type(self) -> str:
        if self.kind == "null_mx":
            return "MX"
        text = self.declared or self.live or ""
        alias = self.kind == "cname" or (self.kind == "dkim" and text and "=" not in text and " " not in text)
        return "CNAME" if alias else "TXT"


class RecordReports:
    """Tells the records of domains.

    :param facts: all that the run knows
    """

    def __init__(self, facts: VerifyFacts) -> None:
        self._facts = facts
        self._planned = {one["domain"]: one for one in facts.records.get("domains") or []}
        self._audits = {one["domain"]: one for one in facts.audited.get("domains") or []}
        self._previous = facts.previous.domains

    def of(self, domain: str) -> tuple[RecordReport, ...]:
        """The records of one domain.

        :param domain: as A-labels
        """
        failure, planned = self._facts.failures.get(domain), self._planned.get(domain)
        if self._facts.run_failure or (failure and not failure["refused"]):
            return tuple(self._unknown(domain))
        if planned is None:
            return tuple(self._unknown(domain)) if failure else ()
        found = [self._record(domain, one, failure) for one in _found(planned)]
        if planned["changed"] and not any(one.state == "drifted" for one in found):
            found = [_file_drift(one, self._facts.commands.site) for one in found]
        return tuple(found)

    def _record(self, domain: str, one: _Found, failure: Mapping[str, Any] | None) -> RecordReport:
        difference = self._facts.differences.get((one.name, one.type))
        if one.result.get("managed_elsewhere"):
            return self._told(domain, one, "elsewhere", (one.live, one.live), None)
        if one.live is None and one.declared is None and failure:
            return self._refused(domain, one, failure)
        if one.live == one.declared and (difference is None or not _names(difference, one)):
            return self._told(domain, one, "declared", (one.live, one.declared), self._touched(domain, one))
        ttls = (_ttl(difference, "before"), _ttl(difference, "after"))
        flattened = tuple(str(fact["include"]) for fact in one.result.get("flattened") or [])
        was_there = self._was_there(domain, one)
        sight = RecordSight(one.kind, one.name, one.live, one.declared, *ttls, was_there, flattened)
        return self._told(domain, one, "drifted", (one.live, one.declared), drift_cause(sight))

    def _refused(self, domain: str, one: _Found, failure: Mapping[str, Any]) -> RecordReport:
        """A record that breaks a rule, so that nothing was planned for it: what is known of it beside the plan."""
        live, wanted = self._live_texts(domain, one), self._wanted(domain, one)
        told = _own_sentence(failure["msg"], one)
        rule = message_parts(told or str(failure["msg"]))[0]
        if live is None or told is None:
            return self._told(domain, one, "refused", (_joined(live), wanted), rule)
        sight = RecordSight(one.kind, one.name, _joined(live), wanted or "", was_there=True)
        cause = drift_cause(sight) if wanted or len(live) > 1 else rule
        return self._told(domain, one, "drifted", (_joined(live), wanted), cause)

    def _live_texts(self, domain: str, one: _Found) -> tuple[str, ...] | None:
        audit = self._audits.get(domain) or {}
        if one.kind in ("spf", "dmarc"):
            found = (audit.get(one.kind) or {}).get("records")
            return None if found is None else tuple(found)
        return None

    def _wanted(self, domain: str, one: _Found) -> str | None:
        """What stood there as declared last: by the last report, else by the journal."""
        old = self._old(domain, one.name, one.label)
        if old.get("state") == "declared" and texts_in(old, "declared"):
            return texts_in(old, "declared")[0]
        write = self._facts.writes.get((one.name, one.type))
        mine = {"spf": select_spf, "dmarc": select_dmarc}.get(one.kind)
        values = mine(write.after or ()) if write and mine else ()
        return values[0] if len(values) == 1 else None

    def _told(
        self, domain: str, one: _Found, state: RecordState, texts: tuple[str | None, str | None], cause: str | None
    ) -> RecordReport:
        live, declared = (() if text is None else tuple(text.split(SEVERAL_RECORDS)) for text in texts)
        write = self._facts.writes.get((one.name, one.type))
        old = self._old(domain, one.name, one.label)
        return RecordReport(
            name=one.name,
            type=one.type,
            kind=one.label,
            state=state,
            declared=declared,
            live=live,
            cause=cause,
            last_written=write.when if write else None,
            seen_right=self._facts.made if state == "declared" else self._seen_right(old),
            restore=self._command(write, texts) if state in ("drifted", "refused") else None,
        )

    def _command(self, write: LastWrite | None, texts: tuple[str | None, str | None]) -> str:
        """The snapshot of our last write, where that write itself took away what is declared; else site."""
        live, declared = texts
        before, after = (write.before or (), write.after or ()) if write else ((), ())
        was_ours = declared in before and declared not in after and (live in after if live else not after)
        if write and write.snapshot and declared and was_ours:
            return self._facts.commands.restore(write.snapshot)
        return self._facts.commands.site

    def _touched(self, domain: str, one: _Found) -> str | None:
        """What somebody changed since the last run though it is still as declared."""
        old = self._old(domain, one.name, one.label)
        before = texts_in(old, "live")
        if old.get("state") != "declared" or not before or one.live is None or before == (one.live,):
            return None
        if self._facts.writes.get((one.name, one.type)) and self._written_since(one):
            return None
        return f"it was changed since the last run, and still holds what is declared: before it was {before[0]}"

    def _written_since(self, one: _Found) -> bool:
        made, write = self._facts.previous.made, self._facts.writes.get((one.name, one.type))
        return bool(made and write and write.when >= made)

    def _was_there(self, domain: str, one: _Found) -> bool:
        old = self._old(domain, one.name, one.label)
        return bool(self._seen_right(old) or self._facts.writes.get((one.name, one.type)))

    def _seen_right(self, old: ReportData) -> str | None:
        return text_in(old, "seen_right")

    def _old(self, domain: str, name: str, label: str) -> ReportData:
        rows = rows_in(self._previous.get(domain, {}), "records")
        return next((one for one in rows if (one.get("name"), one.get("kind")) == (name, label)), {})

    def _unknown(self, domain: str) -> Iterator[RecordReport]:
        """The records of the last run, and those that were to be looked at in this one: nothing is known of them."""
        planned = self._planned.get(domain)
        keys: dict[Key, str] = {(one.name, one.type): one.label for one in _found(planned)} if planned else {}
        for one in rows_in(self._previous.get(domain, {}), "records"):
            name, rdtype, label = text_in(one, "name"), text_in(one, "type"), text_in(one, "kind")
            if name and rdtype and label:
                keys.setdefault((name, rdtype), label)
        for (name, rdtype), label in keys.items():
            old, write = self._old(domain, name, label), self._facts.writes.get((name, rdtype))
            when, seen = write.when if write else None, self._seen_right(old)
            yield RecordReport(name, rdtype, label, "unknown", (), (), None, when, seen, None)


def message_parts(message: str) -> tuple[str, str]:
    """The rule with its source, and the way out, of what is told of a broken rule.

    :param message: as ``Problem`` words it; of several lines the first counts
    :returns: both, the way out empty when there is none
    """
    line = message.splitlines()[0] if message else ""
    way = _WAY_OUT.search(line)
    rest = line[: way.start("way")].rstrip(". ") if way else line
    quoted = rest.rpartition('": ')[2] if '": ' in rest else rest.partition(": ")[2].partition(": ")[2]
    return quoted or rest, way["way"] if way else ""


def _found(planned: Mapping[str, Any]) -> Iterator[_Found]:
    for kind, called in RECORD_RESULTS.items():
        found: Any = planned.get(called.key) or []
        for one in found if called.many else [found] if found else []:
            record = _Found(kind, one)
            yield record


def _names(difference: Mapping[str, str], one: _Found) -> bool:
    """Whether a difference of a name is about this record: the SPF record shares it with other TXT values."""
    return str(difference["before_header"]).endswith(f"({one.kind.replace('_', ' ').upper()})")


def _ttl(difference: Mapping[str, str] | None, side: str) -> int | None:
    found = _WITH_TTL.match(str(difference[side])) if difference else None
    return int(found[1]) if found else None


def _file_drift(one: RecordReport, site: str) -> RecordReport:
    """The policy file belongs to the record of MTA-STS."""
    if one.kind != RECORD_RESULTS["mta_sts"].label:
        return one
    return replace(one, state="drifted", cause=_FILE_DIFFERS, restore=site)


def _own_sentence(message: str, one: _Found) -> str | None:
    """The sentence of a refusal that is about this record; None when all are about something else."""
    marks = {"spf": "SPF record", "dmarc": "DMARC record"}
    mark = marks.get(one.kind)
    return next((line for line in message.splitlines() if mark and mark in line), None)


def _joined(texts: tuple[str, ...] | None) -> str | None:
    return SEVERAL_RECORDS.join(texts) if texts else None
