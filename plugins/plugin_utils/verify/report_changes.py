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
    Row,
    part_of,
    rows_of,
    text_of,
    texts_of,
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


def _facts(report: Row) -> Iterator[tuple[tuple[str, str], str]]:
    for one in rows_of(report, "environments"):
        yield from _environment(one)
    for one in rows_of(report, "domains"):
        yield from _domain(one)
    for one in rows_of(report, "unknown"):
        yield ("not known", f"{text_of(one, 'subject')}: {text_of(one, 'what')}"), "not known"
    for one in rows_of(report, "todo"):
        # items that are told otherwise on each day are known by what they are about
        subject = ", ".join((*texts_of(one, "domains"), *texts_of(one, "environments"))) or "verify"
        if text_of(one, "risk") in ("due", "fail", "confirm"):
            yield (_TODO, f"{subject} ({text_of(one, 'id')})"), str(text_of(one, "text"))


def _environment(one: Row) -> _FactsIterator:
    name = str(text_of(one, "name"))
    yield ("environment", name), str(text_of(one, "state"))
    for sender in rows_of(one, "senders"):
        by = f" by {text_of(sender, 'service')}" if text_of(sender, "service") else ""
        yield ("sender", f"{name}: {text_of(sender, 'address')}{by}"), str(text_of(sender, "verdict"))
    tenant = part_of(one, "tenant")
    for what in ("grants_missing", "grants_unknown"):
        if tenant and not text_of(tenant, "problem"):
            yield (what.replace("_", " "), name), ", ".join(texts_of(tenant, what)) or "none"
    if text_of(tenant, "scope"):
        yield ("limit of the application", name), str(text_of(tenant, "scope"))
    for mailbox in rows_of(tenant, "mailboxes"):
        yield ("mailbox", f"{name}: {text_of(mailbox, 'address')}"), str(text_of(mailbox, "result"))
    seen = [f"{text_of(found, 'name')} ({text_of(found, 'level')})" for found in rows_of(one, "probe")]
    if seen:
        yield ("mail server", name), ", ".join(seen)


def _domain(one: Row) -> _FactsIterator:
    name = str(text_of(one, "name"))
    yield ("domain", name), str(text_of(one, "state"))
    for record in rows_of(one, "records"):
        subject = f"{text_of(record, 'name')} {text_of(record, 'type')} ({text_of(record, 'kind')})"
        state, cause = text_of(record, "state"), text_of(record, "cause")
        yield ("record", subject), f"{state}: {cause}" if cause and state != "declared" else str(state)
        if state == "declared" and texts_of(record, "live"):
            yield ("text of the record", subject), " | ".join(texts_of(record, "live"))
    servers = texts_of(part_of(one, "delegation"), "name_servers")
    if servers:
        yield ("name servers", name), ", ".join(sorted(servers))
    spf = part_of(one, "spf")
    if isinstance(spf.get("lookups"), int):
        yield ("lookups of the SPF record", name), str(spf["lookups"])
    for key in rows_of(one, "dkim"):
        if text_of(key, "digest"):
            yield ("DKIM key", str(text_of(key, "name"))), f"key {text_of(key, 'digest')}"
    policy = text_of(part_of(one, "dmarc"), "policy")
    if policy:
        yield ("DMARC policy", name), policy


_FactsIterator = Iterator[tuple[tuple[str, str], str]]
