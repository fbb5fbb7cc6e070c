# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The environments of all tenants of a task, many tenants at a time, each with a sign-in of its own; what fails in one
of them, or takes its time, stops no other."""

from __future__ import annotations

import datetime
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NoReturn

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module, Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import CredentialOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import TASK_FAILURES, Task
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.entra.environments import (
    Done,
    HandOver,
    TenantWork,
    find_senders,
    read_declared,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.secret_pipe import SecretPipe
from ansible_collections.mailroom.erp.plugins.module_utils.masked_secrets import register_secret
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_MOST_AT_ONCE = 16
"""Tenants that are worked on at the same time. Each waits for answers nearly all the time, and limits of the rate are a
tenant's own."""


@dataclass(frozen=True, slots=True)
class TenantOrder:
    """What is asked of one tenant: how to sign in to it, and its ``environments`` as they were given."""

    tenant: Mapping[str, Any]
    environments: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Brought:
    """What came of one tenant: of each environment by name, and why it was left before its end (None: it was not)."""

    tenant_id: str
    done: dict[str, Done]
    failure: str | None = None
    withdrew: bool = False
    warnings: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def problems(self) -> list[str]:
        """What failed, one sentence each."""
        own = [(name, problem) for name, one in self.done.items() for problem in one.problems]
        alone = [f"{name}: {problem}" for name, problem in own if problem != self.failure]
        return alone if self.failure is None else [self.failure, *alone]


def run_entra_environments(module: Module) -> NoReturn:
    """Do the task and end the module.

    :param module: the AnsibleModule
    """
    params = module.params
    try:
        orders = read_orders(params)
        pipe = SecretPipe(params["secrets_pipe"]) if params["secrets_pipe"] else None
    except Refused as refused:
        module.fail_json(msg=str(refused))
    brought = bring_tenants(module, orders, pipe)
    for warning in dict.fromkeys(warning for one in brought for warning in one.warnings):
        module.warn(warning)
    module.exit_json(**environments_result(brought))


def read_orders(params: Mapping[str, Any]) -> list[TenantOrder]:
    """What is asked of each tenant.

    :param params: of the module
    :raises Refused: an environment or a tenant is there twice, or an environment is of no tenant that is given
    """
    entries, tenants = params["environments"], params["tenants"]
    if tenants is None:
        tenants, entries = [params["tenant"]], [{**one, "tenant_id": None} for one in entries]
    owned: dict[str | None, list[Mapping[str, Any]]] = {}
    for one in entries:
        owned.setdefault(_tenant_key(one), []).append(one)
    orders = {_tenant_key(one) if params["tenants"] else None: one for one in tenants}
    problems = [*_twice(one["environment"] for one in entries), *_without_tenant(owned, orders)]
    if len(orders) < len(tenants):
        rule, way_out = "the same tenant is there twice", "Give it once, with all its environments."
        problems.append(ENTRA_RULES.problem("task", "tenants", None, rule, way_out))
    if problems:
        raise Refused(problems)
    return [TenantOrder(tenant, owned.get(key, [])) for key, tenant in orders.items() if key in owned or key is None]


def bring_tenants(module: Module, orders: Sequence[TenantOrder], pipe: SecretPipe | None) -> list[Brought]:
    """Bring all tenants to what was declared, many at a time.

    :param module: the AnsibleModule
    :param orders: each tenant once
    :param pipe: takes new secrets at once; None: they are in the result only
    :returns: what came of each, in the same order
    """
    with ThreadPoolExecutor(max(1, min(_MOST_AT_ONCE, len(orders))), thread_name_prefix="tenant") as threads:
        return list(threads.map(lambda order: _brought(module, order, pipe), orders))


def environments_result(brought: Iterable[Brought]) -> Result:
    """The return values of the module.

    :param brought: what came of each tenant
    """
    brought = list(brought)
    done = {name: one for tenant in brought for name, one in tenant.done.items()}
    found = {name: one.as_dict(tenant.tenant_id) for tenant in brought for name, one in tenant.done.items()}
    for one in done.values():
        if one.secret is not None:
            register_secret(one.secret)
    differs = any(one.changed for one in done.values()) or any(tenant.withdrew for tenant in brought)
    problems = [problem for tenant in brought for problem in tenant.problems]
    result: Result = {
        "changed": differs,
        "differs": differs,
        "due": [name for name, one in done.items() if one.due],
        "environments": found,
        "secrets": {name: one.secret for name, one in done.items() if one.secret is not None},
        "diff": [part for one in found.values() for part in one["diff"]],
        "requests": sum(tenant.requests for tenant in brought),
    }
    return {**result, "failed": True, "msg": "\n".join(problems)} if problems else result


@dataclass(frozen=True, slots=True)
class _Giver:
    """The hand-over of one tenant's secrets."""

    pipe: SecretPipe
    tenant_id: str

    def is_heard(self) -> bool:
        return self.pipe.is_heard()

    def give(self, environment: str, outcome: CredentialOutcome) -> None:
        self.pipe.give(self.tenant_id, environment, outcome)


def _brought(module: Module, order: TenantOrder, pipe: SecretPipe | None) -> Brought:
    """Work in one tenant. Whatever goes wrong is its own."""
    names = [str(one["environment"]) for one in order.environments]
    brought = Brought(str(order.tenant.get("tenant_id")).lower(), {name: Done() for name in names})
    try:
        _work(Task(module, order.tenant), order.environments, brought, pipe)
    except TASK_FAILURES as error:
        _fail(brought, str(error))
    except Exception as error:
        # the message might quote a value; that it is a fault of ours is told, and where
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{PurePath(last.filename).name}, line {last.lineno}"
        _fail(brought, f"tenant {brought.tenant_id}: {type(error).__name__} in {place}, a fault of mailroom.erp itself")
    return brought


def _fail(brought: Brought, reason: str) -> None:
    brought.failure = reason
    for one in brought.done.values():
        one.problems.append(reason)


def _work(task: Task, entries: Sequence[Mapping[str, Any]], brought: Brought, pipe: SecretPipe | None) -> None:
    params, now = task.params, datetime.datetime.now(datetime.UTC)
    if params["withdraw"] and not set(params["withdraw"]) & set(brought.done):
        return
    declared = read_declared(entries, params["catalogue_permissions"], task.tenant.client_id, now)
    giver: HandOver | None = None if pipe is None else _Giver(pipe, task.tenant.tenant_id)
    with task.connected() as (graph, token):
        names, parts = frozenset(params["make_secrets"]), frozenset(params["parts"])
        tenant = TenantWork(graph, token, now, task.write, names, hand_over=giver, parts=parts)
        try:
            if params["withdraw"]:
                tenant.withdraw(declared, params["withdraw"])
                brought.done, brought.withdrew = {}, True
                return
            brought.done = tenant.bring(declared)
            if params["read_senders"]:
                brought.warnings += find_senders(graph, declared, brought.done, tenant.shared.mailboxes)
        finally:
            brought.requests = graph.requests
    brought.warnings += [warning for one in brought.done.values() for warning in one.warnings]


def _tenant_key(one: Mapping[str, Any]) -> str | None:
    return str(one["tenant_id"]).lower() if one["tenant_id"] is not None else None


def _twice(names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield ENTRA_RULES.problem(name, "environments", None, "it is there twice", "Give each one once.")
        seen.add(name)


def _without_tenant(
    owned: Mapping[str | None, Sequence[Mapping[str, Any]]], orders: Mapping[str | None, Any]
) -> Iterator[Problem]:
    for key, entries in owned.items():
        if key not in orders:
            for one in entries:
                way_out = "Name the tenant_id of one of them."
                yield ENTRA_RULES.problem(one["environment"], "tenant_id", key, "it is of none of tenants", way_out)
