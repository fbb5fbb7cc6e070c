# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site makes of a look at the mail servers: each looked at once, the verdicts' transport, and the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.bounded_stream import (
    REFUSED_TCP,
    TIMED_OUT,
    ProbeStop,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ServerFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import probed_servers, server_sights
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.probe_report import probe_cautions, probe_lines
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.sender_transport import with_transport
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.looked_servers import (
    HOST,
    NOW,
    certificate,
    clear_server,
    estate_needs,
    looked_at,
    server,
    sight_of,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES, accepted

ENFORCED = {"settings": {"server": HOST, "port": 587, "username": "erp"}}
"""AFAS Profit enforces secure communication unless told otherwise."""
LAX = {"settings": {**ENFORCED["settings"], "enforce_secure_communication": False}}
NOWHERE = ServerFacts(HOST, 587, False, stop=ProbeStop("connect", TIMED_OUT))
REFUSED = ServerFacts(HOST, 587, False, stop=ProbeStop("connect", REFUSED_TCP))
EXPIRED = server(certificate=certificate(NOW - timedelta(days=1)))


def transport(facts: ServerFacts, place: str | None, made: Any = None, **declared: Any) -> Any:
    """The transport of each sender of an AFAS environment, after a look at its server."""
    environment = accepted(BASES["smtp"], probe_from=place, **{**ENFORCED, **declared})
    needs = estate_needs({"env_1": environment})["env_1"]
    found = [one.get("transport") for one in with_transport(needs, made, sight_of(environment, facts))["senders"]]
    assert len(found) == 2 and found[0] == found[1]
    return found[0]


TRANSPORTS: list[tuple[str, ServerFacts, str | None, dict[str, Any], str | None, str]] = [
    ("TLS enforced, and none there", clear_server(), "here", {}, "fail", "does not offer STARTTLS"),
    ("the same, sent from elsewhere", clear_server(), None, {}, "unknown", "seen from here: "),
    ("not enforced", clear_server(), "here", LAX, "pass", "as the ERP needs it"),
    ("expired", EXPIRED, "here", {}, "fail", "has expired on 2026-11-28"),
    ("expired is so everywhere", EXPIRED, "the terminal server", {}, "fail", "has expired on 2026-11-28"),
    ("expired, and not checked", EXPIRED, "here", LAX, "pass", "as the ERP needs it"),
    ("no AUTH", server(secure=replace(server().secure, auth=())), "here", {}, "fail", "does not offer AUTH"),  # type: ignore[type-var]
    ("refused", REFUSED, "here", {}, "fail", "is refused"),
    ("refused from here", REFUSED, None, {}, "unknown", "seen from here: the connection is refused"),
    ("no answer", NOWHERE, "here", {}, "unknown", "no answer in time"),
    ("well", server(), "here", {}, "pass", "as the ERP needs it"),
    ("well from here, where the ERP is not", server(), None, {}, None, ""),
]


@pytest.mark.parametrize(
    ("facts", "place", "declared", "result", "words"),
    [row[1:] for row in TRANSPORTS],
    ids=[row[0] for row in TRANSPORTS],
)
def test_the_transport_of_the_senders(
    facts: ServerFacts, place: str | None, declared: dict[str, Any], result: str | None, words: str
) -> None:
    found = transport(facts, place, **declared)
    assert (found and found["result"]) == result
    if found:
        assert words in found["reason"] and HOST in found["reason"] and "(docs/smtp_probe.md)" in found["reason"]
        assert bool(found["next_step"]) == (result != "pass")


MISSING = {"result": "fail", "reason": "nobody has this address", "next_step": "Make a mailbox."}


@pytest.mark.parametrize(
    ("facts", "mailbox", "result", "documents"),
    [
        (EXPIRED, "pass", "fail", ["smtp_probe"]),
        (EXPIRED, "fail", "fail", ["smtp_probe", "entra"]),
        (NOWHERE, "fail", "fail", ["smtp_probe", "entra"]),
        (server(), "fail", "fail", ["entra"]),
        (server(), "pass", "pass", ["smtp_probe", "entra"]),
        (None, "fail", "fail", ["entra"]),
    ],
)
def test_mailbox_and_server_are_one_transport(
    facts: ServerFacts | None, mailbox: str, result: str, documents: list[str]
) -> None:
    environment = accepted(
        BASES["king_smtp"], probe_from="here", settings={"username": "king@acme.example", "server": HOST}
    )
    needs = estate_needs({"env_1": environment})["env_1"]
    made = {"senders": [{**MISSING, "result": mailbox, "address": "king@acme.example"}]}
    seen = sight_of(environment, facts) if facts else None
    mechanisms = replace(facts.secure, auth=("XOAUTH2",)) if facts and facts.secure else None
    if facts and mechanisms:
        seen = sight_of(environment, replace(facts, secure=mechanisms))
    (sender,) = with_transport(needs, made, seen)["senders"]
    told = sender["transport"]
    assert told["result"] == result
    assert [name for name in ("smtp_probe", "entra") if f"(docs/{name}.md)" in told["reason"]] == documents


def test_the_sender_of_another_service_is_not_handed_in_there() -> None:
    environment = accepted(
        BASES["gmail"],
        probe_from="here",
        senders={"environment": "mijnbakkerij@gmail.com", "ordernow": "bestellen@mijnbakkerij.example"},
        settings={"username": "mijnbakkerij@gmail.com", "ordernow": True, "server": HOST},
    )
    needs = estate_needs({"env_1": environment})["env_1"]
    needs["senders"].append({**needs["senders"][0], "service": "another"})
    found = with_transport(needs, None, sight_of(environment, REFUSED))["senders"]
    assert {one["service"]: bool(one.get("transport")) for one in found}["another"] is False
    assert found[0]["transport"]["result"] == "fail"


def test_three_hundred_environments_on_one_server_are_one_item() -> None:
    environments = {f"env_{number}": accepted(BASES["smtp"], **ENFORCED) for number in range(300)}
    environments["other"] = accepted(BASES["smtp"], **LAX)
    environments["gone"] = accepted(BASES["smtp"], state="absent", **ENFORCED)
    environments["online"] = accepted(BASES["online"])
    needs = {host: {**one, "environment": host} for host, one in estate_needs(environments).items()}
    items = probed_servers(needs)
    assert len(items) == 2 and all("name" not in item for item in items)
    sights = server_sights(needs, looked_at(needs, server()))
    assert set(sights) == set(environments) - {"gone", "online"}
    assert len({id(one) for one in sights.values()}) == 2


@pytest.mark.parametrize(
    ("looked", "told"),
    [
        ({"failed": False, "msg": "cryptography is missing\nInstall it."}, "cryptography is missing Install it."),
        ({"msg": "x" * 5000}, "x..."),
        ({"servers": []}, "the task has no result"),
    ],
)
def test_a_look_that_cannot_be_done_is_unknown(looked: dict[str, Any], told: str) -> None:
    needs = estate_needs({"env_1": accepted(BASES["smtp"], probe_from="here", **ENFORCED)})
    sight = server_sights(needs, looked)["env_1"]
    assert sight.result == "unknown" and sight.met is None
    (sender, _other) = with_transport(needs["env_1"], None, sight)["senders"]
    assert sender["transport"]["result"] == "unknown" and told in sender["transport"]["reason"]
    assert len(sender["transport"]["reason"]) < 500
    assert "UNKNOWN" in "\n".join(probe_lines({"env_1": sight}))


def test_a_server_that_the_module_would_refuse_hides_no_other() -> None:
    good = accepted(BASES["smtp"], probe_from="here", **ENFORCED)
    needs = estate_needs({"good": good, "bad": good})
    needs["bad"]["probe"]["host"] = "mail server"
    sights = server_sights(needs, looked_at(needs, server()))
    assert sights["good"].result == "pass" and sights["bad"].result == "unknown"
    assert "A-labels" in sights["bad"].findings[0]["text"] and "servers[0]" not in sights["bad"].findings[0]["text"]


def test_nobody_looked() -> None:
    needs = estate_needs({"env_1": accepted(BASES["smtp"], **ENFORCED)})
    assert server_sights(needs, {}) == {} and probe_lines({}) == []
    assert with_transport(needs["env_1"], None, None) is needs["env_1"]


def test_the_report_is_short_and_names_each_server_once() -> None:
    here, away = (accepted(BASES["smtp"], probe_from=place, **ENFORCED) for place in ("here", None))
    seen = [sight_of(here, EXPIRED), sight_of(here, server()), sight_of(away, server()), sight_of(away, REFUSED)]
    sights = {f"env_{number:03}": seen[number % 4] for number in range(300)}
    lines = probe_lines(sights)
    text = " ".join("\n".join(lines).split())
    assert len(lines) == 5 and all(len(line) <= 100 for one in lines for line in one.splitlines())
    assert f"FAIL {HOST} port 587: reachable, STARTTLS, TLS 1.2, certificate valid until 2026-11-28" in text
    assert f"UNKNOWN {HOST} port 587: not reached; 75 environments: env_003, env_007" in text and "and 70 more" in text
    assert (
        "PASS 1 server for 75 environments" in text and "SEEN nothing wrong with 1 server, but 75 environments" in text
    )
    assert "their sheets have the command" in text


def test_a_warning_may_be_confirmed_and_stays_the_same_the_next_day() -> None:
    environment = accepted(BASES["smtp"], probe_from="here", **ENFORCED)
    facts = server(certificate=certificate(NOW + timedelta(days=17)))
    told = [
        [one.text for one in probe_cautions({"env_1": sight_of(environment, facts, NOW + timedelta(days=day))})]
        for day in (0, 1)
    ]
    assert told[0] == told[1] and "ends on 2026-12-16" in told[0][0] and told[0][0].startswith("env_1: ")
