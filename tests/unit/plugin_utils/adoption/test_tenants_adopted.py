# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of tenants: applications are unexplained until they have a name, and an answer gets what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.adopted import declared
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.test_erp_environments import Estate

TENANT = "11111111-2222-3333-4444-555555555555"
PROFIT = "aaaaaaaa-0000-4000-8000-000000000001"
KING = "aaaaaaaa-0000-4000-8000-000000000002"
VENDOR = "99999999-8888-7777-6666-555555555555"
PLAIN = '@ TXT "v=spf1 include:spf.protection.outlook.com ~all"\n@ MX 10 acme-example.mail.protection.outlook.com.'


def application(**more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "app_id": PROFIT,
        "display_name": "Profit email",
        "unique_name": None,
        "own": True,
        "publisher_tenant_id": TENANT,
        "publisher": None,
        "permissions": ["Microsoft Graph/Mail.ReadWrite", "Microsoft Graph/Mail.Send"],
        "every_mailbox": True,
        "scopes": [],
        "consent": [],
        "credentials": [{"kind": "secret", "name": "first", "ends": "2027-01-31T00:00:00Z"}],
    }
    return {**made, **more}


def king(user: str | None) -> dict[str, Any]:
    grant = {"resource": "Microsoft Graph", "scopes": ["Mail.Send"], "user": user}
    whose = {"app_id": KING, "display_name": "KING Software - SendEmail", "own": False, "publisher_tenant_id": VENDOR}
    nothing: dict[str, Any] = {"permissions": [], "every_mailbox": False, "credentials": []}
    return application(**whose, **nothing, consent=[grant])


def tenant(*applications: dict[str, Any], **more: Any) -> dict[str, Any]:
    read: dict[str, Any] = {"tenant_id": TENANT, "problem": None, "unread": {}, "senders": []}
    return {**read, "domains": ["acme.example"], "applications": list(applications), **more}


def unexplained(estate: Estate) -> dict[str, str]:
    entry = declared(estate.inventory)["acme.example"]
    return {one["what"]: one["evidence"] for one in entry.get("unexplained") or []}


def test_an_application_is_unexplained_with_what_it_may_do(tmp_path: Path) -> None:
    estate = Estate(tmp_path, PLAIN)
    scoped = application(
        app_id=PROFIT.replace("1", "3"),
        permissions=[],
        every_mailbox=False,
        scopes=[{"role": "Application Mail.Send", "place": "hr@acme.example"}],
        credentials=[],
    )
    found = estate.adopt(tenant(application(), scoped))
    assert unexplained(estate) == {
        f"entra {PROFIT}": f"tenant {TENANT}: application Profit email ({PROFIT}) may send as every mailbox (Microsoft "
        "Graph/Mail.ReadWrite, Microsoft Graph/Mail.Send); its last secret or certificate ends 2027-01-31",
        f"entra {scoped['app_id']}": f"tenant {TENANT}: application Profit email ({scoped['app_id']}) may send from "
        "hr@acme.example; it has no secret and no certificate",
    }
    risks = {one.what: one.risk for one in found.questions}
    assert (risks[f"entra {PROFIT}"], risks[f"entra {scoped['app_id']}"]) == ("high", "medium")
    assert estate.adopt(tenant(application(), scoped)).files == {}


def test_tenants_that_are_given_later_are_put_in_and_stay_when_they_are_not_read(tmp_path: Path) -> None:
    estate = Estate(tmp_path, PLAIN)
    estate.adopt()
    assert estate.adopt(tenant(application())).changed == ["acme.example"] and list(unexplained(estate)) == [
        f"entra {PROFIT}"
    ]
    for read in ((), (tenant(unread={"scopes": "no right"}),), (tenant(problem="down", domains=[]),)):
        assert estate.adopt(*read).changed == [] and list(unexplained(estate)) == [f"entra {PROFIT}"]
    assert estate.adopt(tenant()).changed == ["acme.example"] and unexplained(estate) == {}


@pytest.mark.parametrize("said", ["keep", "drop"])
def test_an_answer_ends_it(tmp_path: Path, said: str) -> None:
    estate = Estate(tmp_path, PLAIN)
    estate.adopt(tenant(application()))
    estate.answer(said, f"entra {PROFIT}")
    estate.adopt(tenant(application()))
    assert unexplained(estate) == {} and f"entra {PROFIT}" not in estate.questions
    assert estate.adopt(tenant(application())).files == {}


def test_an_environment_gets_the_ids_of_its_application(tmp_path: Path) -> None:
    estate = Estate(tmp_path, PLAIN)
    estate.adopt(tenant(application()))
    assert f"application: {PROFIT}" in estate.questions["erp acme.example"]
    estate.answer(f"{{p: {{system: afas_profit, transport: exchange, application: {PROFIT}, sender: a@acme.example}}}}")
    assert [one.name for one in estate.adopt(tenant(application())).hosts] == ["p"]
    host = estate.hosts["p"]
    assert host["erp_mail_settings"] == {"directory_id": TENANT, "application_id": PROFIT}
    assert host["erp_mail_password"] == "{{ vault_mailroom_p_password }}"
    assert host["mail_entra_tenant"] == {"tenant_id": TENANT} and unexplained(estate) == {}
    assert "Profit email" in estate.text and estate.adopt(tenant(application())).files == {} == estate.adopt().files


def test_a_sign_in_that_a_person_declared_for_all_is_not_put_on_a_host(tmp_path: Path) -> None:
    estate = Estate(tmp_path, PLAIN)
    estate.adopt(tenant(application()))
    (estate.inventory / "mine.yml").write_text("all:\n  vars:\n    mail_entra_tenant: '{{ mine }}'\n")
    estate.answer(f"{{p: {{system: afas_profit, transport: exchange, application: {PROFIT}, sender: a@acme.example}}}}")
    estate.adopt(tenant(application()))
    assert "mail_entra_tenant" not in estate.hosts["p"] and "application_id" in estate.text


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ((), "no application that may send has the name Profit email"),
        ((application(), application(app_id=KING)), "2 applications that may send have"),
    ],
    ids=["none", "two"],
)
def test_an_application_that_is_not_the_only_one_is_no_answer(
    tmp_path: Path, known: tuple[dict[str, Any], ...], told: str
) -> None:
    estate = Estate(tmp_path)
    estate.adopt()
    estate.answer("{p: {system: afas_profit, transport: exchange, application: Profit email, sender: a@acme.example}}")
    assert estate.adopt(tenant(*known)).hosts == [] and told in estate.questions["erp acme.example"]


def test_a_consent_is_declared_only_where_site_would_not_ask_for_it(tmp_path: Path) -> None:
    said = "{k: {system: king_erp, transport: graph_oauth2, sender: office@acme.example}}"
    estate = Estate(tmp_path, PLAIN)
    estate.adopt(tenant(king("office@acme.example")))
    assert "system: king_erp" in estate.questions["erp acme.example"]
    estate.answer(said)
    estate.adopt(tenant(king("office@acme.example")))
    host = estate.hosts["k"]
    consent = {"app_id": KING, "publisher_tenant_id": VENDOR, "scopes": ["Mail.Send"]}
    assert (host["erp_mail_consent"], host["erp_mail_settings"]) == (consent, {"username": "office@acme.example"})
    assert "mail_entra_tenant" in host

    other = Estate(tmp_path / "other", PLAIN)
    other.adopt(tenant(king(None)))
    other.answer(said.replace("sender:", "settings: {username: office@acme.example}, sender:"))
    other.adopt(tenant(king(None)))
    assert set(other.hosts["k"]) & {"erp_mail_consent", "mail_entra_tenant"} == set()
    assert "site would ask for it" in other.text


def test_what_a_tenant_could_not_tell_is_asked(tmp_path: Path) -> None:
    estate = Estate(tmp_path, PLAIN)
    sender = {"address": "erp@acme.example", "domain": "acme.example", "result": "fail", "reason": "nobody has it"}
    read = tenant(
        domains=["acme.example", "acme.onmicrosoft.com", "shop.example"],
        unread={"scopes": "this sign-in may not read it without X"},
        senders=[{**sender, "next_step": "Make it."}],
    )
    estate.adopt(read, {**tenant(problem="it is down."), "tenant_id": VENDOR, "domains": []})
    assert estate.questions[f"domains of tenant {TENANT}"].startswith("It has verified shop.example. Add")
    assert "scopes: this sign-in may not read it without X" in estate.questions[f"tenant {TENANT}"]
    assert estate.questions["sender erp@acme.example"] == "nobody has it. Make it."
    assert "could not be read: it is down." in estate.questions[f"tenant {VENDOR}"]
