# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Judges what one host declares, with all that its inventory tells beside the declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    INVENTORY,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import (
    InventoryFacts,
    declaration_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration, unknown_variables


@dataclass(frozen=True, slots=True)
class JudgedHost:
    """``environment`` is None when there are ``errors``; ``warnings`` are shown in any case."""

    environment: Environment | None
    errors: list[Problem]
    warnings: list[Problem]


def judge_host(
    options: Mapping[str, Any], facts: InventoryFacts, catalogue: Catalogue, read_password: Callable[[], object]
) -> JudgedHost:
    """Judge one host's declaration.

    :param options: as ``DECLARATION_OPTIONS`` checks them, plain
    :param facts: of the same host
    :param catalogue: with the host's own entries
    :param read_password: tries to read erp_mail_password, where it is to stand in a file
    """
    environment, findings = judge_declaration(declaration_of(options, facts), catalogue)
    unknown_variables(facts.names, findings)
    _plain_secrets(facts, findings)
    if options["secrets"] == "inline" and facts.password.is_given and options["state"] != "absent":
        _readable(read_password, findings)
    sound = environment if not findings.errors else None
    return JudgedHost(sound, findings.errors, findings.warnings)


def _readable(read_password: Callable[[], object], findings: Findings) -> None:
    """A secret that shall stand in a file must be readable, which is told before anything is written."""
    try:
        read_password()
    except Refused as refused:
        for problem in refused.problems:
            findings.error(problem.where, None, problem.rule, problem.source, str(problem.way_out))


def _plain_secrets(facts: InventoryFacts, findings: Findings) -> None:
    password = facts.password
    if password.kind == "dangling":
        rule = "it refers to a variable that is not defined in this run"
        way_out = "Check the name, or load the vaulted file that defines it."
        findings.warn("erp_mail_password", password.variable, rule, INVENTORY, way_out)
    found = [("erp_mail_password", password)] if password.kind == "plain" else []
    for path, secret in (*found, *facts.plain_secrets):
        place = f" ({secret.place})" if secret.place else ""
        name = "" if secret.variable == path else f" through {secret.variable}"
        rule = f"this secret stands as readable text in the inventory{name}{place}; its value is not shown"
        way_out = "Encrypt it: ansible-vault encrypt_string, or a vaulted variables file that it refers to."
        findings.warn(path, None, rule, INVENTORY, way_out)
