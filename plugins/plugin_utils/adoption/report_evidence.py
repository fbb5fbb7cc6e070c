# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What receivers reported of an address or a selector that nobody can explain: how much mail it is, and from where."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, parse_term
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import DomainReading, Finding

REPORTED_DAYS = 30
"""So many days of reports are told."""

_MOST = 3
"""So many sources are named."""

Sources = Mapping[str, Sequence[Mapping[str, Any]]]
"""By domain what ``dmarc_report_info`` returns as ``sources``."""


def with_reports(reading: DomainReading, sources: Sources) -> DomainReading:
    """Add to the evidence of findings what was reported.

    :param reading: of one domain
    :param sources: empty where no reports are kept
    """
    if reading.domain not in sources:
        return reading
    found = sources[reading.domain]
    return replace(reading, findings=tuple(_told(one, found, reading.domain) for one in reading.findings))


def _told(finding: Finding, sources: Iterable[Mapping[str, Any]], domain: str) -> Finding:
    """A finding about something that reports can tell of; any other as it is."""
    kind, _space, rest = finding.what.partition(" ")
    if kind == "spf" and (network := _network(rest)) is not None:
        seen = [(one, int(one["messages"])) for one in sources if _is_in(str(one["source"]), network)]
    elif kind == "dkim":
        seen = [(one, count) for one in sources if (count := _signed(one, rest, domain))]
    else:
        return finding
    total = sum(count for _one, count in seen)
    names = [_name(one) for one, _count in seen]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    told = f"{total} messages from {', '.join(names[:_MOST])}{more}" if total else "no message"
    return replace(finding, evidence=f"{finding.evidence}; reported in {REPORTED_DAYS} days: {told}", messages=total)


def _name(source: Mapping[str, Any]) -> str:
    reverse = source.get("reverse_name")
    return f"{source['source']} ({reverse})" if reverse else str(source["source"])


def _signed(source: Mapping[str, Any], selector: str, domain: str) -> int:
    """How many messages of a source had a good signature of a selector."""
    own = [one for one in source.get("selectors") or [] if str(one["selector"]).lower() == selector]
    return sum(int(one["messages"]) for one in own if one["domain"] == domain and one["result"] == "pass")


def _network(term: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        parsed = parse_term(term)
    except SpfError:
        return None
    return parsed.network if isinstance(parsed, Directive) else None


def _is_in(source: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether an address, or a network where addresses are kept shortened, is all in a network."""
    try:
        own = ipaddress.ip_network(source)
    except ValueError:
        return False
    return own.version == network.version and own.subnet_of(network)  # type: ignore[arg-type]
