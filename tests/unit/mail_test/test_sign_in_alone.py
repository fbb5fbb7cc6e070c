# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``expect: signed_in``: the sign-in is tried and nothing is sent, over SMTP and with an application's secret."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import SENDER, run_once, signed_in

ALONE = {"from": SENDER, "expect": "signed_in"}


def test_a_password_is_tried_and_nothing_is_sent(server: MailServer) -> None:
    done = run_once({**ALONE, "submission": "smtp", "smtp": signed_in(server)})
    assert (done["failed"], done["changed"], done["outcome"], done["sent"]) == (False, False, "signed_in", False), done
    assert server.messages == [] and not any(one.upper().startswith("MAIL") for one in server.commands)


def test_check_mode_tries_it_too(server: MailServer) -> None:
    wrong = {**signed_in(server), "password": "another-password"}
    done = run_once({**ALONE, "submission": "smtp", "smtp": wrong}, check_mode=True)
    assert (done["failed"], done["outcome"], done["answer"]["code"]) == (True, "refused", 535), done
    assert "the sign-in failed" in done["msg"] and "another-password" not in str(done)


def test_a_server_that_is_away_is_no_wrong_password(server: MailServer) -> None:
    away = {**signed_in(server), "port": 1}
    done = run_once({**ALONE, "submission": "smtp", "smtp": away})
    assert (done["failed"], done["outcome"], done["cause"]["name"]) == (True, "not_sent", "no_answer"), done


def test_a_temporary_answer_says_nothing_of_the_password(server: MailServer) -> None:
    server.answers = {"auth": "454 4.7.0 later"}
    done = run_once({**ALONE, "submission": "smtp", "smtp": signed_in(server)})
    assert (done["failed"], done["outcome"]) == (True, "unknown") and "nobody can tell" in done["msg"], done


def test_a_certificate_that_nobody_trusts(server: MailServer) -> None:
    smtp = {name: value for name, value in signed_in(server).items() if name != "ca_file"}
    done = run_once({**ALONE, "submission": "smtp", "smtp": smtp})
    assert (done["failed"], done["cause"]["name"], server.messages) == (True, "tls", []), done


def test_the_secret_of_an_application(tenant: EntraServer) -> None:
    client = tenant.directory.add_client("ERP", [])
    option: dict[str, Any] = tenant.tenant_option(client)
    done = run_once({**ALONE, "submission": "graph", "tenant": option})
    assert (done["failed"], done["outcome"], tenant.directory.sent) == (False, "signed_in", []), done
    nameless = run_once({"expect": "signed_in", "submission": "graph", "tenant": option})
    assert nameless["outcome"] == "signed_in", "an application signs in, whoever sends"
    ended = {**option, "client_secret": "a-secret-that-has-ended"}
    refused = run_once({**ALONE, "submission": "graph", "tenant": ended})
    assert ended["client_id"] in run_once({"expect": "signed_in", "submission": "graph", "tenant": ended})["msg"]
    assert (refused["failed"], refused["cause"]["name"]) == (True, "token_not_given"), refused
    assert "AADSTS7000215" in refused["msg"] and "a-secret-that-has-ended" not in str(refused)
