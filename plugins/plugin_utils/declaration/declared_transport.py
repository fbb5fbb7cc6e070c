# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How an environment's mail leaves: the ERP system, its transport, the service behind it, and consent for a vendor.

Every function takes the value as declared, puts what is wrong with it into ``findings``, and gives only what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import (
    LONGEST_PROBE_NAME,
    is_probe_name,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Service, System, Transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    CONSENT_KEYS,
    INVENTORY,
    Findings,
)

_Entry = TypeVar("_Entry", System, Service)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the catalogue: its name, what an entry of it is called, and the variable that names one."""

    name: str
    title: str
    variable: str


_SYSTEMS = _Part("systems", "ERP system", "erp_mail_system")
_SERVICES = _Part("services", "service", "erp_mail_service")


def _text(where: str, value: Any, findings: Findings) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    findings.error(where, None, f"a name is wanted, not a {type(value).__name__}", INVENTORY, "Give one name.")
    return None


def system_of(name: Any, catalogue: Catalogue, findings: Findings) -> System | None:
    """The ERP system that ``erp_mail_system`` names.

    :param name: ``erp_mail_system``
    :param catalogue: the systems that exist
    :param findings: takes what is wrong
    :returns: None when there is none, or its entry is malformed
    """
    text = _text("erp_mail_system", name, findings)
    if name == "":
        findings.error("erp_mail_system", None, "it names no ERP system", INVENTORY, "Name one, or leave it out.")
    return _catalogued(_SYSTEMS, text, catalogue.system, catalogue, findings)


def _catalogued(
    part: _Part, name: str | None, read: Callable[[str], _Entry], catalogue: Catalogue, findings: Findings
) -> _Entry | None:
    """The entry of the catalogue that a variable names; None when there is none, or it is malformed."""
    if name is None:
        return None
    try:
        return read(name)
    except KeyError:
        rule = f"no {part.title} of this name is in the catalogue"
        findings.error(part.variable, name, rule, INVENTORY, catalogue.closest(part.name, name))
    except Refused as refused:
        for problem in refused.problems:
            where = f"erp_mail_catalogue_{part.name}: {problem.subject}: {problem.where}"
            findings.error(where, problem.value, problem.rule, problem.source, str(problem.way_out))
    return None


def transport_of(system: System, name: Any, findings: Findings) -> Transport | None:
    """The transport that ``erp_mail_transport`` names, or the only one.

    :param system: whose transports there are
    :param name: ``erp_mail_transport``
    :param findings: takes what is wrong
    :returns: None when it is wrong, or there are several and none is named
    """
    choices = {transport.id: transport for transport in system.transports}
    text = _text("erp_mail_transport", name, findings)
    if text in choices:
        return choices[text]
    if name is None and len(choices) == 1:
        return system.transports[0]
    rule = f"{system.title} sends by one of these transports: {', '.join(choices)}"
    findings.error("erp_mail_transport", text, rule, system.transports[0].source, "Choose one.")
    return None


def service_of(
    system: System | None, transport: Transport | None, name: Any, catalogue: Catalogue, findings: Findings
) -> Service | None:
    """The service that ``erp_mail_service`` names, or the only one of the transport, which must take it.

    :param system: the ERP system, None when it is not known
    :param transport: the transport, None when it is not known
    :param name: ``erp_mail_service``
    :param catalogue: the services that exist
    :param findings: takes what is wrong
    :returns: None when there is none, or the transport does not take it
    """
    text = _text("erp_mail_service", name, findings)
    if transport is None or system is None or (name and text is None):
        return _catalogued(_SERVICES, text, catalogue.service, catalogue, findings)
    if text is None and len(transport.services) == 1:
        text = transport.services[0]
    if text is None:
        rule = f"transport {transport.id} of {system.title} needs the service that sends"
        findings.error("erp_mail_service", None, rule, transport.source, _choices(transport, catalogue))
        return None
    service = _catalogued(_SERVICES, text, catalogue.service, catalogue, findings)
    if service is None or _takes(transport, service):
        return service
    rule = f"transport {transport.id} of {system.title} does not send through this service ({service.kind})"
    findings.error("erp_mail_service", text, rule, transport.source, _choices(transport, catalogue))
    return None


def _takes(transport: Transport, service: Service) -> bool:
    return service.name in transport.services or service.kind in transport.kinds


def _choices(transport: Transport, catalogue: Catalogue) -> str:
    names = [name for name in catalogue.names("services") if _takes_named(transport, name, catalogue)]
    return f"Choose one of: {', '.join(names)}; or add your own in erp_mail_catalogue_services."


def _takes_named(transport: Transport, name: str, catalogue: Catalogue) -> bool:
    try:
        return _takes(transport, catalogue.service(name))
    except Refused:
        return False


def probe_place_of(declared: Any, findings: Findings) -> str | None:
    """Where the ERP sends from, as ``erp_mail_probe_from`` says.

    :param declared: ``erp_mail_probe_from``
    :param findings: takes what is wrong
    :returns: ``here`` for the controller, or the name of another place; None when none is declared or it is wrong
    """
    if declared is None or (isinstance(declared, str) and is_probe_name(declared)):
        return declared
    shown = declared if isinstance(declared, str) else None
    rule = f"it is here (the controller) or the name of a place: one line of 1 to {LONGEST_PROBE_NAME} characters"
    findings.error("erp_mail_probe_from", shown, rule, INVENTORY, "Name one place, or leave it out.")
    return None


def consent_of(
    system: System, transport: Transport | None, service: Service | None, declared: Any, findings: Findings
) -> dict[str, Any]:
    """The consent of ``erp_mail_consent``: app_id, publisher_tenant_id (GUIDs) and scopes (list of str).

    :param system: whose transports there are
    :param transport: says whether consent is needed; None when it is not known
    :param service: where it ends the sign-in with a password, the consent may be declared before the transport changes
    :param declared: ``erp_mail_consent``
    :param findings: takes what is wrong
    :returns: what is declared of these; empty when nothing is
    """
    if declared is None or transport is None:
        return {}
    moves = transport.password is not None and service is not None and service.password_end is not None
    if not any(_wants_consent(one) for one in ((transport, *system.transports) if moves else (transport,))):
        rule = f"transport {transport.id} needs no consent for an application of somebody else"
        findings.error("erp_mail_consent", None, rule, transport.source, "Leave it out.")
        return {}
    if not isinstance(declared, Mapping) or set(declared) - set(CONSENT_KEYS):
        rule = f"it is a dictionary of {', '.join(CONSENT_KEYS)}"
        findings.error("erp_mail_consent", None, rule, INVENTORY, "Correct it.")
        return {}
    for key in ("app_id", "publisher_tenant_id"):
        if key in declared and not is_guid(str(declared[key])):
            rule = "it is a GUID: 8-4-4-4-12 hexadecimal digits"
            findings.error(f"erp_mail_consent.{key}", declared[key], rule, INVENTORY, "Take it from Entra.")
    scopes = declared.get("scopes", [""])
    if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
        rule = "scopes is a list of names, such as Mail.Send"
        findings.error("erp_mail_consent.scopes", None, rule, INVENTORY, "List what the application asks for.")
    return dict(declared)


def _wants_consent(transport: Transport) -> bool:
    return transport.entra is not None and transport.entra.kind == "consent"
