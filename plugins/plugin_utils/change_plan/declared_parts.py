# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""All that was declared, part by part, as digests: so that a plan can tell what has changed since it was made.

No secret goes in, so a rotated key changes no plan, and no digest can be searched for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import public_options
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import digest_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import DeclaredPart
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json

THE_RUN = "the run"
_NOTHING: tuple[Any, ...] = (None, [], {})
_SIGN_IN = ("tenant_id", "client_id")


def declared_parts(
    judged: Mapping[str, Any], plan: Mapping[str, Any], run: Mapping[str, Any], root: str
) -> tuple[DeclaredPart, ...]:
    """Take apart what a run was told to do.

    :param judged: the result of ``erp_environments_info``
    :param plan: the result of ``erp_environments_plan``
    :param run: what else the run was told, by variable; no secrets
    :param root: the folder of the inventory: another machine may have it elsewhere
    :returns: environments, domains, senders, tenants, and the run as a whole, each with its digest
    """
    parts = [*_environments(judged), *_domains(plan), *_senders(plan), *_tenants(judged)]
    whole = {name: plan[name] for name in ("names", "mx_services", "complete")}
    parts.append((THE_RUN, {**whole, **run}))
    return tuple(DeclaredPart(subject, digest_of(_placed(value, root))) for subject, value in parts)


def _environments(judged: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for host, declaration in sorted(judged["declarations"].items()):
        options = declaration["options"].items()
        # an empty list says no more than none: whether a role's default is seen depends on the play
        yield f"environment {host}", {name: one for name, one in options if name != "made" and one not in _NOTHING}


def _domains(plan: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for entry in sorted(plan["domains"], key=lambda one: str(one["domain"])):
        account = entry.get("dns") or plan["dns"]
        yield f"domain {entry['domain']}", {**entry, "dns": public_options(account) if account else None}


def _senders(plan: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    found: dict[str, list[Any]] = {}
    for sender in plan["senders"]:
        found.setdefault(f"sender {sender['from']}", []).append(sender)
    for subject, senders in sorted(found.items()):
        yield subject, sorted(senders, key=canonical_json)


def _tenants(judged: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for tenant_id, one in sorted(judged["tenants"].items()):
        sign_in = {name: one["tenant"].get(name) for name in _SIGN_IN}
        yield f"tenant {tenant_id}", {"sign_in": sign_in, "environments": _sorted(one["environments"])}


def _sorted(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(entries, key=lambda one: str(one["environment"]))


def _placed(value: Any, root: str) -> Any:
    """The same with paths that begin at the inventory, wherever that lies."""
    if isinstance(value, str):
        return value.replace(root, "{inventory_dir}") if root else value
    if isinstance(value, Mapping):
        return {str(name): _placed(inner, root) for name, inner in value.items()}
    return [_placed(inner, root) for inner in value] if isinstance(value, (list, tuple)) else value
