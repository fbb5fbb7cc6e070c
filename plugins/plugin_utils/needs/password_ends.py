# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether an environment signs in with a password that its service ends, and the transports that take over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    PasswordEnd,
    Service,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.conditions import condition_holds
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import (
    filled_values,
    host_of,
    is_shown,
)

RELAY = "own_relay"
"""The service of the catalogue that stands for a mail server of one's own."""


@dataclass(frozen=True, slots=True)
class EndingPassword:
    """The ``service`` whose password an environment signs in with, how that ends, and the environment as it would be on
    each transport that takes over (``moved``), in the order of the ERP's choices; none when the ERP has no such one."""

    service: Service
    end: PasswordEnd
    moved: tuple[Environment, ...]


def ending_password(environment: Environment, catalogue: Catalogue) -> EndingPassword | None:
    """Find out whether the password of an environment ends.

    :param environment: an environment that was understood
    :param catalogue: where services are found: by the server that is declared, and by name
    :returns: None when it signs in without a password, goes away, or nobody said that the password ends
    """
    service = _signed_in_to(environment, catalogue)
    if environment.state == "absent" or service.password_end is None or not _uses_password(environment, service):
        return None
    successors = service.password_end.successors.value or ()
    moved = [
        _moved(environment, transport, successor)
        for transport in environment.system.transports
        for name in transport.services
        if name in successors and transport.password is None and (successor := _sound_service(catalogue, name))
    ]
    return EndingPassword(service, service.password_end, tuple(moved))


def on_own_relay(environment: Environment, catalogue: Catalogue) -> Environment | None:
    """The environment as it would be with a mail server of its own; None when its transport takes none.

    :param environment: an environment that was understood
    :param catalogue: where the service is found
    """
    service, transport = _sound_service(catalogue, RELAY), environment.transport
    if service is None or not (service.name in transport.services or service.kind in transport.kinds):
        return None
    return _moved(environment, transport, service)


def hints_of_move(environment: Environment, moved: Environment) -> list[str]:
    """What the ERP's documents want of a person on another transport, as far as it is not wanted today.

    :param environment: as it is
    :param moved: as it would be
    :returns: sentences in the language of the system, steps left out
    """
    return [
        hint.text
        for hint in environment.system.outside
        if not hint.steps and condition_holds(hint.when, moved) and not condition_holds(hint.when, environment)
    ]


def _sound_service(catalogue: Catalogue, name: str) -> Service | None:
    """A service that the environment does not use yet; None when its entry is wrong, which the estate tells."""
    try:
        return catalogue.service(name)
    except Refused:
        return None


def _signed_in_to(environment: Environment, catalogue: Catalogue) -> Service:
    """The service that the declared server belongs to, else the declared one."""
    host = host_of(environment.transport, environment.values)
    if not host or host == environment.service.host.value:
        return environment.service
    return catalogue.by_host(host) or environment.service


def _uses_password(environment: Environment, service: Service) -> bool:
    """A service that wants a sign-in gets the password of the screen, whether the inventory declares it or not."""
    secret = environment.transport.password
    if secret is None:
        return False
    declared = environment.has_password and is_shown(secret, environment.values)
    return declared or service.auth.value == "required"


def _moved(environment: Environment, transport: Transport, service: Service) -> Environment:
    """The same environment on another transport; of its settings those stay that the transport has too."""
    kept = {field.id for field in transport.fields} & environment.given
    if service.name != environment.service.name:
        kept -= {field.id for field in transport.fields if field.fact in ("host", "port", "endpoint", "security")}
    given: dict[str, Any] = {name: environment.values[name] for name in kept}
    values = filled_values(environment.system, transport, service, given, None, {})
    own = {field.id: environment.values.get(field.id) for field in environment.system.settings}
    return replace(
        environment,
        transport=transport,
        service=service,
        values={**values, **own},
        given=frozenset(kept),
        password=None,
        spf_terms=None,
        made={},
    )
