# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the Entra modules' work, each in a process of its own, for somebody else to kill.

For each line of JSON, ``{"job": ..., "tenant": ..., "params": ...}``, a process does the job. Prints its process id
while it works, and then what came of it as JSON: null when it was killed, ``{"error": ...}`` when it failed.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import traceback
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra import (
    consent,
    consent_run,
    credential,
    credential_run,
    mail_scope,
    mail_scope_run,
    registration,
    registration_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import read_tenant
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Pace
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token, sign_in


def main() -> None:
    for line in sys.stdin:
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


def _run(order: dict[str, Any]) -> dict[str, Any]:
    try:
        tenant = read_tenant(order["tenant"])
        http = Http(tenant.ca_file)
        token = sign_in(tenant, http)
        graph = Graph(http, tenant.graph_url, token.value, Pace(tenant.timeout, tenant.poll_interval))
        return _JOBS[order["job"]](graph, token, order["params"])
    except Exception:
        return {"error": traceback.format_exc()}


def _register(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    wanted = registration_plan.read_wanted_registration(params, token.app_id)
    return {"changed": registration.register(graph, wanted, token, True).plan.changes}


def _secret(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    outcome = credential_run.Keeper(graph, credential.read_wanted_credential(params, now), now).keep(True)
    key_id = outcome.current["keyId"] if outcome.current else None
    return {"changed": outcome.plan.changes, "secret": outcome.secret, "key_id": key_id}


def _consent(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    return {"changed": consent_run.consent(graph, consent.read_wanted_consent(params), token, True).plan.changes}


def _scope(graph: Graph, token: Token, params: dict[str, Any]) -> dict[str, Any]:
    minutes = datetime.timedelta(minutes=params.pop("minutes"))
    wanted = mail_scope.read_wanted_scope(params, token.app_id)
    outcome = mail_scope_run.bring_scope(
        graph, wanted, token, True, lambda: datetime.datetime.now(datetime.UTC) + minutes
    )
    return {"changed": outcome.changed, "state": outcome.end.state}


_JOBS = {"scope": _scope, "register": _register, "secret": _secret, "consent": _consent}

if __name__ == "__main__":
    main()
