# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates to a real BIND 9: what is sent, and what is said when the server or the way to it fails."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.update
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.question_batch import QuestionBatch
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import NameServer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.rfc2136_provider import Rfc2136Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.update import Update
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.tests.servers import bind
from ansible_collections.mailroom.erp.tests.servers.bind import Bind, StartBind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, OTHER_SECRET, zone_text

ZONE = "acme.example"
KEY = (ZONE, "TXT")
SPF = "v=spf1 mx ~all"


@pytest.fixture
def server(start_bind: StartBind) -> Bind:
    return start_bind({ZONE: zone_text(ZONE, f'@ TXT "{SPF}"\n@ TXT "foreign"')})


def spf(value: str, *others: str) -> RRset:
    return RRset(ZONE, "TXT", 3600, (value, *others))


def change(provider: Rfc2136Provider, value: str = "v=spf1 a ~all") -> None:
    """Replace the SPF value, as a run does."""
    state = provider.read(ZONE, [KEY])
    before = state.rrsets[KEY]
    after = tuple(value if old == SPF else old for old in before.values)
    provider.apply(ZONE, [Change(before, spf(*after))], state.token)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dns.update.UpdateMessage]:
    """The UPDATE messages that go out, as dnspython reads them."""
    messages: list[dns.update.UpdateMessage] = []
    wire = Update.wire

    def record(update: Update, number: int) -> bytes:
        message = dns.message.from_wire(wire(update, number))
        assert isinstance(message, dns.update.UpdateMessage)
        messages.append(message)
        return wire(update, number)

    monkeypatch.setattr(Update, "wire", record)
    return messages


def test_one_update_says_what_must_still_be_true(server: Bind, sent: list[dns.update.UpdateMessage]) -> None:
    change(Rfc2136Provider(server.dns_option))
    assert len(sent) == 1
    wanted = sorted(f"{ZONE}. 0 IN TXT {value}" for value in ('"foreign"', f'"{SPF}"'))
    required = sorted(line for rrset in sent[0].prerequisite for line in rrset.to_text().splitlines())
    assert required == sorted([*wanted, f"{ZONE}. NONE CNAME"])
    done = [line for rrset in sent[0].update for line in rrset.to_text().splitlines()]
    assert done == [f'{ZONE}. 0 NONE TXT "{SPF}"', f'{ZONE}. 3600 IN TXT "v=spf1 a ~all"']


def test_reading_sends_no_update(start_bind: StartBind, sent: list[dns.update.UpdateMessage]) -> None:
    server = start_bind({ZONE: zone_text(ZONE, f'@ TXT "{SPF}"')}, updates=bind.UPDATES_REFUSED)
    assert Rfc2136Provider(server.dns_option).read(ZONE, [KEY]).rrsets[KEY].values == (SPF,)
    assert sent == []


def test_without_a_key_nothing_is_signed(start_bind: StartBind) -> None:
    server = start_bind({ZONE: zone_text(ZONE, f'@ TXT "{SPF}"')}, updates="allow-update { any; };")
    change(Rfc2136Provider(with_defaults({"provider": "rfc2136", "server": ADDRESS, "port": server.port})))
    assert server.values(ZONE, "TXT") == ['"v=spf1 a ~all"']


def test_the_server_may_be_a_host_name(server: Bind) -> None:
    change(Rfc2136Provider(server.dns_option | {"server": "localhost"}))
    assert server.values(ZONE, "TXT") == ['"foreign"', '"v=spf1 a ~all"']


def test_an_answer_too_large_for_udp_is_read(start_bind: StartBind) -> None:
    records = "\n".join(f'@ TXT "{number:03} {"x" * 200}"' for number in range(60))
    server = start_bind({ZONE: zone_text(ZONE, records)})
    assert len(Rfc2136Provider(server.dns_option).read(ZONE, [KEY]).rrsets[KEY].values) == 60


def test_a_new_alias_is_not_put_beside_other_data(server: Bind) -> None:
    """BIND would drop it without a word (RFC 2136 section 3.4.2.2)."""
    provider = Rfc2136Provider(server.dns_option)
    name = "ns1.acme.example"
    state = provider.read(ZONE, [(name, "CNAME")])
    with pytest.raises(Conflict, match=r"CNAME at ns1\.acme\.example.*a CNAME would stand beside other data"):
        provider.apply(ZONE, [Change(None, RRset(name, "CNAME", 60, ("x.example",)))], state.token)
    assert server.values(name, "A") == ["192.0.2.53"]


def test_a_new_text_is_not_put_beside_an_alias(server: Bind) -> None:
    provider = Rfc2136Provider(server.dns_option)
    key = ("s1._domainkey.acme.example", "TXT")
    state = provider.read(ZONE, [key])
    update = server.update(ZONE)
    update.add("s1._domainkey", 60, "CNAME", "key.service.example.")
    server.send(update)
    with pytest.raises(Conflict):
        provider.apply(ZONE, [Change(None, RRset(*key, 60, ("p=x",)))], state.token)


def test_an_alias_may_get_another_target(server: Bind) -> None:
    update = server.update(ZONE)
    update.add("alias", 60, "CNAME", "old.example.")
    server.send(update)
    provider, key = Rfc2136Provider(server.dns_option), ("alias.acme.example", "CNAME")
    state = provider.read(ZONE, [key])
    provider.apply(ZONE, [Change(state.rrsets[key], RRset(*key, 60, ("new.example",)))], state.token)
    assert server.values(*key) == ["new.example."]


def test_a_record_that_equals_a_wildcard_is_not_guessed_at(start_bind: StartBind) -> None:
    server = start_bind({ZONE: zone_text(ZONE, '*.shop TXT "same"\nreal.shop TXT "same"')})
    provider, key = Rfc2136Provider(server.dns_option), ("real.shop.acme.example", "TXT")
    state = provider.read(ZONE, [key])
    with pytest.raises(ProviderError, match="the same data stand at a wildcard above"):
        provider.apply(ZONE, [Change(None, RRset(*key, 60, ("new",)))], state.token)
    assert server.values(*key) == ['"same"']


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are asked for."""
    names: list[str] = []
    ask, send = NameServer.ask, QuestionBatch._send

    def one(server: NameServer, name: str, *rest: Any) -> Any:
        names.append(name)
        return ask(server, name, *rest)

    def many(batch: QuestionBatch, udp: socket.socket, number: int, question: Key) -> None:
        names.append(question[0])
        send(batch, udp, number, question)

    monkeypatch.setattr(NameServer, "ask", one)
    monkeypatch.setattr(QuestionBatch, "_send", many)
    return names


def read_back(provider: Rfc2136Provider, name: str, value: str) -> ZoneState:
    """Write a new record, and read what then stands there."""
    key = (name, "TXT")
    state = provider.read(ZONE, [key])
    provider.apply(ZONE, [Change(None, RRset(*key, 60, (value,)))], state.token)
    return provider.read(ZONE, [key])


def test_no_wildcard_is_asked_for_where_none_answered_before_we_wrote(server: Bind, asked: list[str]) -> None:
    name = f"_dmarc.{ZONE}"
    assert read_back(Rfc2136Provider(server.dns_option), name, "new").rrsets[name, "TXT"].values == ("new",)
    assert f"*.{ZONE}" not in asked
    assert Rfc2136Provider(server.dns_option).read(ZONE, [(name, "TXT")]).rrsets[name, "TXT"].values == ("new",)
    assert f"*.{ZONE}" in asked, "another run cannot know"


@pytest.mark.parametrize(("value", "told"), [("other", True), ("wild", False)])
def test_a_wildcard_that_answered_before_is_asked_for(
    start_bind: StartBind, asked: list[str], value: str, told: bool
) -> None:
    """The same data cannot be told from the wildcard's."""
    server = start_bind({ZONE: zone_text(ZONE, '* TXT "wild"')})
    name = f"_dmarc.{ZONE}"
    assert ((name, "TXT") in read_back(Rfc2136Provider(server.dns_option), name, value).rrsets) is told
    assert server.values(name, "TXT") == [f'"{value}"']
    assert f"*.{ZONE}" in asked


def test_a_wildcard_that_another_record_kept_away_is_noticed_when_that_goes(start_bind: StartBind) -> None:
    """As long as ``deep`` exists, the wildcard does not answer below it (RFC 4592 section 3.3.1)."""
    server = start_bind({ZONE: zone_text(ZONE, '* TXT "wild"\nx.deep TXT "x"')})
    provider = Rfc2136Provider(server.dns_option)
    there, absent = keys = [("x.deep.acme.example", "TXT"), ("n.deep.acme.example", "TXT")]
    state = provider.read(ZONE, keys)
    assert list(state.rrsets) == [there]
    provider.apply(ZONE, [Change(state.rrsets[there], None)], state.token)
    assert server.values(*absent) == ['"wild"']
    assert provider.read(ZONE, keys).rrsets == {}


def test_a_wildcard_that_answers_with_an_alias_to_nothing_answers(start_bind: StartBind, asked: list[str]) -> None:
    """The NXDOMAIN is about the alias's target (RFC 6604 section 3)."""
    server = start_bind({ZONE: zone_text(ZONE, "* CNAME nothing.deep\nx.deep TXT x")})
    provider, key = Rfc2136Provider(server.dns_option), (f"_dmarc.{ZONE}", "TXT")
    state = provider.read(ZONE, [key])
    assert state.rrsets == {}
    provider.apply(ZONE, [Change(None, RRset(*key, 60, ("own",)))], state.token)
    asked.clear()
    assert list(provider.read(ZONE, [key]).rrsets) == [key]
    assert f"*.{ZONE}" in asked


def test_a_dot_within_a_label_divides_nothing(start_bind: StartBind) -> None:
    """The name is not below ``b``, so that the wildcard there has nothing to do with it."""
    server = start_bind({ZONE: zone_text(ZONE, 'A\\.B TXT "same"\n*.b TXT "same"')})
    provider, key = Rfc2136Provider(server.dns_option), ("a\\.b.acme.example", "TXT")
    assert provider.zone_of(key[0]) == ZONE
    state = provider.read(ZONE, [key])
    provider.apply(ZONE, [Change(state.rrsets[key], RRset(*key, 3600, ("new",)))], state.token)
    assert provider.read(ZONE, [key]).rrsets[key].values == ("new",)
    assert server.values(*key) == ['"new"']


def test_an_alias_to_another_zone_does_not_mislead(start_bind: StartBind) -> None:
    """The SOA in the answer to a question for an alias is that of its target's zone."""
    zones = {ZONE: zone_text(ZONE, "s1 CNAME x.other.example."), "other.example": zone_text("other.example")}
    assert Rfc2136Provider(start_bind(zones).dns_option).zone_of("s1.acme.example") == ZONE


def test_a_zone_inside_that_the_same_server_holds_is_another(start_bind: StartBind) -> None:
    zones = {ZONE: zone_text(ZONE), "sub.acme.example": zone_text("sub.acme.example", 'x TXT "v"')}
    state = Rfc2136Provider(start_bind(zones).dns_option).read(ZONE, [("x.sub.acme.example", "TXT")])
    assert state.elsewhere == {"x.sub.acme.example": "sub.acme.example"}
    assert not state.rrsets


# --- what goes wrong ------------------------------------------------------------------------------------------------

REFUSALS = [
    (bind.UPDATES_REFUSED, {}, "answered our update with REFUSED.*allow-update or update-policy"),
    ('allow-update { key "no-such"; };', {}, "update with REFUSED"),
    ('update-policy { grant "mailroom-test" name nothing.example. TXT; };', {}, "update with REFUSED"),
    (bind.UPDATES_WITH_KEY, {"key_name": "unknown-key"}, "BADKEY.*Check dns.key_name"),
    (bind.UPDATES_WITH_KEY, {"key_secret": OTHER_SECRET}, r"the secrets differ \(BADSIG\)"),
    (
        bind.UPDATES_WITH_KEY,
        {"key_algorithm": "hmac-sha512"},
        "Check dns.key_name, dns.key_secret and dns.key_algorithm",
    ),
    (bind.UPDATES_WITH_KEY, {"key_name": None, "key_secret": None}, "update with REFUSED"),
    (bind.UPDATES_WITH_KEY, {"key_secret": "not base64!"}, "dns.key_secret is not base64"),
    (bind.UPDATES_WITH_KEY, {"key_secret": "YWJ"}, "dns.key_secret is not base64"),
    (bind.UPDATES_WITH_KEY, {"key_name": "a..b"}, "dns.key_name is no domain name"),
    (bind.UPDATES_WITH_KEY, {"server": "no-such-host.invalid"}, r"no-such-host\.invalid has no address.*dns\.server"),
    (bind.UPDATES_WITH_KEY, {"server": "a" * 64 + ".example"}, "has no address"),
    (bind.UPDATES_WITH_KEY, {"port": 1, "timeout": 0.4}, "no answer to our query: the connection was refused"),
    (bind.UPDATES_WITH_KEY, {"server": "192.0.2.1", "timeout": 0.4}, "no answer to our query"),
]


@pytest.mark.parametrize(("updates", "options", "expected"), REFUSALS)
def test_a_refusal_names_server_reason_and_way_out(
    start_bind: StartBind, updates: str, options: dict[str, Any], expected: str
) -> None:
    server = start_bind({ZONE: zone_text(ZONE, f'@ TXT "{SPF}"')}, updates=updates)

    def run() -> None:
        change(Rfc2136Provider(server.dns_option | options))

    with pytest.raises(ProviderError, match=expected) as caught:
        run()
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(secret in f"{shown}{caught.value!r}" for secret in (KEY_SECRET, OTHER_SECRET, "not base64!", "YWJ"))


def test_a_refused_update_changes_nothing(start_bind: StartBind) -> None:
    server = start_bind({ZONE: zone_text(ZONE, f'@ TXT "{SPF}"')}, updates=bind.UPDATES_REFUSED)
    with pytest.raises(ProviderError) as caught:
        change(Rfc2136Provider(server.dns_option))
    assert not isinstance(caught.value, Conflict)
    assert server.values(ZONE, "TXT") == [f'"{SPF}"']


def test_clocks_that_differ_are_named(server: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    with pytest.raises(ProviderError, match="clock"):
        change(Rfc2136Provider(server.dns_option))


@pytest.mark.parametrize("name", ["other.example", "notacme.example", "example"])
def test_a_zone_that_is_not_served_is_named(server: Bind, name: str) -> None:
    with pytest.raises(ZoneNotFound, match=rf"{server.port} does not serve {name}, or not to us: it answered REFUSED"):
        Rfc2136Provider(server.dns_option).zone_of(name)


def test_a_name_that_is_delegated_to_another_server_is_not_served(start_bind: StartBind) -> None:
    server = start_bind({ZONE: zone_text(ZONE, "sub NS ns.elsewhere.example.")})
    with pytest.raises(ZoneNotFound, match=r"delegated away at sub\.acme\.example"):
        Rfc2136Provider(server.dns_option).zone_of("www.sub.acme.example")


class Scripted:
    """A server that hands each UDP question to a function, and stays silent where that returns None."""

    def __init__(self, answer: Callable[[dns.message.Message], dns.message.Message | None]) -> None:
        self._answer = answer
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind((ADDRESS, 0))
        self.port = int(self._udp.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                wire, sender = self._udp.recvfrom(4096)
            except OSError:
                return
            if answer := self._answer(dns.message.from_wire(wire, question_only=True)):
                self._udp.sendto(answer.to_wire(), sender)

    def close(self) -> None:
        self._udp.close()


@pytest.mark.parametrize(
    ("rcode", "kind", "expected"),
    [
        (dns.rcode.SERVFAIL, ProviderError, "SERVFAIL: it failed. See its log"),
        (dns.rcode.FORMERR, ProviderError, "FORMERR"),
        (dns.rcode.NOTIMP, ProviderError, "NOTIMP"),
        (dns.rcode.NOTAUTH, ZoneNotFound, "NOTAUTH"),
        (dns.rcode.NOERROR, ZoneNotFound, "NOERROR without authority"),
        (dns.rcode.NXDOMAIN, ZoneNotFound, "NXDOMAIN without authority"),
    ],
)
def test_an_error_code_of_the_server_is_told(rcode: dns.rcode.Rcode, kind: type[Exception], expected: str) -> None:
    def answer(question: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(question)
        response.set_rcode(rcode)
        return response

    server = Scripted(answer)
    options = {"provider": "rfc2136", "server": ADDRESS, "port": server.port, "timeout": 1.0}
    with pytest.raises(kind, match=expected):
        Rfc2136Provider(options).zone_of(ZONE)
    server.close()


def test_an_answer_without_the_signature_asked_for_is_not_believed() -> None:
    def unsigned(question: dns.message.Message) -> dns.message.Message:
        response = dns.message.Message(question.id)
        response.flags = dns.flags.QR | dns.flags.AA
        response.question = question.question
        return response

    server = Scripted(unsigned)
    key = {"key_name": KEY_NAME, "key_secret": KEY_SECRET, "key_algorithm": "hmac-sha256"}
    options = {"server": ADDRESS, "port": server.port, "timeout": 1.0, **key}
    with pytest.raises(ProviderError, match="not signed"):
        Rfc2136Provider(options).zone_of(ZONE)
    server.close()


# --- an answer that is lost -----------------------------------------------------------------------------------------


def lose(monkeypatch: pytest.MonkeyPatch, arrives: bool, then: Callable[[], None] = lambda: None) -> None:
    """Let the answer to each UPDATE be lost, on the way there or on the way back."""
    deliver = NameServer._deliver

    def drop(server: NameServer, request: bytes, address: str) -> bytes:
        if arrives:
            deliver(server, request, address)
        monkeypatch.setattr(NameServer, "_deliver", deliver)
        then()
        raise TimeoutError

    monkeypatch.setattr(NameServer, "_deliver", drop)


def test_a_change_whose_answer_is_lost_is_found_done(server: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, arrives=True)
    change(Rfc2136Provider(server.dns_option))
    assert server.values(ZONE, "TXT") == ['"foreign"', '"v=spf1 a ~all"']


def test_a_change_that_never_arrived_is_an_error(server: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, arrives=False)
    with pytest.raises(ProviderError, match=r"did not answer in time; zone acme\.example is as it was") as caught:
        change(Rfc2136Provider(server.dns_option))
    assert not isinstance(caught.value, Conflict)


def test_a_lost_answer_beside_another_change_is_a_conflict(server: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    def interfere() -> None:
        update = server.update(ZONE)
        update.add("@", 3600, "TXT", '"somebody else"')
        server.send(update)

    lose(monkeypatch, arrives=True, then=interfere)
    with pytest.raises(Conflict, match="neither as it was nor as planned"):
        change(Rfc2136Provider(server.dns_option))


def test_a_server_that_goes_away_leaves_a_doubt_that_is_said(server: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, arrives=False, then=server.stop)
    with pytest.raises(ProviderError, match=r"not known whether zone acme\.example has changed"):
        change(Rfc2136Provider(server.dns_option | {"timeout": 0.4}))


def test_waiting_is_bounded() -> None:
    server = Scripted(lambda question: None)
    options = {"server": ADDRESS, "port": server.port, "timeout": 0.6}
    start = time.monotonic()
    with pytest.raises(ProviderError, match=f"{ADDRESS} port {server.port}, zone {ZONE}: no answer to our query"):
        Rfc2136Provider(options).zone_of(ZONE)
    assert time.monotonic() - start < 3
    server.close()
