# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Between octoDNS's records and RRsets, in both directions."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, mx_parts, mx_value
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

with contextlib.suppress(ImportError):
    from octodns.record import Record
    from octodns.zone import Zone

_PLAIN = re.compile(r"[ !#-\[\]-~]+")
"""Visible ASCII and spaces, no quotation mark and no backslash: what every class carries unchanged."""
_OURS = ("TXT", "CNAME", "MX")

MOST_RECORDS = 500_000
"""Records of one zone that are read: a service that hands out pages without end is not heard to the end."""
MOST_CHARACTERS = 256 * 1024 * 1024
"""Characters that their values may have together."""
MOST_ZONES = 1_000_000
"""Zones that a class may list."""

OctodnsFacts = Mapping[str, tuple[str, ...]]
"""Name to all that octoDNS shows at it, each record as one text that can be compared."""


def empty_zone(zone: str) -> Any:
    """A zone of octoDNS without records.

    :param zone: the apex, as A-labels
    """
    return Zone(f"{zone}.", [])


def populated(source: Any, zone: str) -> tuple[bool | None, Any]:
    """Let a provider of octoDNS read a whole zone, as it does before it plans.

    :param zone: the apex, as A-labels
    :returns: whether the zone exists (None: it does not tell), and the zone
    """
    found = empty_zone(zone)
    _bound(found)
    return source.populate(found, target=True, lenient=True), found


def zones_of(source: Any) -> list[str]:
    """The zones that a provider of octoDNS lists.

    :raises ProviderError: there is no end of them
    """
    found = [str(zone) for zone in itertools.islice(source.list_zones(), MOST_ZONES + 1)]
    if len(found) > MOST_ZONES:
        raise ProviderError(f"it lists more than {MOST_ZONES} zones. Name those that are wanted in dns.zones")
    return found


def _bound(zone: Any) -> None:
    """Have a zone of octoDNS take no more than :data:`MOST_RECORDS` and :data:`MOST_CHARACTERS`."""
    add, taken = zone.add_record, [0, 0]

    def add_bounded(record: Any, *arguments: Any, **named: Any) -> None:
        taken[0] += 1
        taken[1] += len(str(getattr(record, "values", None) or record.value))
        if taken[0] > MOST_RECORDS or taken[1] > MOST_CHARACTERS:
            raise ProviderError(
                f"zone {zone.name}: it shows more than {MOST_RECORDS} records or {MOST_CHARACTERS} characters, "
                "and is not read to the end. Use another class or provider"
            )
        add(record, *arguments, **named)

    zone.add_record = add_bounded


def octodns_name(record: Any) -> str:
    """The owner name of a record, as A-labels without the trailing dot."""
    return str(record.fqdn).lower().removesuffix(".")


def key_of(record: Any) -> Key:
    """Owner name and type of a record."""
    return (octodns_name(record), str(record._type))


def octodns_rrset(record: Any) -> RRset:
    """The RRset that an octoDNS record stands for, its values sorted.

    :raises ProviderError: it is one that cannot be changed without a loss
    """
    name, rdtype = key_of(record)
    if rdtype in _OURS and (getattr(record, "dynamic", None) or getattr(record, "geo", None)):
        raise ProviderError(f"{name} {rdtype} depends on who asks (dynamic, geo). Change it where it was made")
    values = [str(value) for value in getattr(record, "values", None) or [record.value]]
    if rdtype == "TXT":
        values = [_decoded(name, value) for value in values]
    elif rdtype == "CNAME":
        values = [value.lower().removesuffix(".") for value in values]
    elif rdtype == "MX":
        values = [mx_value(value.preference, str(value.exchange)) for value in record.values]
    return RRset(name, rdtype, int(record.ttl), tuple(sorted(values)))


def facts(records: Iterable[Any], names: Collection[str]) -> OctodnsFacts:
    """What stands at some names, all types, with what octoDNS keeps beside the values."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for record in records:
        if (name := octodns_name(record)) in found:
            found[name].append(json.dumps([record._type, record.data], sort_keys=True, default=str))
    return {name: tuple(sorted(texts)) for name, texts in found.items()}


def cuts(records: Iterable[Any], zone: str, names: Iterable[str]) -> dict[str, str]:
    """The names that are delegated away from the zone, each with where."""
    owners = {octodns_name(record) for record in records if record._type == "NS"} - {zone}
    holders = ((name, next((cut for cut in sorted(owners, key=len) if is_inside(name, cut)), None)) for name in names)
    return {name: cut for name, cut in holders if cut is not None}


def changed(existing: Any, changes: Sequence[Change]) -> Any:
    """A copy of a zone with changes made.

    What octoDNS keeps of a record beside its values (a comment, for example) stays.

    :raises ProviderError: a value that not every class carries unchanged
    """
    desired = existing.copy()
    old = {key_of(record): record for record in existing.records}
    for change in changes:
        if change.key in old:
            desired.remove_record(old[change.key])
    for change in changes:
        if change.after:
            desired.add_record(_record(desired, change.after, old.get(change.key)), lenient=True)
    return desired


def _record(zone: Any, rrset: RRset, old: Any) -> Any:
    kept = {name: value for name, value in (old.data if old else {}).items() if name not in ("value", "values")}
    data: dict[str, Any] = {**kept, "type": rrset.type, "ttl": rrset.ttl}
    if rrset.type == "TXT":
        data["values"] = [_encoded(rrset.name, value) for value in rrset.values]
    elif rrset.type == "MX":
        parts = [mx_parts(value) for value in rrset.values]
        data["values"] = [{"preference": number, "exchange": f"{host.rstrip('.')}."} for number, host in parts]
    else:
        data["value"] = f"{rrset.values[0]}."
    return Record.new(zone, zone.hostname_from_fqdn(f"{rrset.name}."), data, lenient=True)


def _decoded(name: str, text: str) -> str:
    r"""octoDNS holds TXT data with ``;`` written as ``\;``."""
    return _plain(name, text.replace("\\;", ";"))


def _encoded(name: str, value: str) -> str:
    return _plain(name, value).replace(";", "\\;")


def _plain(name: str, value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise ProviderError(
            f"{name}: the TXT value {shown(value)} is one that octoDNS does not carry unchanged (quotation marks, "
            "backslashes, characters beyond ASCII, nothing at all). Use another provider for this name"
        )
    return value
