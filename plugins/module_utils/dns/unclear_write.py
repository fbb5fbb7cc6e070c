# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A write went wrong on a service that makes changes one by one: what a second look says of how far it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, is_same


def judge_unclear_write(
    zone: str, changes: Sequence[Change], found: Mapping[Key, RRset | None], failed: ProviderError
) -> None:
    """Return when all changes are done; else say what the caller can do.

    :param zone: the apex
    :param changes: what was to be done
    :param found: the RRset of each change as it is now
    :param failed: what went wrong
    :raises Conflict: nothing was done, or somebody else's change stands there, so that it may be tried again
    :raises ProviderError: the zone is changed in part
    """
    if all(is_same(found[change.key], change.after) for change in changes):
        return
    if all(is_same(found[change.key], change.before) for change in changes):
        raise Conflict(f"{failed}; zone {zone} is as it was. Run again when the service is well")
    if any(_foreign(found[change.key], change) for change in changes):
        raise Conflict(f"{failed}; zone {zone} is neither as it was nor as planned: someone else changes it")
    raise ProviderError(
        f"{failed}; zone {zone} is changed in part. The snapshot holds what was there; run again to do what is left"
    )


def _foreign(found: RRset | None, change: Change) -> set[str]:
    """The values that are there neither by what was read nor by our change."""
    known = {value for rrset in (change.before, change.after) if rrset for value in rrset.values}
    return set(found.values) - known if found else set()
