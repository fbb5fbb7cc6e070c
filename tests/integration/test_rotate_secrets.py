# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate_secrets on the test tenant: the next secret, its trial, the end of the old one, and the alarm."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import (
    PASSWORD,
    VAULT,
    estate_of,
    king,
    profit,
    site,
    stored,
)
from ansible_collections.mailroom.erp.tests.integration.estate import BAKERY, contents
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import Signer

ROTATE = "mailroom.erp.rotate_secrets"
SOON = 10
"""Days until the secret of :func:`make_due` ends."""


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        for name in ("erp", "payroll", "office"):
            started.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        yield started


def rotate(folder: Path, hosts: dict[str, Any], *arguments: str) -> Result:
    password = folder / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    quick = ("-e", "mail_rotate_delay=0")
    return run_playbook(folder, ROTATE, hosts, *quick, *arguments, f"--vault-password-file={password}")


def application(server: EntraServer, name: str = "profit") -> dict[str, Any]:
    (found,) = server.truth.find("applications", uniqueName=f"mailroom-{name}")
    return found


def secrets(server: EntraServer, name: str = "profit") -> list[str]:
    return [one["keyId"] for one in application(server, name)["passwordCredentials"]]


def make_due(server: EntraServer, name: str = "profit", days: int = SOON) -> None:
    """Let the secrets of an application end soon."""
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    for one in application(server, name)["passwordCredentials"]:
        one["startDateTime"] = f"{ends - datetime.timedelta(days=180):%Y-%m-%dT%H:%M:%SZ}"
        one["endDateTime"] = f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    server.directory.settle()


def writes(server: EntraServer) -> list[tuple[str, str]]:
    return [(method, path.rpartition("/")[2]) for method, path in server.requests if method != "GET"]


def test_a_secret_is_rotated_from_due_to_the_end_of_the_old_one(estate: Path, server: EntraServer) -> None:
    hosts = {"profit": profit("erp"), "payroll": profit("payroll"), "office": king(server), "bakery": BAKERY}
    declared = estate_of(server, hosts, mail_entra_secret={"overlap": 0})
    assert site(estate, declared).rc == 0
    first = stored(estate)
    before = contents(estate)
    server.plan()
    server.sign_ins = 0
    quiet = rotate(estate, declared, "--diff")
    assert (quiet.rc, quiet.changed, contents(estate)) == (0, 0, before), quiet.output
    assert (server.sign_ins, len(server.requests)) == (1, 2), "one request for each secret"
    assert "NOTHING DUE: 2 environments: payroll, profit" in quiet.output

    make_due(server)
    server.plan()
    check = rotate(estate, declared, "--check", "--diff")
    assert check.rc == 0 and check.changed == 1 and contents(estate) == before, check.output
    assert writes(server) == [] and "profit: a new secret would be made: it ends on" in check.flat

    made = rotate(estate, declared, "--diff", "-vvvv")
    assert made.rc == 0 and made.stats["profit"]["changed"] == 1 and made.changed == 1, made.output
    assert writes(server) == [("POST", "addPassword")], "nothing else of the tenant is touched"
    held = stored(estate)
    assert held["payroll"] == first["payroll"] and held["profit"]["key_id"] != first["profit"]["key_id"]
    for one in (first, held):
        assert server.signs_in(one["profit"]["application_id"], one["profit"]["secret"]), "both work"
    assert "TRIED WITH THE NEW SECRET - profit: it signs in" in made.flat
    confirm = f"mail_entra_confirmed_key_id: {held['profit']['key_id']}"
    assert "profit: put the new secret, which stands in" in made.flat
    assert confirm in made.flat
    for value in (*server.directory.secrets.values(), "eyJhbGciOi"):
        assert value not in made.unbroken

    again = rotate(estate, declared)
    assert again.changed == 0 and stored(estate) == held and len(secrets(server)) == 2, again.output

    declared["all"]["hosts"]["profit"]["mail_entra_confirmed_key_id"] = held["profit"]["key_id"]
    server.plan()
    ended = rotate(estate, declared, "--diff")
    assert ended.rc == 0 and ended.stats["profit"]["changed"] == 1, ended.output
    assert writes(server) == [("POST", "removePassword")]
    assert secrets(server) == [held["profit"]["key_id"]]
    assert f"the old secret {first['profit']['key_id']} is removed" in ended.flat
    last = rotate(estate, declared)
    assert (last.rc, last.changed) == (0, 0) and "TO DO BY A PERSON" not in last.output, last.output


def test_an_old_secret_that_ends_unconfirmed_fails_its_environment(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp"), "payroll": profit("payroll")})
    assert site(estate, declared).rc == 0
    make_due(server)
    assert rotate(estate, declared).rc == 0, "there is a new one, and time: the alarm comes with the next run"
    alarm = rotate(estate, declared)
    assert alarm.rc == 2 and [host for host, one in alarm.stats.items() if one["failures"]] == ["profit"], alarm.output
    assert (
        "profit: its old secret ends on" in alarm.flat and "nobody has confirmed that the new one is used" in alarm.flat
    )
    assert rotate(estate, declared, "-e", f"mail_rotate_alarm_days={SOON - 2}").rc == 0
    make_due(server, days=-1)
    newest = application(server)["passwordCredentials"][-1]
    newest["endDateTime"] = f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}"
    server.directory.settle()
    over = rotate(estate, declared)
    assert over.rc == 2 and "profit: the last old secret has ended" in over.flat, over.output
    assert secrets(server) == [newest["keyId"]]


@pytest.mark.slow
def test_all_secrets_that_were_made_before_a_moment(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp"), "payroll": profit("payroll")})
    assert site(estate, declared).rc == 0
    first = stored(estate)
    for name in ("profit", "payroll"):
        make_due(server, name, days=100)
    moment = f"{datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}"
    leaked = ("-e", f"mail_entra_secret_made_before={moment}")
    made = rotate(estate, declared, *leaked)
    assert made.rc == 0 and made.changed == 2, made.output
    assert all(one["key_id"] != first[name]["key_id"] for name, one in stored(estate).items())
    again = rotate(estate, declared, *leaked)
    assert (again.rc, again.changed) == (0, 0), again.output
    ahead = rotate(estate, declared, "-e", "mail_entra_secret_made_before=9998-01-01")
    assert ahead.rc == 2 and "it lies ahead" in ahead.flat, ahead.output


@pytest.mark.slow
def test_a_new_secret_sends_one_message(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")}, mail_rotate_test_to="tests@acme.example")
    assert site(estate, declared).rc == 0
    make_due(server, days=25)
    check = rotate(estate, declared, "--check")
    assert check.rc == 0 and server.directory.sent == [], check.output
    sent = rotate(estate, declared)
    assert sent.rc == 0 and len(server.directory.sent) == 1, sent.output
    assert "profit: a message was accepted" in sent.flat
    again = rotate(estate, declared)
    assert again.rc == 0 and len(server.directory.sent) == 1, again.output
    assert "profit: its message was accepted by an earlier run" in again.flat


def test_a_new_secret_that_does_not_work_is_an_alarm(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    assert site(estate, declared).rc == 0
    make_due(server, days=25)
    assert rotate(estate, declared).rc == 0
    file = estate / "mailroom" / "secrets" / "acme.yml"
    text = VAULT.decrypt(file.read_bytes()).decode()
    file.write_bytes(VAULT.encrypt(text.replace(stored(estate)["profit"]["secret"], "not-the-secret-any-more")))
    failed = rotate(estate, declared)
    assert failed.rc == 2 and "does not work" in failed.flat and "AADSTS7000215" in failed.flat, failed.output
    assert "not-the-secret-any-more" not in failed.unbroken


def test_one_that_is_wrong_stops_nobody(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp"), "payroll": profit("payroll")})
    assert site(estate, declared).rc == 0
    make_due(server)
    hosts = declared["all"]["hosts"]
    hosts["payroll"]["mail_entra_access"] = "everybody"
    hosts["third"] = profit("office", mail_entra_secret={"lifetime": "long"})
    result = rotate(estate, declared)
    failed = [host for host, one in result.stats.items() if one["failures"]]
    assert (result.rc, failed) == (2, ["payroll", "third"]), result.output
    assert result.stats["profit"]["changed"] == 1 and len(secrets(server)) == 2


@pytest.mark.slow
def test_certificates_and_federated_credentials_of_other_applications(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    assert site(estate, declared).rc == 0
    (owner,) = server.truth.find("servicePrincipals", displayName="automation")
    ci = server.directory.new_application({"displayName": "CI"}, "acme-ci", [owner["id"]])
    server.directory.new_principal(ci["appId"])
    server.directory.settle()
    old, new = Signer("ci", days=200), Signer("ci", days=200)
    tenant = declared["all"]["vars"]["mail_entra_tenant"]
    sign_in = {name: tenant[name] for name in tenant if name not in ("client_secret", "client_id")}

    def entry(signer: Signer, **more: Any) -> dict[str, Any]:
        pair = {"certificate": signer.key_pem + signer.certificate_pem}
        common = {
            "tenant": "{{ mail_entra_tenant }}",
            "unique_name": "acme-ci",
            "name": "ci-mail",
            "kind": "certificate",
        }
        own = {
            "certificate": signer.certificate_pem,
            "overlap": 0,
            "sign_in": {**sign_in, "client_id": ci["appId"]} | pair,
        }
        return {**common, **own, **more}

    trust = {"issuer": "https://ci.example", "subject": "repo:acme/mail"}
    federated = {"tenant": "{{ mail_entra_tenant }}", "unique_name": "acme-ci", "name": "ci-main", "kind": "federated"}
    shared = declared["all"]["vars"]
    shared["mail_rotate_credentials"] = [entry(old), {**federated, "federated": trust}]
    check = rotate(estate, declared, "--check")
    assert check.rc == 0 and check.changed == 1 and ci["keyCredentials"] == [], check.output
    first = rotate(estate, declared, "-vvvv", "--diff")
    assert first.rc == 0 and first.stats["profit"]["changed"] == 1, first.output
    assert "acme-ci (certificate ci-mail): it signs in" in first.flat and len(ci["keyCredentials"]) == 1
    assert old.key_pem.splitlines()[3] not in first.unbroken and len(server.truth["federated"]) == 1
    assert rotate(estate, declared).changed == 0

    shared["mail_rotate_credentials"][0] = entry(new)
    assert rotate(estate, declared).rc == 0 and len(ci["keyCredentials"]) == 2, "the old one stays"
    waiting = rotate(estate, declared)
    assert waiting.changed == 0 and "let the new certificate be used before" in waiting.flat, waiting.output
    newest = ci["keyCredentials"][-1]["keyId"]
    assert f"declare confirmed_key_id: {newest}" in waiting.flat
    shared["mail_rotate_credentials"][0] = entry(new, confirmed_key_id=newest)
    over = rotate(estate, declared)
    assert over.rc == 0 and [one["keyId"] for one in ci["keyCredentials"]] == [newest], over.output
    late = rotate(estate, declared, "-e", "mail_rotate_alarm_days=300")
    assert late.rc == 2 and "acme-ci (certificate ci-mail): its certificate ends on" in late.flat, late.output

    shared["mail_rotate_credentials"] = [{**federated, "kind": "secret"}]
    wrong = rotate(estate, declared)
    assert wrong.rc != 0 and "kind is certificate or federated" in wrong.flat, wrong.output
