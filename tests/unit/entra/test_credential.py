# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials on the test tenant: never without a valid one, never a heap of them, and only ours are touched."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import upsert
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import (
    credential_time,
    read_wanted_credential,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import CredentialOutcome, Keeper
from ansible_collections.mailroom.erp.plugins.module_utils.entra.federated import Federated
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import AnswerLost, Graph
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import DROPPED, LOST, EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import Signer, signer
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import RUN_TIME, OpenGraph

NOW = datetime.datetime.now(datetime.UTC)
DEFAULTS: dict[str, Any] = {
    "unique_name": "erp",
    "name": "mail",
    "kind": "secret",
    "lifetime": 180,
    "renew_before": 30,
    "overlap": 7,
}


@pytest.fixture
def graph(open_graph: OpenGraph) -> Graph:
    """As the automation at run time, with its application made."""
    graph = open_graph(*RUN_TIME)
    upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)
    return graph


def keep(graph: Graph, write: bool = True, **params: Any) -> CredentialOutcome:
    now = datetime.datetime.now(datetime.UTC)
    return Keeper(graph, read_wanted_credential({**DEFAULTS, **params}, now), now).keep(write)


def application(server: EntraServer) -> dict[str, Any]:
    (found,) = server.truth.find("applications", uniqueName="erp")
    return found


def secrets(server: EntraServer) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = application(server)["passwordCredentials"]
    return held


def age(server: EntraServer, days: float) -> None:
    """Let time pass for everything that the application has."""
    for one in [*secrets(server), *application(server)["keyCredentials"]]:
        for name in ("startDateTime", "endDateTime"):
            moved = credential_time(one, name) - datetime.timedelta(days=days)
            one[name] = moved.strftime("%Y-%m-%dT%H:%M:%SZ")
    server.directory.settle()


def key_id(outcome: CredentialOutcome) -> str:
    assert outcome.current is not None
    return str(outcome.current["keyId"])


def test_a_secret_is_made_once(server: EntraServer, graph: Graph) -> None:
    first = keep(graph)
    assert first.secret and server.signs_in(str(first.app_id), first.secret)
    (made,) = secrets(server)
    assert made["displayName"] == "mail (mailroom.erp)" and made["keyId"] == key_id(first)
    life = credential_time(made, "endDateTime") - NOW
    assert datetime.timedelta(days=179) < life < datetime.timedelta(days=181)
    for _time in range(99):
        server.plan()
        again = keep(graph, stored_key_id=key_id(first))
        assert again.secret is None and key_id(again) == key_id(first) and not again.plan.changes
        assert len(server.requests) == 1
    assert secrets(server) == [made]


def test_the_value_is_in_no_representation(graph: Graph) -> None:
    outcome = keep(graph)
    assert outcome.secret and outcome.secret not in repr(outcome) and outcome.secret not in str(outcome.plan)


def test_check_mode_makes_no_secret(server: EntraServer, graph: Graph) -> None:
    server.plan()
    outcome = keep(graph, write=False)
    assert outcome.plan.create and outcome.secret is None and secrets(server) == []
    assert {method for method, _path in server.requests} == {"GET"}


def test_an_application_that_is_only_planned_has_credentials_in_check_mode_only(
    server: EntraServer, graph: Graph
) -> None:
    assert keep(graph, write=False, unique_name="planned").plan.create
    assert not keep(graph, unique_name="planned", state="absent").plan.changes
    with pytest.raises(Refused, match="there is no such application"):
        keep(graph, unique_name="planned")


def test_a_rotation_has_no_gap(server: EntraServer, graph: Graph) -> None:
    first = keep(graph)
    age(server, 149)
    assert not keep(graph).plan.changes
    age(server, 2)
    second = keep(graph, stored_key_id=key_id(first))
    assert first.secret and second.secret and second.app_id
    assert server.signs_in(second.app_id, first.secret) and server.signs_in(second.app_id, second.secret)
    assert len(secrets(server)) == 2
    stored: dict[str, Any] = {"stored_key_id": key_id(second)}
    age(server, 8)
    assert not keep(graph, **stored).plan.changes, "nobody confirmed it"
    assert not keep(graph, **stored, confirmed_key_id=key_id(first)).plan.changes, "the old one was confirmed"
    assert keep(graph, **stored, confirmed_key_id=key_id(second).upper()).plan.changes
    assert not server.signs_in(second.app_id, first.secret) and server.signs_in(second.app_id, second.secret)
    assert len(secrets(server)) == 1


def test_a_confirmation_does_not_shorten_the_overlap(server: EntraServer, graph: Graph) -> None:
    keep(graph)
    age(server, 151)
    second = keep(graph)
    age(server, 6)
    waiting = keep(graph, confirmed_key_id=key_id(second))
    assert not waiting.plan.changes and len(waiting.plan.retiring) == 1
    age(server, 2)
    assert keep(graph, confirmed_key_id=key_id(second)).plan.changes and len(secrets(server)) == 1


def test_a_secret_that_was_made_before_a_moment_is_made_anew_once(server: EntraServer, graph: Graph) -> None:
    first = keep(graph)
    age(server, 3)
    day = f"{NOW - datetime.timedelta(days=1):%Y-%m-%d}"
    held: dict[str, Any] = {"stored_key_id": key_id(first)}
    assert not keep(graph, **held, made_before=f"{NOW - datetime.timedelta(days=5):%Y-%m-%dT%H:%M:%SZ}").plan.changes
    second = keep(graph, **held, made_before=day)
    assert second.secret and f"before {day} 00:00 UTC" in second.plan.why
    assert second.app_id and first.secret and server.signs_in(second.app_id, first.secret), "the old one stays"
    assert not keep(graph, stored_key_id=key_id(second), made_before=day).plan.changes


def test_without_a_confirmation_the_old_one_goes_after_the_overlap_only_when_told(
    server: EntraServer, graph: Graph
) -> None:
    keep(graph)
    age(server, 151)
    second = keep(graph)
    stored: dict[str, Any] = {"stored_key_id": key_id(second)}
    (retiring,) = keep(graph, **stored).plan.retiring
    assert retiring.as_dict()["gone_at"] == retiring.credential["endDateTime"], "it ends by itself"
    (retiring,) = keep(graph, **stored, end_unconfirmed=True).plan.retiring
    over = credential_time(secrets(server)[1], "startDateTime") + datetime.timedelta(days=7)
    assert retiring.as_dict()["gone_at"] == over.strftime("%Y-%m-%dT%H:%M:%SZ")
    age(server, 8)
    assert not keep(graph, **stored).plan.changes
    ended = keep(graph, **stored, end_unconfirmed=True)
    assert ended.plan.changes and not ended.plan.is_confirmed
    assert [one["keyId"] for one in secrets(server)] == [key_id(second)]


def test_an_expired_secret_is_replaced_and_cleared(server: EntraServer, graph: Graph) -> None:
    first = keep(graph)
    age(server, 200)
    second = keep(graph)
    assert second.secret and [one["keyId"] for one in secrets(server)] == [key_id(second)] != [key_id(first)]


def test_secrets_of_others_stay(server: EntraServer, graph: Graph) -> None:
    object_id = application(server)["id"]
    for name in ("mail", "mail2 (mailroom.erp)", None, "mail (mailroom.erp) old"):
        server.directory.new_secret(object_id, {"displayName": name, "endDateTime": "2021-01-01T00:00:00Z"})
    server.directory.settle()
    others = list(secrets(server))
    keep(graph)
    assert len(secrets(server)) == 5
    assert keep(graph, state="absent").plan.changes
    assert secrets(server) == others
    assert not keep(graph, state="absent").plan.changes


# --- a value that was lost ---


def test_a_lost_value_is_told(server: EntraServer, graph: Graph) -> None:
    lost = keep(graph)
    with pytest.raises(Refused, match=f"its value is not stored.*{key_id(lost)}.*Set replace_lost: true"):
        keep(graph, stored_key_id="")
    assert len(secrets(server)) == 1


def test_a_lost_first_secret_is_replaced_when_told(server: EntraServer, graph: Graph) -> None:
    lost = keep(graph)
    new = keep(graph, stored_key_id="", replace_lost=True)
    assert new.secret and {one["keyId"] for one in secrets(server)} == {key_id(lost), key_id(new)}
    stored: dict[str, Any] = {"stored_key_id": key_id(new), "replace_lost": True}
    assert not keep(graph, **stored).plan.changes
    age(server, 8)
    keep(graph, **stored, confirmed_key_id=key_id(new))
    assert [one["keyId"] for one in secrets(server)] == [key_id(new)]


def test_a_renewal_that_was_lost_goes_at_once(server: EntraServer, graph: Graph) -> None:
    first = keep(graph)
    age(server, 151)
    lost = keep(graph, stored_key_id=key_id(first))
    age(server, 0.001)
    new = keep(graph, stored_key_id=key_id(first), replace_lost=True)
    assert new.plan.lost and {one["keyId"] for one in secrets(server)} == {key_id(first), key_id(new)}
    assert key_id(lost) not in {key_id(first), key_id(new)}


# --- what goes wrong with the real one ---


@pytest.mark.parametrize("lag", [0, 3, 8])
@pytest.mark.parametrize("fault", [LOST, DROPPED, "503", "504", "429"])
def test_each_fault_leaves_one_secret_whose_value_is_known(
    server: EntraServer, graph: Graph, fault: str, lag: int
) -> None:
    for number in range(1, 16):
        application(server)["passwordCredentials"] = []
        server.plan(faults={number: fault}, lag=lag)
        outcome = keep(graph)
        assert outcome.secret and server.signs_in(str(outcome.app_id), outcome.secret), number
        assert [one["keyId"] for one in secrets(server)] == [key_id(outcome)], number


def test_a_service_that_never_answers_leaves_no_secret(server: EntraServer, graph: Graph) -> None:
    server.plan(faults=dict.fromkeys((8, 9, 10), LOST))
    with pytest.raises(AnswerLost):
        keep(graph)
    paths = [path for _method, path in server.requests]
    assert sum(path.endswith("addPassword") for path in paths) == 3
    assert secrets(server) == []


@pytest.mark.parametrize("fault", ["403", "lag"])
def test_a_new_secret_is_returned_whatever_follows(server: EntraServer, graph: Graph, fault: str) -> None:
    if fault == "lag":
        server.plan(lag=10**6)
    else:
        server.plan(faults=dict.fromkeys(range(9, 100), "403"))
    outcome = keep(graph)
    assert outcome.secret and server.signs_in(str(outcome.app_id), outcome.secret)
    assert "the new secret was made, but" in outcome.warnings[-1] and outcome.secret not in outcome.warnings[-1]


def test_a_replica_that_lags_makes_no_second_secret(server: EntraServer, graph: Graph) -> None:
    first = keep(graph)
    for lag in (1, 2, 4):
        server.plan(lag=lag, flapping=True)
        server.directory.commit(0)
        assert key_id(keep(graph, stored_key_id=key_id(first))) == key_id(first)
    assert len(secrets(server)) == 1


def test_the_application_of_somebody_else_is_left_alone(
    server: EntraServer, open_graph: OpenGraph, graph: Graph
) -> None:
    application(server)["createdDateTime"] = "2020-01-01T00:00:00Z"
    server.directory.settle()
    with pytest.raises(GraphError, match="403"):
        keep(open_graph(*RUN_TIME))
    assert secrets(server) == []


# --- certificates and federated credentials ---


def test_a_certificate_is_added_beside_others(server: EntraServer, graph: Graph) -> None:
    other = {"keyId": str(uuid.uuid4()), "displayName": "by hand", "type": "AsymmetricX509Cert", "usage": "Verify"}
    application(server)["keyCredentials"].append({**other, "_key": "eA=="})
    server.directory.settle()
    own = signer("automation")
    outcome = keep(graph, kind="certificate", certificate=own.certificate_pem)
    assert outcome.plan.create and outcome.secret is None
    held = application(server)["keyCredentials"]
    assert held[0]["displayName"] == "by hand" and held[1]["keyId"] == key_id(outcome)
    assert held[1]["_key"] == _content(own)
    server.plan()
    assert not keep(graph, kind="certificate", certificate=own.certificate_pem).plan.changes
    assert len(server.requests) == 1
    new = Signer("automation")
    second = keep(graph, kind="certificate", certificate=new.certificate_pem)
    assert len(application(server)["keyCredentials"]) == 3
    held[1]["startDateTime"] = "2020-01-01T00:00:00Z"
    application(server)["keyCredentials"][2]["startDateTime"] = "2020-01-02T00:00:00Z"
    server.directory.settle()
    keep(graph, kind="certificate", certificate=new.certificate_pem, confirmed_key_id=key_id(second))
    assert [one["keyId"] for one in application(server)["keyCredentials"]] == [other["keyId"], key_id(second)]
    keep(graph, kind="certificate", state="absent")
    assert [one["displayName"] for one in application(server)["keyCredentials"]] == ["by hand"]


def _content(own: Signer) -> str:
    wanted = read_wanted_credential({**DEFAULTS, "kind": "certificate", "certificate": own.certificate_pem}, NOW)
    assert wanted.certificate is not None
    return wanted.certificate.content


def test_a_certificate_that_ends_soon_is_warned_about(graph: Graph) -> None:
    soon = Signer("automation", days=10)
    outcome = keep(graph, kind="certificate", certificate=soon.certificate_pem)
    assert "give a new one" in outcome.warnings[0]


def test_a_private_key_is_never_sent(server: EntraServer, graph: Graph) -> None:
    own = signer("automation")
    server.plan()
    with pytest.raises(Refused, match="it holds a private key") as caught:
        keep(graph, kind="certificate", certificate=own.certificate_pem + own.key_pem)
    assert own.key_pem.splitlines()[1] not in str(caught.value) and server.requests == []


def test_a_federated_credential_is_made_changed_and_removed(server: EntraServer, graph: Graph) -> None:
    def federated(write: bool = True, state: str = "present", **given: Any) -> tuple[bool, dict[str, Any]]:
        declared = {"issuer": "https://ci.example", "subject": "repo:acme/mail", **given}
        params = {**DEFAULTS, "kind": "federated", "state": state, "federated": declared}
        _app_id, before, after = Federated(graph, read_wanted_credential(params, NOW)).keep(write)
        return before != after, after

    server.plan(lag=3)
    assert federated(write=False)[0] and not server.truth["federated"]
    assert federated()[0] and not federated()[0]
    (made,) = server.truth["federated"].values()
    assert made["audiences"] == ["api://AzureADTokenExchange"] and made["name"] == "mail"
    assert federated(subject="repo:acme/other", description="CI")[0]
    assert not federated(subject="repo:acme/other", description="CI")[0]
    (changed,) = server.truth["federated"].values()
    assert (changed["id"], changed["subject"]) == (made["id"], "repo:acme/other")
    assert federated(state="absent")[0] and not federated(state="absent")[0]
    assert not server.truth["federated"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "a b"}, "a name has 3 to 40"),
    ({"lifetime": 0}, "a secret lives 1 to 730 days"),
    ({"lifetime": 731}, "a secret lives 1 to 730 days"),
    ({"renew_before": 180}, "each run would make a new one"),
    ({"overlap": 31}, "would expire before the overlap is over"),
    ({"stored_key_id": "hunter2-hunter2"}, "a key id is a GUID"),
    ({"confirmed_key_id": "hunter2-hunter2"}, "a key id is a GUID"),
    ({"unique_name": None, "app_id": "erp"}, "it is no GUID"),
    ({"kind": "certificate"}, "given with kind: certificate"),
    ({"certificate": signer("automation").certificate_pem}, "given with kind: certificate"),
    ({"kind": "certificate", "certificate": "hunter2-hunter2"}, "no certificate in PEM"),
    ({"kind": "certificate", "certificate": Signer("old", days=0).certificate_pem}, "the certificate expired"),
    ({"kind": "federated"}, "given with kind: federated"),
    ({"made_before": "yesterday"}, "a day or a moment as ISO 8601 has it"),
    ({"made_before": "9998-01-01"}, "it lies ahead"),
    ({"federated": {"issuer": "i", "subject": "s"}}, "given with kind: federated"),
]


@pytest.mark.parametrize(("params", "said"), WRONG, ids=[f"{number}" for number in range(len(WRONG))])
def test_what_is_wrong_is_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said) as caught:
        read_wanted_credential({**DEFAULTS, **params}, NOW)
    assert "hunter2" not in str(caught.value)


def test_a_confirmation_of_nothing_is_warned_about(graph: Graph) -> None:
    first = keep(graph, confirmed_key_id=str(uuid.uuid4()))
    assert "names a key that the application does not have" in first.warnings[0]


def test_runs_whose_secrets_are_never_stored_come_to_an_end(server: EntraServer, graph: Graph) -> None:
    """With nothing stored nobody knows whose they are, so none may go; runs that die must not go on."""
    for _run in range(5):
        assert keep(graph, stored_key_id="", replace_lost=True).secret
    with pytest.raises(Refused, match="there are 5 secrets, none of which is stored") as caught:
        keep(graph, stored_key_id="", replace_lost=True)
    assert "state: absent" in str(caught.value) and len(secrets(server)) == 5
    keep(graph, state="absent")
    assert keep(graph, stored_key_id="", replace_lost=True).secret


def test_secrets_that_were_asked_for_and_never_stored_go_first(server: EntraServer, graph: Graph) -> None:
    """The next one is made only when they are gone, so that a run that dies leaves one."""
    since = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    for _run in range(3):
        keep(graph, stored_key_id="", replace_lost=True)
    server.plan()
    made = keep(graph, stored_key_id="", replace_lost=True, asked_since=since)
    asked = [path.rpartition("/")[2] for method, path in server.requests if method == "POST"]
    assert asked == ["removePassword"] * 3 + ["addPassword"]
    assert [one["keyId"] for one in secrets(server)] == [key_id(made)]
