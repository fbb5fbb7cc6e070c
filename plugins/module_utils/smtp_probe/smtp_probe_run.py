# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Many servers in one task: each is looked at once, however many environments use it, and judged for each of them."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NoReturn

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module, Result
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary, require
from ansible_collections.mailroom.erp.plugins.module_utils.problem import RuleSource
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_findings import (
    met_server,
    probe_result,
    server_findings,
    server_summary,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_result_data import (
    other_place,
    place_commands,
    shown_facts,
    shown_finding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    FAILS,
    PASSES,
    UNSURE,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import (
    MOST_CONNECTIONS,
    ServerFacts,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import probe_server
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import (
    ProbedServer,
    SmtpProbe,
    read_smtp_probe,
    wrong_smtp_probe_arguments,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import NoTrustStore, TlsContexts

_RULES = RuleSource("docs/smtp_probe.md")

ProbeKey = tuple[str, int, bool]
"""What makes a server another one: host, port, and whether TLS comes first."""


def run_smtp_probe(module: Module) -> NoReturn:
    """Do the task and end the module.

    :param module: the AnsibleModule
    """
    wrong = wrong_smtp_probe_arguments(module.params)
    if wrong:
        module.fail_json(msg="\n".join(wrong))
    probe = read_smtp_probe(module.params, socket.gethostname())
    try:
        require("cryptography.x509")
        contexts = TlsContexts(probe.ca_file)
    except MissingLibrary as error:
        module.fail_json(msg=str(error))
    except NoTrustStore as error:
        way_out = "Give a file of certificates in PEM form that can be read where the module runs."
        problem = _RULES.problem("task", "ca_file", probe.ca_file, f"it cannot be used: {error}", way_out)
        module.fail_json(msg=str(problem))
    module.exit_json(changed=False, **probe_report(probe, probed_facts(probe, contexts), datetime.now(UTC)))


def probed_facts(probe: SmtpProbe, contexts: TlsContexts) -> dict[ProbeKey, ServerFacts]:
    """Look at all servers, many at a time, each of them once.

    :param probe: the task
    :param contexts: the settings of TLS
    """
    ports = probed_ports(probe.servers)
    with ThreadPoolExecutor(max_workers=max(1, min(probe.concurrency, len(ports)))) as threads:
        found = threads.map(lambda keys: _probed(keys, probe, contexts), ports)
        return {key: facts for each in found for key, facts in each.items()}


def probed_ports(servers: Iterable[ProbedServer]) -> list[list[ProbeKey]]:
    """The ports to look at, each of them once. Pure.

    :param servers: of the task
    :returns: for each port one key, or two where it is asked for both with TLS first and without
    """
    ports: dict[tuple[str, int], dict[ProbeKey, None]] = {}
    for one in servers:
        ports.setdefault((one.host, one.port), {})[_key(one)] = None
    return [list(keys) for keys in ports.values()]


def other_key_facts(key: ProbeKey, first: ServerFacts) -> ServerFacts | None:
    """What a look in one mode tells about the other one, without a connection. Pure.

    :param key: the port in the other mode
    :param first: what was seen
    :returns: None where another look is worth it, because the first one was in the wrong mode
    """
    if first.other_mode:
        return None
    host, port, implicit = key
    is_right = first.has_tls if first.implicit else first.banner is not None
    return ServerFacts(host, port, implicit, address=first.address, stop=first.stop, other_mode=is_right)


def probe_report(probe: SmtpProbe, facts: Mapping[ProbeKey, ServerFacts], now: datetime) -> Result:
    """The return values of the module. Pure.

    :param probe: the task
    :param facts: of each server
    :param now: aware
    """
    judged = [_judged(one, facts[_key(one)], now) for one in probe.servers]
    return {
        "result": _worst(one["result"] for one in judged),
        "servers": judged,
        "seen": {_shown_key(key): shown_facts(one, now) for key, one in facts.items()},
        "connections": sum(one.connections for one in facts.values()),
    }


def _key(server: ProbedServer) -> ProbeKey:
    return server.host, server.port, server.implicit


def _shown_key(key: ProbeKey) -> str:
    host, port, implicit = key
    return f"{host} port {port}{' implicit' if implicit else ''}"


def _probed(keys: Sequence[ProbeKey], probe: SmtpProbe, contexts: TlsContexts) -> dict[ProbeKey, ServerFacts]:
    """Look at one port; both modes share the connections."""
    found: dict[ProbeKey, ServerFacts] = {}
    left = MOST_CONNECTIONS
    for key in keys:
        facts = other_key_facts(key, next(iter(found.values()))) if found else None
        if facts is None:
            facts = probe_server(ProbeTarget(*key, probe.ehlo_name), contexts, probe.timeout, left)
            left -= facts.connections
        found[key] = facts
    return found


def _judged(server: ProbedServer, facts: ServerFacts, now: datetime) -> dict[str, Any]:
    wanted = server.expectations
    findings = server_findings(facts, wanted, now)
    elsewhere = [] if server.is_here else [other_place(server.place)]
    return {
        "name": server.name,
        "host": server.host,
        "port": server.port,
        "security": wanted.security,
        "probe_from": server.place,
        "result": probe_result(facts, findings, server.is_here),
        "summary": server_summary(facts, wanted),
        "met": met_server(facts, wanted),
        "findings": [shown_finding(one, server.is_here) for one in [*findings, *elsewhere]],
        "commands": [] if server.is_here else place_commands(server.host, server.port, wanted),
        "seen": _shown_key(_key(server)),
    }


def _worst(results: Iterable[str]) -> str:
    order = (FAILS, UNSURE, PASSES)
    return min(results, key=order.index, default=PASSES)
