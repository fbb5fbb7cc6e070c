# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the options of ``dmarc_report_info`` mean as data."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_summary import ReportFilter
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    KnownService,
    SenderGroup,
    read_services,
    sender_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import read_name
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import BadSource, parse_source
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource

_RULES = RuleSource("docs/reports.md")
_DAY_SECONDS = 86400
_MOST_DAYS = 36500


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a task asks for. ``others``: domains below those asked for that are somebody else's;
    ``authserv_id`` is the server that must have found that DMARC passed for the messages of reports, None where nobody
    asks; ``oldest`` is the time before which reports are not kept, 0 to keep all."""

    paths: tuple[str, ...]
    wanted: ReportFilter
    others: frozenset[str]
    groups: tuple[SenderGroup, ...]
    services: tuple[KnownService, ...]
    authserv_id: str | None
    archive: str | None
    oldest: int
    shorten: bool
    include_days: bool
    include_records: bool
    reverse_names: bool


def read_request(params: Mapping[str, Any], now: float) -> ReportRequest:
    """Read the parameters.

    :param params: of the module
    :param now: seconds since 1970
    :raises Refused: with everything that is wrong with them
    """
    problems: list[Problem] = []
    senders = read_senders(params["senders"], problems)
    domains = [read_name(one, "domains", one, "Correct the name.", problems) for one in params["domains"]]
    given = params.get("not_domains") or []
    others = [read_name(one, "not_domains", one, "Correct the name.", problems) for one in given]
    since, oldest = _since(params.get("since"), problems), _oldest(params, now, problems)
    services = services_given(params.get("services") or [], problems)
    if problems:
        raise Refused(problems)
    return ReportRequest(
        paths=tuple(params["paths"]),
        wanted=ReportFilter(tuple(dict.fromkeys(one for one in domains if one)), since),
        others=frozenset(one for one in others if one),
        groups=sender_groups(senders),
        services=services,
        authserv_id=params.get("authserv_id"),
        archive=params.get("archive"),
        oldest=oldest,
        shorten=params["shorten_addresses"],
        include_days=params["include_days"],
        include_records=params["include_records"],
        reverse_names=params["reverse_names"],
    )


def _since(text: str | None, problems: list[Problem]) -> int:
    if text is None:
        return 0
    try:
        found = datetime.datetime.fromisoformat(text.strip())
        aware = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        return max(0, int(aware.timestamp()))
    except (ValueError, OverflowError):
        rule = "it is neither a date nor a time of ISO 8601"
        problems.append(_RULES.problem("reports", "since", text, rule, "Give for example 2026-11-01."))
        return 0


def _oldest(params: Mapping[str, Any], now: float, problems: list[Problem]) -> int:
    days: int | None = params.get("retention")
    if days is None:
        return 0
    if not 1 <= days <= _MOST_DAYS:
        rule = f"a retention period has 1 to {_MOST_DAYS} days"
        problems.append(_RULES.problem("reports", "retention", str(days), rule, "Leave it out to keep all reports."))
    if params.get("archive") is None:
        rule = "without an archive nothing is kept"
        problems.append(_RULES.problem("reports", "retention", str(days), rule, "Give `archive`, or use `since`."))
    return max(0, int(now) - days * _DAY_SECONDS)


def services_given(entries: Iterable[object], problems: list[Problem]) -> tuple[KnownService, ...]:
    """Read the option ``services`` as the module gets it; what is wrong with it is added to ``problems``."""
    found: list[Mapping[str, Any]] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            rule = "names of the catalogue are known on the controller only"
            problems.append(_RULES.problem("reports", "services", str(entry), rule, "Give a dictionary."))
            continue
        found.append(entry)
        for term in entry.get("spf_terms") or []:
            try:
                parse_source(term)
            except BadSource as error:
                where, way_out = f"services.{entry['name']}.spf_terms", "Correct the term."
                problems.append(_RULES.told("reports", where, term, str(error), way_out))
    return read_services(found)
