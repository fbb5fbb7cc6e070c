# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What receivers reported of an address or a selector that nobody can explain: how much mail it is, and from where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.server_networks import NetworkFinder
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, parse_term
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import DomainReading, Finding

REPORTED_DAYS = 30
"""So many days of reports are told."""

_MOST = 3
"""So many sources are named."""
_NOBODY_RESOLVED = {"networks": None, "problem": "it was not followed"}

_Source = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReportedMail:
    """``sources`` are by domain what ``dmarc_report_info`` returns under that name, empty where no reports are kept;
    ``included`` is what ``mail_adopt_info`` returns under that name."""

    sources: Mapping[str, Sequence[_Source]] = field(default_factory=dict)
    included: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def services_of(self, domain: str) -> list[str]:
        """The services of the catalogue that were seen to send as a domain.

        :param domain: as A-labels
        """
        seen = [(one.get("who") or {}).get("service") for one in self.sources.get(domain, ())]
        return sorted({str(one) for one in seen if one})

    def added_to(self, reading: DomainReading) -> DomainReading:
        """Add to the evidence of findings what was reported.

        :param reading: of one domain
        """
        if reading.domain not in self.sources:
            return reading
        return replace(reading, findings=tuple(self._told(one, reading.domain) for one in reading.findings))

    def _told(self, finding: Finding, domain: str) -> Finding:
        """A finding about something that reports can tell of; any other as it is."""
        kind, _space, rest = finding.what.partition(" ")
        if not finding.listed:
            # a question about terms: as much mail as is behind them
            found = [networks for term in finding.terms for networks in self._networks(term)[0] or ()]
            return replace(self._counted(finding, domain, _from_networks(found)), evidence=finding.evidence)
        networks, problem = self._networks(rest) if kind == "spf" else (None, None)
        if problem:
            return _with(finding, f"not known, as the term cannot be resolved: {problem}", 0)
        if networks is not None:
            return self._counted(finding, domain, _from_networks(networks))
        return self._counted(finding, domain, lambda one: _signed(one, rest, domain)) if kind == "dkim" else finding

    def _networks(self, term: str) -> tuple[Sequence[str] | None, str | None]:
        """The networks of a term, or why nobody knows them; neither for a term that reports tell nothing of."""
        try:
            parsed = parse_term(term)
        except SpfError:
            return None, None
        if not isinstance(parsed, Directive):
            return None, None
        if parsed.network is not None:
            return [str(parsed.network)], None
        if parsed.mechanism != "include" or not parsed.domain:
            return None, None
        found = self.included.get(parsed.domain.lower().removesuffix("."), _NOBODY_RESOLVED)
        return found["networks"], found["problem"]

    def _counted(self, finding: Finding, domain: str, count: Callable[[_Source], int]) -> Finding:
        seen = [(one, found) for one in self.sources[domain] if (found := count(one))]
        total = sum(found for _one, found in seen)
        names = [_name(one) for one, _count in seen]
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        told = f"{total} messages from {', '.join(names[:_MOST])}{more}" if total else "no message"
        return _with(finding, told, total)


def _with(finding: Finding, told: str, total: int) -> Finding:
    return replace(finding, evidence=f"{finding.evidence}; reported in {REPORTED_DAYS} days: {told}", messages=total)


def _name(source: _Source) -> str:
    reverse = source.get("reverse_name")
    return f"{source['source']} ({reverse})" if reverse else str(source["source"])


def _signed(source: _Source, selector: str, domain: str) -> int:
    """How many messages of a source had a good signature of a selector."""
    own = [one for one in source.get("selectors") or [] if str(one["selector"]).lower() == selector]
    return sum(int(one["messages"]) for one in own if one["domain"] == domain and one["result"] == "pass")


def _from_networks(networks: Sequence[str]) -> Callable[[_Source], int]:
    """Counts what comes from some networks; a source that is a network, where addresses are kept shortened, must be in
    them whole."""
    servers = NetworkFinder(_ask_nobody).networks(networks, "")

    def count(source: _Source) -> int:
        try:
            return int(source["messages"]) if servers.holds(str(source["source"])) else 0
        except ValueError:
            return 0

    return count


def _ask_nobody(_name: str, _rdtype: str) -> tuple[str, ...]:
    """Networks need no look-up."""
    return ()
