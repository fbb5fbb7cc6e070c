# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""When a sentence of the catalogue holds for an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Note
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import is_shown


def condition_holds(when: Mapping[str, Any], environment: Environment) -> bool:
    """Tell whether every condition of a ``when`` is met.

    :param when: transport, service, kind (lists), settings (values by id), dkim (bool); see docs/catalogue.md
    :param environment: an environment that was understood
    """
    facts = {
        "transport": environment.transport.id,
        "service": environment.service.name,
        "kind": environment.service.kind,
    }
    if any(name in when and fact not in when[name] for name, fact in facts.items()):
        return False
    if "dkim" in when and when["dkim"] != bool(environment.dkim):
        return False
    return all(environment.values.get(name) == value for name, value in when.get("settings", {}).items())


def note_holds(note: Note, environment: Environment) -> bool:
    """Tell whether a sentence about a service holds for an environment.

    :param note: one of the service's warnings or notes
    :param environment: an environment that was understood
    """
    if note.submission and not signs_in(environment):
        return False
    domains = [f".{sender.domain}" for sender in environment.senders]
    return not note.senders_at or any(domain.endswith(f".{name}") for domain in domains for name in note.senders_at)


def signs_in(environment: Environment) -> bool:
    """Tell whether mail is handed in by SMTP with a password, so that a service's notes on that hold.

    :param environment: an environment that was understood
    """
    secret = environment.transport.secret
    submitted = environment.service.kind not in ("graph", "erp_vendor")
    return submitted and secret is not None and environment.has_password and is_shown(secret, environment.values)
