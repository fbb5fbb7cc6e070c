# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of TransIP that are odd or broken: each ends in a result or in an error that says what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils import whole_answer
from ansible_collections.mailroom.erp.plugins.module_utils.dns import rate_gate, write_loop, zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip import (
    transip_api,
    transip_provider,
    transip_sign_in,
)
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import ODD_WAITS, fuzz_case, fuzz_count, fuzz_seeds
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer, Query
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import ACCESS, Transip
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import APEX, SPF, ZONE
from ansible_collections.mailroom.erp.tests.unit.dns.spoilt_answers import (
    MOST_REQUESTS,
    MOST_SECONDS,
    RECORDS,
    Ends,
    Spoil,
    Work,
    body_with,
    clock_of,
    spoiler,
    without,
)
from ansible_collections.mailroom.erp.tests.unit.dns.transip_acts import entry, opened_transip, opened_with_token


class OddTransip(Transip):
    """A TransIP whose answers pass through somebody's hands; ``spoil`` takes method, path and answer."""

    spoil: Spoil = staticmethod(lambda _method, _path, answer: answer)

    def handle(self, method: str, path: str, query: Query, headers: Mapping[str, str], data: bytes) -> Answer:
        return self.spoil(method, path, super().handle(method, path, query, headers, data))


@pytest.fixture
def odd(one_controller: None) -> Iterator[OddTransip]:
    with OddTransip({ZONE: zone_text(ZONE, RECORDS), "other.example": zone_text("other.example")}) as started:
        yield started


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time of the client, which passes only while it waits."""
    return clock_of(monkeypatch, transip_api, transip_provider, transip_sign_in, rate_gate, write_loop)


def on(name: str, spoilt: Callable[[dict[str, Any]], Any]) -> Spoil:
    """Change the listed objects of one name."""

    def spoil(_method: str, _path: str, answer: Answer) -> Answer:
        if not isinstance(answer.body, dict) or name not in answer.body:
            return answer
        return body_with(answer, **{name: [spoilt(dict(item)) for item in answer.body[name]]})

    return spoil


def with_value(name: str, value: Any, rdtype: str = "") -> Callable[[dict[str, Any]], Any]:
    return lambda item: {**item, name: value} if item.get("type", "") == rdtype or not rdtype else item


def saying(status: int, body: Any) -> Spoil:
    return lambda _method, _path, _answer: Answer(status, body, {})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (saying(400, {"error": "text as error"}), "HTTP 400: text as error"),
        (saying(400, {"error": {"code": 5}}), "HTTP 400: no reason"),
        (saying(400, {"error": "\x1b[31mred\nfatal: " + "x" * 9000}), r"HTTP 400: \x1b[31mred\nfatal"),
        (saying(400, b"<html>"), "HTTP 400: no reason"),
        (saying(302, {}), "it is HTTP 302"),
        (saying(204, b""), "it is HTTP 204"),
        (saying(200, b"[" * 100_000), "no JSON object"),
        (saying(200, b""), "no JSON object"),
        (saying(200, []), "no JSON object"),
        (saying(200, {"dnsEntries": None}), "dnsEntries is missing, or no list of objects"),
        (saying(200, {"dnsEntries": [1]}), "dnsEntries is missing, or no list of objects"),
        (on("dnsEntries", without("name")), "an entry's name is missing"),
        (on("dnsEntries", without("expire")), "the expire of entry"),
        (on("dnsEntries", with_value("expire", "600")), "the expire of entry"),
        (on("dnsEntries", with_value("expire", float("nan"))), "the expire of entry"),
        (on("dnsEntries", with_value("expire", True)), "the expire of entry"),
        (on("dnsEntries", with_value("expire", 2**40)), "the expire of entry"),
        (on("dnsEntries", with_value("type", None)), "the type of entry"),
        (on("dnsEntries", with_value("content", None, "TXT")), "the content of entry @ (TXT)"),
        (on("dnsEntries", with_value("content", "\ud800", "TXT")), "the content of entry @ (TXT)"),
        (on("dnsEntries", with_value("content", "", "CNAME")), "the content of entry www (CNAME)"),
        (on("dnsEntries", with_value("content", "70000 mail", "MX")), "entry @ (MX) is no preference from 0 to 65535"),
    ],
)
def test_what_is_of_another_type_is_an_error_that_names_zone_request_and_way_out(
    odd: OddTransip, clock: SimpleNamespace, spoil: Spoil, told: str
) -> None:
    odd.spoil = spoil
    with pytest.raises(ProviderError) as caught:
        opened_with_token(odd, ACCESS).read(ZONE, [APEX])
    message = str(caught.value)
    assert told in message and f"zone {ZONE}" in message
    assert f"GET /domains/{ZONE}/dns" in message or "HTTP" in message
    assert len(message) < 900 and message.isprintable(), message
    assert len(odd.requests) == 1


def test_an_answer_that_is_too_large_is_given_up(odd: OddTransip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_answer, "LARGEST_ANSWER", 100_000)
    monkeypatch.setattr(transip_api, "TRANSIP_PAUSE", 0.0)
    odd.spoil = saying(200, b" " * 1_000_000)
    with pytest.raises(ProviderError, match="could not be asked: ReadTimeout: the answer has more than 100000 bytes"):
        opened_with_token(odd, ACCESS).read(ZONE, [APEX])
    assert len(odd.requests) == 3


@pytest.mark.parametrize("token", [None, 5, "", "with blank", "line\nbreak", "é", "x\x00"])
def test_a_sign_in_without_a_token_is_told(odd: OddTransip, token: Any) -> None:
    odd.spoil = lambda _method, path, answer: body_with(answer, token=token) if path == "/auth" else answer
    with pytest.raises(ProviderError, match=r"POST /auth: the answer is not TransIP's: token is missing, or no token"):
        opened_transip(odd).zone_of(ZONE)


@pytest.mark.parametrize("name", ["☃.example", "-ü-.example", "ü" * 70, ""])
def test_a_domain_whose_name_is_none_is_left_out_or_told(odd: OddTransip, name: str) -> None:
    odd.spoil = lambda _method, path, answer: (
        body_with(answer, domains=[{"name": name}, *answer.body["domains"]]) if path == "/domains" else answer
    )
    if name:
        assert opened_transip(odd).zone_of(f"_dmarc.{ZONE}") == ZONE
        return
    with pytest.raises(ProviderError, match="a domain's name is missing"):
        opened_transip(odd).zone_of(ZONE)


@pytest.mark.parametrize("name", ["☃", "-ü-", "ü" * 70, "a..b", "x" * 300])
def test_an_entry_whose_name_is_none_is_in_nobodys_way(odd: OddTransip, name: str) -> None:
    odd.zones[ZONE].entries.append(entry("somebody else's", name=name))
    assert SPF in opened_transip(odd).read(ZONE, [APEX]).rrsets[APEX].values


@pytest.mark.parametrize("name", ["", "@", f"{ZONE}.", f"{ZONE.upper()}."])
def test_the_apex_may_have_several_names(odd: OddTransip, name: str) -> None:
    """A second SPF record must not be missed, however TransIP writes its name."""
    odd.zones[ZONE].entries.append(entry("v=spf1 -all", name=name))
    assert {SPF, "v=spf1 -all"} <= set(opened_transip(odd).read(ZONE, [APEX]).rrsets[APEX].values)


@pytest.mark.parametrize("header", ["retry-after", "x-rate-limit-reset"])
@pytest.mark.parametrize("wait", ODD_WAITS)
def test_a_wait_that_is_none_has_a_bound(odd: OddTransip, clock: SimpleNamespace, wait: str, header: str) -> None:
    # Header fields are bytes.
    odd.spoil = lambda _method, _path, _answer: Answer(429, {}, {header: wait.encode().decode("latin-1")})
    with pytest.raises(ProviderError, match="limits the rate of requests"):
        opened_transip(odd).zone_of(ZONE)
    assert len(odd.requests) <= 16 and clock.seconds <= 1000 + rate_gate.LONGEST_WAIT


def _set_out(provider: Any) -> Work:
    provider.zone_of(ZONE)
    return Work(provider)


@pytest.mark.parametrize("tries", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_no_mutated_answer_ends_in_a_traceback_a_hang_or_a_zone_without_its_line(
    odd: OddTransip, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    monkeypatch.setattr(zone_lock, "let_others_arrive", lambda _taken: None)
    tried, ends = 0, Ends()
    entries = list(odd.zones[ZONE].entries)
    for seed in fuzz_seeds():
        if tried >= fuzz_count(tries):
            break
        with fuzz_case(seed) as chance:
            began, odd.requests = time.monotonic(), []
            # A key pair would cost two signatures for each try.
            provider: Any = opened_with_token(odd, ACCESS)
            odd.zones[ZONE].entries = list(entries)
            odd.spoil, spoilt = spoiler(chance, chance.randint(1, 10))
            work = ends.go(partial(_set_out, provider))
            tried += spoilt[0]
            texts = [text for text in odd.values(ZONE, "TXT") if text.startswith('"v=spf1')]
            assert len(texts) == 1 or (work is not None and work.failure is not None), texts
            assert len(odd.requests) <= MOST_REQUESTS and time.monotonic() - began < MOST_SECONDS
    ends.look()
