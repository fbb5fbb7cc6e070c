# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook site on the test tenant: what is made, where secrets go, and what is told."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.entra_site import (
    READ,
    RIGHTS,
    estate_of,
    kill_the_run,
    king,
    profit,
    site,
    stored,
)
from ansible_collections.mailroom.erp.tests.integration.estate import BAKERY, SITE, contents, inventory
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import SCOPE

PAIRS = {"profit": "erp", "payroll": "payroll"}
"""Environments and the mailboxes that they send from."""


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        for name in ("erp", "payroll", "office"):
            started.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        yield started


def field(folder: Path, host: str, name: str) -> Any:
    settings = yaml.safe_load((folder / "mailroom" / host / "settings.yml").read_text(encoding="utf-8"))
    return next(one["value"] for one in settings["fields"] if one["id"] == name)


def shown(folder: Path, server: EntraServer, result: Result) -> list[str]:
    """Which secrets stand in the output, or in any file that can be read without the password."""
    files = [file for file in (folder / "mailroom").rglob("*") if file.is_file()]
    text = "".join([result.output, *(file.read_text(encoding="utf-8") for file in files)])
    joined = "".join(text.split())
    return [value for value in [*server.directory.secrets.values(), "eyJhbGciOi"] if value in joined]


def test_two_environments_and_a_consent_from_an_empty_tenant(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "payroll": profit("payroll"), "office": king(server), "bakery": BAKERY}
    declared = estate_of(server, hosts)
    server.plan()
    before = contents(estate)
    check = site(estate, declared, "--check", "--diff")
    assert check.rc == 0, check.output
    assert check.flat.count("secret would be made: there is none") == 2
    assert {method for method, _path in server.requests} == {"GET"} and contents(estate) == before

    server.sign_ins = 0
    first = site(estate, declared, "--diff")
    assert first.rc == 0, first.output
    assert server.sign_ins == 2, "one to look, one to write, for all three"
    found = stored(estate)
    assert set(found) == {"profit", "payroll"}
    for name, one in found.items():
        (application,) = server.truth.find("applications", uniqueName=f"mailroom-{name}")
        assert one["application_id"] == application["appId"] and server.signs_in(application["appId"], one["secret"])
        assert field(estate, name, "directory_id") == server.directory.tenant_id
        assert field(estate, name, "application_id") == application["appId"]
        place = {"secret": f"mail_entra_secrets.{name}.secret", "where": "mailroom/secrets/acme.yml"}
        assert field(estate, name, "application_secret") == {**place, "valid_until": one["valid_until"]}
        sheet = (estate / "mailroom" / name / "sheet.md").read_text(encoding="utf-8")
        assert application["appId"] in sheet and f"valid until {one['valid_until']}" in sheet
    (grant,) = server.truth["oauth2PermissionGrants"].values()
    assert grant["scope"] == "SMTP.Send"
    assert "OPEN IN MICROSOFT ENTRA" not in first.output

    after = contents(estate)
    server.plan()
    server.sign_ins = 0
    second = site(estate, declared, "--diff")
    assert (second.rc, second.changed) == (0, 0), second.output
    assert contents(estate) == after
    assert server.sign_ins == 1, "one for all of them"
    # 4 for each application, 3 for the consent, 1 for people, 1 for domains, 1 for each mailbox
    assert len(server.requests) == 4 * 2 + 3 + 1 + 1 + 3


def test_scoped_applications_get_their_senders_mailboxes_in_one_sign_in(estate: Path, server: EntraServer) -> None:
    hosts = {name: profit(sender, mail_entra_access="scoped") for name, sender in PAIRS.items()}
    declared = estate_of(server, hosts, *RIGHTS, *SCOPE)
    server.plan()
    check = site(estate, declared, "--check", "--diff")
    assert check.rc == 0 and {method for method, _path in server.requests} == {"GET"}, check.output
    server.sign_ins = 0
    first = site(estate, declared)
    assert first.rc == 0 and server.sign_ins == 2, first.output
    for name, sender in PAIRS.items():
        (application,) = server.truth.find("applications", uniqueName=f"mailroom-{name}")
        users = {one["mail"]: one for one in server.truth["users"].values()}
        may = [mail for mail, user in users.items() if server.directory.may_act(application["appId"], user)]
        assert may == [f"{sender}@acme.example"]
    assert server.truth["appRoleAssignments"] and len(server.truth["roleAssignments"]) == 4, "two roles each"
    assert "OPEN IN MICROSOFT ENTRA" not in first.output
    server.plan()
    server.sign_ins = 0
    second = site(estate, declared)
    assert (second.rc, second.changed, server.sign_ins) == (0, 0, 1), second.output
    # as above; and for each environment 4, and 2 for the ids of roles
    assert len(server.requests) == (4 * 2 + 1 + 1 + 2) + 4 * 2 + 2


def test_mailboxes_that_the_sign_in_may_not_grant_are_told_as_open(estate: Path, server: EntraServer) -> None:
    result = site(estate, estate_of(server, {"profit": profit("erp", mail_entra_access="scoped")}))
    assert result.rc == 0, result.output
    assert "OPEN IN MICROSOFT ENTRA" in result.output and "may not read the roles of Exchange" in result.flat
    assert stored(estate)["profit"]["secret"] and server.truth["roleAssignments"] == {}


@pytest.mark.parametrize("arguments", [["-vvvv", "--diff"], ["-vvvv", "--check", "--diff"]], ids=["run", "check"])
def test_no_secret_leaves_the_vault(estate: Path, server: EntraServer, arguments: list[str]) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    for _run in range(2):
        result = site(estate, declared, *arguments)
        assert result.rc == 0, result.output
        assert shown(estate, server, result) == []


def test_a_lost_value_is_noticed_and_replaced(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    assert site(estate, declared).rc == 0
    (application,) = server.truth.find("applications", uniqueName="mailroom-profit")
    kept = stored(estate)["profit"]
    server.directory.new_secret(application["id"], {"displayName": "mail (mailroom.erp)"})
    server.directory.settle()
    result = site(estate, declared)
    assert result.rc == 0, result.output
    now = stored(estate)["profit"]
    assert now["key_id"] != kept["key_id"] and server.signs_in(application["appId"], now["secret"])
    held = [one["keyId"] for one in application["passwordCredentials"]]
    assert held == [kept["key_id"], now["key_id"]], "the lost one is gone, the one that the ERP uses stays"
    assert "mail_entra_confirmed_key_id" in (estate / "mailroom/profit/sheet.md").read_text(encoding="utf-8")
    assert site(estate, declared).changed == 0


def test_no_secret_is_asked_for_without_a_place_for_it(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    (estate / "mailroom").mkdir()
    (estate / "mailroom" / "secrets").write_text("in the way", encoding="utf-8")
    result = site(estate, declared)
    assert result.rc != 0 and "it cannot be written" in result.flat
    assert len(server.directory.secrets) == 1, "the automation's own"
    (estate / "mailroom" / "secrets").unlink()
    assert site(estate, declared).rc == 0
    assert len(server.directory.secrets) == 2 and stored(estate)["profit"]["secret"]


def test_without_a_vault_password_nothing_is_asked(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    server.plan()
    for arguments in ([], ["--check"]):
        result = run_playbook(estate, SITE, declared, *arguments)
        assert result.rc != 0 and "--vault-id" in result.output
    assert server.requests == [] and server.sign_ins == 0


def test_a_customer_s_broken_file_holds_up_this_customer_only(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "payroll": profit("payroll", mail_entra_customer="beta")}
    declared = estate_of(server, hosts, mail_on_refused="skip")
    folder = estate / "mailroom" / "secrets"
    folder.mkdir(parents=True)
    (folder / "beta.yml").write_text("of another password", encoding="utf-8")
    result = site(estate, declared)
    assert result.rc != 0 and "beta.yml" in result.flat and "--vault-id" in result.flat, result.output
    assert set(stored(estate)) == {"profit"}
    assert (folder / "beta.yml").read_text(encoding="utf-8") == "of another password"
    assert server.truth.find("applications", uniqueName="mailroom-profit")
    assert not server.truth.find("applications", uniqueName="mailroom-payroll")
    (folder / "beta.yml").unlink()
    assert site(estate, declared).rc == 0
    assert server.truth.find("applications", uniqueName="mailroom-payroll") and (folder / "beta.yml").exists()


def test_a_secret_that_cannot_be_stored_is_taken_back(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    folder = estate / "mailroom" / "secrets"

    def in_the_way(number: int, moment: str) -> None:
        """Once a secret has been made, its file is a folder, until the next run."""
        if moment == "after" and server.requests[number - 1][1].endswith("addPassword"):
            (folder / "acme.yml").unlink()
            (folder / "acme.yml").mkdir()

    server.hook = in_the_way
    result = site(estate, declared)
    server.hook = lambda number, moment: None
    assert result.rc != 0 and "the new secrets are taken back" in result.flat, result.output
    (application,) = server.truth.find("applications", uniqueName="mailroom-profit")
    assert application["passwordCredentials"] == []
    assert shown(estate, server, result) == []
    (folder / "acme.yml").rmdir()
    assert site(estate, declared).rc == 0
    assert server.signs_in(application["appId"], stored(estate)["profit"]["secret"])
    assert [one["keyId"] for one in application["passwordCredentials"]] == [stored(estate)["profit"]["key_id"]]


@pytest.mark.slow
def test_a_run_that_dies_later_has_stored_the_secret_that_it_made(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {name: profit(sender) for name, sender in PAIRS.items()})

    def die(number: int, moment: str) -> None:
        made = [path for _method, path in server.requests[: number - 1] if path.endswith("addPassword")]
        if moment == "after" and made and server.requests[number - 1][1].endswith("addPassword"):
            kill_the_run()

    server.hook = die
    assert site(estate, declared).rc != 0
    server.hook = lambda number, moment: None
    (name,) = kept = stored(estate)
    assert site(estate, declared).rc == 0
    now = stored(estate)
    assert now[name] == kept[name] and set(now) == set(PAIRS)
    for one in now.values():
        (application,) = server.truth.find("applications", appId=one["application_id"])
        assert [key["keyId"] for key in application["passwordCredentials"]] == [one["key_id"]]
        assert server.signs_in(one["application_id"], one["secret"])


@pytest.mark.slow
def test_a_run_that_dies_with_a_secret_leaves_none_that_nobody_has(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})

    def die(number: int, moment: str) -> None:
        if moment == "after" and server.requests[number - 1][1].endswith("addPassword"):
            kill_the_run()

    server.hook = die
    assert site(estate, declared).rc != 0
    server.hook = lambda number, moment: None
    (application,) = server.truth.find("applications", uniqueName="mailroom-profit")
    (lost,) = [one["keyId"] for one in application["passwordCredentials"]]
    result = site(estate, declared)
    assert result.rc == 0, result.output
    kept = stored(estate)["profit"]
    assert [one["keyId"] for one in application["passwordCredentials"]] == [kept["key_id"]] and kept["key_id"] != lost
    assert server.signs_in(application["appId"], kept["secret"])
    assert site(estate, declared).changed == 0


def test_a_sender_without_a_mailbox_is_told_and_does_not_pass(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("nobody"), "payroll": profit("payroll")})
    result = site(estate, declared, "--check")
    assert result.rc == 0, result.output
    assert 'profit: sender "nobody@acme.example": nobody in the tenant has this address' in result.flat
    block = re.search(r"nobody@acme\.example by \w+: (?:\w+ -> )?(\w+)", result.flat)
    assert block is not None and block[1] == "FAIL", result.output
    assert "transport fail" in result.flat and "transport pass" in result.flat
    sheet = site(estate, declared)
    assert sheet.rc == 0, sheet.output
    assert "nobody@acme.example" in (estate / "mailroom/profit/sheet.md").read_text(encoding="utf-8")


def test_what_a_person_has_to_do_is_told(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "office": king(server)}
    declared = estate_of(server, hosts, "Application.ReadWrite.OwnedBy", *READ)
    result = site(estate, declared)
    assert result.rc == 0, result.output
    assert "a person still has to consent to Microsoft Graph/Mail.ReadWrite, Microsoft Graph/Mail.Send" in result.flat
    sheet = (estate / "mailroom/profit/sheet.md").read_text(encoding="utf-8")
    assert "An administrator still has to consent to `Microsoft Graph/Mail.Send`" in sheet
    assert "a person has to consent to the vendor's application" in result.flat
    assert server.truth["oauth2PermissionGrants"] == {}
    assert "toestemming geven voor de mail-app" in (estate / "mailroom/office/sheet.md").read_text(encoding="utf-8")
    assert site(estate, declared).changed == 0


@pytest.mark.slow
def test_an_absent_environment_gives_up_its_application_and_its_secret(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "payroll": profit("payroll")}
    declared = estate_of(server, hosts, mail_dns_complete=True)
    assert site(estate, declared).rc == 0
    declared["all"]["hosts"]["payroll"]["erp_mail_state"] = "absent"
    result = site(estate, declared)
    assert result.rc == 0, result.output
    assert set(stored(estate)) == {"profit"}
    assert [one["uniqueName"] for one in server.truth["applications"].values() if one["uniqueName"]] == [
        "mailroom-profit"
    ]
    assert site(estate, declared).changed == 0


def test_wrong_tenants_stop_the_run_with_everything_else_that_is_wrong(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp", mail_entra_access=None), "payroll": profit("payroll", erp_mail_settings={"x": 1})}
    result = site(estate, estate_of(server, hosts))
    assert result.rc != 0 and server.requests == []
    assert "profit: mail_entra_access: it says whether" in result.flat
    assert "payroll: erp_mail_settings.x" in result.flat


def test_without_needs_of_entra_msal_is_not_loaded(estate: Path) -> None:
    blocked = estate / "blocked"
    blocked.mkdir()
    (blocked / "msal.py").write_text("raise RuntimeError('msal was imported')\n", encoding="utf-8")
    hosts = inventory({"bakery": BAKERY})
    result = run_playbook(estate, SITE, hosts, environment={"PYTHONPATH": str(blocked)})
    assert result.rc == 0, result.output
    assert "msal" not in result.output


STORE = """\
- name: Keep the value
  ansible.builtin.copy:
    content: "{{ mail_entra_store_value }}"
    dest: "{{ inventory_dir }}/safe/{{ mail_entra_store_environment }}-{{ mail_entra_store_do }}"
    mode: "0600"
  no_log: true
  delegate_to: localhost
  when: mail_entra_store_do in lookup('ansible.builtin.file', inventory_dir ~ '/works').split()

- name: Read it back
  ansible.builtin.set_fact:
    mail_entra_store_read: >-
      {{ lookup('ansible.builtin.file',
      inventory_dir ~ '/safe/' ~ mail_entra_store_environment ~ '-' ~ mail_entra_store_do, errors='ignore') }}
  no_log: true
  when: mail_entra_store_do != 'forget'

- name: Delete the trial value
  ansible.builtin.file:
    path: "{{ inventory_dir }}/safe/{{ mail_entra_store_environment }}-trial"
    state: absent
  changed_when: false
  delegate_to: localhost
  when: mail_entra_store_do == 'forget'
"""


@pytest.mark.parametrize(
    ("works", "made"),
    [
        ("trial store", 1),
        pytest.param("trial", 0, marks=pytest.mark.slow),
        pytest.param("", 0, marks=pytest.mark.slow),
    ],
    ids=["both", "trial", "nothing"],
)
def test_secrets_go_where_the_user_s_own_tasks_put_them(
    estate: Path, server: EntraServer, works: str, made: int
) -> None:
    (estate / "store.yml").write_text(STORE, encoding="utf-8")
    (estate / "safe").mkdir()
    (estate / "works").write_text(works, encoding="utf-8")
    tasks = {"mail_entra_store_tasks": str(estate / "store.yml"), "ansible_python_interpreter": sys.executable}
    declared = estate_of(server, {"profit": profit("erp")}, **tasks)
    asked: list[str] = []
    server.hook = lambda number, moment: asked.append(server.requests[number - 1][1])
    result = site(estate, declared, "-vvvv", "--diff")
    assert (result.rc == 0) == bool(made), result.output
    assert any(path.endswith("addPassword") for path in asked) == ("trial" in works)
    found = server.truth.find("applications", uniqueName="mailroom-profit")
    held = [key["keyId"] for one in found for key in one["passwordCredentials"]]
    assert len(held) == made and shown(estate, server, result) == []
    kept = [file.name for file in (estate / "safe").iterdir()]
    assert kept == ["profit-store"] * made, "no trial value is left"
    if made:
        value = (estate / "safe" / "profit-store").read_text(encoding="utf-8")
        assert server.signs_in(found[0]["appId"], value)
        note = (estate / "mailroom" / "secrets" / "acme.yml").read_text(encoding="utf-8")
        assert held[0] in note and value not in note
        again = site(estate, declared)
        assert (again.rc, again.changed) == (0, 0), again.output


@pytest.mark.slow
def test_each_tenant_has_a_sign_in_of_its_own(estate: Path, server: EntraServer) -> None:
    with EntraServer("22222222-3333-4444-5555-666666666666") as other:
        other.directory.add_user("payroll@acme.example", purpose="shared")
        own = other.tenant_option(other.directory.add_client("automation", RIGHTS))
        payroll = profit("payroll", mail_entra_tenant=own, mail_entra_customer="beta")
        declared = estate_of(server, {"profit": profit("erp"), "payroll": payroll})
        result = site(estate, declared)
        assert result.rc == 0, result.output
        for tenant, customer, name in ((server, "acme", "profit"), (other, "beta", "payroll")):
            found = stored(estate, customer)
            assert set(found) == {name} and tenant.signs_in(found[name]["application_id"], found[name]["secret"])
            assert field(estate, name, "directory_id") == tenant.directory.tenant_id
            assert tenant.sign_ins == 2
        assert site(estate, declared).changed == 0
        assert (server.sign_ins, other.sign_ins) == (3, 3)


def test_a_dead_tenant_fails_its_own_environments_and_holds_up_no_other(estate: Path, server: EntraServer) -> None:
    dead = {**server.tenant_option(("33333333-4444-5555-6666-777777777777", "what signs in to the dead tenant"))}
    dead |= {"tenant_id": dead["client_id"], "authority": "https://127.0.0.1:9", "graph_url": "https://127.0.0.1:9"}
    payroll = profit("payroll", mail_entra_tenant=dead, mail_entra_customer="beta")
    declared = estate_of(server, {"profit": profit("erp"), "payroll": payroll}, mail_on_refused="skip")
    result = site(estate, declared, "-vvvv", "--diff")
    assert result.rc != 0 and "payroll: https://127.0.0.1:9" in result.flat and "the sign-in failed" in result.flat
    made = stored(estate)["profit"]
    assert server.signs_in(made["application_id"], made["secret"])
    assert shown(estate, server, result) == [] and "what signs in to the dead tenant" not in result.output
    assert not (estate / "mailroom" / "secrets" / "beta.yml").exists()
