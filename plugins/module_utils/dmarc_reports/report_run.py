# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One run of ``dmarc_report_info``: new reports into the archive, then what all of them tell."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.policy_domains import (
    policy_finder,
    reported_below,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import (
    archive_file,
    forget_before,
    opened_archive,
    shorten_all,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_files import check_paths, report_items
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_intake import Intake, IntakeResult
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_request import (
    ReportRequest,
    read_request,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_summary import (
    ReportFilter,
    SourceTotal,
    domain_days,
    domain_totals,
    report_records,
    source_totals,
    tls_totals,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import SourceIdentifier
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import ResolveError, Resolver

MOST_REVERSE_NAMES = 1000
"""Sources that are looked up by address, those with the most messages first."""
_THREADS = 16
_OBJECTS = 200_000
"""New objects after which the collector of cycles looks at them."""


def inform_of_reports(params: Mapping[str, Any], write: bool) -> Result:
    """Read reports and tell what they say.

    :param params: the parameters of the module
    :param write: whether the archive may change
    :returns: as the module documents it
    :raises Refused: with everything that is wrong with the parameters or the archive
    :raises MissingLibrary: a library for looking names up is not installed
    """
    request = read_request(params, time.time())
    check_paths(request.paths)
    with _modules_left_to_themselves():
        return _informed(request, params, write)


def _informed(request: ReportRequest, params: Mapping[str, Any], write: bool) -> Result:
    resolver = _LazyResolver(params.get("resolver"))
    is_new = request.archive is not None and not archive_file(request.archive).exists()
    with opened_archive(request.archive, write) as connection:
        lasting = request.archive is not None
        intake = Intake(connection, request.shorten, request.oldest, lasting, request.authserv_id)
        taken = intake.take_all(report_items(request.paths))
        shortened = request.shorten and shorten_all(connection)
        forgot = request.oldest > 0 and forget_before(connection, request.oldest)
        told = _told(connection, request, resolver)
    changed = request.archive is not None and (is_new or taken.noted > 0 or shortened or forgot)
    return {"changed": changed, "files": _files(taken), **told}


@contextlib.contextmanager
def _modules_left_to_themselves() -> Iterator[None]:
    """What was there before the run is no garbage afterwards, and records make no cycles: the collector of cycles need
    not go through all modules, nor look after every 700 objects."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class _LazyResolver:
    """Asks the DNS when there is a question: reports that are all explained need none."""

    def __init__(self, options: Mapping[str, Any] | None) -> None:
        self._options = options
        self._resolver: Resolver | None = None

    def lookup(self, name: str, rdtype: str) -> tuple[str, ...]:
        """As a ``Lookup``."""
        if self._resolver is None:
            self._resolver = Resolver(self._options)
        try:
            return self._resolver.lookup(name, rdtype).values
        except ResolveError as error:
            raise Unresolved(str(error)) from None


def _told(connection: sqlite3.Connection, request: ReportRequest, resolver: _LazyResolver) -> Result:
    identifier = SourceIdentifier(request.groups, request.services, resolver.lookup)
    wanted = _with_subdomains(connection, request, resolver.lookup)
    totals = source_totals(connection, wanted, identifier)
    names: dict[str, str] = {}
    if request.reverse_names:
        names = reverse_names([one for of_domain in totals.values() for one in of_domain], resolver.lookup)
    sources = {domain: [one.as_dict(names.get(one.source)) for one in found] for domain, found in totals.items()}
    records = {"records": report_records(connection, wanted)} if request.include_records else {}
    days = {"days": domain_days(connection, wanted)} if request.include_days else {}
    tls = tls_totals(connection, wanted)
    found = {"domains": domain_totals(connection, wanted, totals), "sources": sources, "tls": tls}
    return {**found, **records, **days}


def _with_subdomains(connection: sqlite3.Connection, request: ReportRequest, lookup: Lookup) -> ReportFilter:
    """What is asked for, with the names below the domains that reports give."""
    senders = {one.domain for one in request.groups}
    domains = set(request.wanted.domains)
    below = reported_below(connection, domains, policy_finder(lookup), senders, request.others - domains)
    return replace(request.wanted, below=below)


def reverse_names(sources: Sequence[SourceTotal], lookup: Lookup) -> dict[str, str]:
    """Look up the names of addresses. What has no name, or none that can be looked up, is missing; so is a network.

    :param sources: those with the most messages are looked up, at most :data:`MOST_REVERSE_NAMES`
    """
    largest = sorted(sources, key=lambda one: -one.messages)
    addresses = list(dict.fromkeys(one.source for one in largest if "/" not in one.source))[:MOST_REVERSE_NAMES]
    found = each(_name_finder(lookup), addresses, _THREADS)
    return {address: name for address, name in zip(addresses, found, strict=True) if name}


def _name_finder(lookup: Lookup) -> Callable[[str], str | None]:
    def name_of(address: str) -> str | None:
        try:
            names = lookup(ipaddress.ip_address(address).reverse_pointer, "PTR")
        except Unresolved:
            return None
        return names[0].rstrip(".") if names else None

    return name_of


def _files(taken: IntakeResult) -> Result:
    counts = {name: getattr(taken, name) for name in ("read", "known", "reports", "duplicates", "expired")}
    lists = {name: [one.as_dict() for one in getattr(taken, name)] for name in ("skipped", "incomplete", "notes")}
    return {**counts, **lists}
