# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Adds up the DKIM selectors and other aliases of one domain: declared, needed, and left by decommissioned hosts.

Source of the rules: docs/inventory.md, and for services that want SPF first or a TTL their own documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import (
    ALIASES,
    LEAVING,
    SELECTORS,
    part_state,
)

_AFAS_RULES = RuleSource('AFAS Profit help, "Set the email server and sender"')
_TTL = 3600
_DECLARED = "mail_dns_domains"


@dataclass(slots=True)
class EstateSelectors:
    """The selectors, or other aliases, of one domain: ``entries`` as ``mail_domains`` takes them; ``removes`` tells
    that some are taken away."""

    entries: list[Any] = field(default_factory=list)
    removes: bool = False
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def selectors_of(
    name: str, declared: Mapping[str, Any], needs: Iterable[tuple[str, Mapping[str, Any]]], has_spf: bool
) -> EstateSelectors:
    """Add up the selectors of a domain.

    :param name: the domain as A-labels
    :param declared: its entry in mail_dns_domains
    :param needs: (host, what role erp_mail published for it), sorted by host
    :param has_spf: SPF terms are planned for the domain in this run
    :returns: entries in the order of declaration, then of the hosts; conflicts name both sides
    """
    own = declared.get("dkim") or []
    if not isinstance(own, list) or not all(isinstance(entry, Mapping) for entry in own):
        return EstateSelectors(own if isinstance(own, list) else [own])  # mail_domains says what is wrong with it
    result = EstateSelectors()
    wanted = {str(entry.get("selector")).lower(): (_DECLARED, entry) for entry in own}
    listed = [
        (host, part_state(need, SELECTORS), one) for host, need in needs for one in need.get("dkim", {}).get(name, [])
    ]
    for host, _state, selector in (one for one in listed if one[1] == "present"):
        _add(name, host, selector, wanted, result)
        if selector["after_spf"]:
            _judge_afas(name, host, declared, has_spf, result)
    needed = {*wanted, *(one["selector"] for _host, state, one in listed if state == LEAVING)}
    gone = {one["selector"]: one for _host, state, one in listed if state == "absent" and one["selector"] not in needed}
    result.entries = [entry for _holder, entry in wanted.values()]
    result.entries += [{**_entry(one), "state": "absent", "validate": "ignore"} for one in gone.values()]
    result.removes = bool(gone)
    return result


def aliases_of(name: str, needs: Iterable[Mapping[str, Any]], below: Iterable[str]) -> EstateSelectors:
    """Add up the other CNAMEs that services ask for below a domain, e.g. for SendGrid's envelope sender.

    :param name: the domain as A-labels
    :param needs: what role erp_mail published for each host
    :param below: the domains of ours at or below it; a name belongs to the nearest
    :returns: entries for ``cnames`` of ``mail_domains``, sorted by name; conflicts name both targets
    """
    result = EstateSelectors()
    nearer = [other for other in below if other != name]
    wanted: dict[str, str] = {}
    held: dict[str, str] = {}
    gone: dict[str, str] = {}
    found = {"present": wanted, LEAVING: held, "absent": gone}
    for need in needs:
        state = part_state(need, ALIASES)
        for one in need.get("cnames", []):
            if is_inside(one["name"], name) and not any(is_inside(one["name"], other) for other in nearer):
                found[state].setdefault(one["name"], one["target"])
                if state == "present" and wanted[one["name"]] != one["target"]:
                    rule = f"two environments want it to be an alias of {wanted[one['name']]} and of {one['target']}"
                    way_out = "Declare it alike."
                    result.problems.append(INVENTORY_RULES.problem(name, "CNAME", one["name"], rule, way_out))
    left = {alias: target for alias, target in gone.items() if alias not in {**wanted, **held}}
    result.entries = [{"name": alias, "target": target} for alias, target in sorted(wanted.items())]
    result.entries += [{"name": alias, "target": target, "state": "absent"} for alias, target in sorted(left.items())]
    result.removes = bool(left)
    return result


def _add(name: str, host: str, selector: Mapping[str, Any], wanted: dict[str, Any], result: EstateSelectors) -> None:
    entry = _entry(selector)
    holder, known = wanted.setdefault(selector["selector"], (host, entry))
    if known is entry:
        return
    if known.get("state", "present") != "present" or _key(known, name) != _key(entry, name):
        rule = f"{holder} and {host} want two different things at this selector"
        way_out = "Declare it once, or alike."
        result.problems.append(INVENTORY_RULES.problem(name, "dkim", selector["selector"], rule, way_out))


def _judge_afas(name: str, host: str, declared: Mapping[str, Any], has_spf: bool, result: EstateSelectors) -> None:
    where = f"erp_mail_dkim.{name}"
    if not has_spf:
        rule = "the SPF record must stand before DKIM is requested, and no SPF term is planned for this domain"
        way_out = "Let a sender of AFAS Online be at this domain."
        result.problems.append(_AFAS_RULES.problem(host, where, None, rule, way_out))
    ttl = declared.get("ttl")
    if ttl not in (None, _TTL):
        rule = f"a TTL of 1 hour ({_TTL}) is recommended for both CNAME records"
        warning = _AFAS_RULES.problem(name, "mail_dns_domains.ttl", str(ttl), rule, "Leave ttl out.")
        result.warnings.append(warning)


def _entry(selector: Mapping[str, Any]) -> dict[str, Any]:
    return {key: selector[key] for key in ("selector", "target", "public_key") if key in selector}


def _key(entry: Mapping[str, Any], domain: str) -> tuple[str, str]:
    """What two entries of one selector have in common when they mean the same record."""
    target = str(entry.get("target") or "").replace("{domain}", domain).replace("{selector}", str(entry["selector"]))
    return target.lower().rstrip("."), "".join(str(entry.get("public_key") or "").split())
