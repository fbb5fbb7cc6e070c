# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One message of each sender: who is tested how, what fails an environment, and what a person reads of it."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_test_report import sender_test_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_tests import (
    SenderTestRun,
    sender_test_outcomes,
    sender_tests,
)

TO = "tests@acme.example"
MANY = [f"customer{number:03}" for number in range(300)]
SMTP = {"host": "relay.acme.example", "port": 587, "security": "starttls", "auth": "password", "user": "erp"}
TENANT = {"tenant_id": "t", "client_id": "automation", "client_secret": "hunter2hunter2", "cloud": "public"}


def sender(host: str, address: str = "erp@acme.example", **more: Any) -> dict[str, Any]:
    return {"environment": host, "from": address, "envelope_from": address, "service": "own_relay", **more}


def needs(host: str, *senders: dict[str, Any], **more: Any) -> dict[str, Any]:
    way = {"submission": "smtp", "reason": None, "smtp": SMTP, "signs_in": True, "limits": {}, "to": None}
    given = {**way, "place": "the machine that KING ERP runs on", **more.pop("way", {})}
    shape = {"environment": host, "state": "present", "service": "own_relay", "entra": None, "submission": given}
    return {**shape, "senders": list(senders or [sender(host)]), **more}


def plan(*declared: dict[str, Any], made: Any = None, verdicts: Any = (), **variables: Any) -> Any:
    own = {"mail_test_to": TO, **variables}
    judged = {
        "needs": {one["environment"]: one for one in declared},
        "variables": {one["environment"]: own for one in declared},
    }
    return sender_tests(judged, [{"environments": made}] if made else [], verdicts)


def graph(host: str, **more: Any) -> dict[str, Any]:
    way = {"submission": "graph", "smtp": None}
    entra = {"managed": True, "directory_id": None, "application_id": None, "secret": None, **more}
    return needs(host, way=way, entra=entra)


def result(host: str = "king", *, outcome: str = "accepted", item: Any = None, **more: Any) -> dict[str, Any]:
    shape = {
        "environment": host,
        "from": f"erp@{host}.example",
        "to": TO,
        "submission": "smtp",
        "signs_in": True,
        "expect": "accepted",
    }
    told = {"outcome": outcome, "sent": outcome == "accepted", "earlier": None, "answer": None, "observed": None}
    return {**told, "item": {**shape, "place": "each workstation", **(item or {})}, **more}


def told(*results: dict[str, Any], **more: Any) -> tuple[dict[str, Any], str]:
    shape: dict[str, Any] = {"untested": {}, "refused": {}, **more}
    run = SenderTestRun(tuple({one["item"]["environment"]: 1 for one in results}), results, **shape)
    found = sender_test_outcomes(run)
    return found, " ".join(" ".join(sender_test_report(run, found)).split())


def seen(agrees: bool | None, spf: str | None = "pass", **more: Any) -> dict[str, Any]:
    methods = {"spf": {"result": spf}, "dkim": {"result": None}, "dmarc": {"result": None}}
    return {"arrived": True, "reason": None, **methods, "agrees": agrees, "differences": [], **more}


def test_each_address_of_the_environment_s_own_service_is_tested_once() -> None:
    bounces = sender("king", "sales@acme.example", envelope_from="bounces@acme.example")
    beside = sender("king", "info@acme.example", service="ordernow")
    found = plan(needs("king", sender("king"), sender("king"), bounces, beside))
    assert [one["from"] for one in found.tests] == ["erp@acme.example", "sales@acme.example"]
    assert [one["smtp"].get("envelope_from") for one in found.tests] == [None, "bounces@acme.example"]
    assert {one["to"] for one in found.tests} == {TO} and found.untested == {}


def test_a_sender_is_compared_with_its_own_verdict() -> None:
    def verdict(host: str, spf: str) -> dict[str, Any]:
        return {
            "sender": sender(host),
            "spf": {"result": spf, "reason": "x"},
            "dkim": None,
            "dmarc": {"result": "fail"},
        }

    found = plan(needs("king"), needs("exalt"), verdicts=[verdict("exalt", "pass"), verdict("king", "softfail")])
    foretold = {one["environment"]: one["verdict"] for one in found.tests}
    assert foretold["king"] == {"spf": {"result": "softfail"}, "dmarc": {"result": "fail"}}
    assert foretold["exalt"]["spf"] == {"result": "pass"} and plan(needs("king")).tests[0]["verdict"] is None


def test_who_is_not_tested_and_why() -> None:
    alone = needs("online", way={"submission": None, "reason": "it sends by itself"})
    gone, wrong = needs("gone", state="absent"), {**needs("wrong"), "problems": [{}]}
    found = plan(alone, gone, wrong, needs("king"), mail_test_to=None)
    assert found.tests == [] and found.untested["online"] == "it sends by itself"
    assert "mail_test_to" in found.untested["king"] and set(found.untested) == {"online", "king"}


def test_the_address_of_the_erp_itself_serves_where_none_is_declared() -> None:
    exalt = needs("exalt", way={"to": "system@acme.example"})
    assert plan(exalt, mail_test_to=None).tests[0]["to"] == "system@acme.example"
    assert plan(exalt).tests[0]["to"] == TO


def test_an_application_signs_in_and_its_secret_is_in_no_test() -> None:
    place = {"file": "/srv/acme.yml", "variable": "mail_entra_secrets.profit.secret"}
    held = {"profit": {"app_id": "app", "key_id": "key", "stored": place}}
    (made,) = plan(graph("profit"), made=held, mail_entra_tenant=TENANT).tests
    assert made["tenant"] == {"tenant_id": "t", "client_id": "app", "cloud": "public"}
    assert (made["stored"], made["once_per"]) == (place, "key"), "once for each secret"
    by_hand = graph("profit", managed=False, directory_id="d", application_id="a", secret="vault_secret")
    (hand,) = plan(by_hand).tests
    assert (hand["tenant"], hand["stored"]) == ({"tenant_id": "d", "client_id": "a"}, None)
    assert "run site first" in plan(graph("profit"), mail_entra_tenant=TENANT).untested["profit"]
    no_secret = graph("profit", managed=False, directory_id="d", application_id="a")
    assert "is not declared" in plan(no_secret).untested["profit"]


def test_an_application_that_is_limited_is_tried_as_a_mailbox_outside() -> None:
    held = {"profit": {"app_id": "app", "key_id": "key", "stored": None}}
    shape: dict[str, Any] = {"made": held, "mail_entra_tenant": TENANT, "mail_test_outside": "director@acme.example"}
    found = plan(graph("profit"), mail_entra_access="scoped", **shape).tests
    assert [(one["from"], one["expect"]) for one in found] == [
        ("erp@acme.example", "accepted"),
        ("director@acme.example", "refused"),
    ]
    assert len(plan(graph("profit"), mail_entra_access="tenant", **shape).tests) == 1, "it may send as everybody"
    assert len(plan(needs("king"), mail_test_outside="director@acme.example").tests) == 1, "an account is no scope"
    inside = plan(graph("profit"), mail_entra_access="scoped", **{**shape, "mail_test_outside": "ERP@acme.example"})
    assert len(inside.tests) == 1 and "it is not outside" in inside.untested["profit"]


def test_a_proof_that_holds_changes_nothing_and_a_broken_one_fails() -> None:
    item = {"expect": "refused", "submission": "graph", "from": "director@acme.example"}
    holds = result("a", outcome="refused", proof="holds", item=item)
    again = result("b", outcome="not_sent", proof="holds", earlier={"state": "refused", "at": "2026-11-29"}, item=item)
    broken = result("c", outcome="accepted", proof="broken", msg="the scope is not in force", item=item)
    unknown = result("d", outcome="refused", proof="unknown", msg="a wrong secret", item=item)
    checked = result("e", outcome="not_sent", proof=None, item=item)
    found, text = told(holds, again, broken, unknown, checked)
    assert {host for host, one in found.items() if one.failed} == {"c", "d"}
    assert {host for host, one in found.items() if one.changed} == {"c"}, "a message was sent"
    assert (
        "THE SCOPE HOLDS: a mailbox outside is refused - a: director@acme.example - b: director@acme.example, 2026"
        in text
    )
    assert "e: director@acme.example to tests@acme.example, which must be refused" in text
    assert "2 refused as it must be, 2 failed" in text


def test_what_was_sent_and_found_is_told_and_changes_its_environment() -> None:
    found, text = told(
        result("king", observed=seen(True)),
        result("exalt", observed=seen(False, differences=[{"method": "spf", "verdict": "pass", "observed": "fail"}])),
        result("lost", observed={**seen(None, None), "arrived": False, "reason": "it was not there after 60 seconds"}),
        result("blind"),
        result("new", observed=seen(None)),
    )
    assert all(one.changed and not one.failed for one in found.values()) and len(found) == 5
    assert "king: erp@king.example to tests@acme.example: arrived with spf pass, as the verdict says" in text
    assert (
        "OTHERWISE THAN THE VERDICT SAYS - exalt: erp@exalt.example to tests@acme.example: spf: fail, not pass" in text
    )
    assert "accepted, and not seen where it arrives: it was not there after 60 seconds" in text
    assert "not looked at, which mail_test_fetch would do" in text and "no verdict is known to compare" in text
    assert text.endswith("5 environments, 5 senders, 5 sent")


def test_a_refusal_fails_its_environment_and_what_was_sent_before_tells_nobody() -> None:
    refused = result("king", outcome="refused", msg="king: no", answer={"code": 550, "text": "no"})
    lost = result("lost", outcome="unknown", sent=None, msg="nobody can tell")
    before = result("old", outcome="not_sent", earlier={"state": "sent", "at": "2026-11-28T10:00:00Z"})
    stuck = result("stuck", outcome="unknown", sent=None, msg="look for it", earlier={"state": "under_way", "at": "x"})
    found, text = told(refused, lost, before, stuck, refused={"wrong": ["wrong: no such system"]})
    assert {host for host, one in found.items() if one.failed} == {"king", "lost", "stuck", "wrong"}
    assert {host for host, one in found.items() if one.changed} == {"lost"}, "it may have been sent, in this run"
    assert "SENT BY AN EARLIER RUN" in text and "erp@old.example to tests@acme.example, 2026-11-28" in text
    assert "PROBLEMS - wrong: no such system" in text


def test_a_relay_that_refuses_another_place_says_nothing_of_the_erp() -> None:
    answer = {"code": 554, "enhanced": "5.7.1", "text": "Relay access denied", "stage": "rcpt_to"}
    shape: dict[str, Any] = {"outcome": "refused", "msg": "refused", "answer": answer}
    found, text = told(result(item={"signs_in": False}, **shape))
    assert found == {} and "REFUSED HERE" in text
    assert "554 Relay access denied; the ERP hands in from each workstation" in text
    for item in ({"signs_in": False, "place": "here"}, {"signs_in": True}):
        assert told(result(item=item, **shape))[0]["king"].failed
    nobody = result(item={"signs_in": False}, outcome="not_sent", msg="no connection", cause={"name": "no_answer"})
    assert told(nobody)[0]["king"].failed, "that nobody answers is told"


def test_three_hundred_environments_are_a_few_lines() -> None:
    found, text = told(*(result(host, observed=seen(True)) for host in MANY))
    assert len(found) == 300 and len(text) < 1000 and "300 environments, 300 senders, 300 sent" in text
    planned, text = told(*(result(host, outcome="not_sent") for host in MANY[:2]))
    assert "WOULD SEND" in text and all(one.changed for one in planned.values())
