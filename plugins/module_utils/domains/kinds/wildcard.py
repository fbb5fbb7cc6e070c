# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A wildcard answers for a name only as long as the name has no record of its own (RFC 4592 section 2.2.1)."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved

_TYPES = ("MX", "A", "AAAA")


def ended_wildcard(name: str, world: World) -> str | None:
    """Warn when a first record at a name takes away what a wildcard above gives it.

    Whether the answers come from the wildcard or from equal records of the name's own cannot be told from outside, so
    this is a warning and no refusal.

    :param name: where a first record will stand, as A-labels
    :returns: one sentence, or None when no wildcard answers for the name
    """
    parent = name.partition(".")[2]
    while "." in parent:
        try:
            given = [rdtype for rdtype in _TYPES if _same(name, f"*.{parent}", rdtype, world)]
        except Unresolved:
            return None
        if given:
            return (
                f"{name}: its {' and '.join(given)} come from the wildcard *.{parent}, which ends with its first own "
                "record (RFC 4592 section 2.2.1); unless it has them itself, add them to the zone"
            )
        parent = parent.partition(".")[2]
    return None


def _same(name: str, wildcard: str, rdtype: str, world: World) -> bool:
    values = world.lookup(wildcard, rdtype)
    return bool(values) and world.lookup(name, rdtype) == values
