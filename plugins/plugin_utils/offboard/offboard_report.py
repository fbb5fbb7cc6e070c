# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads of a run of offboard: each environment that leaves with its stages, and what stays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import PlannedRecord, PlannedRrset
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import SELECTORS, TENANT, TERMS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.leaving_estate import told_stages
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_stages import (
    DONE,
    POLICY,
    WAITING,
    Stage,
    looked_at,
)


def what_is_left(
    needs: Mapping[str, Any], records: Iterable[PlannedRecord], in_tenant: bool, files: bool
) -> dict[str, bool]:
    """What a look has shown to be still there, of what may go.

    :param needs: of the environment
    :param records: as they are, and as they will be
    :param in_tenant: whether something of it in its tenant is to change
    :param files: whether it has settings or sheets
    :returns: by stage; one that has nothing left is done
    """
    changing = {one.name: one for one in records if one.changes}
    keys = {f"{one['selector']}._domainkey.{domain}" for domain, found in needs["dkim"].items() for one in found}
    aliases = {str(one["name"]) for one in needs["cnames"]}
    return {
        TENANT: in_tenant,
        SELECTORS: bool(keys & set(changing)),
        TERMS: any(_loses(needs["domains"][name], one) for name, one in changing.items() if name in needs["domains"]),
        POLICY: files or bool(aliases & set(changing)),
    }


def _loses(terms: Iterable[Mapping[str, Any]], record: PlannedRecord) -> bool:
    """Whether a change takes one of these terms out of an SPF record."""
    gone = _words(record.before) - _words(record.after)
    return any(term_key(one["term"]) in gone for one in terms)


def _words(rrset: PlannedRrset | None) -> set[object]:
    values = [value for value in (rrset.values if rrset else ()) if value.lower().startswith("v=spf1")]
    return {term_key(word) for value in values for word in value.split()[1:]}


def offboard_lines(
    told: Mapping[str, Mapping[str, Any]],
    domains: Mapping[str, Iterable[str]],
    left: Mapping[str, Mapping[str, bool]],
    check_mode: bool,
) -> Iterator[str]:
    """Say where each environment stands.

    :param told: as ``leaving_estate`` tells it, by environment
    :param domains: those that leave, each with why its policies stay
    :param left: what is still there, by environment; see :func:`what_is_left`
    :param check_mode: nothing is written
    """
    count = len(told)
    yield f"offboard: {count} environment{'s leave' if count != 1 else ' leaves'}."
    if not told:
        yield "  None is declared to leave: write erp_mail_state: leaving for it (docs/offboard.md)."
    for host, one in sorted(told.items()):
        yield f"  {host}"
        stages = looked_at(told_stages(one), left.get(host, {}))
        yield from (f"    {stage.name:<10} {_state(stage, check_mode)}" for stage in stages)
        yield from (f"    stays: {text}" for text in one["kept"])
        if all(stage.state == DONE for stage in stages):
            yield f"    {host} has left: take it out of the inventory."
    for name, reasons in sorted(domains.items()):
        told_reasons = "; ".join(reasons)
        yield f"  the policies of {name} {'stay: ' + told_reasons if told_reasons else 'go'}"


def _state(stage: Stage, check_mode: bool) -> str:
    if stage.state == WAITING:
        day = f"until {stage.until}" if stage.until else ""
        return f"waits {day}: {stage.reason}" if day else f"waits: {stage.reason}"
    if stage.state == DONE:
        return f"done: {stage.reason}" if stage.reason else "done"
    return "would be done by this run" if check_mode else "is done by this run"
