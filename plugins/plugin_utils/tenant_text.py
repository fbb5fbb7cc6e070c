# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person is told of an environment's part of a Microsoft Entra tenant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import counted_results, wrapped


def tenant_lines(made: Mapping[str, Any], width: int) -> list[str]:
    """Say what an environment has, and what a person still has to do.

    :param made: one of the ``environments`` that ``entra_environments`` returns
    :param width: the longest line, in characters
    :raises KeyError: it is something else
    """
    return [wrapped(f"  {label + ':':<13}", text, width) for label, text in _rows(made)]


def open_points(made: Mapping[str, Any]) -> list[str]:
    """What is not yet as it should be: a secret that is due, and what a person still has to do.

    :param made: see :func:`tenant_lines`
    """
    due = [f"secret {_secret(made)}"] if made["secret_due"] else []
    return [*due, *(text for label, text in _rows(made) if label == "open")]


def _rows(made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if made["key_id"] or made["secret_due"]:
        yield "application", made["app_id"] or "would be made"
        yield "secret", _secret(made)
    for whom, scopes in made["consent"].items():
        yield "consent", f"{whom}: {', '.join(scopes)}"
    if made["consent_missing"]:
        yield "open", "a person has to consent to the vendor's application"
    if made["missing_grants"]:
        yield "open", f"a person has to consent to {', '.join(made['missing_grants'])}"
    if made.get("scope"):
        yield "mailboxes", _mailboxes(made["scope"])
        yield from (("open", text) for text in made["scope"]["open"])
    if made["senders"]:
        yield "senders", counted_results(sender["result"] for sender in made["senders"])
    for sender in made["senders"]:
        if sender["result"] != "pass":
            yield "open", f"{sender['address']}: {sender['reason']}. {sender['next_step'] or ''}".rstrip()


def _mailboxes(scope: Mapping[str, Any]) -> str:
    told = {
        "granted": f"granted, in force by {scope['effective_at']}",
        "effective": "granted, and no longer by the whole tenant",
        "tenant_wide": "not limited: the whole tenant still lets the application send",
    }
    return told.get(str(scope["state"]), "not known")


def _secret(made: Mapping[str, Any]) -> str:
    if made["secret_due"]:
        return f"would be made: {made['secret_due']}"
    place = f", in {made['stored']['file']}" if made["stored"] else ""
    return f"valid until {str(made['end_date_time'])[:10]}{place}"
