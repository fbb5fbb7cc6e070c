# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/catalogue.md: they belong together, and say what the collection does with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue import catalogue_loader
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_shape import SERVICE_KINDS
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration, Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.file_values import file_values
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import settings_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration
from ansible_collections.mailroom.erp.tests.tools.catalogue_schema import schemas
from jsonschema import Draft202012Validator

TEXT = (Path(__file__).parents[4] / "docs" / "catalogue.md").read_text(encoding="utf-8")
BLOCKS: list[Any] = [yaml.safe_load(one) for one in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]
SERVICES, SYSTEMS, HOST, FILE, SETTINGS = BLOCKS
ENTRIES = {"services": SERVICES["erp_mail_catalogue_services"], "systems": SYSTEMS["erp_mail_catalogue_systems"]}


def accepted(catalogue: Catalogue) -> Environment:
    """The environment of the example: no error, and of warnings those of the example itself ("...", from_rule)."""
    [(variable, reference)] = [(name, value) for name, value in HOST.items() if "{{" in str(value)]
    assert variable == "erp_mail_password"
    declaration = Declaration(
        "acme_ledger",
        **{name.removeprefix("erp_mail_"): value for name, value in HOST.items() if name != variable},
        password=Secret(reference.strip("{} "), "vault"),
        own_domains=["acme.example"],
    )
    environment, findings = judge_declaration(declaration, catalogue)
    assert environment is not None and findings.errors == []
    told = [one.rule for one in findings.warnings if one.rule.strip(".")]
    assert len(told) == 1 and told[0].startswith("Mailer refuses mail from an address that it has not verified")
    return environment


def test_the_service_the_system_and_the_environment_fit_together() -> None:
    catalogue = Catalogue(ENTRIES["systems"], ENTRIES["services"])
    environment = accepted(catalogue)
    assert settings_of(environment) == SETTINGS
    needs = environment_needs(environment, catalogue)
    assert [term["term"] for term in needs["domains"]["acme.example"]] == ["include:spf.mailer.example"]
    assert needs["password_end"]["service"] == "mailer"


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, entries in ENTRIES.items() for name in entries])
def test_as_a_file_an_entry_is_the_same(part: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands below the name in the example, as a file of that name; and it fits the schema for editors."""
    entry = ENTRIES[part][name]
    (tmp_path / part).mkdir()
    (tmp_path / part / f"{name}.yml").write_text(yaml.safe_dump(entry, sort_keys=False), encoding="utf-8")
    own = Catalogue(ENTRIES["systems"], ENTRIES["services"]).entry(part, name)
    monkeypatch.setattr(catalogue_loader, "_FOLDER", tmp_path)
    for cache in (catalogue_loader._from_file, catalogue_loader._file_names):
        cache.cache_clear()
    try:
        assert Catalogue().entry(part, name) == own
    finally:
        for cache in (catalogue_loader._from_file, catalogue_loader._file_names):
            cache.cache_clear()
    schema = schemas()[f"{part.removesuffix('s')}.schema.json"]
    assert [error.message for error in Draft202012Validator(schema).iter_errors(entry)] == []


def test_the_same_system_configured_by_a_file() -> None:
    ledger = {**ENTRIES["systems"]["ledger"], **FILE}
    catalogue = Catalogue({"ledger": ledger}, ENTRIES["services"])
    environment = accepted(catalogue)
    assert environment.system.file is not None and environment.system.file.path == "/etc/ledger/ledger.conf"
    values, secrets = file_values(environment.system.file, settings_of(environment), lambda: "canary")
    assert values == {
        "smtp_server": "smtp.mailer.example",
        "smtp_port": "587",
        "smtp_user": "apikey",
        "email_from": "billing@acme.example",
    }
    assert secrets == {"smtp_password": "canary"}
    assert settings_of(environment)["menu"] == "ledger.conf, section [options]"


def test_what_the_example_leaves_to_choose_is_right_too() -> None:
    """The commented alternative of the keys: all of them in one URI, which needs a field for the security."""
    [alternative] = [line.strip("# -") for line in TEXT.splitlines() if line.strip().startswith("# - {key: uri")]
    ledger = {**ENTRIES["systems"]["ledger"], **FILE, "file": {**FILE["file"], "keys": [yaml.safe_load(alternative)]}}
    smtp = ledger["transports"]["smtp"]
    security = {"id": "security", "setting": {"type": "str"}, "fact": "security", "source": "manual"}
    words = {"words": {"none": "smtp", "starttls": "smtp+tls", "implicit": "smtps"}}
    changed = {**smtp, "fields": [*smtp["fields"], {**security, **words}]}
    environment = accepted(Catalogue({"ledger": {**ledger, "transports": {"smtp": changed}}}, ENTRIES["services"]))
    assert environment.system.file is not None
    values, secrets = file_values(environment.system.file, settings_of(environment), lambda: "canary")
    assert (values, secrets) == ({}, {"uri": "smtp+tls://apikey:canary@smtp.mailer.example:587"})


def test_each_kind_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", TEXT.partition("| `kind` |")[2].partition("\n\n")[0], re.MULTILINE)
    assert rows == SERVICE_KINDS
