# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What one environment needs: DNS records of its senders' domains, Entra, and a mail server that does what it must."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    CONSENT_KEYS,
    INVENTORY,
    Environment,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.password_ends import (
    EndingPassword,
    ending_password,
    hints_of_move,
    on_own_relay,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.probed_server import probed_server
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.resolved_senders import resolved_senders
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.sender_submission import sender_submission
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.service_terms import service_terms
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of

_SPF_FIRST = "afas_online"
"""S0: "it is also mandatory that you already have the AFAS Online SPF record configured before making this request"."""


def environment_needs(environment: Environment, catalogue: Catalogue) -> dict[str, Any]:
    """Work out what must be so for an environment to send.

    :param environment: an environment without errors
    :param catalogue: where the services that send beside its own are found
    :returns: environment, system, state and service (str); ``domains``: for each domain that is ours the list of
        {term, service, source, date} (date YYYY-MM-DD, YYYY-MM or None; ``given`` true when the user stated the term);
        ``dkim``: for each of them the list of {selector, target | public_key, service, after_spf}; ``cnames``: the
        other CNAMEs as {name, target, service}; ``foreign``: the senders' domains that are not ours, so that nothing is
        planned for them; ``senders``: what ``resolved_senders`` gives; ``entra`` and ``server``: what the tenant and
        the mail server must have, and ``probe`` what ``smtp_probe`` looks for there, None when there is no such thing;
        ``submission``: how a test message is handed in, as ``sender_submission`` gives it;
        ``password_end``: how the sign-in with a password ends and what takes over, as ``docs/inventory.md`` describes
        it, None when it does not end
    """
    domains: dict[str, list[dict[str, Any]]] = {}
    foreign: list[str] = []
    for domain, terms in _wanted(environment, catalogue):
        if not environment.is_ours(domain):
            foreign += [domain] if domain not in foreign else []
            continue
        listed = domains.setdefault(domain, [])
        listed += [term for term in terms if term not in listed]
    senders = resolved_senders(environment, catalogue)
    return {
        "environment": environment.name,
        "system": environment.system.name,
        "state": environment.state,
        "service": environment.service.name,
        "domains": domains,
        "dkim": _selectors(environment),
        "cnames": _cnames(environment),
        "foreign": foreign,
        "senders": senders,
        "entra": _entra(environment, [sender["from"] for sender in senders]),
        "server": _server(environment),
        "probe": probed_server(environment),
        "submission": sender_submission(environment),
        "password_end": _password_end(environment, catalogue, [sender["from"] for sender in senders]),
    }


def no_needs(environment: str, state: Any, problems: Iterable[Problem]) -> dict[str, Any]:
    """What is published for an environment whose declaration is wrong: its problems, which stop the run.

    :param environment: its name
    :param state: as it was declared, right or wrong
    :param problems: at least one
    :returns: the shape of :func:`environment_needs` without needs, and ``problems`` as a list of dicts
    """
    nothing: dict[str, Any] = {"domains": {}, "dkim": {}, "cnames": [], "foreign": [], "senders": []}
    found = [asdict(problem) for problem in problems]
    return {"environment": environment, "state": str(state), **nothing, "problems": found}


def _wanted(environment: Environment, catalogue: Catalogue) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    beside = rules_of(environment.system.name).also_sends(environment)
    terms = _own_terms(environment)
    for sender in environment.senders:
        # a sender kind named after a service belongs to that service, not to the ERP's own transport
        if sender.kind not in {service for service, _other in beside}:
            yield sender.domain, terms
    for service, sender in beside:
        yield sender.domain, service_terms(catalogue.service(service))


def _own_terms(environment: Environment) -> list[dict[str, Any]]:
    if environment.spf_terms is None:
        return service_terms(environment.service)
    name = environment.service.name
    return [
        {"term": term, "service": name, "source": INVENTORY, "date": None, "given": True}
        for term in environment.spf_terms
    ]


def _selectors(environment: Environment) -> dict[str, list[dict[str, Any]]]:
    more = {"service": environment.service.name, "after_spf": environment.service.name == _SPF_FIRST}
    return {
        domain: [{**selector, **more} for selector in signature.selectors]
        for domain, signature in environment.dkim.items()
        if environment.is_ours(domain) and signature.selectors
    }


def _cnames(environment: Environment) -> list[dict[str, str]]:
    return [
        {"name": signature.return_path[0], "target": signature.return_path[1], "service": environment.service.name}
        for signature in environment.dkim.values()
        if signature.return_path is not None
    ]


def _entra(environment: Environment, senders: list[str]) -> dict[str, Any] | None:
    """What the tenant must have; making it is not this role's business."""
    wanted = environment.transport.entra
    if wanted is None:
        return None
    if wanted.kind == "consent":
        user = environment.values.get(wanted.user or "")
        consent = {key: environment.consent.get(key) for key in CONSENT_KEYS}
        return {
            "kind": "consent",
            "application": wanted.application,
            "publisher": wanted.publisher,
            **consent,
            "user": user,
        }
    secret = environment.password.variable if environment.password and environment.has_password else None
    return {
        "kind": "application",
        "managed": environment.is_managed,
        "title": environment.system.title,
        "permissions": [dict(permission) for permission in wanted.permissions],
        "directory_id": environment.values.get("directory_id"),
        "application_id": environment.values.get("application_id"),
        "secret": secret,
        "senders": sorted(set(senders)),
    }


def _server(environment: Environment) -> dict[str, Any] | None:
    found = rules_of(environment.system.name).server(environment)
    return found if found["host"] else None


def _password_end(environment: Environment, catalogue: Catalogue, senders: list[str]) -> dict[str, Any] | None:
    ending = ending_password(environment, catalogue)
    if ending is None:
        return None
    source, otherwise = ending.end.steps.source, ending.end.otherwise
    relay = None if ending.moved else on_own_relay(environment, catalogue)
    return {
        "service": ending.service.name,
        "title": ending.service.title,
        "system": environment.system.title,
        "steps": [dict(step) for step in ending.end.steps.value],
        "source": str(source) if source else "",
        "date": source.date if source else None,
        "check_after": source.check_after if source else None,
        "ways": _ways(environment, ending, senders),
        "relay": None if relay is None else {"hints": hints_of_move(environment, relay)},
        "otherwise": {**otherwise.texts, "source": str(otherwise.source)} if otherwise else None,
    }


def _ways(environment: Environment, ending: EndingPassword, senders: list[str]) -> list[dict[str, Any]]:
    """The transports that take over, each with what it will need of the tenant, of the inventory and of a person."""
    return [
        {
            "transport": moved.transport.id,
            "label": moved.transport.label,
            "service": moved.service.name,
            "entra": _entra(moved, senders),
            "missing": _missing(moved),
            "hints": hints_of_move(environment, moved),
        }
        for moved in ending.moved
    ]


def _missing(moved: Environment) -> list[str]:
    """The variables without which entra_bootstrap cannot prepare a transport."""
    wanted = moved.transport.entra
    missing = [] if moved.has_tenant or wanted is None else ["mail_entra_tenant"]
    if wanted is not None and wanted.kind == "consent":
        missing += ["erp_mail_consent"] if any(moved.consent.get(key) is None for key in CONSENT_KEYS) else []
        missing += [] if moved.values.get(wanted.user or "") else [f"erp_mail_settings.{wanted.user}"]
    return missing
