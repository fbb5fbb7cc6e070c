# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""From a snapshot back to what was: value by value, so that what others have published since stays."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, ZoneState, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_KINDS
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_SOURCE = "docs/restore.md"


def unheld(changes: Sequence[Change], state: ZoneState) -> tuple[list[Change], list[str]]:
    """Leave out what the service lets nobody change, and what waits for that at the same name. Pure.

    :param changes: as :func:`plan_zone` gives them
    :param state: what they were planned on
    :returns: the others, and why each of these is held
    """
    held = {change.key: reason for change in changes if (reason := state.held(change))}
    # An alias comes or goes with what else is at its name (RFC 1034 section 3.6.2).
    stuck = {name for name, _rdtype in held if any(change.key == (name, "CNAME") for change in changes)}
    free = [change for change in changes if change.key not in held and change.key[0] not in stuck]
    return free, list(held.values())


def plan_zone(done: Sequence[Change], state: ZoneState, force: bool) -> list[Change]:
    """Plan how the records of one zone come to be again as they were before a run. Pure.

    :param done: what the run did, by the snapshot
    :param state: the same records, and any CNAME or TXT beside them, as they are now
    :param force: True restores a record also when it was changed since the run
    :returns: the changes, none for a record that is as it was
    :raises Refused: with each record that was changed since, or cannot stand where it stood
    """
    problems, changes = [], []
    for change in done:
        problem = _delegated(change, state) or (None if force else _changed_since(change, state))
        if problem:
            problems.append(problem)
        elif back := _back(change, state.rrsets.get(change.key)):
            changes.append(back)
    problems += _crowded(changes, state)
    if problems:
        raise Refused(problems)
    return changes


def _delegated(change: Change, state: ZoneState) -> Problem | None:
    name, rdtype = change.key
    if name not in state.elsewhere:
        return None
    rule = f"this name has been delegated to {state.elsewhere[name]} since"
    return Problem(name, rdtype, None, rule, "RFC 1034 section 4.2", "Restore it there by hand, or leave its zone out.")


def _changed_since(change: Change, state: ZoneState) -> Problem | None:
    """A record is as the run left it, or as it was before; else somebody has changed it."""
    found = state.rrsets.get(change.key)
    here = _sorted(_ours(change, found))
    as_known = here in (_sorted(_ours(change, change.before)), _sorted(_ours(change, change.after)))
    if as_known and not _ttl_is_foreign(change, found):
        return None
    shown = "; ".join(_ours(change, found)) or None
    rule = "it was changed after this snapshot's run: it is neither as the run left it nor as it was before"
    way_out = "Look at it; then restore it all the same with changed_since: restore, or leave its zone out."
    return Problem(*change.key, shown, rule, _SOURCE, way_out)


def _ttl_is_foreign(change: Change, found: RRset | None) -> bool:
    if not change.changes_ttl or change.before is None or change.after is None:
        return False
    return found is None or found.ttl not in (change.before.ttl, change.after.ttl)


def _back(change: Change, found: RRset | None) -> Change | None:
    """Our values as they were, in their place; all others as they are."""
    here, ours = values_of(found), _ours(change, found)
    wanted = _ours(change, change.before)
    if found is None and not _kinds(change):
        # The run changed the TTL only, and the whole RRset is gone.
        wanted = list(values_of(change.before))
    place = here.index(ours[0]) if ours else len(here)
    kept_before, rest = here[:place], here[place:]
    values = (*kept_before, *wanted, *departed(rest, ours))
    ttl = found.ttl if found else 0
    if change.before and (found is None or change.changes_ttl):
        ttl = change.before.ttl
    result = RRset(*change.key, ttl, values) if values else None
    same = _sorted(values) == _sorted(here) and (found is None or ttl == found.ttl)
    return None if same else Change(found, result)


def _ours(change: Change, rrset: RRset | None) -> list[str]:
    """The values of an RRset that are the same record as one that the run took away or added."""
    kinds = _kinds(change)
    return [value for value in values_of(rrset) if _kind(change, value) in kinds]


def _kinds(change: Change) -> set[str]:
    before, after = values_of(change.before), values_of(change.after)
    return {_kind(change, value) for value in (*departed(before, after), *departed(after, before))}


def _kind(change: Change, value: str) -> str:
    """What makes two values versions of one record: a name has one SPF record, whatever it says."""
    if change.key[1] != "TXT":
        return change.key[1]
    told = (kind.option for kind in RECORD_KINDS if kind.is_record is not None and kind.is_record(value))
    return next(told, f"the value {value}")


def _crowded(changes: Sequence[Change], state: ZoneState) -> list[Problem]:
    """A CNAME stands alone at its name (RFC 1034 section 3.6.2)."""
    after = {**state.rrsets, **{change.key: change.after for change in changes}}
    problems = []
    for change in changes:
        name, rdtype = change.key
        other = "TXT" if rdtype == "CNAME" else "CNAME"
        if change.after and after.get((name, other)):
            rule = f"there is a {other} record at this name now, and a CNAME stands beside no other data"
            way_out = "Remove that record, or leave this zone out."
            problems.append(Problem(name, rdtype, None, rule, "RFC 1034 section 3.6.2", way_out))
    return problems


def _sorted(values: Sequence[str]) -> list[str]:
    return sorted(values)
