# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Writes down what a run has read and planned, as a plan holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedFile,
    PlannedRecord,
    PlannedRrset,
    RecordsPlan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import ZoneRecords
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import escaped


def records_plan(works: Iterable[ZoneRecords]) -> RecordsPlan:
    """Write down what was read and planned; zones that failed are left out.

    :param works: the zones of a run, read, planned and judged
    """
    sound = [work for work in works if not work.failed]
    records = [record for work in sound for record in _records(work)]
    files = [one for work in sound for one in _files(work)]
    return RecordsPlan(tuple(sorted(records, key=lambda one: one.identity)), tuple(sorted(files, key=_place)))


def _records(work: ZoneRecords) -> Iterator[PlannedRecord]:
    changes: dict[Key, Change] = {change.key: change for change in work.changes}
    owners: dict[Key, list[tuple[str, str]]] = {}
    for step in work.steps:
        keys = [*step.recipe.keys, *(change.key for change in step.changes)]
        for key in dict.fromkeys(keys):
            owners.setdefault(key, []).append((step.domain, step.recipe.kind))
    for key in sorted({*owners, *work.found}):
        name, rdtype = key
        found, named = work.found.get(key), owners.get(key, [])
        change = changes.get(key)
        yield PlannedRecord(
            zone=work.zone,
            view=work.view,
            name=name,
            type=rdtype,
            before=_planned(found),
            after=_planned(change.after if change else found),
            elsewhere=work.elsewhere.get(name),
            domains=tuple(sorted({domain for domain, _kind in named})),
            kinds=tuple(sorted({kind for _domain, kind in named})),
        )


def _files(work: ZoneRecords) -> Iterator[PlannedFile]:
    for step in work.steps:
        change = step.file_change
        if change is not None:
            yield PlannedFile(str(change.path), step.domain, _digest(change.before), _digest(change.after))


def _place(file: PlannedFile) -> tuple[str, str]:
    return (file.path, file.domain)


def _planned(rrset: RRset | None) -> PlannedRrset | None:
    return None if rrset is None else PlannedRrset(rrset.ttl, tuple(sorted(map(escaped, rrset.values))))


def _digest(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
