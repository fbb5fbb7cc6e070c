# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The values that pass between the plan and the providers: RRsets as found, and changes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

Key = tuple[str, str]
"""Owner name (lower-case A-labels, no trailing dot) and record type ("TXT", "CNAME", "MX")."""


@dataclass(frozen=True, slots=True)
class RRset:
    """All records of one name and type (RFC 2181 section 5).

    ``values`` holds TXT data decoded (character-strings joined, bytes as UTF-8 with surrogateescape, see
    ``policy.txt``), CNAME targets as lower-case names without the trailing dot, MX records as :func:`mx_value` writes
    them; ``ttl`` is in seconds.
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]

    @property
    def key(self) -> Key:
        return (self.name, self.type)


def values_of(rrset: RRset | None) -> tuple[str, ...]:
    """The values of an RRset; one that does not exist has none."""
    return rrset.values if rrset else ()


def is_same(one: RRset | None, other: RRset | None) -> bool:
    """Tell whether two RRsets have the same TTL and the same values, in any order; None is one that does not exist."""
    if one is None or other is None:
        return one is other
    return one.ttl == other.ttl and sorted(one.values) == sorted(other.values)


def mx_value(preference: int, host: str) -> str:
    """How an RRset shows one MX record (RFC 1035 section 3.3.9): the preference, a space, and the host.

    :param host: a name in any case, with or without the trailing dot; the root is a dot (a null MX, RFC 7505)
    """
    return f"{preference} {host.lower().rstrip('.') or '.'}"


def mx_parts(value: str) -> tuple[int, str]:
    """Preference and host of an MX record; what :func:`mx_value` undoes.

    :raises ValueError: the text is none
    """
    preference, space, host = value.partition(" ")
    if not space or not host or not preference.isascii() or not preference.isdigit() or int(preference) > 65535:
        raise ValueError("an MX record is a preference from 0 to 65535 and a host (RFC 1035 section 3.3.9)")
    return int(preference), host


@dataclass(frozen=True, slots=True)
class Change:
    """One RRset from ``before`` to ``after``; None means that it does not exist. Never both None."""

    before: RRset | None
    after: RRset | None

    @property
    def changes_ttl(self) -> bool:
        """Whether an RRset that stays gets another TTL."""
        return self.before is not None and self.after is not None and self.before.ttl != self.after.ttl

    @property
    def key(self) -> Key:
        rrset = self.after or self.before
        if rrset is None:
            raise ValueError("a change is from something or to something")
        return rrset.key


@dataclass(frozen=True, slots=True)
class ZoneState:
    """What a provider read: the RRsets that exist among the names asked for, and its token for compare-and-swap.

    An RRset of type CNAME found at a name that was asked for another type is always included. ``elsewhere`` maps the
    names that are delegated away from this zone to the zone or name server that holds them; their RRsets are not read.
    ``locked`` maps RRsets to those of their values that the service lets nobody change, with ``locked_by`` saying why
    and the way out.
    """

    zone: str
    rrsets: Mapping[Key, RRset]
    token: object
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    locked: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    locked_by: str = ""

    def lock_on(self, change: Change) -> str | None:
        """The locked value that a change would touch; None when it touches none.

        :param change: planned on this state
        """
        staying = () if change.changes_ttl else values_of(change.after)
        return next((value for value in self.locked.get(change.key, ()) if value not in staying), None)

    def held(self, change: Change) -> str | None:
        """Why the service would not let a change be made, with the way out; None when it would."""
        value = self.lock_on(change)
        name, rdtype = change.key
        return value and f"{name}: the {rdtype} record {shown(value)} would have to change, but {self.locked_by}"
