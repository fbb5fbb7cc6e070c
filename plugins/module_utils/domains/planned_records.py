# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Records as a plan holds them: as they are and as they will be, to be kept, signed, and compared with another day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec


@dataclass(frozen=True, slots=True)
class PlannedRrset:
    """The TTL in seconds and the values of an RRset, in printable characters as snapshots have them, and sorted: the
    DNS gives them no order."""

    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """One RRset that the run rests on, as it is (``before``) and as it will be (``after``); null where there is none.

    ``view``: which of the accounts that hold the zone, 0 unless several do. ``elsewhere``: who has the name, when it is
    delegated away. ``domains`` are those that it was read for, ``kinds`` the records that it is."""

    zone: str
    view: int
    name: str
    type: str
    before: PlannedRrset | None
    after: PlannedRrset | None
    elsewhere: str | None
    domains: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def identity(self) -> tuple[str, int, str, str]:
        """What tells the RRset from all others of the run."""
        return (self.zone, self.view, self.name, self.type)

    @property
    def changes(self) -> bool:
        """Whether the run makes something else of it."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that goes with a record of a domain: the SHA-256 of its text as it is and as it will be; null where there
    is none."""

    path: str
    domain: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RecordsPlan:
    """All RRsets that a run has read, those that it changes among them, and the files that it changes."""

    records: tuple[PlannedRecord, ...]
    files: tuple[PlannedFile, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data; :func:`read_records_plan` reads it."""
        return asdict(self)


_RRSET: dict[str, Any] = {
    "type": "dict",
    "options": {
        "ttl": {"type": "int", "required": True},
        "values": {"type": "list", "elements": "str", "required": True},
    },
}
_NAMES: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
AGREED_PLAN_OPTIONS: ArgumentSpec = {
    "records": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "zone": {"type": "str", "required": True},
            "view": {"type": "int", "default": 0},
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "required": True},
            "before": _RRSET,
            "after": _RRSET,
            "elsewhere": {"type": "str"},
            "domains": _NAMES,
            "kinds": _NAMES,
        },
    },
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "str", "required": True},
            "domain": {"type": "str", "required": True},
            "before": {"type": "str"},
            "after": {"type": "str"},
        },
    },
}
"""The option ``agreed_plan``: what :meth:`RecordsPlan.as_dict` gave."""


def read_records_plan(given: Mapping[str, Any]) -> RecordsPlan:
    """Read the option ``agreed_plan``.

    :param given: checked by :data:`AGREED_PLAN_OPTIONS`
    """
    records = [
        {**one, **{side: _rrset(one[side]) for side in ("before", "after")}, **_tuples(one)} for one in given["records"]
    ]
    return RecordsPlan(
        tuple(PlannedRecord(**one) for one in records), tuple(PlannedFile(**one) for one in given["files"])
    )


def _rrset(given: Mapping[str, Any] | None) -> PlannedRrset | None:
    return None if given is None else PlannedRrset(given["ttl"], tuple(given["values"]))


def _tuples(given: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(given[name]) for name in ("domains", "kinds")}
