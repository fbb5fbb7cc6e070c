# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The page of a plan, for the people who look at it before it is done: the same plan gives the same bytes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import PlannedRecord, PlannedRrset
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan, JudgedSender
from ansible_collections.mailroom.erp.plugins.plugin_utils.markdown_text import (
    markdown_code,
    markdown_plain,
    markdown_table,
)


def plan_page(plan: ChangePlan) -> bytes:
    """Write the page.

    :param plan: with its digest
    :returns: Markdown in UTF-8 that ends in one newline
    """
    parts = [
        "# Plan of mailroom.erp",
        *([f"It is for the customer {_plain(plan.customer)}, and touches nobody else."] if plan.customer else []),
        f"Made {_plain(plan.made)} by {_plain(plan.playbook)} of version {_plain(plan.collection)}, valid until "
        f"{_plain(plan.valid_until)}. "
        f"Digest {_code(plan.digest)}. {_counted(plan)}",
        *_section("Risks", _list(plan.risks)),
        *_section("Left out", _list(f"{one.subject}: {one.reason}" for one in plan.left_out)),
        *_section("What changes in the DNS", _records(plan)),
        *_section("Files of records", _table(("file", "of", "what"), _files(plan))),
        *_section("Settings and sheets", _table(("environment", "file", "what"), _settings(plan))),
        *_section("Tenants", _table(("environments", "what", "before", "after"), _tenants(plan))),
        *_section("Senders, as receivers will judge them", _senders(plan.senders)),
        _last(plan),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "backslashreplace")


def _counted(plan: ChangePlan) -> str:
    if plan.changes_nothing:
        return "**Nothing changes.**"
    counts = {
        "RRset": len(plan.changed_records),
        "file of a record": len(plan.files),
        "file of an environment": len(plan.settings),
        "change of a tenant": len(plan.tenants),
    }
    return "**It changes: " + ", ".join(f"{count} x {name}" for name, count in counts.items() if count) + ".**"


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", text] if text else []


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(text)}" for text in texts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    found = list(rows)
    return markdown_table(head, found) if found else ""


def _records(plan: ChangePlan) -> str:
    why = {(one.name, one.type): one.why for one in plan.reasons}
    parts = []
    for one in plan.changed_records:
        kinds = ", ".join(RECORD_RESULTS[kind].label if kind in RECORD_RESULTS else kind for kind in one.kinds)
        parts.append(f"### {_plain(one.name)} {_plain(one.type)}{f' ({_plain(kinds)})' if kinds else ''}")
        parts.append(
            "\n".join([*_values(one), *(f"- why: {_plain(text)}" for text in why.get((one.name, one.type), ()))])
        )
    return "\n\n".join(parts)


def _values(record: PlannedRecord) -> Iterator[str]:
    """What goes, what comes, and what stays beside it."""
    before, after = _of(record.before), _of(record.after)
    yield from (f"- before: {_code(value)}" for value in departed(before, after))
    yield from (f"- after: {_code(value)}" for value in departed(after, before))
    if record.before and record.after and record.before.ttl != record.after.ttl:
        yield f"- TTL: {record.before.ttl} before, {record.after.ttl} after"
    elif not record.before or not record.after:
        yield f"- {'new' if record.after else 'goes'}, TTL {(record.after or record.before or _NONE).ttl}"
    stays = len(before) - len(departed(before, after))
    if stays:
        yield f"- {'one other value stays as it is' if stays == 1 else f'{stays} other values stay as they are'}"


_NONE = PlannedRrset(0, ())


def _of(rrset: PlannedRrset | None) -> tuple[str, ...]:
    return rrset.values if rrset else ()


def _files(plan: ChangePlan) -> Iterator[Sequence[str]]:
    for one in plan.files:
        yield _code(one.path), _plain(one.domain), _becomes(one.before, one.after)


def _settings(plan: ChangePlan) -> Iterator[Sequence[str]]:
    for one in plan.settings:
        what = "with what the tenant will hold" if one.after is None else _becomes(one.before, one.after)
        yield _plain(one.environment), _code(one.file), what


def _becomes(before: str | None, after: str | None) -> str:
    return "new" if before is None else "goes" if after is None else "changes"


def _tenants(plan: ChangePlan) -> Iterator[Sequence[str]]:
    for one in plan.tenants:
        yield _plain(", ".join(one.environments)), _plain(one.what), _code(one.before), _code(one.after)


def _senders(senders: Iterable[JudgedSender]) -> str:
    """Those of which there is something to tell, and how many there are of the others."""
    loud = [one for one in senders if (one.before, one.after, one.next) != ("pass", "pass", None)]
    quiet = sum((one.before, one.after, one.next) == ("pass", "pass", None) for one in senders)
    rows = ((_plain(one.group), _plain(one.address), one.before, one.after, _plain(_reason(one))) for one in loud)
    table = _table(("environment", "sender", "before", "after", "why, and what to do"), rows)
    same = f"{quiet} senders pass as they did before." if quiet else ""
    return "\n\n".join(part for part in (table, same) if part)


def _reason(sender: JudgedSender) -> str:
    return f"{sender.reason}; next: {sender.next}" if sender.next else sender.reason


def _last(plan: ChangePlan) -> str:
    return (
        "It rests on the declarations, the catalogue and the live records of the moment at which it was made. "
        f"{markdown_code('ansible-playbook mailroom.erp.apply')} does exactly this, or nothing."
    )


def _plain(text: str) -> str:
    return markdown_plain(escape_controls(text))


def _code(text: str) -> str:
    return markdown_code(escape_controls(text))
