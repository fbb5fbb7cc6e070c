# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Who an environment sends as: ``erp_mail_senders`` and ``erp_mail_envelope_from``.

Every function takes the value as declared, puts what is wrong with it into ``findings``, and gives only what is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import SenderKind, System
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    INVENTORY,
    DeclaredSender,
    Findings,
)


def declared_senders(system: System, senders: Any, findings: Findings) -> tuple[DeclaredSender, ...]:
    """The senders of ``erp_mail_senders`` that are right, in the order of the system's kinds.

    :param system: whose kinds of senders there are
    :param senders: ``erp_mail_senders``
    :param findings: takes what is wrong
    """
    if not isinstance(senders, Mapping):
        rule = f"the senders are a dictionary of {', '.join(kind.id for kind in system.senders)}"
        findings.error("erp_mail_senders", None, rule, INVENTORY, "Write erp_mail_senders: {environment: name@domain}.")
        return ()
    kinds = {kind.id: kind for kind in system.senders}
    for name in senders:
        if name not in kinds:
            rule = f"{system.title} has no such sender; it has: {', '.join(kinds)}"
            findings.error(f"erp_mail_senders.{name}", None, rule, system.senders[0].source, "Correct the name.")
    found: list[DeclaredSender] = []
    for kind in system.senders:
        found += _senders_of(kind, senders.get(kind.id), findings)
    return tuple(found)


def _senders_of(kind: SenderKind, value: Any, findings: Findings) -> list[DeclaredSender]:
    where = f"erp_mail_senders.{kind.id}"
    if value is None:
        if kind.required:
            findings.error(where, None, f"{kind.label} is required", kind.source, "Name the address to send as.")
        return []
    if kind.many != isinstance(value, Mapping):
        shape = "a dictionary: key to address" if kind.many else "one address"
        findings.error(
            where, None, f"{kind.label} takes {shape}, not a {type(value).__name__}", kind.source, "Correct it."
        )
        return []
    items = value.items() if kind.many else [(None, value)]
    return [sender for key, address in items for sender in _sender(kind, key, address, findings)]


def _sender(kind: SenderKind, key: str | None, address: Any, findings: Findings) -> list[DeclaredSender]:
    where = f"erp_mail_senders.{kind.id}" + (f".{key}" if key is not None else "")
    try:
        return [DeclaredSender(kind.id, key, str(address), domain_of(address))]
    except BadAddress as error:
        shown = address if isinstance(address, str) else None
        findings.error(where, shown, str(error), kind.source, "Give one plain address.")
    return []


def envelope_of(declared: Any, findings: Findings) -> DeclaredSender | None:
    """The address of ``erp_mail_envelope_from``.

    :param declared: ``erp_mail_envelope_from``
    :param findings: takes what is wrong
    :returns: the address, None when none is declared or it is wrong
    """
    if declared is None:
        return None
    try:
        return DeclaredSender("envelope", None, str(declared), domain_of(declared))
    except BadAddress as error:
        shown = declared if isinstance(declared, str) else None
        findings.error("erp_mail_envelope_from", shown, str(error), INVENTORY, "Give one plain address.")
    return None
