# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OAuth over SMTP and messages over Graph: tokens of the test tenant, and the negative proof."""

from __future__ import annotations

import email
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.servers.entra.directory import EXCHANGE, EXCHANGE_ROLES
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import DROPPED, FAULTS, LOST, EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import EXCHANGE_RESOURCE
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import RECIPIENT, SENDER, Run

OUTSIDE = "director@acme.example"


def exchange_client(tenant: EntraServer, server: MailServer, *mailboxes: str, granted: bool = False) -> dict[str, Any]:
    """An application that may send from these mailboxes over SMTP; gives the option ``tenant``."""
    client = tenant.directory.add_client("ERP", [])
    if granted:
        principal = tenant.truth.find("servicePrincipals", appId=client[0])[0]
        exchange = tenant.truth.find("servicePrincipals", appId=EXCHANGE)[0]
        tenant.directory.assign(principal, exchange, EXCHANGE_ROLES["SMTP.SendAsApp"])

    def takes(token: str, user: str) -> bool:
        claims = tenant.authority.claims(token, EXCHANGE_RESOURCE)
        return claims["appid"] == client[0] and (user in mailboxes or "SMTP.SendAsApp" in claims["roles"])

    server.takes_token = takes
    return tenant.tenant_option(client)


def oauth(server: MailServer, user: str = SENDER, **more: Any) -> dict[str, Any]:
    return server.smtp_option(auth="xoauth2", user=user, **more)


def test_a_message_with_oauth(run: Run, server: MailServer, tenant: EntraServer) -> None:
    option = exchange_client(tenant, server, SENDER)
    done = run(smtp=oauth(server), tenant=option)
    assert (done["outcome"], done["sent"], len(server.messages)) == ("accepted", True, 1), done


def test_a_token_that_a_user_brings(run: Run, server: MailServer) -> None:
    server.takes_token = lambda token, user: (token, user) == ("a-token-of-another-service", SENDER)
    assert run(smtp=oauth(server, access_token="a-token-of-another-service"))["outcome"] == "accepted"


def test_a_token_that_is_not_taken(run: Run, server: MailServer, tenant: EntraServer) -> None:
    done = run(smtp=oauth(server), tenant=exchange_client(tenant, server))
    assert (done["outcome"], done["cause"]["name"], done["sent"]) == ("refused", "token_without_mailbox", False)
    assert done["answer"]["code"] == 535 and done["answer"]["enhanced"] == "5.7.3"
    assert '"status": "401"' in done["answer"]["text"], "the error of the challenge is told"


def test_a_sign_in_that_fails_sends_nothing(run: Run, server: MailServer, tenant: EntraServer) -> None:
    option = {**exchange_client(tenant, server, SENDER), "client_secret": "a-secret-that-has-ended"}
    done = run(smtp=oauth(server), tenant=option)
    assert (done["outcome"], done["cause"]["name"]) == ("not_sent", "token_not_given")
    assert "AADSTS7000215" in done["msg"] and server.commands == [] and "a-secret-that-has-ended" not in str(done)


def test_the_proof_over_smtp_needs_a_mailbox_inside(run: Run, server: MailServer, tenant: EntraServer) -> None:
    option = exchange_client(tenant, server, SENDER)
    outside = {"from": OUTSIDE, "tenant": option, "expect": "refused"}
    alone = run(smtp=oauth(server, OUTSIDE), **outside)
    assert (alone["failed"], alone["outcome"], alone["proof"]) == (True, "refused", "unknown")
    proved = run(smtp=oauth(server, OUTSIDE, control_user=SENDER), **outside)
    assert (proved["failed"], proved["outcome"], proved["proof"], proved["changed"]) == (
        False,
        "refused",
        "holds",
        False,
    )
    asked = len(server.commands)
    again = run(smtp=oauth(server, OUTSIDE, control_user=SENDER), **outside)
    assert (again["failed"], again["proof"], again["outcome"]) == (False, "holds", "not_sent")
    assert len(server.commands) == asked and server.messages == []


def test_a_token_that_is_bad_proves_nothing(run: Run, server: MailServer, tenant: EntraServer) -> None:
    option = exchange_client(tenant, server)
    smtp = oauth(server, OUTSIDE, control_user=SENDER)
    done = run(**{"from": OUTSIDE}, smtp=smtp, tenant=option, expect="refused")
    assert (done["failed"], done["outcome"], done["proof"]) == (True, "refused", "unknown")


@pytest.mark.parametrize("granted", [False, True])
def test_a_scope_that_is_not_in_force(run: Run, server: MailServer, tenant: EntraServer, granted: bool) -> None:
    mailboxes = [] if granted else [SENDER, OUTSIDE]
    option = exchange_client(tenant, server, *mailboxes, granted=granted)
    outside = {"from": OUTSIDE, "tenant": option, "expect": "refused", "smtp": oauth(server, OUTSIDE)}
    done = run(**outside)
    assert (done["failed"], done["outcome"], done["proof"], done["sent"]) == (True, "accepted", "broken", True)
    assert done["cause"]["name"] == ("tenant_wide_right" if granted else "scope_not_in_force")
    again = run(**outside)
    assert (again["failed"], again["proof"], again["sent"], len(server.messages)) == (True, "broken", False, 1)
    assert "once_per" in again["msg"]


def graph(tenant: EntraServer, *roles: str, **more: Any) -> dict[str, Any]:
    option = tenant.tenant_option(tenant.directory.add_client("ERP", roles), timeout=2.0)
    return {"submission": "graph", "tenant": option, **more}


def test_a_message_over_graph(run: Run, tenant: EntraServer) -> None:
    done = run(**graph(tenant, "Mail.Send"))
    assert (done["outcome"], done["sent"], done["answer"]["code"]) == ("accepted", True, 202), done
    (sent,) = tenant.directory.sent
    message = email.message_from_bytes(sent)
    assert (message["From"], message["To"], message["Message-ID"]) == (SENDER, RECIPIENT, done["message_id"])


def scoped(tenant: EntraServer, *mailboxes: str) -> dict[str, Any]:
    """An application without a right for the whole tenant, and with a scope of mailboxes that exist."""
    options = graph(tenant)
    (principal,) = tenant.truth.find("servicePrincipals", appId=options["tenant"]["client_id"])
    for address in mailboxes:
        tenant.directory.assign_mailbox(principal, address)
    return options


def test_the_proof_over_graph(run: Run, tenant: EntraServer) -> None:
    tenant.directory.add_user(OUTSIDE)
    options = scoped(tenant, SENDER)
    assert run(**options)["outcome"] == "accepted"
    done = run(**{**options, "from": OUTSIDE, "expect": "refused"})
    assert (done["failed"], done["outcome"], done["proof"]) == (False, "refused", "holds")
    assert done["cause"]["name"] == "mailbox_out_of_scope" and len(tenant.directory.sent) == 1


def test_the_proof_over_graph_is_broken(run: Run, tenant: EntraServer) -> None:
    tenant.directory.add_user(OUTSIDE)
    done = run(**{**graph(tenant, "Mail.Send"), "from": OUTSIDE, "expect": "refused"})
    assert (done["failed"], done["proof"], done["cause"]["name"]) == (True, "broken", "tenant_wide_right")


@pytest.mark.parametrize(
    ("roles", "sender", "more", "name"),
    [
        ([], SENDER, {}, "mailbox_out_of_scope"),
        (["Mail.Send"], "nobody@acme.example", {}, "no_such_mailbox"),
        (["Mail.Send"], "plain@acme.example", {}, "mailbox_not_in_cloud"),
        (["Mail.Send"], "other@acme.example", {"mailbox": SENDER}, "graph_send_as_denied"),
    ],
)
def test_refusals_of_graph(
    run: Run, tenant: EntraServer, roles: list[str], sender: str, more: dict[str, Any], name: str
) -> None:
    tenant.directory.add_user("plain@acme.example", purpose=None)
    done = run(**{**graph(tenant, *roles, **more), "from": sender})
    assert (done["failed"], done["outcome"], done["sent"], done["cause"]["name"]) == (True, "refused", False, name)
    assert done["answer"]["stage"] == "send_mail" and "\n" not in done["msg"] and tenant.directory.sent == []
    proof = run(**{**graph(tenant, *roles, **more), "from": sender, "expect": "refused"})["proof"]
    assert proof == ("holds" if name in ("mailbox_out_of_scope", "graph_send_as_denied") else "unknown")


def test_throttling_is_waited_for(run: Run, tenant: EntraServer) -> None:
    options = graph(tenant, "Mail.Send")
    tenant.plan(faults={1: "429"})
    assert run(**options)["outcome"] == "accepted"
    assert len(tenant.directory.sent) == 1 and len(tenant.requests) == 2


@pytest.mark.parametrize("fault", ["429", "429-silent"])
def test_throttling_that_does_not_end_is_unknown(run: Run, tenant: EntraServer, fault: str) -> None:
    options = graph(tenant, "Mail.Send")
    options["tenant"]["timeout"] = 0.5
    tenant.plan(faults=dict.fromkeys(range(1, 100), fault))
    done = run(**options)
    assert (done["failed"], done["outcome"], done["sent"]) == (True, "unknown", False)
    assert done["cause"]["name"] == "graph_throttled"
    tenant.plan()
    assert run(**options)["sent"]


@pytest.mark.parametrize("fault", ["503", "504", LOST, DROPPED])
def test_an_answer_that_is_none_may_have_sent(run: Run, tenant: EntraServer, fault: str) -> None:
    options = graph(tenant, "Mail.Send")
    tenant.plan(faults={1: fault})
    done = run(**options)
    assert (done["failed"], done["outcome"], done["sent"]) == (True, "unknown", None), done
    assert done["cause"]["name"] == ("graph_tired" if fault in FAULTS else "graph_unreachable")
    assert run(**options)["cause"]["name"] == "may_have_been_sent"
    assert len(tenant.directory.sent) == (1 if fault == LOST else 0) and len(tenant.requests) == 1


def test_graph_that_is_not_there(run: Run, tenant: EntraServer) -> None:
    options = graph(tenant, "Mail.Send")
    options["tenant"]["graph_url"] = "https://127.0.0.1:9"
    done = run(**options)
    assert (done["outcome"], done["sent"]) == ("not_sent", False), done
