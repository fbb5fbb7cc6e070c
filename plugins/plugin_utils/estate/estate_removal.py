# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is removed from the DNS, and why what a decommissioned environment leaves there may not be removed in a run.

Source of the rule: docs/inventory.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds


def refused_removals(domain: str, hosts: Iterable[HostNeeds], options: EstateOptions) -> list[Problem]:
    """Say why nothing may be removed at a domain: another sender may need it, of whom this run knows nothing.

    :param domain: the name as A-labels
    :param hosts: all hosts, sorted
    :param options: whether the run knows every sender
    :returns: one problem for each decommissioned environment of the domain; empty when the run knows every sender
    """
    if options.knows_every_sender:
        return []
    rule, way_out = _rule_and_way_out(options)
    gone = [host for host in hosts if host.is_decommissioned and host.needs_domain(domain)]
    where = f"erp_mail_state of {domain}"
    return [INVENTORY_RULES.problem(host.host, where, "absent", rule, way_out) for host in gone]


_FLATTENING = ("flatten", "flatten_refresh", "other_flattened")
_LISTED, _SINGLE = ("dkim", "cnames"), ("dmarc", "tls_rpt", "mta_sts")


def only_removals(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """What of an entry for ``mail_domains`` takes something away.

    :param entry: as the estate's plan has it
    :returns: the same domain and account with that alone; None where there is no such thing
    """
    parts = {kind: one for kind, one in entry.items() if isinstance(one, Mapping)}
    spf = parts.get("spf", {})
    kept = {name: spf[name] for name in ("absent_terms", "kept_terms", *_FLATTENING) if spf.get(name)}
    found: dict[str, Any] = {"spf": {"terms": [], **kept}} if spf.get("absent_terms") else {}
    for kind in _LISTED:
        listed = entry.get(kind) if isinstance(entry.get(kind), list) else []
        gone = [one for one in listed or () if isinstance(one, Mapping) and one.get("state") == "absent"]
        found |= {kind: gone} if gone else {}
    found |= {kind: parts[kind] for kind in _SINGLE if parts.get(kind, {}).get("state") == "absent"}
    about = {name: entry[name] for name in ("domain", "dns", "zone", "ttl") if name in entry}
    return {**about, "spf": None, **found} if found else None


def _rule_and_way_out(options: EstateOptions) -> tuple[str, str]:
    if options.limit:
        return "terms are not removed under --limit: another host may need them", "Run without --limit."
    if options.left_out:
        names = ", ".join(options.left_out)
        return f"terms are not removed while hosts that may need them are not in this play: {names}", "Add them."
    rule = "terms are removed only when this inventory holds every sender of the domain"
    return rule, "Set mail_dns_complete: true when that is so."
