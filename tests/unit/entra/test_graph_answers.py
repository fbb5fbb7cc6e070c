# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of Microsoft Graph that are odd, broken or endless: each ends in a result or in an error that says where."""

from __future__ import annotations

import dataclasses
import datetime
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import upsert
from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent import read_wanted_consent
from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent_run import consent
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import read_wanted_credential
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import Keeper
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import AnswerLost, Graph, NotSeen
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import (
    GraphError,
    WrongGraphAnswer,
    read_graph_answer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import read_wanted_scope
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope_run import bring_scope
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import read_sender_addresses
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import register
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import read_wanted_registration
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import Token
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import (
    ODD_STATUSES,
    ODD_WAITS,
    fuzz_case,
    fuzz_count,
    fuzz_seeds,
    odd_bytes,
    oddly,
)
from ansible_collections.mailroom.erp.tests.servers.entra.directory import MANAGEMENT_ROLES
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import SCOPE, SEE_SCOPES
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP, Clock

MOST_REQUESTS = 500
"""Of one task, whatever is answered."""
MOST_SECONDS = 20.0
NEW = "erp-new"
"""An application that is not there when a task begins."""
FAILURES = (Refused, GraphError, NotSeen, AnswerLost)

Answered = tuple[int, Any, dict[str, Any]]
Spoil = Callable[[str, str, Answered], Answered]


class OddTenant(EntraServer):
    """A tenant whose Graph answers pass through somebody's hands; ``spoil`` takes method, path and answer."""

    spoil: Spoil | None = None

    def handle(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> Answered:
        answered = super().handle(method, target, headers, data)
        return (
            self.spoil(method, target, answered) if self.spoil and target.startswith(("/v1.0/", "/beta/")) else answered
        )


@pytest.fixture
def tenant() -> Iterator[OddTenant]:
    with OddTenant() as started:
        yield started


@pytest.fixture
def graph(tenant: OddTenant, clock: Clock) -> Iterator[Graph]:
    rights = [*BOOTSTRAP, *SCOPE, *SEE_SCOPES]
    app_id, _secret = tenant.directory.add_client("automation", rights)
    http = Http(tenant.ca_file)
    yield Graph(http, tenant.url, tenant.authority.application_token(app_id), clock.pace())
    http.close()


class Replayed:
    """Brings each request to the tenant once, without a connection, and gives the same answer, spoilt, ever after."""

    def __init__(self, tenant: OddTenant) -> None:
        self._tenant = tenant
        self._known: dict[tuple[str, str], Answered] = {}
        self.spoil: Spoil | None = None
        self.requests = 0

    def request(self, method: str, url: str, headers: Mapping[str, str], **more: Any) -> Any:
        self.requests += 1
        target = url.removeprefix(self._tenant.url)
        if (method, target) not in self._known:
            data = json.dumps(more["json"]).encode() if more.get("json") is not None else b""
            self._known[method, target] = self._tenant.handle(method, target, headers, data)
        answered = self._known[method, target]
        status, body, fields = self.spoil(method, target, answered) if self.spoil else answered
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return SimpleNamespace(status_code=status, content=content, headers=fields, reason="OK")


def page(**more: Any) -> Spoil:
    return lambda _method, _target, answered: (200, {"value": [], **more}, answered[2])


def test_a_page_that_names_itself_as_the_next_comes_to_an_end(tenant: OddTenant, graph: Graph) -> None:
    tenant.spoil = page(**{"@odata.nextLink": f"{tenant.url}/v1.0/organization"})
    with pytest.raises(GraphError, match="a page is said to follow that was read before"):
        graph.get_all("organization")
    assert len(tenant.requests) == 1


def test_a_loop_of_two_pages_comes_to_an_end(tenant: OddTenant, graph: Graph) -> None:
    def spoil(_method: str, target: str, answered: Answered) -> Answered:
        other = "b" if target.endswith("a") else "a"
        return 200, {"value": [], "@odata.nextLink": f"{tenant.url}/v1.0/organization?{other}"}, answered[2]

    tenant.spoil = spoil
    with pytest.raises(GraphError, match="read before"):
        graph.get_all("organization")
    assert len(tenant.requests) == 3


@pytest.mark.parametrize(
    "link",
    ["https://evil.example/v1.0/users", "{}.evil.example/v1.0/", "{}@evil.example/v1.0/", "//evil.example", "", "x"],
)
def test_the_token_goes_to_no_other_host(tenant: OddTenant, graph: Graph, link: str) -> None:
    tenant.spoil = page(**{"@odata.nextLink": link.format(tenant.url)})
    with pytest.raises(GraphError, match=r"at another address|is no address"):
        graph.get_all("organization")
    assert len(tenant.requests) == 1


@pytest.mark.parametrize("wait", ODD_WAITS)
def test_an_odd_wait_has_a_bound(tenant: OddTenant, graph: Graph, clock: Clock, wait: str) -> None:
    text = wait.encode().decode("latin-1")
    tenant.spoil = lambda _method, _target, _answered: (429, {"error": {}}, {"Retry-After": text})
    with pytest.raises(GraphError, match="429"):
        graph.get("organization")
    assert len(tenant.requests) <= 70 and clock.now <= 60


def test_a_concurrent_write_is_waited_for_and_repeated(tenant: OddTenant, graph: Graph, clock: Clock) -> None:
    """Documented by Microsoft as "please wait briefly and retry"; nothing was done, so a secret may be asked again."""
    made = upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)
    refusals = iter(range(2))

    def spoil(_method: str, _target: str, answered: Answered) -> Answered:
        if next(refusals, None) is None:
            return answered
        said = {"code": "Directory_ConcurrencyViolation", "message": "Please wait briefly and retry."}
        return 409, {"error": said}, {}

    tenant.spoil = spoil
    graph.change(f"applications/{made['id']}", {"notes": "x"})
    assert clock.waits == [1.0, 2.0]
    refusals = iter(range(1))
    assert graph.post_once(f"applications/{made['id']}/addPassword", {"passwordCredential": {"displayName": "x"}})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b"\xff", "no JSON object"),
        (b'{"value": [1]}', "value is no object"),
        (b'{"id": 5}', "id is no text"),
        (b'{"id": "../users/x"}', "id is no identifier"),
        (b'{"appId": null}', "appId is no text"),
        (b'{"passwordCredentials": {"a": 1}}', "passwordCredentials is no list"),
        (b'{"passwordCredentials": [null]}', "passwordCredentials is no object"),
        (b'{"keyCredentials": [{"endDateTime": "soon"}]}', "endDateTime is no time"),
        (b'{"createdDateTime": "2026-13-01T00:00:00Z"}', "createdDateTime is no time"),
        (b'{"isVerified": "true"}', "isVerified is neither true nor false"),
        (b'{"proxyAddresses": [1]}', "proxyAddresses is no list of texts"),
        (b'{"verifiedPublisher": "x"}', "verifiedPublisher is no object"),
    ],
)
def test_what_is_of_another_type_names_request_and_property(body: bytes, told: str) -> None:
    with pytest.raises(WrongGraphAnswer) as caught:
        read_graph_answer("GET /v1.0/applications", 200, body)
    assert told in str(caught.value) and "GET /v1.0/applications" in str(caught.value)
    assert "check tenant.graph_url" in str(caught.value)


def test_a_property_that_is_missing_is_told_when_it_is_needed() -> None:
    answer = read_graph_answer("GET /v1.0/applications", 200, b'{"owners": [{}], "displayName": null}')
    assert answer["displayName"] is None and answer.get("notes") is None
    with pytest.raises(WrongGraphAnswer, match="the property id is missing"):
        answer["owners"][0]["id"]


def test_a_secret_without_its_value_is_a_lost_one(tenant: OddTenant, graph: Graph) -> None:
    """It was made, and nobody can have it: it is taken away again, as after an answer that never came."""
    upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)

    def spoil(_method: str, target: str, answered: Answered) -> Answered:
        status, body, headers = answered
        return (status, {**body, "secretText": None}, headers) if target.endswith("addPassword") else answered

    tenant.spoil = spoil
    with pytest.raises(AnswerLost, match="secretText"):
        keep(graph, "erp")
    assert tenant.truth.find("applications", uniqueName="erp")[0]["passwordCredentials"] == []


def keep(graph: Graph, name: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    given = {"unique_name": name, "name": "mail", "kind": "secret", "lifetime": 180, "renew_before": 30, "overlap": 7}
    Keeper(graph, read_wanted_credential({**given, "stored_key_id": None}, now), now).keep(write=True)


def task(graph: Graph, chance: random.Random) -> None:
    """One of the tasks that the modules do."""
    name = chance.choice(("erp", "erp2", NEW))
    token = Token("", None, None, None)
    permission = {"resource": "Microsoft Graph", "role": "Mail.Send"}
    given = {"unique_name": name, "permissions": [permission], "access": "tenant"}
    kind = chance.randrange(6)
    if kind == 0:
        register(graph, read_wanted_registration(given, None), token, write=True)
    elif kind == 1:
        keep(graph, chance.choice(("erp", "erp2")))
    elif kind == 2:
        ids = {
            "app_id": "77777777-7777-4777-8777-777777777777",
            "publisher_tenant_id": "8" * 8 + "-8888-4888-8888-" + "8" * 12,
        }
        wanted = read_wanted_consent({**ids, "scopes": ["Mail.Send"], "users": ["a@acme.example"]})
        consent(graph, wanted, token, write=True)
    elif kind < 5:
        limit(graph, name, chance)
    else:
        read_sender_addresses(graph, ["a@acme.example", "erp@acme.example"])


SCOPES: list[dict[str, Any]] = [
    {"mailboxes": ["erp@acme.example", "a@acme.example"]},
    {"groups": ["senders@acme.example"]},
    {"administrative_unit": "Sending"},
    {"custom_scope": "ERP boxes", "exclusive": True},
    {"state": "absent"},
]


def limit(graph: Graph, name: str, chance: random.Random) -> None:
    """Say which mailboxes an application may use; what it reads is the same ever after, so a write is never seen."""
    given = {"unique_name": name, "roles": ["Application Mail.Send"], "settle": chance.choice((0, 120))}
    wanted = read_wanted_scope({**given, **chance.choice(SCOPES)}, None)
    now = datetime.datetime.now(datetime.UTC)
    outcome = bring_scope(graph, wanted, Token("", None, None, None), chance.random() < 0.5, lambda: now)
    assert [one.warning for one in outcome.failures if not one.warning.isprintable()] == []


def furnish(tenant: OddTenant) -> None:
    """People, places and an application whose mailboxes are limited already."""
    directory = tenant.directory
    people = [directory.add_user(f"{name}@acme.example") for name in ("erp", "a")]
    directory.add_group("senders", *people, directory.add_group("inner", people[0]))
    directory.add_unit("Sending", people[0])
    directory.add_custom_scope("ERP boxes", "Title -eq 'erp'")
    principal = directory.new_principal(tenant.truth.find("applications", uniqueName="erp")[0]["appId"])
    for scope in ("/", f"/Users/{people[0]['id']}"):
        directory.assign_role(principal["id"], MANAGEMENT_ROLES["Application Mail.Send"], scope, None)
    directory.assign_role(principal["id"], MANAGEMENT_ROLES["Application Mail Full Access"], "/", None)
    directory.settle()


def spoiler(chance: random.Random) -> tuple[Spoil, list[int]]:
    """Spoil one answer and, now and then, those after it; the list counts them."""
    number, onwards, seen, spoilt = chance.randint(1, 12), chance.random() < 0.4, [0], [0]

    def spoil(_method: str, _target: str, answered: Answered) -> Answered:
        seen[0] += 1
        if seen[0] != number and not (onwards and seen[0] > number):
            return answered
        spoilt[0] += 1
        status, body, headers = answered
        kind = chance.random()
        if kind < 0.1:
            return status, odd_bytes(body, chance), headers
        if kind > 0.8:
            status = chance.choice(ODD_STATUSES)
            headers = {**headers, "Retry-After": chance.choice(ODD_WAITS).encode().decode("latin-1")}
        return status, oddly(body, chance), headers

    return spoil, spoilt


def test_no_mutated_answer_ends_in_a_traceback_or_a_hang(tenant: OddTenant, graph: Graph) -> None:
    upsert(graph, "erp", {"displayName": "ERP"}, fresh=False)
    upsert(graph, "erp2", {"displayName": "ERP"}, fresh=False)
    furnish(tenant)
    graph.pace = dataclasses.replace(graph.pace, timeout=8.0)
    replayed = Replayed(tenant)
    graph._http = replayed  # type: ignore[assignment]
    tried, done, failed = 0, 0, list[str]()
    for seed in fuzz_seeds():
        if tried >= fuzz_count(2000):
            break
        with fuzz_case(seed) as chance:
            began, replayed.requests = time.monotonic(), 0
            replayed.spoil, spoilt = spoiler(chance)
            try:
                task(graph, chance)
                done += 1
            except FAILURES as error:
                failed.append(str(error))
            tried += spoilt[0]
            assert replayed.requests <= MOST_REQUESTS and time.monotonic() - began < MOST_SECONDS
    assert done and failed
    assert [text for text in failed if not text.replace("\n", "").isprintable()] == []
