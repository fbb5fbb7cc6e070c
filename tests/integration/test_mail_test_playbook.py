# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks with mail_test, as a user writes them: senders tested, the negative proof, and no secret in any output."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.sasl import spellings
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, Result, keep, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer, make_maildir

SENDER, OUTSIDE, RECIPIENT = "erp@acme.example", "director@acme.example", "tests@acme.example"
PASSWORD = "canary-7f3a9c1e5b-password"
TOKEN = "canary-2b8d4f6a1c-token.with.dots"


def run(folder: Path, tasks: list[dict[str, Any]], secret: dict[str, Any], *arguments: str, **play: Any) -> Result:
    """Run tasks whose secrets are in variables, as a vault holds them, and keep each result."""
    file = folder / "vault.json"
    file.write_text(json.dumps(secret), encoding="utf-8")
    kept = [
        step
        for number, one in enumerate(tasks)
        for step in ({**one, "ignore_errors": True}, SHOW, keep("done", folder / f"result-{number}.json"))
    ]
    return run_play(folder, kept, "-e", f"@{file}", *arguments, **play)


def result_of(folder: Path, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"result-{number}.json").read_text(encoding="utf-8"))
    return found


def send(server: MailServer, **more: Any) -> dict[str, Any]:
    smtp = server.smtp_option(user=SENDER, password="{{ vault_password }}")
    return module_task("mail_test", **{"from": SENDER, "to": RECIPIENT, "submission": "smtp", "smtp": smtp, **more})


def test_a_sender_is_tested_once(tmp_path: Path) -> None:
    with MailServer() as server:
        server.accounts = {SENDER: PASSWORD}
        server.maildir = make_maildir(tmp_path / "Maildir")
        server.adds = "Authentication-Results: mx.test; spf=pass smtp.mailfrom=acme.example; dmarc=pass\r\n"
        fetch = {"authserv_id": "mx.test", "maildir": str(server.maildir), "timeout": 5.0}
        verdict = {"sender": {"from": SENDER}, "spf": {"result": "pass", "reason": "x"}, "dmarc": {"result": "fail"}}
        task = send(server, once_per="2026-11-29", fetch=fetch, verdict=verdict)
        secret = {"vault_password": PASSWORD}
        checked = run(tmp_path, [task], secret, "--check")
        assert (checked.rc, checked.changed, server.messages) == (0, 1, []), checked.output
        first = run(tmp_path, [task], secret, "--diff")
        assert (first.rc, first.changed, len(server.messages)) == (0, 1, 1), first.output
        done = result_of(tmp_path, 0)
        assert done["observed"]["differences"] == [{"method": "dmarc", "verdict": "fail", "observed": "pass"}]
        assert "the verdict says fail, the receiver pass" in first.flat
        second = run(tmp_path, [task], secret)
        assert (second.rc, second.changed, len(server.messages)) == (0, 0, 1), second.output
        assert result_of(tmp_path, 0)["earlier"]["state"] == "sent"


def test_the_negative_proof_over_graph(tmp_path: Path) -> None:
    with EntraServer() as tenant:
        for address in (SENDER, OUTSIDE):
            tenant.directory.add_user(address)
        client = tenant.directory.add_client("ERP", [])
        (principal,) = tenant.truth.find("servicePrincipals", appId=client[0])
        tenant.directory.assign_mailbox(principal, SENDER)
        common = {"to": RECIPIENT, "submission": "graph", "tenant": "{{ tenant }}"}
        inside = module_task("mail_test", **{"from": SENDER, **common})
        outside = module_task("mail_test", **{"from": OUTSIDE, "expect": "refused", **common})
        secret = {"tenant": tenant.tenant_option(client)}
        first = run(tmp_path, [inside, outside], secret, "-vvvv")
        assert (first.rc, first.changed) == (0, 1), first.output
        assert result_of(tmp_path, 0)["outcome"] == "accepted" and result_of(tmp_path, 1)["proof"] == "holds"
        assert client[1] not in first.unbroken
        again = run(tmp_path, [inside, outside], secret)
        assert (again.changed, len(tenant.directory.sent)) == (0, 1)
        tenant.directory.assign_mailbox(principal, OUTSIDE)
        late = module_task("mail_test", **{"from": OUTSIDE, "expect": "refused", "once_per": "2", **common})
        broken = run(tmp_path, [late], secret)
        assert result_of(tmp_path, 0)["proof"] == "broken" and "the scope is not in force" in broken.flat


def test_the_tenant_of_a_group_of_modules(tmp_path: Path) -> None:
    with EntraServer() as tenant:
        tenant.directory.add_user(SENDER)
        secret = {"tenant": tenant.tenant_option(tenant.directory.add_client("ERP", ["Mail.Send"]))}
        task = module_task("mail_test", **{"from": SENDER, "to": RECIPIENT, "submission": "graph"})
        defaults = {"group/mailroom.erp.entra": {"tenant": "{{ tenant }}"}}
        done = run(tmp_path, [task], secret, module_defaults=defaults)
        assert (done.rc, done.changed, len(tenant.directory.sent)) == (0, 1, 1), done.output


@pytest.fixture(params=["local", pytest.param("packed", marks=pytest.mark.slow)])
def python(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The Python that runs modules: Ansible's own, so that they run from their files, or the same by another name."""
    if request.param == "local":
        return sys.executable
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def test_no_secret_is_shown_whatever_the_server_gives_back(tmp_path: Path, python: str) -> None:
    with MailServer() as server:
        server.accounts = {SENDER: PASSWORD}
        server.answers = {"mail": "550 5.7.1 you said {said}"}
        oauth = server.smtp_option(auth="xoauth2", user=SENDER, access_token="{{ vault_token }}")
        server.takes_token = lambda token, user: token == TOKEN
        tasks = [
            send(server),
            send(server, smtp=server.smtp_option(auth="login", user=SENDER, password="{{ vault_password }}")),
            send(server, smtp=oauth),
            send(server, smtp=server.smtp_option(auth="xoauth2", user=OUTSIDE, access_token="{{ vault_token }}x")),
            send(server, smtp=server.smtp_option(user=SENDER, pasword="{{ vault_password }}")),
            send(server, password="{{ vault_password }}"),
            send(server, smtp="{{ vault_password }}"),
            send(server, verdict={"spf": {"result": "pass"}, "password": "{{ vault_password }}"}),
            send(server, limits={"messages_per_day": "{{ vault_password }}"}),
        ]
        secret = {"vault_password": PASSWORD, "vault_token": TOKEN}
        done = run(tmp_path, tasks, secret, "-vvvv", "--diff", vars={"ansible_python_interpreter": python})
        said = list(server.heard)
    results = [result_of(tmp_path, number) for number in range(len(tasks))]
    assert all(one["failed"] for one in results) and "Traceback" not in done.output
    assert [one.get("outcome") for one in results[:4]] == ["refused"] * 4
    assert "did you mean smtp.password?" in results[4]["msg"] and "it belongs into smtp" in results[5]["msg"]
    for shown in (done.unbroken, json.dumps(results)):
        for spelling in [*spellings(PASSWORD), *spellings(TOKEN), *(one for one in said if len(one) > 8)]:
            assert spelling not in shown
        assert PASSWORD[:16] not in shown and TOKEN[:16] not in shown
