# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""From the variables of one host to its declaration: what is templated, and what only the raw variables tell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import (
    Secret,
    domains_with,
    find_secret,
    plain_account_secrets,
)

# raw: the judgement names the environment, the value and the rule, which an argument spec's own errors do not
_RAW = {"type": "raw"}
DECLARATION_OPTIONS: ArgumentSpec = {
    "environment": {"type": "str", "required": True},
    "system": {**_RAW, "required": True},
    "state": {**_RAW, "default": "present"},
    "transport": _RAW,
    "service": _RAW,
    "senders": _RAW,
    "settings": _RAW,
    "spf_terms": _RAW,
    "dkim": _RAW,
    "consent": _RAW,
    "envelope_from": _RAW,
    "probe_from": _RAW,
    "confirmed": _RAW,
    "secrets": {**_RAW, "default": "reference"},
    "own_domains": _RAW,
    "accept_stale": {"type": "list", "elements": "str"},
    "made": {"type": "dict"},
    "catalogue_systems": {"type": "dict"},
    "catalogue_services": {"type": "dict"},
}
"""What ``erp_mail_info`` takes for a declaration."""

DECLARED_IN = {
    option: f"erp_mail_{option}"
    for option in DECLARATION_OPTIONS
    if option not in ("environment", "own_domains", "accept_stale", "made")
}
"""The variable of each option that is a host's own."""

PREFIXES = (
    "erp_mail_",
    "mail_accept_",
    "mail_dns_",
    "mail_entra_",
    "mail_max_",
    "mail_offboard_",
    "mail_parked_",
    "mail_plan_",
    "mail_policy_",
    "mail_report_",
    "mail_reports_",
    "mail_run_",
    "mail_shared_",
)
"""How the variables of a declaration begin."""


@dataclass(frozen=True, slots=True)
class InventoryFacts:
    """What only the raw variables of a host tell, and no value of a secret.

    ``password`` says where erp_mail_password stands, ``plain_secrets`` which secrets of accounts are readable text;
    ``signed_domains`` are the domains of mail_dns_domains that declare selectors; ``names`` the host's variables that
    begin like those of a declaration.
    """

    password: Secret
    plain_secrets: tuple[tuple[str, Secret], ...] = ()
    signed_domains: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    has_tenant: bool = False
    inventory_dir: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same for a result of Ansible; :func:`facts_from` reads it."""
        return asdict(self)


def inventory_facts(variables: Mapping[str, Any]) -> InventoryFacts:
    """Look at the raw variables of one host.

    :param variables: raw, as an action plugin gets them; nothing is templated
    """
    folder = variables.get("inventory_dir")
    return InventoryFacts(
        password=find_secret(variables, "erp_mail_password"),
        plain_secrets=tuple(plain_account_secrets(variables)),
        signed_domains=tuple(domains_with(variables, "dkim")),
        names=tuple(sorted(name for name in map(str, variables) if name.startswith(PREFIXES))),
        has_tenant=variables.get("mail_entra_tenant") is not None,
        inventory_dir=str(folder) if folder else None,
    )


def facts_from(given: Mapping[str, Any]) -> InventoryFacts:
    """Read what :meth:`InventoryFacts.as_dict` gave.

    :param given: plain values
    """
    secrets = tuple((path, Secret(**secret)) for path, secret in given["plain_secrets"])
    more = {name: tuple(given[name]) for name in ("signed_domains", "names")}
    return InventoryFacts(**{**given, **more, "password": Secret(**given["password"]), "plain_secrets": secrets})


def declaration_of(options: Mapping[str, Any], facts: InventoryFacts) -> Declaration:
    """Put a declaration together.

    :param options: checked by :data:`DECLARATION_OPTIONS`, plain
    :param facts: of the same host
    """
    return Declaration(
        environment=options["environment"],
        system=options["system"],
        state=options["state"],
        transport=options["transport"],
        service=options["service"],
        senders=_or_empty(options["senders"], {}),
        settings=_or_empty(options["settings"], {}),
        spf_terms=options["spf_terms"],
        dkim=options["dkim"],
        consent=options["consent"],
        envelope_from=options["envelope_from"],
        probe_from=options["probe_from"],
        confirmed=_or_empty(options["confirmed"], []),
        secrets=options["secrets"],
        own_domains=_or_empty(options["own_domains"], []),
        signed_domains=list(facts.signed_domains),
        password=facts.password,
        has_tenant=facts.has_tenant,
        made=_beside(options["made"], facts.inventory_dir),
    )


def names_of_domains(domains: Any) -> Any:
    """The domains that are ours, which is all that the judgement of one environment needs of them.

    :param domains: mail_dns_domains as it is declared; what is no dictionary is given back, to be refused
    """
    if domains is None:
        return []
    return list(domains) if isinstance(domains, Mapping) else domains


def _beside(made: Mapping[str, Any] | None, folder: str | None) -> Mapping[str, Any] | None:
    """What mail_entra made, its file told from the inventory's folder: the sheet is the same on every controller."""
    if not made or not made.get("stored") or not folder:
        return made
    file = os.path.relpath(made["stored"]["file"], folder)
    return made if file.startswith("..") else {**made, "stored": {**made["stored"], "file": file}}


def _or_empty(value: Any, empty: Any) -> Any:
    return empty if value is None else value
