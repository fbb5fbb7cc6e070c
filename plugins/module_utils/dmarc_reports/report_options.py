# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of ``dmarc_report_info`` as an argument spec, their checks, and what they mean as data."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_summary import ReportFilter
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    KnownService,
    SenderGroup,
    read_services,
    sender_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import read_name
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_spec import SENDER_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import is_name_text, wrong_options
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import BadSource, parse_source
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS

_RULES = RuleSource("docs/reports.md")
_DAY_SECONDS = 86400
_MOST_DAYS = 36500

SERVICE_OPTIONS: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "title": {"type": "str"},
    "spf_terms": {"type": "list", "elements": "str"},
    "domains": {"type": "list", "elements": "str"},
}
"""One of ``services``, when it is no name of the catalogue."""

REPORT_OPTIONS: ArgumentSpec = {
    "paths": {"type": "list", "elements": "path", "default": []},
    "authserv_id": {"type": "str"},
    "domains": {"type": "list", "elements": "str", "default": []},
    "since": {"type": "str"},
    "include_days": {"type": "bool", "default": False},
    "include_records": {"type": "bool", "default": False},
    "senders": {"type": "list", "elements": "dict", "default": [], "options": SENDER_OPTIONS},
    "services": {"type": "list", "elements": "raw"},
    "archive": {"type": "path"},
    "retention": {"type": "int"},
    "shorten_addresses": {"type": "bool", "default": False},
    "reverse_names": {"type": "bool", "default": False},
    "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
}


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a task asks for. ``authserv_id`` is the server that must have found that DMARC passed for the messages of
    reports, None where nobody asks; ``oldest`` is the time before which reports are not kept, 0 to keep all."""

    paths: tuple[str, ...]
    wanted: ReportFilter
    groups: tuple[SenderGroup, ...]
    services: tuple[KnownService, ...]
    authserv_id: str | None
    archive: str | None
    oldest: int
    shorten: bool
    include_days: bool
    include_records: bool
    reverse_names: bool


def wrong_report_arguments(arguments: Mapping[str, Any]) -> list[str]:
    """Check the names and shapes of all options before the module starts.

    :param arguments: what the task gives
    :returns: one sentence per broken rule; none quotes a value
    """
    problems = wrong_options(REPORT_OPTIONS, arguments, {"services": wrong_services})
    if not problems and not arguments.get("paths") and not arguments.get("archive"):
        problems.append("paths, archive: give one of them, or both")
    return problems


def read_request(params: Mapping[str, Any], now: float) -> ReportRequest:
    """Read the parameters.

    :param params: of the module
    :param now: seconds since 1970
    :raises Refused: with everything that is wrong with them
    """
    problems: list[Problem] = []
    senders = read_senders(params["senders"], problems)
    domains = [read_name(one, "domains", one, "Correct the name.", problems) for one in params["domains"]]
    since, oldest = _since(params.get("since"), problems), _oldest(params, now, problems)
    services = services_given(params.get("services") or [], problems)
    if problems:
        raise Refused(problems)
    return ReportRequest(
        paths=tuple(params["paths"]),
        wanted=ReportFilter(tuple(dict.fromkeys(one for one in domains if one)), since),
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


def wrong_services(services: object) -> list[str]:
    """Check the shape of the option ``services``; gives one sentence per broken rule, without any value."""
    if not isinstance(services, (list, tuple)):
        return ["services must be a list of names and dictionaries"]
    problems: list[str] = []
    for number, one in enumerate(services):
        if isinstance(one, Mapping):
            problems += wrong_options(SERVICE_OPTIONS, one, {}, f"services[{number}].")
            problems += [] if one.get("name") else [f"services[{number}].name is required"]
        elif not is_name_text(one):
            problems.append(f"services[{number}] must be the name of a service, or a dictionary")
    return problems


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
