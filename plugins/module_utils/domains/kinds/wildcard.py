# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A wildcard answers for a name only as long as the name has no record of its own (RFC 4592 section 2.2.1)."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved

_ADDRESSES = ("A", "AAAA")
_TYPES = ("MX", *_ADDRESSES)


def ended_wildcard(name: str, world: World) -> str | None:
    """Warn when a first record at a name takes away what a wildcard above gives it.

    Whether the answers come from the wildcard or from equal records of the name's own cannot be told from outside, so
    this is a warning and no refusal.

    :param name: where a first record will stand, as A-labels
    :returns: one sentence, or None when no wildcard answers for the name; what cannot be looked up is told too
    """
    for wildcard in _wildcards(name):
        try:
            given = [
                rdtype for rdtype in _TYPES if world.lookup(wildcard, rdtype) and _same(name, wildcard, rdtype, world)
            ]
        except Unresolved as reason:
            return _untold(name, wildcard, reason)
        if given:
            return (
                f"{name}: its {' and '.join(given)} come from the wildcard {wildcard}, which ends with its first own "
                "record (RFC 4592 section 2.2.1); unless it has them itself, add them to the zone"
            )
    return None


def ended_mail(name: str, world: World) -> str | None:
    """Warn when a first record at a name, a null MX, takes away the mail that a wildcard above lets it take.

    :param name: where the null MX will stand, as A-labels
    :param world: with the null MX
    :returns: one sentence, or None when no wildcard with an MX answers for the name, as far as its addresses tell; what
        cannot be looked up is told too
    """
    for wildcard in _wildcards(name):
        try:
            hosts = world.lookup(wildcard, "MX")
            if hosts not in ((), (".",)) and all(_same(name, wildcard, rdtype, world) for rdtype in _ADDRESSES):
                return (
                    f"{name}: unless it has records of its own, it takes mail at {', '.join(hosts)} by the wildcard "
                    f"{wildcard}, which ends with the null MX (RFC 4592 section 2.2.1)"
                )
        except Unresolved as reason:
            return _untold(name, wildcard, reason)
    return None


def _untold(name: str, wildcard: str, reason: Unresolved) -> str:
    return f"{name}: whether the wildcard {wildcard} answers for it until now cannot be looked up: {reason}"


def _wildcards(name: str) -> Iterator[str]:
    parent = name.partition(".")[2]
    while "." in parent:
        yield f"*.{parent}"
        parent = parent.partition(".")[2]


def _same(name: str, wildcard: str, rdtype: str, world: World) -> bool:
    return world.lookup(name, rdtype) == world.lookup(wildcard, rdtype)
