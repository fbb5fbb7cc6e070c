# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong declarations, each with the environment, field, value, rule and source that its error must name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.action.erp_outcome import _told
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration, unknown_variables
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import (
    BAKERY,
    BASES,
    EXALT,
    GIVEN,
    GMAIL,
    M365,
    MISSING,
    ONLINE,
    SMTP,
    accepted,
    judged,
)

SEEDS = (
    "AFAS Profit help",
    "Elektronisch facturering",
    "KING ERP help",
    "A2000ERP knowledge base",
    "Exalt, email settings",
)


def cases(name: str) -> list[dict[str, Any]]:
    """The rows of a table beside this file. A password in it is the name of the variable that holds it."""
    rows: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
    for row in rows:
        if "password" in row["changes"]:
            row["changes"]["password"] = GIVEN if row["changes"]["password"] else MISSING
        # a change of single settings leaves the others of the base as they are; null takes one away
        if "set" in row["changes"]:
            changed = {**BASES[row["base"]].get("settings", {}), **row["changes"].pop("set")}
            row["changes"]["settings"] = {name: value for name, value in changed.items() if value is not None}
    return rows


WRONG = cases("wrong_declarations.yml")
WARNED = cases("warned_declarations.yml")


@pytest.mark.parametrize("row", WRONG, ids=[row["case"] for row in WRONG])
def test_a_wrong_declaration_gives_one_error_that_names_all_of_it(row: dict[str, Any]) -> None:
    _environment, findings = judged(BASES[row["base"]], **row["changes"])
    assert [(problem.where, problem.value) for problem in findings.errors] == [(row["where"], row["value"])]
    error = findings.errors[0]
    assert _told([str(error)], None) == str(error), "the host is told all of it, the way out too"
    assert row["rule"] in error.rule
    assert row["source"] in error.source
    assert error.way_out
    assert str(error).startswith(f"env_1: {row['where']}")
    assert "hunter2" not in str(error)


def test_there_are_enough_wrong_declarations() -> None:
    assert len({row["case"] for row in WRONG}) == len(WRONG) >= 80
    for system in SEEDS:
        assert len([row for row in WRONG if system in row["source"]]) >= 10, system


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_a_right_declaration_has_no_errors(base: dict[str, Any]) -> None:
    accepted(base)


def test_several_errors_are_reported_together() -> None:
    _environment, findings = judged(
        SMTP,
        senders={"environment": "nobody"},
        settings={"username": "a", "port": 1, "server": "a b", "prot": 1},
        spf_terms=["all"],
    )
    assert [problem.where for problem in findings.errors] == [
        "erp_mail_spf_terms",
        "erp_mail_senders.environment",
        "erp_mail_settings.port",
        "erp_mail_settings.server",
        "erp_mail_settings.prot",
    ]


@pytest.mark.parametrize("row", WARNED, ids=[row["case"] for row in WARNED])
def test_what_works_badly_is_warned_about(row: dict[str, Any]) -> None:
    _environment, findings = judged(BASES[row["base"]], **row["changes"])
    assert findings.errors == []
    assert [problem for problem in findings.warnings if problem.where == row["where"] and row["rule"] in problem.rule]


@pytest.mark.parametrize(
    "base", ["online", "dkim", "smtp", "exchange", "bakery", "king", "king_smtp", "king_graph", "a2000", "exalt"]
)
def test_a_good_declaration_is_not_warned_about(base: str) -> None:
    assert judged(BASES[base])[1].warnings == []


@pytest.mark.parametrize("path", [r"\\files\exalt\debug", r"\\files\exalt", "Z:", r"S:\mail\debug"])
def test_a_debug_path_on_the_network_is_right(path: str) -> None:
    settings = {**EXALT["settings"], "debug_path": path}
    warned = judged(EXALT, settings=settings)[1].warnings
    assert ["content of messages" in problem.rule for problem in warned] == [True]


def test_an_absent_environment_needs_no_password_and_is_not_warned_about() -> None:
    environment, findings = judged(M365, state="absent", password=MISSING, settings={})
    assert findings.all == []
    assert environment is not None and environment.state == "absent"


def test_the_service_fills_what_the_inventory_leaves_out() -> None:
    environment = accepted(M365, service="sendgrid", settings={})
    wanted = {"server": "smtp.sendgrid.net", "port": 465, "verification": True, "username": "apikey"}
    assert {name: environment.values[name] for name in wanted} == wanted


def test_office_365_gets_its_only_port() -> None:
    assert accepted(M365).values["port"] == 587


@pytest.mark.parametrize(("service", "security"), [("ziggo", "standaard"), ("gmail", "TLS")])
def test_the_bakery_s_security_follows_the_service(service: str, security: str) -> None:
    assert accepted(GMAIL, service=service).values["security"] == security


def test_internationalised_domains_are_compared_as_a_labels() -> None:
    sender = {"environment": "bakker@bäckerei.example"}
    environment, findings = judged(GMAIL, senders=sender, own_domains=["BÄCKEREI.example."])
    assert findings.errors == []
    assert environment is not None and environment.is_ours(environment.senders[0].domain)
    assert not [problem for problem in findings.warnings if "nothing is planned" in problem.rule]


@pytest.mark.parametrize("name", ["../acme", "a/b", ".."])
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    _environment, findings = judge_declaration(Declaration(environment=name, **ONLINE), Catalogue())
    assert [problem.where for problem in findings.errors] == ["inventory_hostname"]


def test_misspelled_variables_are_errors_without_their_values() -> None:
    findings = Findings("env_1")
    findings.error("erp_mail_service", None, "it is needed", "a document", "Declare it.")
    unknown_variables({"erp_mail_sender": "x", "erp_mail_senders": 1, "mail_dns_acount": 2, "other": 3}, findings)
    assert [(problem.where, problem.value) for problem in findings.errors] == [
        ("erp_mail_sender", None),
        ("mail_dns_acount", None),
        ("erp_mail_service", None),
    ]
    assert "Did you mean erp_mail_senders?" in str(findings.errors[0])


def test_a_problem_is_one_line() -> None:
    _environment, findings = judged(BAKERY, settings={"text_invoices": "a\nb"})
    assert all(isinstance(problem, Problem) and "\n" not in str(problem) for problem in findings.errors)
