# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What differs between the report of the last run and that of this one. Pure.

What is not known now is no change of what was known then: only that it is not known any more is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import (
    ReportData,
    part_in,
    rows_in,
    text_in,
    texts_in,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    ReportChange,
    VerifyReport,
    report_data,
)

_Facts = dict[tuple[str, str], str]
_TODO = "to do"
_APPEAR = ("environment", "domain", "record", "sender", "not known", _TODO)
"""What is told also when it comes or goes; of the others only what was and is known is compared."""


def report_changes(before: Mapping[str, Any], report: VerifyReport) -> tuple[ReportChange, ...]:
    """Compare.

    :param before: the last report as plain data, empty without one: then nothing has changed
    :param report: that of this run
    """
    if not before:
        return ()
    old, new = dict(_facts(before)), dict(_facts(report_data(report)))
    changes = []
    for key in dict.fromkeys([*old, *new]):
        what, subject = key
        was, now = old.get(key), new.get(key)
        if what == _TODO and was and now:
            continue
        if was != now and ((was is not None and now is not None) or what in _APPEAR):
            changes.append(ReportChange(what, subject, was, now))
    return tuple(changes)


def _facts(report: ReportData) -> Iterator[tuple[tuple[str, str], str]]:
    for one in rows_in(report, "environments"):
        yield from _environment(one)
    for one in rows_in(report, "domains"):
        yield from _domain(one)
    for one in rows_in(report, "unknown"):
        yield ("not known", f"{text_in(one, 'subject')}: {text_in(one, 'what')}"), "not known"
    for one in rows_in(report, "todo"):
        # items that are told otherwise on each day are known by what they are about
        subject = ", ".join((*texts_in(one, "domains"), *texts_in(one, "environments"))) or "verify"
        if text_in(one, "risk") in ("due", "fail", "confirm"):
            yield (_TODO, f"{subject} ({text_in(one, 'id')})"), str(text_in(one, "text"))


def _environment(one: ReportData) -> _FactsIterator:
    name = str(text_in(one, "name"))
    yield ("environment", name), str(text_in(one, "state"))
    yield from _senders(name, one)
    tenant = part_in(one, "tenant")
    for what in ("grants_missing", "grants_unknown", "differs"):
        if tenant and not text_in(tenant, "problem"):
            yield (what.replace("_", " "), name), ", ".join(texts_in(tenant, what)) or "none"
    if text_in(tenant, "scope"):
        yield ("limit of the application", name), str(text_in(tenant, "scope"))
    for mailbox in rows_in(tenant, "mailboxes"):
        yield ("mailbox", f"{name}: {text_in(mailbox, 'address')}"), str(text_in(mailbox, "result"))
    seen = [f"{text_in(found, 'name')} ({text_in(found, 'level')})" for found in rows_in(one, "probe")]
    if seen:
        yield ("mail server", name), ", ".join(seen)


def _senders(name: str, one: ReportData) -> _FactsIterator:
    for sender in rows_in(one, "senders"):
        by = f" by {text_in(sender, 'service')}" if text_in(sender, "service") else ""
        yield ("sender", f"{name}: {text_in(sender, 'address')}{by}"), str(text_in(sender, "verdict"))


def _domain(one: ReportData) -> _FactsIterator:
    name = str(text_in(one, "name"))
    yield ("domain", name), str(text_in(one, "state"))
    yield from _senders(name, one)
    for record in rows_in(one, "records"):
        subject = f"{text_in(record, 'name')} {text_in(record, 'type')} ({text_in(record, 'kind')})"
        state, cause = text_in(record, "state"), text_in(record, "cause")
        yield ("record", subject), f"{state}: {cause}" if cause and state != "declared" else str(state)
        if state == "declared" and texts_in(record, "live"):
            yield ("text of the record", subject), " | ".join(texts_in(record, "live"))
    servers = texts_in(part_in(one, "delegation"), "name_servers")
    if servers:
        yield ("name servers", name), ", ".join(sorted(servers))
    spf = part_in(one, "spf")
    if isinstance(spf.get("lookups"), int):
        yield ("lookups of the SPF record", name), str(spf["lookups"])
    for key in rows_in(one, "dkim"):
        if text_in(key, "digest"):
            yield ("DKIM key", str(text_in(key, "name"))), f"key {text_in(key, 'digest')}"
    policy = text_in(part_in(one, "dmarc"), "policy")
    if policy:
        yield ("DMARC policy", name), policy


_FactsIterator = Iterator[tuple[tuple[str, str], str]]
