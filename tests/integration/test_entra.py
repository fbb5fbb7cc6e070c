# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Entra modules in a user's playbook, on the test tenant: what is made, what is shown, and what never is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import Result
from ansible_collections.mailroom.erp.tests.integration.tenant import result_of, run_in_tenant, task
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import (
    GRANT,
    MANAGE_OWN,
    READ_APPLICATIONS,
    SCOPE,
    SEE_SCOPES,
)
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import signer

BOOTSTRAP = [MANAGE_OWN, *GRANT]
PERMISSIONS = [{"resource": "Microsoft Graph", "role": role} for role in ("Mail.Send", "Mail.ReadWrite")]
SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        yield started


@pytest.fixture
def tenant(server: EntraServer) -> dict[str, Any]:
    return server.tenant_option(server.directory.add_client("automation", BOOTSTRAP))


def registration(**options: Any) -> dict[str, Any]:
    declared = {"unique_name": "erp", "display_name": "AFAS Profit", "permissions": PERMISSIONS, "access": "tenant"}
    return task("entra_app_registration", **{**declared, **options})


def credential(**options: Any) -> dict[str, Any]:
    return task("entra_app_credential", **{"unique_name": "erp", "name": "profit", "kind": "secret", **options})


def values(server: EntraServer) -> list[str]:
    """All values that nobody may see."""
    return [*server.directory.secrets.values(), signer("test tenant").key_pem.splitlines()[2]]


def shown(server: EntraServer, result: Result) -> list[str]:
    """Which of them the output shows; an access token begins like any JWT."""
    output = result.unbroken
    return [value for value in [*values(server), "eyJhbGciOi"] if value in output]


def test_the_first_check_of_an_empty_tenant_says_what_the_run_does(
    tmp_path: Path, server: EntraServer, tenant: dict[str, Any]
) -> None:
    tasks = [registration(), credential(stored_key_id="")]
    server.plan()
    check = run_in_tenant(tmp_path, tenant, tasks, "--check", "--diff")
    assert check.rc == 0, check.output
    assert check.changed == 2 and {method for method, _path in server.requests} == {"GET"}
    planned = result_of(tmp_path, "entra_app_registration")
    assert planned["app_id"] is None and planned["grants"]["granted"] == [
        "Microsoft Graph/Mail.ReadWrite",
        "Microsoft Graph/Mail.Send",
    ]
    assert result_of(tmp_path, "entra_app_credential")["reason"] == "there is none"
    first = run_in_tenant(tmp_path, tenant, [registration()], "--diff")
    assert first.rc == 0, first.output
    (made,) = server.truth.find("applications", uniqueName="erp")
    done = result_of(tmp_path, "entra_app_registration")
    assert done["app_id"] == made["appId"] and done["object_id"] == made["id"]
    assert done["directory_id"] == tenant["tenant_id"] and done["grants"] == planned["grants"]
    assert first.diff == check.diff[: len(first.diff)] and first.diff
    again = run_in_tenant(tmp_path, tenant, [registration()], "--diff")
    assert (again.rc, again.changed) == (0, 0) and again.diff == []
    assert result_of(tmp_path, "entra_app_registration")["requests"] <= 4


@pytest.mark.parametrize("loop", [False, True])
def test_no_secret_is_ever_shown(tmp_path: Path, server: EntraServer, tenant: dict[str, Any], loop: bool) -> None:
    made = credential(stored_key_id="")
    if loop:
        made["mailroom.erp.entra_app_credential"]["name"] = "{{ item }}"
        made["loop"] = ["profit", "profit2"]
    first = run_in_tenant(tmp_path, tenant, [registration(), made], "-vvvv", "--diff")
    assert first.rc == 0, first.output
    assert shown(server, first) == [] and "censored" in first.output
    kept = result_of(tmp_path, "entra_app_credential")
    secret = kept["results"][1]["secret"] if loop else kept["secret"]
    assert secret in server.directory.secrets.values(), "the value reaches who registers it, whole"
    (application,) = server.truth.find("applications", uniqueName="erp")
    assert server.signs_in(application["appId"], secret)
    if not loop:
        again = run_in_tenant(tmp_path, tenant, [credential(stored_key_id=kept["key_id"])], "-vvvv", "--diff")
        assert (again.rc, again.changed) == (0, 0) and shown(server, again) == []
        assert kept["key_id"] in again.output, "a result without a secret is shown"


def run_failing(
    tmp_path: Path, tenant: Any, tasks: list[tuple[Any, dict[str, Any]]], *arguments: str
) -> tuple[Result, list[str]]:
    """Run tasks that fail, each with a tenant of its own, in one play.

    :returns: the run, and the message of each task
    """
    options = [option for option, _one in tasks]
    several = []
    for number, (_option, one) in enumerate(tasks):
        module = next(name for name in one if name.startswith("mailroom.erp."))
        own = {**one[module], "tenant": f"{{{{ tenants[{number}] }}}}"}
        several.append({**one, module: own, "register": f"failed{number}", "ignore_errors": True})
    extra = tmp_path / "tenants.json"
    extra.write_text(json.dumps({"tenants": options}), encoding="utf-8")
    result = run_in_tenant(tmp_path, tenant, several, "-e", f"@{extra}", *arguments)
    kept = [result_of(tmp_path, f"failed{number}") for number in range(len(tasks))]
    assert [number for number, one in enumerate(kept) if not one.get("failed")] == []
    return result, [one["msg"] for one in kept]


def test_no_secret_is_shown_when_something_fails(tmp_path: Path, server: EntraServer, tenant: dict[str, Any]) -> None:
    made = run_in_tenant(tmp_path, tenant, [registration(), credential()])
    assert made.rc == 0, made.output
    failing: list[tuple[Any, dict[str, Any], str]] = [
        (tenant, credential(stored_key_id=""), "its value is not stored"),
        ({**tenant, "client_secret": SECRET}, registration(), "AADSTS7000215"),
        ({**tenant, "graph_url": "https://127.0.0.1:1", "timeout": 0.1}, registration(), "AADSTS70011"),
        ({**tenant, "ca_file": "/nonexistent"}, registration(), "there is no such file"),
        ({**tenant, "tenant_id": str(uuid.uuid4())}, registration(), "the sign-in failed"),
        (tenant, registration(access="{{ tenant.client_secret }}"), "value of access must be one of"),
        (tenant, credential(kind="certificate", certificate=signer("test tenant").key_pem), "holds a private key"),
        (tenant, registration(unique_name="other", permissions=[{"resource": "x", "role": "y"}]), "is ever granted"),
    ]
    result, messages = run_failing(tmp_path, tenant, [(one[0], one[1]) for one in failing], "-vvvv", "--diff")
    for (_option, _task, said), message in zip(failing, messages, strict=True):
        assert said in message
    assert shown(server, result) == [] and "hunter2" not in result.output
    assert "Traceback" not in result.output, result.output


MISPLACED: list[tuple[Any, dict[str, Any], str]] = [
    ({"client_secrett": SECRET}, {}, "did you mean tenant.client_secret?"),
    ({"password": SECRET}, {}, "tenant.password is no option"),
    ({"cloud": SECRET}, {}, "tenant.cloud is not one"),
    ({"client_id": SECRET}, {}, "tenant.client_id must be a GUID"),
    ({"tenant_id": SECRET}, {}, "tenant.tenant_id must be a GUID"),
    ({"azure_cli": True}, {}, "two ways to sign in"),
    (SECRET, {}, "tenant must be a dictionary"),
    ([SECRET], {}, "tenant must be a dictionary"),
    ({}, {"client_secret": SECRET}, "it belongs into tenant: tenant.client_secret"),
    ({}, {"secret": SECRET}, "there is no such option: secret;"),
    ({}, {"catalogue_permissions": [SECRET]}, "is set by the controller"),
]


def test_a_misplaced_secret_is_never_shown(tmp_path: Path, server: EntraServer, tenant: dict[str, Any]) -> None:
    # In variables, for Ansible itself shows the lines of a playbook around an error.
    (tmp_path / "misplaced.json").write_text(json.dumps({"misplaced": SECRET}), encoding="utf-8")
    tasks = []
    for wrong, options, _said in MISPLACED:
        option = {**tenant, **wrong} if isinstance(wrong, dict) else wrong
        hidden = json.loads(json.dumps(options).replace(SECRET, "{{ misplaced }}"))
        tasks.append((option, registration(**hidden)))
    result, messages = run_failing(tmp_path, tenant, tasks, "-vvvv", "--diff", "-e", f"@{tmp_path}/misplaced.json")
    for (_wrong, _options, said), message in zip(MISPLACED, messages, strict=True):
        assert said in message
    assert "hunter2" not in result.output and server.requests == [] and server.sign_ins == 0


def test_one_tenant_for_all_tasks_by_module_defaults(
    tmp_path: Path, server: EntraServer, tenant: dict[str, Any]
) -> None:
    tasks = [registration(), credential()]
    for one in tasks:
        module = next(name for name in one if name.startswith("mailroom.erp."))
        del one[module]["tenant"]
        one["module_defaults"] = {"group/mailroom.erp.entra": {"tenant": "{{ tenant }}"}}
    result = run_in_tenant(tmp_path, tenant, tasks)
    assert (result.rc, result.changed) == (0, 2), result.output


def test_another_tenant_is_refused_before_anything_is_asked(
    tmp_path: Path, server: EntraServer, tenant: dict[str, Any]
) -> None:
    server.authority.says_tenant = str(uuid.uuid4())
    result = run_in_tenant(tmp_path, tenant, [registration()])
    assert result.rc != 0 and f"belongs to tenant {server.authority.says_tenant}" in result.flat
    assert server.requests == []


def test_consent_is_given_and_senders_are_looked_up(tmp_path: Path, server: EntraServer) -> None:
    rights = [*BOOTSTRAP, "User.Read.All", "Domain.Read.All", "MailboxSettings.Read"]
    tenant = server.tenant_option(server.directory.add_client("bootstrap", rights))
    publisher = str(uuid.uuid4())
    app_id = server.directory.add_vendor(
        "KING Software - SendEmail", publisher, verified="Quadrant Automatisering B.V."
    )
    server.directory.add_user("invoices@acme.example", purpose="shared", enabled=False)
    server.directory.settle()
    declared = {"app_id": app_id, "publisher_tenant_id": publisher, "scopes": ["SMTP.Send"]}
    consent = task("entra_consent", **declared, users=["invoices@acme.example"])
    senders = task("entra_sender_info", senders=["invoices@acme.example", "nobody@acme.example"], unique_name="erp")
    check = run_in_tenant(tmp_path, tenant, [consent], "--check", "--diff")
    assert check.rc == 0 and not server.truth.find("servicePrincipals", appId=app_id), check.output
    first = run_in_tenant(tmp_path, tenant, [consent, senders], "--diff")
    assert (first.rc, first.changed) == (0, 1), first.output
    assert first.diff == check.diff and first.diff
    given = result_of(tmp_path, "entra_consent")
    assert given["grants"] == {"invoices@acme.example: Microsoft Graph": ["SMTP.Send"]} and given["beyond"] == []
    assert given["publisher"] == {"tenant_id": publisher, "verified_name": "Quadrant Automatisering B.V."}
    found = result_of(tmp_path, "entra_sender_info")
    assert found["summary"] == {"pass": 1, "fail": 1, "unknown": 0}
    planned: dict[str, Any] = {"exists": False, "app_id": None, "granted": [], "every_mailbox": None, "scopes": []}
    assert found["application"] == planned and found["senders"][0]["in_scope"] is None
    assert found["senders"][0]["mailbox"] == "shared" and found["senders"][1]["next_step"]
    assert run_in_tenant(tmp_path, tenant, [consent, senders]).changed == 0


def mail_scope(**options: Any) -> dict[str, Any]:
    declared = {"unique_name": "erp", "roles": ["Application Mail.Send"], "mailboxes": ["erp@acme.example"]}
    return task("entra_mail_scope", **{**declared, **options})


def scoped_registration(**options: Any) -> dict[str, Any]:
    return registration(access="scoped", permissions=PERMISSIONS[:1], **options)


@pytest.fixture
def scoping(server: EntraServer) -> dict[str, Any]:
    """A person's sign-in that may grant, and say which mailboxes; the mailbox is there."""
    server.directory.add_user("erp@acme.example", purpose="shared", enabled=False)
    rights = [*BOOTSTRAP, READ_APPLICATIONS, *SCOPE, *SEE_SCOPES]
    return server.tenant_option(server.directory.add_client("person", rights))


def test_an_application_is_limited_to_a_mailbox_step_by_step(
    tmp_path: Path, server: EntraServer, scoping: dict[str, Any]
) -> None:
    tasks = [scoped_registration(), mail_scope()]
    check = run_in_tenant(tmp_path, scoping, tasks, "--check", "--diff")
    assert (check.rc, check.changed) == (0, 2), check.output
    planned = result_of(tmp_path, "entra_mail_scope")
    assert (planned["scope"]["state"], planned["app_id"], planned["checks"]) == ("granted", None, [])
    first = run_in_tenant(tmp_path, scoping, [registration(permissions=PERMISSIONS[:1])])
    assert first.rc == 0, first.output
    limited = run_in_tenant(tmp_path, scoping, [scoped_registration(leave_tenant_grants=True), mail_scope()], "--diff")
    assert (limited.rc, limited.changed) == (0, 2), limited.output
    assert '+        "mailbox erp@acme.example",' in limited.diff
    told = result_of(tmp_path, "entra_mail_scope")
    assert told["scope"]["state"] == "tenant_wide" and told["roles"][0]["tenant_wide"] == ["Microsoft Graph/Mail.Send"]
    assert "so every mailbox can be used" in limited.output
    (assignment,) = told["roles"][0]["assignments"]
    assert assignment["id"] in server.truth["roleAssignments"] and assignment["scope"] == "mailbox erp@acme.example"
    assert told["checks"] == [
        f"Test-ServicePrincipalAuthorization -Identity {told['service_principal_id']} -Resource 'erp@acme.example'"
    ]
    assert any("New-ManagementRoleAssignment" in line for line in told["powershell"])
    tasks = [scoped_registration(leave_tenant_grants=True), mail_scope(settle=0)]
    last = run_in_tenant(tmp_path, scoping, tasks)
    assert (last.rc, last.changed) == (0, 1), last.output
    done = result_of(tmp_path, "entra_mail_scope")
    assert (done["scope"]["state"], done["roles"][0]["effective_by"]) == ("effective", "time")
    (principal,) = server.truth.find("servicePrincipals", appId=done["app_id"])
    assert server.truth.find("appRoleAssignments", principalId=principal["id"]) == []
    server.plan()
    again = run_in_tenant(tmp_path, scoping, tasks, "--diff")
    assert (again.rc, again.changed, again.diff) == (0, 0, [])
    assert {method for method, _path in server.requests} == {"GET"}
    assert result_of(tmp_path, "entra_mail_scope")["requests"] == 8
    away = mail_scope(state="absent")
    away["mailroom.erp.entra_mail_scope"].pop("mailboxes")
    gone = run_in_tenant(tmp_path, scoping, [away])
    assert (gone.rc, gone.changed) == (0, 1) and server.truth["roleAssignments"] == {}


def test_a_wrong_scope_is_one_message_and_changes_nothing(
    tmp_path: Path, server: EntraServer, scoping: dict[str, Any]
) -> None:
    made = run_in_tenant(tmp_path, scoping, [scoped_registration()])
    assert made.rc == 0, made.output
    weak = server.tenant_option(server.directory.add_client("weak", [READ_APPLICATIONS, *SEE_SCOPES]))
    failing = [
        (scoping, mail_scope(mailboxes=["gone@acme.example"]), "nobody in the tenant has this address"),
        (scoping, mail_scope(groups=["senders"]), "a scope is of one kind, and mailboxes, groups is given"),
        (scoping, mail_scope(roles=["Mail.Send"]), "value of roles must be one or more of"),
        (scoping, mail_scope(mailbox=["erp@acme.example"]), "there is no such option: mailbox"),
        (weak, mail_scope(), "this sign-in may not read the roles of Exchange"),
    ]
    server.plan()
    _result, messages = run_failing(tmp_path, scoping, [(one[0], one[1]) for one in failing])
    for (_option, _task, said), message in zip(failing, messages, strict=True):
        assert said in message, message
    assert {method for method, _path in server.requests} <= {"GET"} and server.truth["roleAssignments"] == {}
