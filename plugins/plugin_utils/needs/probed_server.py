# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""From an environment to an item of ``servers`` of ``smtp_probe``: the ERP's own rules as expectations. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import to_alabels
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of

_IMPLICIT_PORT = 465
"""RFC 8314 section 7.3."""


def probed_server(environment: Environment) -> dict[str, Any] | None:
    """What ``smtp_probe`` looks for at the mail server of an environment.

    :param environment: an environment without errors
    :returns: an item of its option ``servers``; None when mail is not handed in by SMTP, or no server is known
    """
    rules = rules_of(environment.system.name)
    server = rules.server(environment)
    if not server["host"]:
        return None
    security, verify = server_protection(server)
    wanted = {"auth": _mechanism(server), "min_size": server["min_size"], "tls": server["max_tls"]}
    found = {
        "name": environment.name,
        "host": server_address(server["host"]),
        "port": server["port"],
        "security": security,
        "verify": verify,
        "expect": {name: value for name, value in wanted.items() if value is not None},
        "probe_from": environment.probe_from or rules.sends_from(environment),
    }
    return {name: value for name, value in found.items() if value is not None}


def server_address(host: str) -> str:
    """The name as the DNS knows it; the ERP may write it with any letters (RFC 5890 section 2.3.2.1).

    :param host: the server as it was declared
    """
    return host if host.isascii() else to_alabels(host)


def server_protection(server: dict[str, Any]) -> tuple[str, bool]:
    """How the ERP protects the connection (none, starttls, implicit or opportunistic), and whether it checks the
    certificate.

    What is not known is looked at as TLS where it is offered, without a check: then nothing about it is called wrong
    that the ERP may not mind, and all of it is told.

    :param server: what ``SystemRules.server`` gives
    """
    known = server["security"]
    if known not in (None, "opportunistic"):
        return known, server["verify"] is True
    return ("implicit" if server["port"] == _IMPLICIT_PORT else "opportunistic"), False


def _mechanism(server: dict[str, Any]) -> str | None:
    return server["mechanism"] or ("any" if server["sign_in"] else None)
