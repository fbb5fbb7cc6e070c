# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages over SMTP: what is accepted, refused, unknown; what is sent, and what is never shown."""

from __future__ import annotations

import email
import json
import time
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.servers.mail_server import DROPPED, LOST, MailServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import PASSWORD, RECIPIENT, SENDER, Run, signed_in


@pytest.mark.parametrize("auth", ["plain", "login"])
@pytest.mark.parametrize("security", ["starttls", "implicit", "none"])
def test_a_message_goes_through(run: Run, security: str, auth: str) -> None:
    with MailServer(security) as server:
        server.accounts = {SENDER: PASSWORD}
        done = run(smtp=signed_in(server, auth=auth, accept_cleartext=security == "none"))
        assert (done["failed"], done["outcome"], done["sent"], done["changed"]) == (False, "accepted", True, True)
        assert done["answer"]["code"] == 250 and done["answer"]["enhanced"] == "2.0.0" and done["cause"] is None
        assert server.recipients == [[RECIPIENT]]
        message = email.message_from_bytes(server.messages[0])
        assert (message["From"], message["To"], message["Message-ID"]) == (SENDER, RECIPIENT, done["message_id"])
        assert message["Auto-Submitted"] == "auto-generated" and message["Subject"].startswith("Mail test ")


@pytest.mark.parametrize(
    ("offered", "outcome"),
    [
        ({"LOGIN", "XOAUTH2"}, "accepted"),
        ({"PLAIN"}, "accepted"),
        ({"PLAIN", "LOGIN"}, "accepted"),
        ({"XOAUTH2"}, None),
    ],
)
def test_a_password_is_given_as_the_server_offers(
    run: Run, server: MailServer, offered: set[str], outcome: str | None
) -> None:
    server.mechanisms = offered
    done = run(smtp=signed_in(server, auth="password"))
    assert done["outcome"] == (outcome or "not_sent"), done
    assert outcome or done["cause"]["name"] == "mechanism_not_offered"


def test_a_server_without_sign_in(run: Run) -> None:
    with MailServer("none") as server:
        assert run(smtp=server.smtp_option(auth="none"))["outcome"] == "accepted"


def test_a_second_run_sends_nothing(run: Run, server: MailServer) -> None:
    first = run(smtp=signed_in(server), once_per="2026-11-29")
    asked = len(server.commands)
    second = run(smtp=signed_in(server), once_per="2026-11-29")
    assert (second["failed"], second["changed"], second["outcome"], second["sent"]) == (False, False, "not_sent", False)
    assert second["earlier"]["state"] == "sent" and second["message_id"] == first["message_id"]
    assert len(server.commands) == asked
    assert run(smtp=signed_in(server), once_per="2026-11-30")["sent"]
    assert len(server.messages) == 2


def test_without_once_per_the_settings_decide(run: Run, server: MailServer) -> None:
    assert run(smtp=signed_in(server))["sent"]
    assert not run(smtp={**signed_in(server), "timeout": 5.0})["sent"]
    assert run(smtp=signed_in(server, auth="login"))["sent"]


def test_check_mode_asks_nobody(run: Run, server: MailServer, tmp_path: Any) -> None:
    done = run(check_mode=True, smtp=signed_in(server))
    assert (done["outcome"], done["changed"], done["sent"], done["failed"]) == ("not_sent", True, False, False)
    assert server.commands == [] and not (tmp_path / "state").exists()
    run(smtp=signed_in(server))
    assert run(check_mode=True, smtp=signed_in(server))["changed"] is False


REFUSED = [
    ("auth", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
     "https://aka.ms/smtp_auth_disabled for more information.", "smtp_auth_disabled_tenant"),
    ("auth", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
     "smtp_auth_disabled_mailbox"),
    ("auth", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "basic_auth_disabled"),
    ("auth", "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
     "security_defaults"),
    ("auth", "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated "
     "successfully. Contact your administrator.", "conditional_access"),
    ("auth", "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", "wrong_credentials"),
    ("auth", "535 5.7.139 Authentication unsuccessful, federated STS service was unreachable.",
     "federation_unreachable"),
    ("auth", "535 5.7.139 Authentication unsuccessful, something new.", "sign_in_refused_by_policy"),
    ("auth", "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001]", "sign_in_refused"),
    ("auth", "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  "
     "https://support.google.com/mail/?p=BadCredentials - gsmtp", "google_credentials"),
    ("auth", "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  "
     "https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp", "application_password_needed"),
    ("auth", "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", "credentials_invalid"),
    ("auth", "535 authentication failed (#5.7.1)", "credentials_invalid"),
    ("mail", "530 5.7.57 Client not authenticated to send mail. [AM0PR01CA0001]", "not_signed_in"),
    ("mail", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "send_as_denied"),
    ("message", "554 5.2.252 SendAsDenied; erp@acme.example not allowed to send as x@acme.example", "send_as_denied"),
    ("mail", "553 5.7.1 <erp@acme.example>: Sender address rejected: not owned by user erp", "send_as_denied_words"),
    ("message", "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\r\n550-5.7.26 Gmail "
     "requires all senders to authenticate with either SPF or DKIM.\r\n550 5.7.26 - gsmtp", "unauthenticated_gmail"),
    ("message", "550 5.7.515 Access denied, sending domain ACME.EXAMPLE does not meet the required "
     "authentication level.",
     "authentication_level_outlook"),
    ("message", "550 5.7.509 Access denied, sending domain acme.example does not pass DMARC verification and has a "
     "DMARC policy of reject.", "dmarc_reject"),
    ("message", "550 5.7.236 Your message can't be sent because your tenant has exceeded its limit",
     "onmicrosoft_limit"),
    ("rcpt", "550 5.7.64 TenantAttribution; Relay Access Denied [AM0PR01.outlook.com]", "tenant_not_attributed"),
    ("rcpt", "550 5.7.1 Relay Access Denied ATTR36 [AM0PR01.outlook.com]", "tenant_not_attributed_words"),
    ("rcpt", "554 5.7.1 <tests@acme.example>: Relay access denied", "relay_denied"),
    ("rcpt", "550 5.7.1 Unable to relay", "relay_denied"),
    ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "recipient_unknown"),
    ("message", "552 5.3.4 Message size exceeds fixed limit", "message_too_long"),
    ("mail", "550 5.1.8 Access denied, bad outbound sender", "sender_blocked"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "words", "name"), REFUSED, ids=[f"{row[2]}{n}" for n, row in enumerate(REFUSED)])
def test_a_known_refusal_has_cause_step_and_source(
    run: Run, server: MailServer, stage: str, words: str, name: str
) -> None:
    server.answers = {stage: words}
    done = run(smtp=signed_in(server))
    assert (done["failed"], done["outcome"], done["sent"], done["changed"]) == (True, "refused", False, False)
    assert done["answer"]["code"] == int(words[:3])
    assert done["cause"]["name"] == name and done["cause"]["source"]["url"] and done["cause"]["source"]["date"]
    assert done["cause"]["step"] in done["msg"] and done["cause"]["source"]["title"] in done["msg"]
    assert "{" not in done["msg"] and server.messages == []


def test_a_password_with_a_word_of_the_answer_hides_no_cause(run: Run, server: MailServer) -> None:
    password = "SmtpClientAuthentication!"
    server.answers = {
        "auth": "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
    }
    done = run(smtp=server.smtp_option(user=SENDER, password=password))
    assert done["cause"]["name"] == "smtp_auth_disabled_tenant"
    assert "SmtpClientAuthentication is disabled" not in done["msg"] and "******** is disabled" in done["msg"]


def test_a_refused_message_is_tried_again(run: Run, server: MailServer) -> None:
    server.answers = {"message": "550 5.7.60 SMTP; Client does not have permissions to send as this sender"}
    assert run(smtp=signed_in(server))["outcome"] == "refused"
    server.answers = {}
    assert run(smtp=signed_in(server))["outcome"] == "accepted"


def test_an_unknown_refusal_is_told_in_the_servers_words(run: Run, server: MailServer) -> None:
    server.answers = {"message": "550 5.9.9 The moon is full"}
    done = run(smtp=signed_in(server))
    assert (done["outcome"], done["cause"]) == ("refused", None) and "550 5.9.9 The moon is full" in done["msg"]


@pytest.mark.parametrize("stage", ["auth", "mail", "rcpt", "message"])
@pytest.mark.parametrize("code", ["421 4.3.2 Service not available", "451 4.7.500 Server busy", "450 4.2.0 Greylisted"])
def test_a_temporary_answer_is_unknown(run: Run, server: MailServer, stage: str, code: str) -> None:
    server.answers = {stage: code}
    done = run(smtp=signed_in(server))
    assert (done["failed"], done["outcome"], done["sent"]) == (True, "unknown", False)
    assert "nobody can tell" in done["msg"] and done["cause"]["name"] in ("service_closing", "temporary_refusal")
    server.answers = {}
    assert run(smtp=signed_in(server))["sent"], "nothing was sent, so the next run may"


def test_a_lost_answer_may_have_been_sent(run: Run, server: MailServer) -> None:
    server.answers = {"message": LOST}
    done = run(smtp=signed_in(server))
    assert (done["failed"], done["outcome"], done["sent"], done["changed"]) == (True, "unknown", None, True)
    server.answers = {}
    again = run(smtp=signed_in(server))
    assert (again["outcome"], again["sent"], again["cause"]["name"]) == ("unknown", None, "may_have_been_sent")
    assert again["failed"] and "accept_second_message" in again["msg"] and RECIPIENT in again["msg"]
    assert len(server.messages) == 1 and again["message_id"] == done["message_id"]
    server.answers = {"rcpt": "451 4.3.0 later"}
    assert run(smtp=signed_in(server), accept_second_message=True)["sent"] is False
    server.answers = {}
    still = run(smtp=signed_in(server))
    assert still["cause"]["name"] == "may_have_been_sent" and len(server.messages) == 1
    assert run(smtp=signed_in(server), accept_second_message=True)["outcome"] == "accepted"
    assert run(smtp=signed_in(server), accept_second_message=True)["sent"] is False
    assert len(server.messages) == 2


@pytest.mark.parametrize("stage", ["auth", "mail", "rcpt"])
def test_a_connection_that_ends_before_the_message_sent_nothing(run: Run, server: MailServer, stage: str) -> None:
    server.answers = {stage: DROPPED}
    done = run(smtp=signed_in(server))
    assert (done["outcome"], done["sent"], done["cause"]["name"]) == ("not_sent", False, "no_answer")
    server.answers = {}
    assert run(smtp=signed_in(server))["sent"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"size": 200}, "over_size"),
    ({"mechanisms": set()}, "auth_not_offered"),
    ({"mechanisms": {"XOAUTH2"}}, "mechanism_not_offered"),
]


@pytest.mark.parametrize(("fields", "name"), BAD, ids=[row[1] for row in BAD])
def test_where_this_side_goes_no_further_nothing_is_sent(
    run: Run, server: MailServer, fields: dict[str, Any], name: str
) -> None:
    for field, value in fields.items():
        setattr(server, field, value)
    done = run(smtp=signed_in(server))
    assert (done["failed"], done["outcome"], done["sent"], done["cause"]["name"]) == (True, "not_sent", False, name)
    assert "\n" not in done["msg"] and "message" not in server.commands
    assert PASSWORD not in json.dumps(server.said)


def test_auth_only_after_tls(run: Run, server: MailServer) -> None:
    smtp = {**signed_in(server), "security": "none", "accept_cleartext": True}
    done = run(smtp=smtp)
    assert done["cause"]["name"] == "auth_after_tls" and server.said == []


def test_a_server_without_starttls_gets_no_password(run: Run) -> None:
    with MailServer("none") as server:
        server.accounts = {SENDER: PASSWORD}
        done = run(smtp={**signed_in(server), "security": "starttls"})
        assert done["cause"]["name"] == "starttls_not_offered" and server.said == []


def test_an_untrusted_certificate(run: Run, server: MailServer) -> None:
    smtp = signed_in(server)
    del smtp["ca_file"]
    done = run(smtp=smtp)
    assert (done["outcome"], done["cause"]["name"]) == ("not_sent", "tls") and "certificate" in done["msg"]
    assert server.said == []


def test_the_answer_that_takes_the_message_may_take_longer(run: Run, server: MailServer) -> None:
    server.hook = lambda stage, moment: time.sleep(1.2) if (stage, moment) == ("message", "before") else None
    assert run(smtp={**signed_in(server), "timeout": 0.8})["outcome"] == "accepted"


def test_a_file_of_authorities_that_is_not_there(run: Run, server: MailServer) -> None:
    done = run(smtp={**signed_in(server), "ca_file": "/nowhere/ca.pem"})
    assert (done["outcome"], done["cause"]["name"]) == ("not_sent", "tls") and "smtp.ca_file cannot be used" in done[
        "msg"
    ]


def test_the_limits_of_the_service(run: Run, server: MailServer) -> None:
    limits = {"messages_per_day": 1}
    assert run(smtp=signed_in(server), once_per="1", limits=limits)["sent"]
    done = run(smtp=signed_in(server), once_per="2", limits=limits)
    assert (done["outcome"], done["cause"]["name"]) == ("not_sent", "over_limit") and "messages_per_day" in done["msg"]
    assert run(smtp=signed_in(server), once_per="3", limits={"message_size": 100})["cause"]["name"] == "over_size"
    assert len(server.messages) == 1
