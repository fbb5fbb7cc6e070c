# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the Entra modules have in common: from an AnsibleModule's parameters to its result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module, Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import (
    ENTRA_RULES,
    Tenant,
    check_tenant,
    read_tenant,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import AnswerLost, Graph, NotSeen, Pace
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import SignInFailed, Token, other_tenant, sign_in
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.masked_secrets import never_show
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


class Task:
    """One task in one tenant: its parameters, and the way to the tenant.

    :param module: the AnsibleModule
    :param tenant: how to sign in, where the task has several tenants; else its option ``tenant``
    :raises Refused: that cannot be used
    """

    def __init__(self, module: Module, tenant: Mapping[str, Any] | None = None) -> None:
        self.params: Mapping[str, Any] = module.params
        self.write = not module.check_mode
        self.warnings: list[str] = []
        self._module = module
        self.tenant = _tenant(module.params["tenant"] if tenant is None else tenant)

    @contextlib.contextmanager
    def connected(self) -> Iterator[tuple[Graph, Token]]:
        """Sign in; the tenant of the sign-in is compared with the declared one before anything else.

        :raises Refused: it is another tenant
        :raises SignInFailed: Entra gave no token
        :raises MissingLibrary: a library is not installed
        """
        http = Http(self.tenant.ca_file)
        try:
            token = sign_in(self.tenant, http)
            never_show(self._module, [token.value])
            pace = Pace(self.tenant.timeout, self.tenant.poll_interval)
            graph = Graph(http, self.tenant.graph_url, token.value, pace)
            if token.tenant_id is None:
                _check_organization(graph, self.tenant.tenant_id)
            yield graph, token
        finally:
            http.close()


TASK_FAILURES = (Refused, SignInFailed, GraphError, NotSeen, AnswerLost, MissingLibrary)
"""What ends the work in a tenant with a message for people."""


def run_entra_module(module: Module, work: Callable[[Task], Result]) -> NoReturn:
    """Do a task and end the module.

    :param module: the AnsibleModule
    :param work: does the task, and gives the module's return values
    """
    try:
        task = Task(module)
        result = work(task)
    except TASK_FAILURES as error:
        module.fail_json(msg=str(error))
    for warning in task.warnings:
        module.warn(warning)
    module.exit_json(**result)


def difference(header: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Result]:
    """The return value ``diff``; empty when nothing changes.

    :param header: what the texts are called
    :param before: what was there, by name
    :param after: what is there afterwards, by name
    """
    if before == after:
        return []
    return [{"before_header": header, "after_header": header, "before": dict(before), "after": dict(after)}]


def _tenant(option: Mapping[str, Any]) -> Tenant:
    """Checked again here, for a task may be run without the controller's part."""
    rules = check_tenant(option)
    if rules:
        way_out = "Correct the option."
        raise Refused(ENTRA_RULES.problem("tenant", "tenant", None, rule, way_out) for rule in rules)
    return read_tenant(option)


def _check_organization(graph: Graph, declared: str) -> None:
    """Ask Graph which tenant this is, when the token does not say."""
    found = [one["id"].lower() for one in graph.get_all("organization", {"$select": "id"})]
    if found != [declared]:
        raise Refused(other_tenant(declared, ", ".join(found)))
