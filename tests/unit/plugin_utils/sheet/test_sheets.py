# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheets and settings of right declarations, compared with the texts in ``sheets/`` byte for byte."""

from __future__ import annotations

import datetime
import re
import string
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import Ageing
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.page_colours import COLOURS
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import (
    mask_secrets,
    settings_of,
    settings_yaml,
    with_secret,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import sheet_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_html import html_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_markdown import markdown_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration
from hypothesis import given
from hypothesis import strategies as st

SHEETS = Path(__file__).parent / "sheets"
PASSWORD = Secret("vault_mail_password", "vault")
TODAY = datetime.date(2026, 11, 28)
GUID = "0a1b2c3d-0000-4000-8000-000000000001"

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
    "delta_profit": {
        "system": "afas_profit",
        "transport": "afas_online",
        "senders": {"environment": "erp@delta.example", "administrations": {"1": "finance@delta.example"}},
        "settings": {"apply_dkim": True, "dkim_username": "dkim-98765", "afas_environment": "O98765AA"},
        "dkim": {
            "delta.example": [
                {"selector": "afas1", "target": "delta-example.afas1.afas.example"},
                {"selector": "afas2", "target": "delta-example.afas2.afas.example"},
            ]
        },
        "own_domains": ["delta.example"],
        "password": PASSWORD,
    },
    "epsilon_profit": {
        "system": "afas_profit",
        "transport": "exchange",
        "senders": {"environment": "erp@epsilon.example", "administrations": {"1": "finance@epsilon.example"}},
        "settings": {"directory_id": GUID, "application_id": GUID},
        "confirmed": ["admin_consent"],
        "own_domains": ["epsilon.example"],
        "password": PASSWORD,
    },
    "king_office": {
        "system": "king_erp",
        "transport": "smtp_basic",
        "service": "own_relay",
        "senders": {"environment": "king@office.example"},
        "settings": {"server": "relay.office.example", "port": 25, "security": "Explicit-TLS", "username": "king"},
        "spf_terms": ["ip4:192.0.2.20"],
        "own_domains": ["office.example"],
        "password": PASSWORD,
    },
    "king_m365": {
        "system": "king_erp",
        "transport": "m365_smtp_oauth2",
        "senders": {"environment": "king@office.example"},
        "settings": {"username": "king@office.example"},
        "own_domains": ["office.example"],
    },
    "king_cloud": {
        "system": "king_erp",
        "transport": "graph_oauth2",
        "senders": {"environment": "king@office.example"},
        "settings": {"username": "king@office.example"},
        "confirmed": ["fields"],
        "own_domains": ["office.example"],
    },
    "a2000_trading": {
        "system": "a2000erp",
        "service": "microsoft365",
        "senders": {"environment": "accounts@trading.example"},
        "settings": {
            "logo_url": "https://www.trading.example/logo.png",
            "logo_height": 80,
            "max_mails_per_batch": 20,
            "batch_interval": 60,
            "expected_mails": 450,
        },
        "own_domains": ["trading.example"],
        "password": PASSWORD,
    },
    "exalt_insolvency": {
        "system": "exalt",
        "service": "gmail",
        "senders": {"environment": "alerts@insolvency.example"},
        "settings": {
            "username": "alerts@insolvency.example",
            "notification_mailbox": "system@insolvency.example",
            "bounced_mailbox": "bounces@insolvency.example",
            "debug_path": r"\\files\exalt\mail",
            "creditors_portal": True,
        },
        "own_domains": ["insolvency.example"],
        "password": PASSWORD,
    },
    "tryton_works": {
        "system": "tryton",
        "service": "own_relay",
        "senders": {"environment": "erp@works.example", "messages": {"news": "news@works.example"}},
        "settings": {"host": "relay.works.example", "port": 587, "security": "smtp+tls", "username": "erp"},
        "spf_terms": ["ip4:192.0.2.30"],
        "own_domains": ["works.example"],
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


def made(
    name: str, accepted: tuple[str, ...] = (), today: datetime.date = TODAY, **changes: Any
) -> tuple[str, str, str]:
    """The sheet as Markdown, the settings file, and the sheet as HTML of one of the environments."""
    catalogue = Catalogue()
    environment, findings = judge_declaration(Declaration(name, **{**ENVIRONMENTS[name], **changes}), catalogue)
    assert findings.errors == []
    assert environment is not None
    settings = settings_of(environment)
    sheet = sheet_of(
        environment,
        settings,
        environment_needs(environment, catalogue),
        Ageing(accepted, today),
    )
    return markdown_sheet(sheet), settings_yaml(settings), html_sheet(sheet)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_sheet_is_as_expected(name: str) -> None:
    assert made(name)[0] == (SHEETS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_settings_are_as_expected(name: str) -> None:
    assert made(name)[1] == (SHEETS / f"{name}.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_page_is_as_expected(name: str) -> None:
    assert made(name)[2] == (SHEETS / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_settings_hold_every_field_of_the_sheet_in_its_order(name: str) -> None:
    sheet, text, _page = made(name)
    settings = yaml.safe_load(text)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in sheet.split("\n\n")[4].splitlines()[2:]]
    assert [field["label"] for field in settings["fields"]] == rows
    assert settings["format"] == "mailroom.erp/settings/1"


def test_a_secret_is_a_reference() -> None:
    sheet, text, page = made("gamma_profit")
    field = next(field for field in yaml.safe_load(text)["fields"] if field["id"] == "password")
    assert field["value"] == {"secret": "vault_mail_password", "where": "Ansible variable vault_mail_password"}
    assert "Ansible variable `vault_mail_password`" in sheet
    assert "Ansible variable <code>vault_mail_password</code>" in page


@given(st.text(st.sampled_from(string.printable[:95]), min_size=1))
def test_any_text_stands_on_the_sheet_as_it_must_be_typed(text: str) -> None:
    sheet, _settings, page = made("jansen_bakery", settings={"pdf_location": text})
    row = next(line for line in sheet.splitlines() if line.startswith("| PDF bestandslocatie | "))
    cell = row.removeprefix("| PDF bestandslocatie | ").removesuffix(" |").replace("\\|", "|")
    fence = cell[: len(cell) - len(cell.lstrip("`"))]
    assert cell.startswith(fence) and cell.endswith(fence) and text in cell
    assert f"<code>{escape(text)}</code>" in page


@pytest.mark.parametrize("name", ["jansen_bakery", "pietersen_bakery", "king_office", "king_cloud"])
def test_a_dutch_erp_has_a_dutch_sheet(name: str) -> None:
    sheet = made(name)[0]
    assert "| Veld | Waarde |" in sheet and "## Goed om te weten" in sheet and "Field" not in sheet


class Page(HTMLParser):
    """What a reader of a page meets: its headings, cells and links, and whether every element is closed."""

    VOID = ("meta", "link", "img", "br", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.seen if name == tag]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_page_is_sound_and_needs_no_other_file(name: str) -> None:
    text = made(name)[2]
    page = Page(text)
    assert page.open == []
    assert page.all("html") == [{"lang": "nl" if name.startswith(("king", "jansen", "pietersen")) else "en"}]
    assert not [attrs for _tag, attrs in page.seen if {"src", "href", "style", "onclick"} & set(attrs)]
    assert "http-equiv" not in text and "@import" not in text and "url(" not in text and "<script" not in text
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_headings_and_tables_tell_their_structure(name: str) -> None:
    page = Page(made(name)[2])
    assert page.headings[0] == 1 and set(page.headings[1:]) == {2}
    assert all(attrs["scope"] in ("row", "col") for attrs in page.all("th"))
    assert all(attrs["aria-label"] for attrs in page.all("table"))
    rows, cells = len(page.all("tr")), [attrs for attrs in page.all("th") if attrs["scope"] == "row"]
    assert len(cells) == rows - len(page.all("thead"))


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", COLOURS)
@pytest.mark.parametrize("text", ["ink", "quiet", "mark"])
@pytest.mark.parametrize("ground", ["paper", "field"])
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    light, dark = sorted((luminance(COLOURS[scheme][text]), luminance(COLOURS[scheme][ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_checklist_shows_what_is_confirmed() -> None:
    sheet, _settings, page = made("epsilon_profit")
    assert "- [x] Admin consent for the application is granted. (`admin_consent`)" in sheet
    assert "- [ ] The message of the Test button has arrived. (`test_mail`)" in sheet
    assert page.count('<span class="state">done:</span>') == 1


def test_the_sheet_never_asks_to_tell_the_password() -> None:
    assert "## Never\n\n- Never give these settings to the vendor's support." in made("a2000_trading")[0]


@pytest.mark.parametrize(
    ("name", "button"),
    [
        ("gamma_profit", "**Verify integration**"),
        ("acme_profit", "**Test**"),
        ("king_cloud", "**Authenticeren**"),
        ("king_cloud", "**Goedkeuring aanvragen**"),
        ("jansen_bakery", "**Sturen testbericht**"),
        ("exalt_insolvency", "**Send Test**"),
    ],
)
def test_the_buttons_are_named(name: str, button: str) -> None:
    assert button in made(name)[0]


def test_a_secret_is_written_inline_only_when_asked_and_masked_when_shown() -> None:
    text = made("a2000_trading")[1]
    inline = with_secret(text, lambda: "hunter2hunter2")
    assert "hunter2" not in text and "value: hunter2hunter2" in inline
    assert "hunter2" not in mask_secrets(inline, "(secret)") and mask_secrets(text, "(secret)") == text
    assert mask_secrets("no yaml: [", "x") == "no yaml: ["


def test_a_secret_that_no_field_holds_is_not_read() -> None:
    text = made("jansen_bakery")[1]
    assert with_secret(text, lambda: pytest.fail("read")) == text


def test_a_bakery_with_a_mail_server_of_its_own_is_told_what_it_must_accept() -> None:
    changes: dict[str, Any] = {"service": "own_relay", "settings": {"server": "relay.mijnbakkerij.example"}}
    sheet = made("jansen_bakery", **changes, spf_terms=["ip4:192.0.2.1"])[0]
    assert "laat de eigen mailserver SMTP van de adressen van alle werkstations aannemen" in sheet
    assert "Een eigen mailserver moet SMTP aannemen." in sheet and "de firewall moet dat toestaan" in sheet


def test_exalt_at_office_365_is_sent_to_the_vendor_s_page() -> None:
    assert (
        "Configuring Email settings when using Microsoft Office 365"
        in made("exalt_insolvency", service="microsoft365")[0]
    )


def test_exalt_inside_is_told_to_enable_the_service() -> None:
    settings = {**ENVIRONMENTS["exalt_insolvency"]["settings"], "server_name": "10.2.3.4,25", "authentication": "TLS"}
    sheet = made("exalt_insolvency", service="own_relay", settings=settings, spf_terms=["ip4:192.0.2.1"])[0]
    assert "Make sure that the SMTP service is enabled on the mail server." in sheet


MARKS = {"en": "This is as of {}: check it again.", "nl": "Dit is de stand van {}: ga het opnieuw na."}
ROTTEN = datetime.date(2999, 1, 1)


def lines(text: str, words: str) -> list[str]:
    return [line for line in text.splitlines() if words in line]


@pytest.mark.parametrize(
    ("name", "language", "last_day", "date", "words"),
    [
        ("a2000_trading", "en", datetime.date(2026, 12, 31), "2026-01-27", "Microsoft 365 takes no passwords unless"),
        ("a2000_trading", "en", datetime.date(2027, 5, 31), "2025-11-03", "Since November 2025 Gmail refuses"),
        ("pietersen_bakery", "nl", datetime.date(2027, 5, 31), "2026-11", "Google neemt van een betaald"),
        ("pietersen_bakery", "nl", datetime.date(2027, 11, 30), "2026-11", "Van Gmail (Google): SPF-termen"),
        ("king_m365", "nl", datetime.date(2027, 11, 30), "2026-11", "Van Microsoft 365: server"),
    ],
)
def test_a_fact_says_that_it_is_to_be_checked_again_from_the_day_on(
    name: str, language: str, last_day: datetime.date, date: str, words: str
) -> None:
    mark = MARKS[language].format(date)
    sheet, _settings, page = made(name, today=last_day)
    assert [line for line in lines(sheet, words) + lines(page, words) if mark in line] == []
    after = last_day + datetime.timedelta(days=1)
    sheet, settings, page = made(name, today=after)
    assert [f"**{mark}**" in line for line in lines(sheet, words)] == [True]
    assert [f"<strong>{mark}</strong>" in line for line in lines(page, words)] == [True]
    assert made(name, today=after) == (sheet, settings, page)
    assert settings == made(name)[1]


def test_what_the_inventory_states_itself_is_not_said_to_be_old() -> None:
    [told] = lines(made("king_m365", today=ROTTEN)[0], "Microsoft 365: server")
    assert "server, of er wordt aangemeld" not in told and told.startswith("- Van Microsoft 365: server (")
    settings = {"username": "king@office.example", "server": "smtp.office365.com"}
    own = made("king_m365", today=ROTTEN, settings=settings, spf_terms=["include:x.example"])[0]
    assert lines(own, "Microsoft 365: server") == [] and lines(own, "SPF-termen") == []


def test_an_old_address_is_told_at_the_dns_only() -> None:
    sheet = made("jansen_bakery", senders={"environment": "a@mijnbakkerij.example"})[0]
    assert [("SPF-termen" in line) for line in lines(sheet, "Van Ziggo:")] == [False]
    assert "wordt tegengehouden" in sheet


def test_a_service_that_names_no_day_is_never_old() -> None:
    assert "check it again" not in made("beta_profit", today=ROTTEN)[0]


def password_section(name: str, **changes: Any) -> str:
    """The part of a sheet about the end of the password; empty when there is none."""
    parts = made(name, **changes)[0].split("\n## ")
    return next((part for part in parts if part.startswith(("The sign-in with", "Aanmelden met een"))), "")


def test_a_sheet_tells_what_profit_moves_to_when_the_password_ends() -> None:
    office: dict[str, Any] = {"service": "microsoft365", "settings": {"username": "erp@beta.example"}}
    told = password_section("beta_profit", **office, spf_terms=None, password=PASSWORD)
    assert "From 2026-12: Microsoft 365 takes no passwords unless an administrator allows them again." in told
    assert "Later, on a day that is not known yet: Microsoft 365 takes no passwords." in told
    assert "- Move to **Exchange Azure AD**: `erp_mail_transport: exchange`\n  1. It needs an application" in told
    assert "`Mail.ReadWrite`, `Mail.Send`\n" in told and "declares `mail_entra_tenant`\n" in told
    assert "Every sender must be a user in Azure AD" in told
    ready = password_section("beta_profit", **office, spf_terms=None, password=PASSWORD, has_tenant=True)
    assert "The playbook entra_bootstrap prepares that.\n" in ready


def test_a_sheet_tells_both_ways_of_king_in_dutch() -> None:
    office: dict[str, Any] = {"service": "microsoft365", "settings": {"username": "king@office.example"}}
    told = password_section("king_office", **office, spf_terms=None)
    graph, smtp = told.index("graph_oauth2"), told.index("m365_smtp_oauth2")
    assert smtp < told.index('"Authenticated SMTP" aan') < graph
    assert told.count("toestemming geven voor KING Software - SendEmail (Quadrant") == 2


def test_a_sheet_without_a_transport_for_it_tells_what_is_left() -> None:
    told = password_section(
        "jansen_bakery", service="outlook", settings={"username": "mijn@outlook.com"}, password=PASSWORD
    )
    assert "Sinds 2024-09-16: Outlook.com neemt geen wachtwoorden aan." in told
    assert "Compad Bakkerij kan Outlook.com niet zonder wachtwoord gebruiken. Verstuur via een andere dienst." in told
    assert "laat de eigen mailserver SMTP van de adressen van alle werkstations aannemen" in told


@pytest.mark.parametrize("name", ["acme_profit", "gamma_profit", "epsilon_profit", "king_m365", "pietersen_bakery"])
def test_a_sheet_is_silent_where_no_password_ends(name: str) -> None:
    assert password_section(name) == "" and password_section(name, today=ROTTEN) == ""


ONMICROSOFT: dict[str, Any] = {
    "senders": {"environment": "erp@acme.onmicrosoft.com"},
    "own_domains": ["acme.onmicrosoft.com"],
}


def test_the_limit_of_onmicrosoft_com_is_told_to_its_senders_only() -> None:
    assert "550 5.7.236" in made("epsilon_profit", **ONMICROSOFT)[0]
    assert "550 5.7.236" not in made("epsilon_profit")[0]
    other: dict[str, Any] = {
        "senders": {"environment": "erp@notonmicrosoft.com"},
        "own_domains": ["notonmicrosoft.com"],
    }
    assert "550 5.7.236" not in made("epsilon_profit", **other)[0]


HOSTILE = {
    "a heading": "1\n\n## Ready\n",
    "a ticked box": "1\n- [x] all is done",
    "a link": "[click here](https://evil.example)",
    "a picture": "![x](https://evil.example/x.png)",
    "HTML": "<img src=x onerror=alert(1)>",
    "code": "`rm -rf`",
    "a column": "1 | 2",
    "a terminal's sequences": "1\x1b[2Jfatal: [host]\x07",
    "bytes that are no text": "1\udcff",
}


@pytest.mark.parametrize("key", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("group", ["administrations", "employers", "templates"])
def test_no_key_of_the_declaration_is_taken_for_more_than_a_key(group: str, key: str) -> None:
    senders = {"environment": "erp@acme.example", group: {key: "finance@acme.example"}}
    plain = made("acme_profit", senders={**senders, group: {"7": "finance@acme.example"}})
    markdown, settings, page = made("acme_profit", senders=senders)
    assert markdown.count("\n") == plain[0].count("\n")
    assert page.count("\n") == plain[2].count("\n")
    assert page.count("<") == plain[2].count("<")
    assert yaml.safe_load(settings)["senders"] != yaml.safe_load(plain[1])["senders"]
    for text in (markdown, page):
        assert all(ch == "\n" or ch.isprintable() for ch in text)
    outside_code = re.sub(r"(`+) ?.*? ?\1", "", markdown)
    assert "evil" not in re.sub(r"\\[^\n]*?evil", "", outside_code)
