# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's part on the test tenant, and what the automation can do afterwards with its few rights."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import king, profit, site, stored
from ansible_collections.mailroom.erp.tests.integration.estate import inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.directory import GRAPH_ROLES
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import MANAGE_OWN, READ_APPLICATIONS, SEE_SENDERS

BOOTSTRAP = "mailroom.erp.entra_bootstrap"
PERSON = "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All"
RUN_TIME = {MANAGE_OWN, READ_APPLICATIONS, *SEE_SENDERS}


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        for name in ("erp", "office"):
            started.directory.add_user(f"{name}@acme.example", purpose="shared")
        yield started


def bootstrap(
    folder: Path, server: EntraServer, hosts: dict[str, Any], *arguments: str, scopes: str = PERSON
) -> Result:
    """Run the playbook as a person who has signed in with the Azure CLI."""
    admin = server.directory.add_user("admin@acme.example")
    server.directory.settle()
    token = server.authority.person_token(admin, f"User.Read.All {scopes}")
    program = folder / "bin" / "az"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'accessToken': token})}'\n", encoding="utf-8")
    program.chmod(0o755)
    tenant = {**server.tenant_option(("", "")), "azure_cli": True}
    person = {name: value for name, value in tenant.items() if name not in ("client_id", "client_secret")}
    path = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    extra = json.dumps({"acme_tenant": person})
    return run_playbook(folder, BOOTSTRAP, hosts, "-e", extra, *arguments, environment=path)


def rights_of(server: EntraServer, unique_name: str) -> set[str]:
    (application,) = server.truth.find("applications", uniqueName=unique_name)
    (principal,) = server.truth.find("servicePrincipals", appId=application["appId"])
    names = {role_id: name for name, role_id in GRAPH_ROLES.items()}
    return {names[one["appRoleId"]] for one in server.truth.find("appRoleAssignments", principalId=principal["id"])}


def test_the_automation_works_alone_after_a_person_has_bootstrapped_it(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "office": king(server)}
    tenant = {"mail_entra_tenant": "{{ acme_tenant }}", "mail_entra_customer": "acme"}
    declared = inventory(hosts, **tenant)
    server.plan()
    check = bootstrap(estate, server, declared, "--check", "--diff")
    assert check.rc == 0, check.output
    assert {method for method, _path in server.requests} == {"GET"}
    first = bootstrap(estate, server, declared)
    assert first.rc == 0, first.output
    assert rights_of(server, "mailroom-automation") == RUN_TIME
    assert rights_of(server, "mailroom-profit") == {"Mail.Send", "Mail.ReadWrite"}
    assert len(server.truth["oauth2PermissionGrants"]) == 1
    (application,) = server.truth.find("applications", uniqueName="mailroom-profit")
    assert application["passwordCredentials"] == [], "the secret is the automation's work"
    again = bootstrap(estate, server, declared)
    assert (again.rc, again.changed) == (0, 0), again.output

    (automation,) = server.truth.find("applications", uniqueName="mailroom-automation")
    assert automation["appId"] in first.flat
    _key, secret = server.directory.new_secret(automation["id"], {"displayName": "by hand"})
    server.directory.settle()
    option = server.tenant_option((automation["appId"], secret))
    declared = inventory(hosts, mail_entra_tenant=option, mail_entra_customer="acme")
    run = site(estate, declared)
    assert run.rc == 0, run.output
    assert server.signs_in(application["appId"], stored(estate)["profit"]["secret"])
    assert "has to consent to Microsoft Graph" not in run.flat
    assert site(estate, declared).changed == 0


def test_a_person_grants_the_mailboxes_and_the_automation_sees_them(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp", mail_entra_access="scoped")}
    declared = inventory(hosts, mail_entra_tenant="{{ acme_tenant }}", mail_entra_customer="acme")
    person = f"{PERSON} RoleManagement.ReadWrite.Exchange Domain.Read.All MailboxSettings.Read"
    first = bootstrap(estate, server, declared, scopes=person)
    assert first.rc == 0, first.output
    assert rights_of(server, "mailroom-automation") == RUN_TIME | {"RoleManagement.Read.Exchange"}
    assert rights_of(server, "mailroom-profit") == set() and len(server.truth["roleAssignments"]) == 2
    again = bootstrap(estate, server, declared, scopes=person)
    assert (again.rc, again.changed) == (0, 0), again.output
    (automation,) = server.truth.find("applications", uniqueName="mailroom-automation")
    _key, secret = server.directory.new_secret(automation["id"], {"displayName": "by hand"})
    server.directory.settle()
    option = server.tenant_option((automation["appId"], secret))
    run = site(estate, inventory(hosts, mail_entra_tenant=option, mail_entra_customer="acme"))
    assert run.rc == 0 and "OPEN IN MICROSOFT ENTRA" not in run.output, run.output
    assert len(server.truth["roleAssignments"]) == 2


def test_an_application_gives_itself_no_rights(estate: Path, server: EntraServer) -> None:
    rights = ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"]
    option = server.tenant_option(server.directory.add_client("automation", rights))
    result = run_playbook(estate, BOOTSTRAP, inventory({"profit": profit("erp")}, mail_entra_tenant=option))
    assert result.rc != 0 and "only a person gives an automation its rights" in result.flat
    assert server.truth.find("applications", uniqueName="mailroom-automation") == []


def test_the_automation_trusts_the_ci(estate: Path, server: EntraServer) -> None:
    declared = inventory({"profit": profit("erp")}, mail_entra_tenant="{{ acme_tenant }}")
    ci = {"issuer": "https://token.actions.example", "subject": "repo:acme/mail:ref:refs/heads/main"}
    result = bootstrap(estate, server, declared, "-e", json.dumps({"entra_bootstrap_federated": ci}))
    assert result.rc == 0, result.output
    (trusted,) = server.truth["federated"].values()
    assert (trusted["issuer"], trusted["subject"]) == (ci["issuer"], ci["subject"])


def with_password(system: str, user: str, **more: Any) -> dict[str, Any]:
    """An environment that still signs in to Microsoft 365 with a password."""
    transport = {"afas_profit": "smtp", "king_erp": "smtp_basic"}[system]
    return {
        "erp_mail_system": system,
        "erp_mail_transport": transport,
        "erp_mail_service": "microsoft365",
        "erp_mail_senders": {"environment": f"{user}@acme.example"},
        "erp_mail_settings": {"username": f"{user}@acme.example"},
        "erp_mail_password": "{{ undefined_here }}",
        **more,
    }


def test_what_takes_over_from_a_password_is_prepared_and_the_move_needs_no_person(
    estate: Path, server: EntraServer
) -> None:
    office = king(server)
    old = {
        "profit": with_password("afas_profit", "erp", mail_entra_access="tenant"),
        "office": with_password("king_erp", "office", erp_mail_consent=office["erp_mail_consent"]),
        "later": with_password("king_erp", "office"),
    }
    tenant = {"mail_entra_tenant": "{{ acme_tenant }}", "mail_entra_customer": "acme"}
    first = bootstrap(estate, server, inventory(old, **tenant))
    assert first.rc == 0, first.output
    assert "profit: when it moves, declare erp_mail_transport: exchange, and run site" in first.flat
    assert "office: when it moves, declare erp_mail_transport: m365_smtp_oauth2" in first.flat
    assert "later: when it moves" not in first.flat, "nobody knows which application it consents to"
    assert rights_of(server, "mailroom-profit") == {"Mail.Send", "Mail.ReadWrite"}
    (application,) = server.truth.find("applications", uniqueName="mailroom-profit")
    assert application["passwordCredentials"] == [] and len(server.truth["oauth2PermissionGrants"]) == 1

    (automation,) = server.truth.find("applications", uniqueName="mailroom-automation")
    _key, secret = server.directory.new_secret(automation["id"], {"displayName": "by hand"})
    server.directory.settle()
    signed_in = {
        "mail_entra_tenant": server.tenant_option((automation["appId"], secret)),
        "mail_entra_customer": "acme",
    }
    server.plan()
    before = site(estate, inventory(old, **signed_in))
    assert before.rc == 0 and server.requests == [], "until it moves, nothing is asked of the tenant"
    assert "PASSWORDS THAT END, by date" in before.flat and "2026-12: no passwords unless" in before.flat
    assert "profit: AFAS Profit moves to erp_mail_transport: exchange (Exchange Azure AD)" in before.flat
    assert "later: KING ERP moves to" in before.flat and "once erp_mail_consent is declared" in before.flat

    moved = {"profit": profit("erp"), "office": office}
    run = site(estate, inventory(moved, **signed_in))
    assert run.rc == 0 and "PASSWORDS THAT END" not in run.output, run.output
    assert server.signs_in(application["appId"], stored(estate)["profit"]["secret"])
    assert "has to consent to Microsoft Graph" not in run.flat
    assert len(server.truth.find("applications", uniqueName="mailroom-profit")) == 1
    assert len(server.truth["oauth2PermissionGrants"]) == 1
