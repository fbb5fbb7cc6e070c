# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's files, and entries that a user adds."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue import catalogue_loader
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Source
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.known_services import known_services
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import settings_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import (
    DECLARATION_VARIABLES,
    judge_declaration,
)
from ansible_collections.mailroom.erp.tests.tools.catalogue_page import FILE as PAGE
from ansible_collections.mailroom.erp.tests.tools.catalogue_page import page
from ansible_collections.mailroom.erp.tests.tools.catalogue_schema import schemas
from ansible_collections.mailroom.erp.tests.tools.catalogue_schema import text as schema_text
from jsonschema import Draft202012Validator

FOLDER = Path(catalogue_loader.__file__).parent
ROLES = Path(catalogue_loader.__file__).parents[3] / "roles"
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
    assert Catalogue().names("systems") == ["a2000erp", "afas_profit", "compad_bakkerij", "exalt", "king_erp", "tryton"]
    providers = ["ziggo", "telfort", "kpn", "planet", "scarlet", "upc", "tele2", "versatel", "zonnet", "online"]
    mailboxes = ["microsoft365", "outlook", "live", "gmail", "exchange_online"]
    others = ["afas_online", "sendgrid", "ordernow", "own_relay"]
    assert {*providers, *mailboxes, *others} <= set(Catalogue().names("services"))


def test_the_common_senders_of_business_mail_are_known() -> None:
    named = {"mailchimp", "brevo", "mailgun", "postmark", "amazon_ses", "mandrill", "exact_online"}
    newsletters = {"mailjet", "klaviyo", "mailerlite", "activecampaign", "laposta", "copernica", "flowmailer"}
    programs = {"moneybird", "hubspot", "salesforce", "shopify", "zendesk", "freshdesk", "intercom", "zoho_mail"}
    assert named | newsletters | programs <= set(Catalogue().names("services"))


@pytest.mark.parametrize("name", Catalogue().names("services"))
def test_every_source_of_a_service_has_a_fact(name: str) -> None:
    entry = Catalogue().entry("services", name)
    unused = set(entry["sources"]) - sources_in({key: part for key, part in entry.items() if key != "sources"})
    # what a mail server of one's own does, its own entry says by leaving everything out
    assert unused == ({"inventory"} if name == "own_relay" else set())


def sources_in(part: Any) -> set[str]:
    """The names of the sources that facts and notes name."""
    if isinstance(part, list):
        return set().union(*map(sources_in, part))
    if not isinstance(part, dict):
        return set()
    named = {part["source"]} if isinstance(part.get("source"), str) else set()
    return named.union(*map(sources_in, part.values()))


@pytest.mark.parametrize("name", Catalogue().names("services"))
def test_a_term_that_only_tells_a_service_is_not_published_for_it(name: str) -> None:
    service = Catalogue().service(name)
    assert not set(service.spf_terms.value or ()) & set(service.spf_known_by.value or ())


def test_no_two_services_give_their_selectors_the_same_name() -> None:
    """A selector that is known as another service's does not count as the sender's own."""
    catalogue = Catalogue()
    named = {
        name: tuple(fact["names"])
        for name in catalogue.names("services")
        if (fact := catalogue.service(name).dkim.value) and isinstance(fact.get("names"), list)
    }
    assert named.pop("exchange_online") == named["microsoft365"]
    every = [selector for names in named.values() for selector in names]
    assert len(every) == len(set(every))


def test_a_service_is_told_by_all_its_terms() -> None:
    assert Catalogue().service("mailchimp").telling_terms == ("include:servers.mcsv.net",)
    assert Catalogue().service("mailgun").telling_terms == ("include:mailgun.org",)
    [known] = known_services(["postmark"], Catalogue())
    assert known["spf_terms"] == ["include:spf.mtasv.net"]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("zigo", "Did you mean ziggo?"),
        ("mailchimps", "Did you mean mailchimp?"),
        ("sendinblue", "Did you mean brevo?"),
        ("ses", "Did you mean amazon_ses?"),
        ("Exact Online", "Did you mean exact_online?"),
        ("google", "Did you mean gmail?"),
    ],
)
def test_a_service_of_another_name_is_found_by_its_title(given: str, hint: str) -> None:
    assert Catalogue().closest("services", given) == hint


@pytest.mark.parametrize("given", ["", "??", "twinfield"])
def test_a_service_that_nobody_knows_is_answered_with_all(given: str) -> None:
    assert Catalogue().closest("services", given).startswith("Choose one of: activecampaign, afas_online")


# tables 1 and 3, 2 and 4 of "Elektronisch facturering" 1.5 (S2)
PROVIDERS = {
    "ziggo": ("smtp.ziggo.nl", "212.54.42.9"),
    "telfort": ("smtp.telfort.nl", "213.75.63.9"),
    "kpn": ("mail.kpnmail.nl", "213.75.63.13"),
    "planet": ("mail.kpnmail.nl", "213.75.63.13"),
    "scarlet": ("mail.scarlet.nl", "213.204.195.149"),
    "upc": ("smtp.upcmail.nl", "213.46.255.2"),
    "tele2": ("smtp.tele2.nl", "212.247.156.14"),
    "versatel": ("smtp.versatel.nl", "62.58.50.46"),
    "zonnet": ("smtp.versatel.nl", "62.58.50.46"),
    "online": ("smtp.online.nl", "194.134.41.21"),
}
MAILBOXES = {
    "microsoft365": ("smtp.office365.com", {587}),
    "outlook": ("smtp-mail.outlook.com", {25, 587}),
    "live": ("smtp.live.com", {587}),
    "gmail": ("smtp.gmail.com", {587, 465}),
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_as_the_document_of_2015_has_it(name: str) -> None:
    service = Catalogue().service(name)
    assert (service.kind, service.host.value, service.spf_terms.value[0]) == (
        "isp",
        PROVIDERS[name][0],
        f"ip4:{PROVIDERS[name][1]}",
    )
    assert service.auth.value == "none" and service.ports.value[0]["port"] == 25
    assert service.spf_terms.source is not None and service.spf_terms.source.date == "2015-11-18"


@pytest.mark.parametrize("name", MAILBOXES)
def test_an_external_service_is_as_the_documents_have_it(name: str) -> None:
    service = Catalogue().service(name)
    assert service.host.value == MAILBOXES[name][0]
    assert {entry["port"] for entry in service.ports.value} == MAILBOXES[name][1]
    assert service.security(587) == "starttls" and service.auth.value == "required"


def test_the_limits_of_gmail_are_google_s_own() -> None:
    limits = Catalogue().service("gmail").limits
    assert {name: fact.value for name, fact in limits.items()} == {
        "messages_per_day": 2000,
        "messages_per_day_private": 500,
        "recipients_per_message": 100,
    }
    assert {fact.source.title.partition(",")[0] for fact in limits.values() if fact.source} == {"Google for Developers"}


def test_microsoft_365_receives_at_older_and_newer_names() -> None:
    assert Catalogue().service("microsoft365").mx.value == ["mail.protection.outlook.com", "mx.microsoft"]


@pytest.mark.parametrize("name", Catalogue().names("services"))
def test_every_dated_source_of_a_service_says_when_to_check_it_again(name: str) -> None:
    sources = Catalogue().entry("services", name)["sources"]
    assert [key for key, source in sources.items() if source["date"] != "unknown" and not source["check_after"]] == []


def test_a_source_is_due_on_the_day_after() -> None:
    source = Source("Vendor's page", None, None, "2026-10", "2026-12-31")
    assert not source.is_due(datetime.date(2026, 12, 31)) and source.is_due(datetime.date(2027, 1, 1))
    assert not Source("Vendor's page", None, None, "2026-10").is_due(datetime.date(2999, 1, 1))


@pytest.mark.parametrize("name", ["service", "system"])
def test_the_schemas_say_what_the_loader_checks(name: str) -> None:
    file = f"{name}.schema.json"
    assert (FOLDER / "schema" / file).read_text(encoding="utf-8") == schema_text(schemas()[file])


def test_the_page_of_names_is_what_the_catalogue_holds() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(), "python -m ansible_collections.mailroom.erp.tests.tools.catalogue_page writes it anew"
    assert all(f"[`{file.stem}`]" in text for file in FILES)
    assert all((PAGE.parent / link).is_file() for link in re.findall(r"\]\((\.\./[^)#]+)\)", text))


def schema_errors(part: str, entry: Any) -> list[str]:
    schema = schemas()[f"{part.removesuffix('s')}.schema.json"]
    return [error.message for error in Draft202012Validator(schema).iter_errors(entry)]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_file_fits_its_schema(file: Path) -> None:
    assert schema_errors(file.parent.name, yaml.safe_load(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("part", ["service", "system"])
def test_the_schemas_are_schemas(part: str) -> None:
    Draft202012Validator.check_schema(schemas()[f"{part}.schema.json"])


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
    environment, findings = judge_declaration(declaration, catalogue)
    assert findings.all == []
    assert environment is not None
    fields = {field["id"]: field["value"] for field in settings_of(environment)["fields"]}
    assert fields == {"host": "smtp.mailer.example", "port": 587, "user": "u", "from": "a@acme.example"}
    terms = environment_needs(environment, catalogue)["domains"]["acme.example"]
    assert [term["term"] for term in terms] == ["include:spf.mailer.example"]
    server = environment_needs(environment, catalogue)["server"]
    assert (server["host"], server["port"], server["security"]) == ("smtp.mailer.example", 587, "starttls")


def test_a_user_s_rule_is_checked() -> None:
    catalogue = Catalogue({"ledger": SYSTEM}, {"mailer": SERVICE})
    senders = {"environment": "a@acme.example"}
    _environment, findings = judge_declaration(
        Declaration("env_1", system="ledger", service="mailer", senders=senders, own_domains=["acme.example"]),
        catalogue,
    )
    assert [(problem.where, problem.rule, problem.source) for problem in findings.errors] == [
        ("erp_mail_settings.user", "587 wants a user", "Vendor's page, 2026-10-01")
    ]


def test_the_account_of_a_transport_is_one_of_its_fields() -> None:
    transports = {"smtp": {**SYSTEM["transports"]["smtp"], "signs_in_as": "from"}}
    [transport] = Catalogue({"ledger": {**SYSTEM, "transports": transports}}).system("ledger").transports
    assert transport.account_field is not None and transport.account_field.sender == "environment"
    transports["smtp"]["signs_in_as"] = "nobody"
    with pytest.raises(Refused, match=r'transports.smtp.signs_in_as "nobody": no field has this id'):
        Catalogue({"ledger": {**SYSTEM, "transports": transports}}).system("ledger")


def test_a_user_s_service_replaces_one_of_the_collection() -> None:
    assert Catalogue(services={"ziggo": SERVICE}).service("ziggo").title == "Mailer"


def dated(date: str, check_after: str | None = None) -> dict[str, Any]:
    more = {"check_after": check_after} if check_after else {}
    return {**SERVICE, "sources": {"page": {"title": "Vendor's page", "date": date, **more}}}


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
    ("source with a month that is none", dated("2026-13"), "YYYY-MM"),
    ("source with a day that is none", dated("2026-02-30"), "YYYY-MM"),
    ("check_after is a month", dated("2026-10", "2026-12"), "YYYY-MM-DD"),
    ("check_after is no day", dated("2026-10", "2027-02-30"), "YYYY-MM-DD"),
    ("check_after before the date", dated("2026-10-02", "2026-10-01"), "later"),
    ("check_after without a date", dated("unknown", "2026-12-31"), "no date"),
    ("unknown from_rule", {**SERVICE, "from_rule": {"value": {"other": "lost"}, "source": "page"}}, "refused"),
    ("port is no number", {**SERVICE, "smtp": {"ports": {"value": [{"port": "a"}], "source": "page"}}}, "port"),
    ("wrong SPF term", {**SERVICE, "spf": {"terms": {"value": ["ip4:1.2.3"], "source": "page"}}}, "RFC 7208"),
    ("wrong telling term", {**SERVICE, "spf": {"known_by": {"value": ["include:"], "source": "page"}}}, "RFC 7208"),
]


# the schema knows neither which sources there are, nor what an SPF term is, nor the calendar
BEYOND_SCHEMA = (
    "stray source",
    "wrong SPF term",
    "wrong telling term",
    "source with a month that is none",
    "source with a day that is none",
    "check_after is no day",
    "check_after before the date",
    "check_after without a date",
)


@pytest.mark.parametrize("row", MALFORMED, ids=[row[0] for row in MALFORMED])
def test_what_the_loader_refuses_does_not_fit_the_schema(row: tuple[str, Any, str]) -> None:
    entry = {"name": "mailer", **row[1]} if isinstance(row[1], dict) else row[1]
    assert bool(schema_errors("services", entry)) == (row[0] not in BEYOND_SCHEMA)


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
    _environment, findings = judge_declaration(Declaration("env_1", system="ledger"), catalogue)
    assert any("catalogue system ledger" in str(problem) and rule in str(problem) for problem in findings.errors)


def test_the_variables_are_those_that_the_roles_document() -> None:
    # documented, but no options: one is never templated, one is what a file of the role mail_entra defines, and
    # playbooks read those of plans
    documented = {"erp_mail_password", "mail_entra_secrets"}
    documented |= set(re.findall(r"^\| `(mail_plan\w*)`", (ROLES.parent / "docs" / "plan.md").read_text("utf-8"), re.M))
    for role in ("erp_mail", "erp_mail_file", "mail_dns", "mail_entra", "mail_report"):
        specs = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        entries = specs["argument_specs"]
        documented |= {
            name
            for entry in ("main", "advance", "offboard", "park")
            for name in entries.get(entry, {}).get("options", {})
        }
    assert documented == set(DECLARATION_VARIABLES)
