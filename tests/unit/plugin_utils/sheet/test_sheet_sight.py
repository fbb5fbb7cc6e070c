# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a mail server, on the sheets: beside its field, in the sheet's language, the same every day."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import TIMED_OUT, ProbeStop
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ServerFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import SmtpOffer
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import Ageing
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight, unseen
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.environment_texts import environment_texts
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sight_words import DUTCH_FINDINGS, SIGHT_WORDS
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.looked_servers import (
    HOST,
    NOW,
    certificate,
    clear_server,
    server,
    sight_of,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, accepted
from ansible_collections.mailroom.erp.tests.unit.smtp_probe.test_probe_guide import made
from hypothesis import given, settings
from hypothesis import strategies as st

AFAS: dict[str, Any] = {"settings": {"server": HOST, "port": 587, "username": "erp"}}
KING: dict[str, Any] = {"settings": {**BASES["king"]["settings"], "max_size": 60_000_000}}
BAKERY: dict[str, Any] = {
    "service": "own_relay",
    "settings": {"server": HOST, "port": 587, "security": "TLS"},
    "spf_terms": ["ip4:192.0.2.1"],
    "senders": {"environment": "bakker@mijnbakkerij.example"},
}
EXALT: dict[str, Any] = {
    "settings": {**BASES["exalt"]["settings"], "server_name": f"{HOST},587", "authentication": "TLS"}
}
FIVE: list[tuple[str, dict[str, Any], int, str, str]] = [
    (
        "smtp",
        AFAS,
        587,
        "Port for outgoing mail",
        "port 587: reachable from this controller, STARTTLS, TLS 1.2, certificate valid until ",
    ),
    ("king", KING, 465, "Poort", "poort 465: bereikbaar vanaf deze controller, impliciete TLS, TLS 1.3, certificaat "),
    ("bakery", BAKERY, 587, "Poort", "poort 587: bereikbaar vanaf deze controller, STARTTLS, TLS 1.3, certificaat "),
    ("a2000", {}, 587, "Port number", "port 587: reachable from this controller, STARTTLS, TLS 1.3, certificate "),
    (
        "exalt",
        EXALT,
        587,
        "SMTP Server Name",
        "port 587: reachable from this controller, STARTTLS, TLS 1.3, certificate ",
    ),
]
ENDS_SOON = server(certificate=certificate(NOW + timedelta(days=17)))


def texts(environment: Environment, sight: ServerSight | None) -> dict[str, str]:
    """The files of an environment."""
    ageing = Ageing((), datetime.date(2026, 11, 29))
    return environment_texts(environment, environment_needs(environment, Catalogue()), ageing, sight)[1]


def sheet(environment: Environment, facts: ServerFacts, **more: Any) -> str:
    return texts(environment, sight_of(environment, facts, **more))["sheet.md"]


def row(text: str, label: str) -> str:
    """The row of a field."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {label} |")]
    return found


@pytest.mark.parametrize(("base", "changes", "port", "label", "line"), FIVE, ids=[one[0] for one in FIVE])
def test_what_was_seen_stands_beside_the_port_on_all_five_sheets(
    base: str, changes: dict[str, Any], port: int, label: str, line: str
) -> None:
    environment = accepted(BASES[base], probe_from="here", **changes)
    sight = sight_of(environment, server(port))
    assert sight.result in ("pass", "fail"), sight
    found = texts(environment, sight)
    assert f"({line}" in row(found["sheet.md"], label) and "2027-01-28, AUTH PLAIN LOGIN" in row(
        found["sheet.md"], label
    )
    assert f"({line}" in found["sheet.html"] and "Test-NetConnection" not in found["sheet.md"]
    plain = texts(environment, None)
    assert found["settings.yml"] == plain["settings.yml"] and found["sheet.md"] != plain["sheet.md"]


@pytest.mark.parametrize(("base", "changes", "port"), [one[:3] for one in FIVE], ids=[one[0] for one in FIVE])
def test_where_the_erp_sends_from_elsewhere_the_sheet_has_the_command(
    base: str, changes: dict[str, Any], port: int
) -> None:
    environment = accepted(BASES[base], **changes)
    words, text = SIGHT_WORDS[environment.system.language], sheet(environment, server(port))
    assert f"## {words['elsewhere_title'].format(system=environment.system.title)}" in text
    assert f"- PowerShell: `Test-NetConnection -ComputerName {HOST} -Port {port}`" in text
    assert f"- OpenSSL: `openssl s_client {'' if port == 465 else '-starttls smtp '}-connect {HOST}:{port} " in text
    assert "(the terminal server)" in sheet(replace(environment, probe_from="the terminal server"), server(port))


PLACES: list[tuple[str, dict[str, Any], ServerFacts, str, str]] = [
    (
        "smtp",
        AFAS,
        server(certificate=certificate(NOW - timedelta(days=1))),
        "Server for outgoing mail",
        "has expired on 2026-11-28",
    ),
    (
        "smtp",
        AFAS,
        clear_server(),
        "Enforce secure communication",
        "**The ERP cannot send so:** the server does not offer STARTTLS. Switch",
    ),
    ("king", KING, server(465), "Max. berichtgrootte", "**Zo kan het ERP niet versturen:** de server neemt kleinere"),
    (
        "king",
        {"settings": {**BASES["king"]["settings"], "port": 587, "security": "Explicit-TLS"}},
        clear_server(),
        "Beveiliging",
        "de server biedt geen STARTTLS aan",
    ),
    (
        "king",
        {},
        server(465, secure=SmtpOffer(("AUTH",), ("PLAIN",), 0)),
        "Server vereist authenticatie",
        "biedt de manier van aanmelden van het ERP niet aan",
    ),
    (
        "a2000",
        {},
        ServerFacts(HOST, 587, False, stop=ProbeStop("connect", TIMED_OUT)),
        "Port number",
        "**Not certain:**",
    ),
]


@pytest.mark.parametrize(
    ("base", "changes", "facts", "label", "words"), PLACES, ids=[f"{one[0]} {one[3]}" for one in PLACES]
)
def test_a_finding_stands_beside_the_field_that_it_concerns(
    base: str, changes: dict[str, Any], facts: ServerFacts, label: str, words: str
) -> None:
    text = sheet(accepted(BASES[base], probe_from="here", **changes), facts)
    labels = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    assert label in labels, labels
    assert words in row(text, label)


def test_a_sheet_is_the_same_the_next_day() -> None:
    environment = accepted(BASES["smtp"], probe_from="here", **AFAS)
    first, then = (sheet(environment, ENDS_SOON, now=NOW + timedelta(days=day)) for day in (0, 1))
    assert first == then and "the certificate ends on 2026-12-16. " in first and "days" not in first.split("## ")[1]


def test_a_server_that_nobody_could_look_at_is_not_called_anything() -> None:
    environment = accepted(BASES["king"], probe_from="here")
    text = texts(environment, unseen({"host": HOST, "port": 465}, "no library at /home/me"))["sheet.md"]
    assert "**Niet zeker:** vanaf de controller kon niemand kijken." in row(text, "Poort") and "/home" not in text


def test_every_finding_has_dutch_words_and_no_other() -> None:
    assert set(DUTCH_FINDINGS) == made() - {"other_place"} | {"not_looked"}
    assert SIGHT_WORDS["nl"].keys() == SIGHT_WORDS["en"].keys()
    assert all(re.fullmatch(r"[a-zA-Z].*\.", text) and ". " in text for text in DUTCH_FINDINGS.values())


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), max_size=30))
def test_words_of_a_server_are_only_text(words: list[str]) -> None:
    environment = accepted(BASES["exalt"], probe_from="here", **EXALT)
    facts = server(secure=SmtpOffer(("AUTH",), tuple(words), 0))
    found = texts(environment, sight_of(environment, facts))
    plain = texts(environment, None)
    assert found["sheet.md"].count("\n") == plain["sheet.md"].count("\n")
    assert len(re.findall(r"<\w", found["sheet.html"])) == len(re.findall(r"<\w", plain["sheet.html"]))
    assert len(re.findall(r"(?<!\\)\|", found["sheet.md"])) == len(re.findall(r"(?<!\\)\|", plain["sheet.md"]))
