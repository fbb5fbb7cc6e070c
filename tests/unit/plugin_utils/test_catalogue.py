# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's files, and entries that a user adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils import catalogue_loader
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.judgement import VARIABLES, judge
from ansible_collections.mailroom.erp.plugins.plugin_utils.settings import settings_of

FOLDER = Path(catalogue_loader.__file__).parent / "catalogue"
ROLES = Path(catalogue_loader.__file__).parents[2] / "roles"
FILES = sorted(FOLDER.glob("*/*.yml"))

SOURCES = {"page": {"title": "Vendor's page", "url": "https://erp.example/mail", "date": "2026-10-01"}}
SERVICE: dict[str, Any] = {
    "title": "Mailer",
    "kind": "platform",
    "sources": SOURCES,
    "smtp": {
        "host": {"value": "smtp.mailer.example", "source": "page"},
        "ports": {"value": [{"port": 587, "security": "starttls"}], "source": "page"},
        "auth": {"value": "required", "source": "page"},
    },
    "spf": {"terms": {"value": ["include:spf.mailer.example"], "source": "page"}},
}
SYSTEM: dict[str, Any] = {
    "title": "Ledger",
    "language": "en",
    "sources": SOURCES,
    "menu": {"value": "Setup / Mail", "source": "page"},
    "senders": {
        "environment": {"label": "From", "shape": "address", "required": True, "menu": "Setup / Mail", "source": "page"}
    },
    "transports": {
        "smtp": {
            "label": "SMTP",
            "kinds": ["platform"],
            "source": "page",
            "fields": [
                {"id": "host", "label": "Host", "setting": {"type": "str"}, "fact": "host", "source": "page"},
                {"id": "port", "label": "Port", "setting": {"type": "int"}, "fact": "port", "source": "page"},
                {"id": "user", "label": "User", "setting": {"type": "str"}, "source": "page"},
                {"id": "from", "label": "From", "sender": "environment", "source": "page"},
            ],
        }
    },
    "rules": [
        {"transport": "smtp", "required_if": ["port", 587, ["user"]], "rule": "587 wants a user", "source": "page"}
    ],
}


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_file_loads_and_is_named_like_its_entry(file: Path) -> None:
    entry = Catalogue().entry(file.parent.name, file.stem)
    assert entry["name"] == file.stem
    loaded = Catalogue().system(file.stem) if file.parent.name == "systems" else Catalogue().service(file.stem)
    assert loaded.name == file.stem


def test_the_catalogue_holds_what_the_roles_need() -> None:
    assert Catalogue().names("systems") == ["afas_profit", "compad_bakkerij"]
    assert Catalogue().names("services") == [
        "afas_online",
        "gmail",
        "kpn",
        "microsoft365",
        "ordernow",
        "own_relay",
        "sendgrid",
        "ziggo",
    ]


def test_a_fact_that_nobody_gave_is_unknown() -> None:
    assert Catalogue().service("sendgrid").spf_terms.value is None
    assert Catalogue().service("own_relay").host.value is None
    assert Catalogue().service("kpn").domains.value is None


def test_the_addresses_of_2015_bear_their_date() -> None:
    for name in ("ziggo", "kpn", "ordernow"):
        source = Catalogue().service(name).spf_terms.source
        assert source is not None and source.date == "2015-11-18"


def test_the_fields_of_profit_stand_in_the_screen_s_order() -> None:
    smtp = Catalogue().system("afas_profit").transports[1]
    assert [field.label.partition(" (")[0] for field in smtp.fields] == [
        "Mail server type",
        "Server for outgoing mail",
        "Port for outgoing mail",
        "Enforce secure communication",
        "SMTP server requires verification",
        "Username",
        "Password",
        "Automatic e-mail sender",
    ]


def test_a_user_s_system_and_service_go_through_the_same_door() -> None:
    catalogue = Catalogue({"ledger": SYSTEM}, {"mailer": SERVICE})
    declaration = Declaration(
        "env_1",
        system="ledger",
        service="mailer",
        senders={"environment": "a@acme.example"},
        settings={"user": "u"},
        own_domains=["acme.example"],
    )
    environment, findings = judge(declaration, catalogue)
    assert findings.all == []
    assert environment is not None
    fields = {field["id"]: field["value"] for field in settings_of(environment)["fields"]}
    assert fields == {"host": "smtp.mailer.example", "port": 587, "user": "u", "from": "a@acme.example"}
    terms = environment_needs(environment, catalogue)["domains"]["acme.example"]
    assert [term["term"] for term in terms] == ["include:spf.mailer.example"]


def test_a_user_s_rule_is_checked() -> None:
    catalogue = Catalogue({"ledger": SYSTEM}, {"mailer": SERVICE})
    senders = {"environment": "a@acme.example"}
    _environment, findings = judge(
        Declaration("env_1", system="ledger", service="mailer", senders=senders, own_domains=["acme.example"]),
        catalogue,
    )
    assert [(problem.where, problem.rule, problem.source) for problem in findings.errors] == [
        ("erp_mail_settings.user", "587 wants a user", "Vendor's page, 2026-10-01")
    ]


def test_a_user_s_service_replaces_one_of_the_collection() -> None:
    assert Catalogue(services={"ziggo": SERVICE}).service("ziggo").title == "Mailer"


MALFORMED: list[tuple[str, Any, str]] = [
    ("no dictionary", "smtp.mailer.example", "not a dictionary"),
    ("no sources", {key: value for key, value in SERVICE.items() if key != "sources"}, "sources"),
    ("unknown kind", {**SERVICE, "kind": "cloud"}, "kind"),
    ("misspelled key", {**SERVICE, "spff": {}}, "spff"),
    ("fact without a source", {**SERVICE, "mx": {"value": ["mx.example"]}}, "source"),
    ("bare fact", {**SERVICE, "smtp": {"host": "smtp.mailer.example"}}, "host"),
    ("stray source", {**SERVICE, "mx": {"value": ["mx.example"], "source": "elsewhere"}}, "elsewhere"),
    ("source without a date", {**SERVICE, "sources": {"page": {"title": "x"}}}, "date"),
    ("source with a wrong date", {**SERVICE, "sources": {"page": {"title": "x", "date": "last year"}}}, "YYYY-MM"),
    ("port is no number", {**SERVICE, "smtp": {"ports": {"value": [{"port": "a"}], "source": "page"}}}, "port"),
    ("wrong SPF term", {**SERVICE, "spf": {"terms": {"value": ["ip4:1.2.3"], "source": "page"}}}, "RFC 7208"),
]


@pytest.mark.parametrize(("entry", "rule"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_service_is_refused_by_name(entry: Any, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        Catalogue(services={"mailer": entry}).service("mailer")
    assert str(caught.value).startswith("catalogue service mailer: ")
    assert rule in str(caught.value)
    assert "docs/catalogue.md" in str(caught.value)


@pytest.mark.parametrize(
    ("part", "value", "rule"),
    [
        ("transports", {"smtp": {"label": "SMTP", "source": "page"}}, "fields"),
        ("transports", {"SMTP 1": SYSTEM["transports"]["smtp"]}, "a-z"),
        ("senders", {"environment": {**SYSTEM["senders"]["environment"], "shape": "list"}}, "shape"),
        ("language", "fr", "language"),
        ("notes", [{"text": "x", "source": "nowhere"}], "nowhere"),
    ],
)
def test_a_malformed_system_is_an_error_of_the_environment(part: str, value: Any, rule: str) -> None:
    catalogue = Catalogue({"ledger": {**SYSTEM, part: value}}, {})
    _environment, findings = judge(Declaration("env_1", system="ledger"), catalogue)
    assert any("catalogue system ledger" in str(problem) and rule in str(problem) for problem in findings.errors)


def test_the_variables_are_those_that_the_roles_document() -> None:
    documented = {"erp_mail_password"}  # documented, but no option: it is never templated
    for role in ("erp_mail", "mail_dns"):
        specs = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        documented |= set(specs["argument_specs"]["main"]["options"])
    assert documented == set(VARIABLES)
