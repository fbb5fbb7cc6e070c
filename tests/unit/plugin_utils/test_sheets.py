# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheets and settings of right declarations, compared with the texts in ``sheets/`` byte for byte."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.judgement import judge
from ansible_collections.mailroom.erp.plugins.plugin_utils.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.settings import settings_of, settings_yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet import sheet_of
from hypothesis import given
from hypothesis import strategies as st

SHEETS = Path(__file__).parent / "sheets"
PASSWORD = Secret("vault_mail_password", "vault")

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "acme_profit": {
        "system": "afas_profit",
        "transport": "afas_online",
        "senders": {
            "environment": "erp@acme.example",
            "administrations": {"1": "finance@acme.example", "2": "sales@acme.example"},
            "employers": {"100": "payroll@acme.example"},
            "templates": {"reminder": "collections@acme.example"},
        },
        "own_domains": ["acme.example"],
    },
    "beta_profit": {
        "system": "afas_profit",
        "transport": "smtp",
        "service": "own_relay",
        "senders": {"environment": "erp@beta.example", "administrations": {"1": "a|b@beta.example"}},
        "settings": {"server": "relay.beta.example", "port": 587, "enforce_secure_communication": False},
        "spf_terms": ["ip4:192.0.2.10"],
        "own_domains": ["beta.example"],
    },
    "gamma_profit": {
        "system": "afas_profit",
        "transport": "smtp",
        "service": "sendgrid",
        "senders": {"environment": "erp@gamma.example"},
        "own_domains": ["gamma.example"],
        "password": PASSWORD,
    },
    "jansen_bakery": {
        "system": "compad_bakkerij",
        "service": "ziggo",
        "senders": {"environment": "mijnbakkerij@ziggo.nl"},
        "settings": {"ordernow": True, "cc": "info@mijnbakkerij.example"},
        "own_domains": ["mijnbakkerij.example"],
    },
    "pietersen_bakery": {
        "system": "compad_bakkerij",
        "service": "gmail",
        "senders": {"environment": "bakker@pietersen.example", "ordernow": "bestellen@pietersen.example"},
        "settings": {
            "username": "bakker@pietersen.example",
            "ordernow": True,
            "delete_pdf": False,
            "hide_sent_message": True,
            "text_invoices": "Geachte klant,<br/>Zie de bijlage.",
            "pdf_location": r"D:\facturen",
        },
        "own_domains": ["pietersen.example"],
        "password": PASSWORD,
    },
}


def made(name: str, **changes: Any) -> tuple[str, str]:
    """The sheet and the settings file of one of the environments."""
    catalogue = Catalogue()
    environment, findings = judge(Declaration(name, **{**ENVIRONMENTS[name], **changes}), catalogue)
    assert findings.errors == []
    assert environment is not None
    settings = settings_of(environment)
    return sheet_of(environment, settings, environment_needs(environment, catalogue)), settings_yaml(settings)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_sheet_is_as_expected(name: str) -> None:
    assert made(name)[0] == (SHEETS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_settings_are_as_expected(name: str) -> None:
    assert made(name)[1] == (SHEETS / f"{name}.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_settings_hold_every_field_of_the_sheet_in_its_order(name: str) -> None:
    sheet, text = made(name)
    settings = yaml.safe_load(text)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in sheet.split("\n\n")[3].splitlines()[2:]]
    assert [field["label"] for field in settings["fields"]] == rows
    assert settings["format"] == "mailroom.erp/settings/1"


def test_a_secret_is_a_reference() -> None:
    sheet, text = made("gamma_profit")
    field = next(field for field in yaml.safe_load(text)["fields"] if field["id"] == "password")
    assert field["value"] == {"secret": "vault_mail_password", "where": "Ansible variable vault_mail_password"}
    assert "Ansible variable `vault_mail_password`" in sheet


@given(st.text(st.sampled_from(string.printable[:95]), min_size=1))
def test_any_text_stands_on_the_sheet_as_it_must_be_typed(text: str) -> None:
    sheet, _settings = made("jansen_bakery", settings={"pdf_location": text})
    row = next(line for line in sheet.splitlines() if line.startswith("| PDF bestandslocatie | "))
    cell = row.removeprefix("| PDF bestandslocatie | ").removesuffix(" |").replace("\\|", "|")
    fence = cell[: len(cell) - len(cell.lstrip("`"))]
    assert cell.startswith(fence) and cell.endswith(fence) and text in cell


@pytest.mark.parametrize("name", ["jansen_bakery", "pietersen_bakery"])
def test_a_dutch_erp_has_a_dutch_sheet(name: str) -> None:
    sheet = made(name)[0]
    assert "| Veld | Waarde |" in sheet and "## Goed om te weten" in sheet and "Field" not in sheet
