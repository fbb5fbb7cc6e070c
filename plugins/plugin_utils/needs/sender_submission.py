# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How a message of an environment is handed in as its ERP does it, in the terms of ``mail_test``. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Entra, Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import field_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.probed_server import server_address, server_protection
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of

_SENDS = "Mail.Send"
_AUTH = {"LOGIN": "login", "PLAIN": "plain"}
_LIMITS = {
    "messages_per_minute": "messages_per_minute",
    "messages_per_day": "messages_per_day",
    "message_bytes": "message_size",
}
"""Limits of the catalogue, and what ``mail_test`` calls them."""


def sender_submission(environment: Environment) -> dict[str, Any]:
    """Say how a test message is handed in.

    :param environment: an environment without errors
    :returns: ``submission`` (smtp, graph, or None: nobody but the ERP can hand it in, and ``reason`` says why),
        ``smtp`` (the option of ``mail_test`` without secrets), ``signs_in`` (whether a password or the secret of an
        application is needed), ``limits`` (its option), ``to`` (where the ERP itself sends its test mail, None when it
        has no such address), and ``place`` (where the ERP hands its mail in, ``here`` for the controller)
    """
    rules = rules_of(environment.system.name)
    told: dict[str, Any] = {
        "submission": None,
        "reason": None,
        "smtp": None,
        "signs_in": False,
        "limits": _limits(environment.service),
        "to": rules.test_address(environment),
        "place": environment.probe_from or rules.sends_from(environment),
    }
    entra = environment.transport.entra
    return told | (_over_smtp(environment) if entra is None else _with_an_application(environment, entra))


def _with_an_application(environment: Environment, entra: Entra) -> dict[str, Any]:
    if entra.kind == "consent":
        reason = (
            f"{environment.system.title} signs in as a user with an application of its vendor, which nobody else can"
        )
        return {"reason": f"{reason}: send one from the ERP"}
    if not any(one["role"] == _SENDS for one in entra.permissions):
        return {"reason": f"its application has no {_SENDS}"}
    return {"submission": "graph", "signs_in": True}


def _over_smtp(environment: Environment) -> dict[str, Any]:
    server = rules_of(environment.system.name).server(environment)
    if not server["host"]:
        return {"reason": f"{environment.service.title} hands its mail in by itself: send one from the ERP"}
    security, _verify = server_protection(server)
    signs_in = bool(server["sign_in"])
    if security == "opportunistic":
        # an ERP that takes TLS where it is offered; a password never goes in clear
        security = "starttls" if signs_in else "none"
    smtp = {"host": server_address(server["host"]), "port": server["port"], "security": security}
    smtp = {name: value for name, value in smtp.items() if value is not None}
    if not signs_in:
        return {"submission": "smtp", "smtp": {**smtp, "auth": "none"}}
    user = _account(environment)
    if security == "none":
        return {"reason": "its password would go to the server in clear, which a test does not do"}
    if not user:
        return {"reason": "which account signs in is not declared"}
    auth = _AUTH.get(str(server["mechanism"]), "password")
    return {"submission": "smtp", "signs_in": True, "smtp": {**smtp, "auth": auth, "user": user}}


def _account(environment: Environment) -> str | None:
    field = environment.transport.account_field
    value = field_value(field, environment) if field is not None else None
    return str(value) if value else None


def _limits(service: Service) -> dict[str, int]:
    known = {ours: service.limits[name].value for name, ours in _LIMITS.items() if name in service.limits}
    return {name: int(value) for name, value in known.items() if value is not None}
