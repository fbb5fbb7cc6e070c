# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which environments sign in with a password that ends, what they move to, and what is told of it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Declaration
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.password_text import (
    move_text,
    password_end_text,
    password_problem,
    step_time,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import judge_declaration
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import (
    BASES,
    GUID,
    MISSING,
    accepted,
)
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 11, 29)
CONSENT = {"app_id": GUID, "publisher_tenant_id": GUID, "scopes": ["Mail.Send"]}
KING_OFFICE: dict[str, Any] = {
    "service": "microsoft365",
    "settings": {"username": "king@acme.example"},
    "spf_terms": None,
}
A2000_OFFICE: dict[str, Any] = {"service": "microsoft365", "spf_terms": None, "settings": {}}
HOSTED: dict[str, Any] = {
    "title": "Hosted",
    "kind": "mailbox",
    "sources": {"page": {"title": "Hosted's page", "date": "2026-10", "check_after": "2026-12-31"}},
    "smtp": {
        "host": {"value": "smtp.hosted.example", "source": "page"},
        "ports": {"value": [{"port": 587, "security": "starttls"}], "source": "page"},
        "auth": {"value": "required", "source": "page"},
    },
    "spf": {"terms": {"value": ["include:hosted.example"], "source": "page"}},
    "password_end": {"steps": {"value": [{"date": "2027-03-31", "effect": "ended"}], "source": "page"}},
}


def end_of(base: str, services: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any] | None:
    catalogue = Catalogue(services=services)
    declaration = Declaration(environment="env_1", **{"password": MISSING, **BASES[base], **changes})
    environment, findings = judge_declaration(declaration, catalogue)
    assert environment is not None and findings.errors == [], [str(one) for one in findings.errors]
    found: dict[str, Any] | None = environment_needs(environment, catalogue)["password_end"]
    return found


def ending(base: str, services: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    end = end_of(base, services, **changes)
    assert end is not None
    return end


@pytest.mark.parametrize(
    "base", ["online", "dkim", "smtp", "sendgrid", "exchange", "bakery", "gmail", "king", "king_smtp", "king_graph"]
)
def test_nothing_is_told_where_no_password_ends(base: str) -> None:
    assert end_of(base) is None


def test_profit_moves_to_its_exchange_transport() -> None:
    end = ending("m365")
    assert (end["service"], end["steps"][0]) == ("microsoft365", {"date": "2026-12", "effect": "off_by_default"})
    [way] = end["ways"]
    assert (way["transport"], way["missing"]) == ("exchange", ["mail_entra_tenant"])
    assert {one["role"] for one in way["entra"]["permissions"]} == {"Mail.Send", "Mail.ReadWrite"}
    assert way["entra"]["managed"] is False and ending("m365", has_tenant=True)["ways"][0]["entra"]["managed"] is True


def test_king_moves_to_either_of_its_oauth_transports_with_the_same_consent() -> None:
    end = ending("king", **KING_OFFICE, consent=CONSENT, has_tenant=True)
    assert [way["transport"] for way in end["ways"]] == ["m365_smtp_oauth2", "graph_oauth2"]
    for way in end["ways"]:
        assert way["missing"] == [] and way["entra"]["user"] == "king@acme.example"
        assert way["entra"]["app_id"] == GUID
    undeclared = ending("king", **KING_OFFICE)["ways"][0]
    assert undeclared["missing"] == ["mail_entra_tenant", "erp_mail_consent"]


def test_an_erp_without_such_a_transport_is_told_what_is_left() -> None:
    end = ending("a2000", **A2000_OFFICE)
    assert end["ways"] == [] and end["relay"] is not None
    text = move_text(end)
    assert text.startswith("A2000ERP cannot use Microsoft 365 without a password. A mail server of your own")
    assert text.endswith("erp_mail_service: own_relay, with its addresses in erp_mail_spf_terms.")


def test_a_server_by_its_own_name_counts_whatever_service_is_declared() -> None:
    settings = {"server": "smtp.office365.com", "port": 587, "username": "erp", "verification": True}
    assert ending("smtp", settings=settings)["service"] == "microsoft365"


def test_a_password_that_the_inventory_does_not_hold_counts_where_the_service_wants_one() -> None:
    settings = {"server": "smtp.office365.com", "port": 587}
    assert ending("smtp", settings=settings, password=MISSING)["service"] == "microsoft365"


def test_an_environment_that_goes_needs_nothing() -> None:
    assert end_of("m365", state="absent") is None


@pytest.mark.parametrize("name", ["outlook", "live"])
def test_outlook_and_live_take_no_password_any_more(name: str) -> None:
    end = ending("gmail", service=name, spf_terms=["ip4:192.0.2.1"])
    assert password_end_text(end, TODAY).partition(" (")[0].endswith("since 2024-09-16: no passwords")
    assert move_text(end).startswith("Compad Bakkerij cannot use")


def test_a_service_of_one_s_own_may_end_its_passwords_too() -> None:
    end = ending("m365", {"hosted": HOSTED}, service="hosted")
    assert end["ways"] == [] and end["otherwise"] is None
    assert password_end_text(end, TODAY) == "Hosted: from 2027-03-31: no passwords (as of 2026-10)"
    assert password_end_text(end, datetime.date(2027, 1, 1)).endswith("(as of 2026-10: check it again)")
    problem = password_problem("env_1", end, TODAY)
    assert str(problem).startswith(
        'env_1: erp_mail_service "hosted": Hosted: from 2027-03-31'
    ) and "Hosted's page" in str(problem)


def test_its_successors_are_services_of_the_catalogue() -> None:
    successors = {"value": ["exchange_online"], "source": "page"}
    own = {"hosted": {**HOSTED, "password_end": {**HOSTED["password_end"], "successors": successors}}}
    assert [way["transport"] for way in ending("m365", own, service="hosted")["ways"]] == ["exchange"]
    wrong = {**own["hosted"]["password_end"], "successors": {"value": ["exchange_onlin"], "source": "page"}}
    with pytest.raises(Refused, match=r"password_end\.successors .*exchange_onlin.*Did you mean exchange_online"):
        Catalogue(services={"hosted": {**HOSTED, "password_end": wrong}}).service("hosted")


@pytest.mark.parametrize(
    ("dates", "rule"),
    [
        ([], "it is empty"),
        (["2026-13"], "YYYY-MM or unknown"),
        (["soon"], "YYYY-MM or unknown"),
        (["2027", "2028"], "YYYY-MM or unknown"),
        (["2027-01", "2026-12-31"], "in the order of their dates"),
        (["unknown", "2027-01"], "in the order of their dates"),
    ],
)
def test_wrong_dates_are_told(dates: list[str], rule: str) -> None:
    steps = {"value": [{"date": date, "effect": "ended"} for date in dates], "source": "page"}
    with pytest.raises(Refused, match=rule):
        Catalogue(services={"hosted": {**HOSTED, "password_end": {"steps": steps}}}).service("hosted")


def test_a_malformed_entry_of_a_successor_is_no_traceback() -> None:
    assert ending("m365", {"exchange_online": {"title": 1}})["ways"] == []
    assert ending("a2000", {"own_relay": "no"}, **A2000_OFFICE)["relay"] is None


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2026-12", "before"),
        ("2026-11", "during"),
        ("2026-11-29", "during"),
        ("2026-11-28", "after"),
        ("unknown", "undated"),
    ],
)
def test_a_date_is_told_by_the_day(date: str, told: str) -> None:
    assert step_time(date, TODAY) == told


@given(st.dates(datetime.date(2000, 1, 1), datetime.date(2100, 12, 31)), st.dates(datetime.date(2000, 1, 1)))
def test_a_month_begins_and_ends_as_its_days_do(day: datetime.date, today: datetime.date) -> None:
    month, exact = step_time(f"{day:%Y-%m}", today), step_time(day.isoformat(), today)
    assert month == exact or month == "during"
    assert month == "during" if (day.year, day.month) == (today.year, today.month) else month == exact


def test_the_consent_may_be_declared_before_the_move_and_not_without_one() -> None:
    assert accepted(BASES["king"], **KING_OFFICE, consent=CONSENT).consent == CONSENT
    declaration = Declaration(environment="env_1", **{**BASES["king"], "consent": CONSENT})
    _environment, findings = judge_declaration(declaration, Catalogue())
    assert [problem.where for problem in findings.errors] == ["erp_mail_consent"]
