# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads and judges one host after the other for a run over all: each variable is templated once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import (
    DECLARATION_OPTIONS,
    DECLARED_IN,
    InventoryFacts,
    inventory_facts,
    names_of_domains,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import TENANT_VARIABLES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import unreadable_problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs, no_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import UnreadableVariable
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judged_host import judge_host

SHARED_VARIABLES = (
    "mail_dns_account",
    "mail_dns_domains",
    *(f"mail_entra_{name}" for name in TENANT_VARIABLES),
    "mail_test_to",
    "mail_test_outside",
)
"""What is read of each host for the plans of all: accounts, domains, tenants, and the addresses of test messages."""

_OUTPUT_DIR = "erp_mail_output_dir"
_EMPTY_IS_NONE = ("transport", "service")
_VALIDATOR = ArgumentSpecValidator(DECLARATION_OPTIONS)


class Variables(Protocol):
    """The variables of one host."""

    raw: Mapping[str, Any]

    @property
    def templar(self) -> Any:
        """Templates with the variables of this host."""

    def value(self, name: str) -> Any:
        """A variable, templated and plain; None when there is none.

        :raises UnreadableVariable: it cannot be templated
        """


@dataclass(slots=True)
class HostJudgement:
    """One host, judged. ``variables`` are plain, by name; those of accounts hold secrets. ``needs`` is what the role
    erp_mail would publish as ``erp_mail_needs``, None for a host that declares nothing and has nothing wrong.
    ``declaration`` is what to write the environment's files from, None for a host that declares none."""

    variables: dict[str, Any] = field(default_factory=dict)
    needs: dict[str, Any] | None = None
    declaration: dict[str, Any] | None = None
    warnings: list[Problem] = field(default_factory=list)


class Catalogues:
    """The catalogues of many hosts; those with the same entries of their own share one."""

    def __init__(self) -> None:
        self._known: dict[str, Catalogue] = {}

    def with_entries(self, systems: Any, services: Any) -> Catalogue:
        """Find the catalogue of a host.

        :param systems: its own systems by name; what is no dictionary holds none, and is told by the judgement
        :param services: its own services by name, likewise
        """
        systems, services = (own if isinstance(own, Mapping) else {} for own in (systems, services))
        return self._known.setdefault(canonical_json([systems, services]), Catalogue(systems, services))


def judged_variables(host: str, variables: Variables, catalogues: Catalogues) -> HostJudgement:
    """Read a host's variables, and judge its declaration if it has one.

    :param host: its name
    :param variables: of this host
    :param catalogues: remembers what hosts share
    """
    reader = _Reader(host, variables)
    judgement = HostJudgement({name: reader.value(name) for name in SHARED_VARIABLES if name in variables.raw})
    if "erp_mail_system" in variables.raw:
        options, folder = reader.options(), reader.folder()
        judgement.variables |= {DECLARED_IN["system"]: options["system"] or True}
        own = options["catalogue_services"]
        judgement.variables |= {DECLARED_IN["catalogue_services"]: own if isinstance(own, Mapping) else {}}
        facts = inventory_facts(variables.raw)
        if folder:
            judgement.declaration = {"options": options, "facts": facts.as_dict(), "output_dir": folder}
        if not reader.unreadable:
            _judge(judgement, options, facts, variables, catalogues)
    if reader.unreadable:
        judgement.needs = no_needs(host, "present", reader.unreadable)
    return judgement


def _judge(
    judgement: HostJudgement,
    options: dict[str, Any],
    facts: InventoryFacts,
    variables: Variables,
    catalogues: Catalogues,
) -> None:
    catalogue = catalogues.with_entries(options["catalogue_systems"], options["catalogue_services"])
    judged = judge_host(options, facts, catalogue, lambda: read_secret(variables.templar, variables.raw))
    judgement.warnings = judged.warnings
    if judged.environment is None:
        judgement.needs = no_needs(options["environment"], options["state"], judged.errors)
    else:
        judgement.needs = environment_needs(judged.environment, catalogue)


class _Reader:
    """Reads the variables of one host, collecting problems."""

    def __init__(self, host: str, variables: Variables) -> None:
        self._host, self._variables = host, variables
        self.unreadable: list[Problem] = []

    def value(self, name: str) -> Any:
        try:
            return self._variables.value(name)
        except UnreadableVariable:
            self.unreadable.append(unreadable_problem(self._host, name))
        return None

    def folder(self) -> str | None:
        """The folder of the files of all environments; None when there is none, or it is no path."""
        folder = self.value(_OUTPUT_DIR)
        if not folder or (isinstance(folder, str) and folder.isprintable()):
            return folder or None
        rule, way_out = "it is the path of a folder: a text of printable characters", "Correct it."
        self.unreadable.append(INVENTORY_RULES.problem(self._host, _OUTPUT_DIR, None, rule, way_out))
        return None

    def options(self) -> dict[str, Any]:
        """The options of the declaration, with types and defaults."""
        given = {option: self.value(variable) for option, variable in DECLARED_IN.items()}
        given |= {option: given[option] or None for option in _EMPTY_IS_NONE}
        given |= {"environment": self._host, "accept_stale": self.value("mail_dns_accept_stale")}
        given["own_domains"] = names_of_domains(self.value("mail_dns_domains"))
        checked = _VALIDATOR.validate({name: value for name, value in given.items() if value is not None})
        for message in checked.error_messages:
            way_out = "docs/inventory.md shows the variables."
            self.unreadable.append(INVENTORY_RULES.problem(self._host, "erp_mail_system", None, message, way_out))
        return dict(checked.validated_parameters)
