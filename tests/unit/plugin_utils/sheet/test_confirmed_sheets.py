# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tick is for the values that it was given for, and the sheet calls published only what is."""

from __future__ import annotations

import datetime
import string
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import Ageing
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import point_states
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration, Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import settings_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import sheet_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_markdown import markdown_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration
from hypothesis import assume, given
from hypothesis import strategies as st

PROFIT: dict[str, Any] = {
    "system": "afas_profit",
    "transport": "smtp",
    "service": "own_relay",
    "senders": {
        "environment": "erp@acme.example",
        "administrations": {"1": "one@acme.example", "2": "two@acme.example"},
    },
    "settings": {"server": "relay.acme.example", "port": 587, "username": "erp"},
    "spf_terms": ["ip4:192.0.2.10"],
    "own_domains": ["acme.example"],
    "password": Secret("vault_relay_password", "vault"),
}
AGAIN = "**Changed since it was confirmed: type it again.**"
OUTDATED = "**It was confirmed for other values: do it again, then confirm it anew.**"


def judged(**changes: Any) -> Environment:
    environment, findings = judge_declaration(Declaration("acme", **{**PROFIT, **changes}), Catalogue())
    assert environment is not None and findings.errors == []
    return environment


def sheet(accepted: tuple[str, ...] = (), **changes: Any) -> str:
    environment = judged(**changes)
    needs, today = environment_needs(environment, Catalogue()), datetime.date(2026, 11, 28)
    return markdown_sheet(sheet_of(environment, settings_of(environment), needs, Ageing(accepted, today)))


def confirmed(**changes: Any) -> list[str]:
    """Every point, as the sheet of a declaration says to confirm it."""
    return [state.name for state in point_states(judged(**changes)).values()]


def ticks(text: str) -> dict[str, bool]:
    lines = [line for line in text.splitlines() if line.startswith("- [")]
    return {line.split("(`")[1].split("`)")[0]: line.startswith("- [x]") for line in lines}


def marked(text: str) -> list[str]:
    return [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if AGAIN in line]


def test_what_the_sheet_says_to_write_ticks_every_point() -> None:
    text = sheet(confirmed=confirmed())
    assert set(ticks(text).values()) == {True}
    assert marked(text) == [] and OUTDATED not in text and "To make it certain" not in text


CHANGES: list[tuple[dict[str, Any], list[str], set[str]]] = [
    (
        {"settings": {**PROFIT["settings"], "server": "mail.acme.example"}},
        ["Server for outgoing mail"],
        {"fields", "allow_list", "test_mail"},
    ),
    ({"settings": {**PROFIT["settings"], "port": 465}}, ["Port for outgoing mail"], {"fields", "test_mail"}),
    (
        {"senders": {**PROFIT["senders"], "environment": "new@acme.example"}},
        ["Automatic e-mail sender"],
        {"fields", "test_mail"},
    ),
    (
        {"senders": {**PROFIT["senders"], "administrations": {"1": "one@acme.example", "2": "new@acme.example"}}},
        ["Sender of an administration: `2`"],
        {"senders", "test_mail"},
    ),
    ({"password": Secret("vault_other_password", "vault")}, ["Password"], {"fields", "test_mail"}),
]


@pytest.mark.parametrize(("changes", "rows", "opened"), CHANGES)
def test_what_changes_is_marked_and_opens_its_points_only(
    changes: Mapping[str, Any], rows: list[str], opened: set[str]
) -> None:
    text = sheet(confirmed=confirmed(), **changes)
    assert marked(text) == rows
    assert {name for name, done in ticks(text).items() if not done} == opened
    assert text.count(OUTDATED) == len(opened) and "no longer declared" not in text


def test_what_is_typed_again_is_confirmed_anew_while_the_test_is_still_to_be_done() -> None:
    changes: dict[str, Any] = {"settings": {**PROFIT["settings"], "port": 465}}
    before, after = confirmed(), confirmed(**changes)
    text = sheet(confirmed=[next(name for name in after if name.startswith("fields@")), *before[1:]], **changes)
    assert marked(text) == [] and ticks(text)["fields"] and not ticks(text)["test_mail"]


def test_a_sender_that_is_gone_must_be_cleared() -> None:
    senders = {**PROFIT["senders"], "administrations": {"1": "one@acme.example"}}
    text = sheet(confirmed=confirmed(), senders=senders)
    assert not ticks(text)["senders"] and marked(text) == []
    assert "Something that was confirmed is no longer declared: clear it in the ERP." in text


def test_a_tick_of_another_environment_is_none() -> None:
    environment, _findings = judge_declaration(Declaration("other", **PROFIT, confirmed=confirmed()), Catalogue())
    assert environment is not None
    assert not any(state.is_done for state in point_states(environment).values())


def test_a_bare_point_is_done_and_the_sheet_says_how_to_make_it_certain() -> None:
    text = sheet(confirmed=["fields"], settings={**PROFIT["settings"], "port": 465})
    assert ticks(text)["fields"] and marked(text) == []
    name = confirmed(settings={**PROFIT["settings"], "port": 465})[0]
    assert f"To make it certain, write `{name}`" in text


def test_a_new_secret_of_the_application_must_be_typed_again() -> None:
    guid = "0a1b2c3d-0000-4000-8000-000000000001"
    made = {"directory_id": guid, "app_id": guid, "key_id": "k1", "stored": {"variable": "v", "file": "f.yml"}}
    exchange: dict[str, Any] = {
        "transport": "exchange",
        "service": None,
        "settings": {},
        "spf_terms": None,
        "password": None,
        "has_tenant": True,
    }
    done = confirmed(**exchange, made=made)
    assert marked(sheet(**exchange, made=made, confirmed=done)) == []
    assert marked(sheet(**exchange, made={**made, "key_id": "k2"}, confirmed=done)) == ["Application secret"]


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + "@.-+"), min_size=1))
def test_any_other_value_is_marked(username: str) -> None:
    assume(username != "erp")
    states = point_states(judged(confirmed=confirmed(), settings={**PROFIT["settings"], "username": username}))
    assert states["fields"].changed == {"fields.username"} and not states["fields"].is_done


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (["fields@"], "id@stamp"),
        (["fields@ABCD"], "id@stamp"),
        (["fields@abc"], "id@stamp"),
        (["nothing@abcd"], "no such point"),
        ([7], "no such point"),
        (["fields@abcd", "fields@efgh"], "named twice"),
    ],
)
def test_a_wrong_entry_is_refused(declared: list[Any], told: str) -> None:
    _environment, findings = judge_declaration(Declaration("acme", **PROFIT, confirmed=declared), Catalogue())
    assert [told in problem.rule for problem in findings.errors] == [True]


BAKERY: dict[str, Any] = {
    "system": "compad_bakkerij",
    "transport": "smtp",
    "service": "gmail",
    "senders": {"environment": "bakker@acme.example", "ordernow": "bestel@acme.example"},
    "settings": {"username": "bakker@acme.example", "ordernow": True},
    "spf_terms": None,
}


def test_an_address_that_is_held_back_is_not_called_published() -> None:
    held = "acme.example, SPF: `ip4:84.246.4.155` wordt tegengehouden en niet gepubliceerd"
    published = "`ip4:84.246.4.155`. De rol mail_dns publiceert dit."
    text = sheet(**BAKERY)
    assert held in text and published not in text and "`mail_dns_accept_stale: [ordernow]`" in text
    text = sheet(("ordernow",), **BAKERY)
    assert held not in text and published in text


def test_an_address_of_the_document_is_no_instruction() -> None:
    changes: dict[str, Any] = {
        "service": "ziggo",
        "senders": {"environment": "klant@ziggo.nl"},
        "settings": {},
        "password": None,
    }
    assert "mijnbakkerij" not in sheet(**{**BAKERY, **changes})


def test_no_one_says_as_what_ordernow_sends_unless_it_is_declared() -> None:
    text = sheet(**{**BAKERY, "senders": {"environment": "bakker@acme.example"}})
    assert "Als welk adres OrderNow verstuurt is niet opgegeven." in text and "| OrderNow |" not in text


def test_a_point_about_senders_that_there_are_none_of_is_left_out() -> None:
    assert "senders" not in ticks(sheet(senders={"environment": "erp@acme.example"}))


def test_king_has_no_row_for_a_sender_that_no_screen_takes() -> None:
    king: dict[str, Any] = {
        "system": "king_erp",
        "transport": "graph_oauth2",
        "service": None,
        "senders": {"environment": "king@acme.example"},
        "settings": {"username": "king@acme.example"},
        "spf_terms": None,
        "password": None,
    }
    text = sheet(**king)
    assert "niet op dit scherm" not in text and "## Afzenders" not in text
    assert "Controleer aan een document aan uzelf dat het van king@acme.example komt." in text


def test_a_point_about_a_field_that_the_system_does_not_have_is_refused() -> None:
    own = {
        "title": "Ledger",
        "language": "en",
        "sources": {"manual": {"title": "Manual", "date": "2026-03"}},
        "menu": {"value": "Setup", "source": "manual"},
        "senders": {"environment": {"label": "From", "shape": "address", "source": "manual"}},
        "transports": {
            "smtp": {"label": "SMTP", "source": "manual", "fields": [{"id": "host", "source": "manual"}]},
        },
        "checklist": [{"id": "typed", "text": "Typed.", "source": "manual", "about": ["hosts"]}],
    }
    _environment, findings = judge_declaration(
        Declaration("acme", system="ledger", senders={"environment": "a@acme.example"}), Catalogue({"ledger": own}, {})
    )
    assert [problem.value for problem in findings.errors if problem.where.endswith("checklist.typed.about")] == [
        "hosts"
    ]
