# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the Entra modules' work, each in a process of its own, for somebody else to kill.

For each line of JSON, ``{"job": ..., "tenant": ..., "params": ...}``, a process does the job. Prints its process id
while it works, and then what came of it as JSON: null when it was killed, ``{"error": ...}`` when it failed. A sign-in
serves all runs, for it leaves nothing behind that a kill could harm.
"""

from __future__ import annotations

import datetime
import functools
import json
import os
import sys
import traceback
from typing import Any

from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailroom.erp.plugins.module_utils.entra import (
    consent,
    consent_run,
    credential,
    credential_run,
    environments,
    federated,
    mail_scope,
    mail_scope_run,
    registration,
    registration_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import read_tenant
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Pace
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token, sign_in
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.environment_secrets import SecretFiles

VAULT = VaultLib([("default", VaultSecret(b"correct horse battery staple"))])


def main() -> None:
    for line in sys.stdin:
        _signed_in(json.dumps(json.loads(line)["tenant"]))
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            with os.fdopen(write, "w") as pipe:
                pipe.write(json.dumps(_run(json.loads(line))))
            os._exit(0)
        os.close(write)
        print(pid, flush=True)
        with os.fdopen(read) as pipe:
            outcome = pipe.read()
        os.waitpid(pid, 0)
        print(outcome or "null", flush=True)


@functools.cache
def _signed_in(option: str) -> Token:
    """:param option: ``tenant``, as JSON"""
    tenant = read_tenant(json.loads(option))
    http = Http(tenant.ca_file)
    try:
        return sign_in(tenant, http)
    finally:
        http.close()


def _run(order: dict[str, Any]) -> dict[str, Any]:
    try:
        tenant, token = read_tenant(order["tenant"]), _signed_in(json.dumps(order["tenant"]))
        pace = Pace(tenant.timeout, tenant.poll_interval)
        graph = Graph(Http(tenant.ca_file), tenant.graph_url, token.value, pace)
        return _JOBS[order["job"]](graph, token, order["params"])
    except Exception:
        return {"error": traceback.format_exc()}


def _register(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    wanted = registration_plan.read_wanted_registration(params, token.app_id)
    return {"changed": registration.register(graph, wanted, token, True).plan.changes}


def _key(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    outcome = credential_run.Keeper(graph, credential.read_wanted_credential(params, now), now).keep(True)
    key_id = outcome.current["keyId"] if outcome.current else None
    return {"changed": outcome.plan.changes, "secret": outcome.secret, "key_id": key_id}


def _federated(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    wanted = credential.read_wanted_credential(params, datetime.datetime.now(datetime.UTC))
    _app_id, before, after = federated.Federated(graph, wanted).keep(True)
    return {"changed": before != after}


def _environments(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    """What the role does: a look, and then what the action plugin and the module do, in their order."""
    files = SecretFiles(params, VAULT)
    files.fill_in()
    assert not files.problems
    now = datetime.datetime.now(datetime.UTC)
    declared = environments.read_declared(params["environments"], [], token.app_id, now)
    looked = environments.TenantWork(graph, token, now, False).bring(declared)
    due = frozenset(name for name, one in looked.items() if one.due)
    files.prove(due)
    done = environments.TenantWork(graph, token, now, True, due).bring(declared)
    found = {name: one.as_dict(params["tenant"]["tenant_id"]) for name, one in done.items()}
    files.store_made(found, {name: one.secret for name, one in done.items() if one.secret is not None})
    problems = [problem for one in done.values() for problem in one.problems]
    if problems:
        raise ValueError("; ".join(problems))
    return {"changed": any(one.changed for one in done.values()), "environments": found}


def _consent(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    return {"changed": consent_run.consent(graph, consent.read_wanted_consent(params), token, True).plan.changes}


def _scope(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    minutes = datetime.timedelta(minutes=params.pop("minutes"))
    wanted = mail_scope.read_wanted_scope(params, token.app_id)
    outcome = mail_scope_run.bring_scope(
        graph, wanted, token, True, lambda: datetime.datetime.now(datetime.UTC) + minutes
    )
    return {"changed": outcome.changed, "state": outcome.end.state}


_JOBS = {
    "register": _register,
    "key": _key,
    "federated": _federated,
    "consent": _consent,
    "environments": _environments,
    "scope": _scope,
}

if __name__ == "__main__":
    main()
