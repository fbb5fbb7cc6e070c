# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which points of the checklist are done, for the values that they were confirmed for.

A point is confirmed as ``id@stamp``. The stamp is a row of short codes, each a digest of values that the point is
about, so that no state is kept but in the inventory. No secret goes into it. docs/inventory.md describes it.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import ChecklistPoint, Field
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.conditions import condition_holds
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import DeclaredSender, Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import is_shown

_CODE_LENGTH = 4
"""Signs of base 32, so 20 bits for each value."""


@dataclass(frozen=True, slots=True)
class PointState:
    """How a point of the checklist stands.

    ``name`` is what to write in erp_mail_confirmed, with the stamp of today's values; ``is_done`` says that it is
    confirmed for them, or without any; ``is_certain`` that no value can have changed unseen; ``is_outdated`` that it
    was confirmed for other values; ``has_lost`` that something confirmed is no longer declared. ``changed`` are the
    keys of what must be typed again.
    """

    name: str
    is_done: bool = False
    is_certain: bool = True
    is_outdated: bool = False
    changed: frozenset[str] = frozenset()
    has_lost: bool = False


def point_states(environment: Environment) -> dict[str, PointState]:
    """How each point of the checklist stands that applies to an environment, by id.

    A point that is about values of which there are none (the senders of a system that has one only) does not apply.

    :param environment: an environment that was understood
    """
    rows, told = _rows(environment), set[str]()
    states: dict[str, PointState] = {}
    for point in environment.system.checklist:
        covered = {key: value for key, value in rows.items() if _is_about(point, key)}
        if condition_holds(point.when, environment) and (covered or not point.about):
            states[point.id] = _state(environment, point.id, _parts(covered, told), covered.keys() - told)
            told |= covered.keys()
    return states


def field_value(field: Field, environment: Environment) -> Any:
    """The value that is typed into a field which holds no secret; None for one to leave as it is.

    :param field: a field of the environment's transport
    :param environment: whose value it is
    """
    value = environment.values.get(field.id)
    if value is None and field.sender is not None:
        return next((sender.address for sender in environment.senders if sender.kind == field.sender), None)
    return "" if value is None and field.unset == "empty" else value


def senders_beside_the_screen(environment: Environment) -> list[DeclaredSender]:
    """The senders that are typed in somewhere else than in a field of the transport's own screen.

    :param environment: an environment that was understood
    """
    on_screen = {field.sender for field in environment.transport.fields}
    placed = {kind.id for kind in environment.system.senders if kind.menu}
    return [sender for sender in environment.senders if sender.kind in placed - on_screen]


def field_key(name: str) -> str:
    """What ``PointState.changed`` calls a field.

    :param name: the field's id
    """
    return f"fields.{name}"


def sender_key(sender: DeclaredSender) -> str:
    """What ``PointState.changed`` calls a sender.

    :param sender: one of those beside the screen
    """
    return f"senders.{sender.kind}" + (f".{sender.key}" if sender.key is not None else "")


def _rows(environment: Environment) -> dict[str, Any]:
    """Everything that a point may be about, with its value; what is left as it is does not count."""
    shown = [field for field in environment.transport.fields if is_shown(field, environment.values)]
    rows = {field_key(field.id): _typed(field, environment) for field in shown}
    rows |= {sender_key(sender): sender.address for sender in senders_beside_the_screen(environment)}
    for domain, signature in environment.dkim.items():
        rows[f"dkim.{domain}"] = [dict(selector) for selector in signature.selectors]
    return {key: value for key, value in rows.items() if value is not None}


def _typed(field: Field, environment: Environment) -> Any:
    """A value; for a secret the variable that holds it, and which of the secrets that mail_entra made it is."""
    if field.secret is None:
        return field_value(field, environment)
    if environment.is_managed and environment.made.get("stored"):
        return ["secret", environment.made["stored"]["variable"], environment.made.get("key_id")]
    if environment.password is not None and environment.password.is_given:
        return ["secret", environment.password.variable]
    return "" if field.unset == "empty" else None


def _is_about(point: ChecklistPoint, key: str) -> bool:
    part, name = key.split(".", 1)
    return point.about is None or part in point.about or (part == "fields" and name in point.about)


def _parts(covered: Mapping[str, Any], told: set[str]) -> list[dict[str, Any]]:
    """What gets a code: each row that no earlier point is about, for it tells what to type; the others together."""
    parts = [{key: value} for key, value in covered.items() if key not in told]
    rest = {key: value for key, value in covered.items() if key in told}
    return [*parts, rest] if rest else parts


def _state(environment: Environment, name: str, parts: list[dict[str, Any]], own: Set[str]) -> PointState:
    codes = [_code(environment.name, part) for part in parts]
    full = f"{name}@{''.join(codes)}" if codes else name
    if name not in environment.confirmed:
        return PointState(full)
    given = environment.confirmed[name]
    if given is None or not codes:
        return PointState(full, is_done=True, is_certain=not codes)
    known = {given[at : at + _CODE_LENGTH] for at in range(0, len(given), _CODE_LENGTH)}
    new = [part for part, code in zip(parts, codes, strict=True) if code not in known]
    if known == set(codes):
        return PointState(full, is_done=True)
    lost = len(known - set(codes)) > len(new)
    changed = frozenset(key for part in new for key in part if key in own)
    return PointState(full, is_outdated=True, changed=changed, has_lost=lost)


def _code(environment: str, part: Mapping[str, Any]) -> str:
    text = json.dumps([environment, part], sort_keys=True, default=str)
    return b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:_CODE_LENGTH]
