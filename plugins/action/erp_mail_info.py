# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_mail_info``: reads the host's variables, writes nothing, runs on the controller."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    INVENTORY,
    Declaration,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import (
    Secret,
    domains_with,
    find_secret,
    plain_account_secrets,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs, no_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.stale_terms import is_held_back
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import settings_of, settings_yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import sheet_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_html import html_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_markdown import markdown_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration, unknown_variables

# raw: the judgement names the environment, the value and the rule, which an argument spec's own errors do not
_RAW = {"type": "raw"}
_ARGUMENTS: ArgumentSpec = {
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
    "confirmed": _RAW,
    "secrets": {**_RAW, "default": "reference"},
    "own_domains": _RAW,
    "accept_stale": {"type": "list", "elements": "str"},
    "made": {"type": "dict"},
    "catalogue_systems": {"type": "dict"},
    "catalogue_services": {"type": "dict"},
    "on_problem": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}

_NOTHING: dict[str, Any] = {"settings": {}, "settings_yaml": "", "sheet": "", "sheet_html": ""}


class ActionModule(ControllerAction):
    """Turns one declaration into settings, sheet and needs."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Judge the declaration.

        :param options: the declaration, part by part
        :param variables: a secret among them is located, never read
        :returns: settings, settings_yaml, sheet, needs and warnings; failed with all errors, one per line, else
        :raises MissingLibrary: a library is not installed
        """
        return _judged(options, variables, self._templar)


def _judged(arguments: Mapping[str, Any], variables: Mapping[str, Any], templar: Any) -> Result:
    catalogue = Catalogue(arguments["catalogue_systems"], arguments["catalogue_services"])
    password = find_secret(variables, "erp_mail_password")
    declaration = _declaration(arguments, variables, password, domains_with(variables, "dkim"))
    environment, findings = judge_declaration(declaration, catalogue)
    unknown_variables(variables, findings)
    _plain_secrets(variables, password, findings)
    if arguments["secrets"] == "inline" and password.is_given and arguments["state"] == "present":
        _readable(templar, variables, findings)
    result: dict[str, Any] = {"changed": False, "warnings": [str(problem) for problem in findings.warnings]}
    if findings.errors or environment is None:
        return {**result, **_problems(arguments, findings)}
    accepted = arguments["accept_stale"] or []
    return {**result, **_published(environment, catalogue, accepted), "problems": []}


def _problems(arguments: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """What a wrong declaration gives: a failure, or its problems among the needs, to be told with all others'."""
    told = [str(problem) for problem in findings.errors]
    if arguments["on_problem"] == "fail":
        return {"failed": True, "problems": told, "msg": "\n".join(told)}
    needs = no_needs(arguments["environment"], arguments["state"], findings.errors)
    return {**_NOTHING, "needs": needs, "problems": told}


def _declaration(
    arguments: Mapping[str, Any], variables: Mapping[str, Any], password: Secret, signed: list[str]
) -> Declaration:
    return Declaration(
        environment=arguments["environment"],
        system=arguments["system"],
        state=arguments["state"],
        transport=arguments["transport"],
        service=arguments["service"],
        senders=_or_empty(arguments["senders"], {}),
        settings=_or_empty(arguments["settings"], {}),
        spf_terms=arguments["spf_terms"],
        dkim=arguments["dkim"],
        consent=arguments["consent"],
        envelope_from=arguments["envelope_from"],
        confirmed=_or_empty(arguments["confirmed"], []),
        secrets=arguments["secrets"],
        own_domains=_or_empty(arguments["own_domains"], []),
        signed_domains=signed,
        password=password,
        has_tenant=variables.get("mail_entra_tenant") is not None,
        made=_beside(arguments["made"], variables.get("inventory_dir")),
    )


def _beside(made: Mapping[str, Any] | None, folder: Any) -> Mapping[str, Any] | None:
    """What mail_entra made, its file told from the inventory's folder: the sheet is the same on every controller."""
    if not made or not made.get("stored") or not folder:
        return made
    file = os.path.relpath(made["stored"]["file"], str(folder))
    return made if file.startswith("..") else {**made, "stored": {**made["stored"], "file": file}}


def _readable(templar: Any, variables: Mapping[str, Any], findings: Findings) -> None:
    """A secret that shall stand in a file must be readable, which is told before anything is written."""
    try:
        read_secret(templar, variables)
    except Refused as refused:
        for problem in refused.problems:
            findings.error(problem.where, None, problem.rule, problem.source, str(problem.way_out))


def _or_empty(value: Any, empty: Any) -> Any:
    return empty if value is None else value


def _published(environment: Environment, catalogue: Catalogue, accepted: list[str]) -> dict[str, Any]:
    needs = environment_needs(environment, catalogue)
    if environment.state == "absent":
        return {**_NOTHING, "needs": needs}
    settings = settings_of(environment)
    today = datetime.datetime.now(datetime.UTC).date()
    sheet = sheet_of(environment, settings, needs, lambda term: is_held_back(term, accepted, today))
    return {
        "settings": settings,
        "settings_yaml": settings_yaml(settings),
        "sheet": markdown_sheet(sheet),
        "sheet_html": html_sheet(sheet),
        "needs": needs,
    }


def _plain_secrets(variables: Mapping[str, Any], password: Secret, findings: Findings) -> None:
    if password.kind == "dangling":
        rule = "it refers to a variable that is not defined in this run"
        way_out = "Check the name, or load the vaulted file that defines it."
        findings.warn("erp_mail_password", password.variable, rule, INVENTORY, way_out)
    found = [("erp_mail_password", password)] if password.kind == "plain" else []
    for path, secret in (*found, *plain_account_secrets(variables)):
        place = f" ({secret.place})" if secret.place else ""
        name = "" if secret.variable == path else f" through {secret.variable}"
        rule = f"this secret stands as readable text in the inventory{name}{place}; its value is not shown"
        way_out = "Encrypt it: ansible-vault encrypt_string, or a vaulted variables file that it refers to."
        findings.warn(path, None, rule, INVENTORY, way_out)
