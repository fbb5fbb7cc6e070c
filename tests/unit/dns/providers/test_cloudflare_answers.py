# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of Cloudflare that are odd, broken or endless: each ends in a result or in an error that says what to do."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils import whole_answer
from ansible_collections.mailroom.erp.plugins.module_utils.dns import rate_gate, write_loop, zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare import (
    cloudflare_api,
    cloudflare_provider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_zones import (
    CloudflareZones,
)
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import (
    ODD_WAITS,
    fuzz_case,
    fuzz_count,
    fuzz_seeds,
)
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer, Query
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import APEX, NEW, SPF, ZONE, change, opened
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


class Odd(Cloudflare):
    """A Cloudflare whose answers pass through somebody's hands; ``spoil`` takes method, path and answer."""

    spoil: Spoil = staticmethod(lambda _method, _path, answer: answer)

    def answer(self, method: str, path: str, query: Query, header: str, body: Mapping[str, Any]) -> Answer:
        return self.spoil(method, path, super().answer(method, path, query, header, body))


@pytest.fixture
def odd(one_controller: None) -> Iterator[Odd]:
    zones = {ZONE: zone_text(ZONE, RECORDS), "other.example": zone_text("other.example")}
    with Odd(zones) as started:
        yield started


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time of the client, which passes only while it waits."""
    return clock_of(monkeypatch, cloudflare_api, cloudflare_provider, rate_gate, write_loop)


def on(path: str, spoilt: Callable[[Any], Any]) -> Spoil:
    """Change the listed objects of one path."""

    def spoil(_method: str, asked: str, answer: Answer) -> Answer:
        if not asked.endswith(path):
            return answer
        return body_with(answer, result=[spoilt(dict(item)) for item in answer.body["result"]])

    return spoil


def with_value(name: str, value: Any) -> Callable[[Any], Any]:
    return lambda item: {**item, name: value}


def refusing(status: int, errors: Any) -> Spoil:
    return lambda _method, _path, answer: Answer(status, {"success": False, "errors": errors, "result": None}, {})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (refusing(400, [{"code": "ten", "message": "text as code"}]), "HTTP 400: ten text as code"),
        (refusing(403, [{"code": "9109", "message": "Invalid"}]), "9109 Invalid. Check dns.api_token"),
        (refusing(400, [{"code": None, "message": {}}]), "no code no message"),
        (refusing(400, "all wrong"), "HTTP 400: no reason"),
        (refusing(200, [{"code": [1], "error_chain": 7}]), "HTTP 200: no code"),
        (lambda _m, _p, answer: body_with(answer, result="x"), "result is no list of objects"),
        (lambda _m, _p, answer: body_with(answer, result=[1]), "result is no list of objects"),
        (lambda _m, _p, answer: body_with(answer, success="false"), "success is neither true nor false"),
        (lambda _m, _p, answer: body_with(answer, result_info=[]), "result_info is no object"),
        (lambda _m, _p, answer: body_with(answer, result_info={"total_count": "9"}), "total_count is no whole number"),
        (lambda _m, _p, answer: body_with(answer, result_info={"total_count": 10**9}), "more than 10000 pages"),
        (lambda _m, _p, _answer: Answer(200, b"[" * 100_000, {}), "no JSON object"),
        (lambda _m, _p, _answer: Answer(200, b"", {}), "no JSON object"),
        (on("/zones", without("id")), "a zone's id is missing"),
        (on("/zones", with_value("name", None)), "a zone's name is missing"),
        (on("/zones", with_value("name_servers", {"a": 1})), "name_servers is no list"),
        (on("/dns_records", without("id")), "the id of record"),
        (on("/dns_records", without("ttl")), "the ttl of record"),
        (on("/dns_records", with_value("ttl", "600")), "the ttl of record"),
        (on("/dns_records", with_value("ttl", float("nan"))), "the ttl of record"),
        (on("/dns_records", with_value("name", 5)), "a record's name is missing"),
        (on("/dns_records", with_value("content", None)), "the content of record"),
        (on("/dns_records", with_value("priority", 70000)), "no preference from 0 to 65535"),
        (on("/dns_records", with_value("meta", 1)), "the meta of record"),
    ],
)
def test_what_is_of_another_type_is_an_error_that_names_zone_request_and_way_out(
    odd: Odd, clock: SimpleNamespace, spoil: Spoil, told: str
) -> None:
    odd.spoil = spoil
    with pytest.raises(ProviderError) as caught:
        opened(odd).read(ZONE, [APEX])
    message = str(caught.value)
    assert told in message and f"zone {ZONE}" in message
    assert "GET /zones" in message or "HTTP" in message
    assert len(message) < 700 and message.isprintable(), message
    assert len(odd.requests) <= 4


@pytest.mark.parametrize("name", ["☃.example", "-ü-.example", "xn--ü.example", "ü" * 70 + ".example"])
def test_a_name_that_is_no_domain_name_beside_ours_is_left_out(odd: Odd, name: str) -> None:
    """Neither a zone nor a record of somebody else's may stop the domains of everybody."""

    def spoil(_method: str, path: str, answer: Answer) -> Answer:
        (first, *_rest) = answer.body["result"]
        return body_with(answer, result=[{**first, "id": "f" * 32, "name": name}, *answer.body["result"]])

    odd.spoil = spoil
    provider = opened(odd)
    assert provider.zone_of(f"_dmarc.{ZONE}") == ZONE
    assert SPF in provider.read(ZONE, [APEX]).rrsets[APEX].values


@pytest.mark.parametrize("wait", ODD_WAITS)
def test_a_wait_that_is_none_has_a_bound(odd: Odd, clock: SimpleNamespace, wait: str) -> None:
    limited = {"success": False, "errors": [{"code": 10100, "message": "slow down"}], "result": None}
    # Header fields are bytes.
    odd.spoil = lambda _method, _path, _answer: Answer(429, limited, {"retry-after": wait.encode().decode("latin-1")})
    with pytest.raises(ProviderError, match="limits the rate of requests"):
        opened(odd).zone_of(ZONE)
    assert len(odd.requests) <= 16 and clock.seconds <= 1000 + rate_gate.LONGEST_WAIT


def endless(path: str, total: int) -> Spoil:
    """A list whose every page is the first one."""
    first: list[Answer] = []

    def spoil(_method: str, asked: str, answer: Answer) -> Answer:
        if not asked.endswith(path):
            return answer
        first.append(body_with(answer, result_info={"page": 1, "per_page": 1, "total_count": total}))
        return first[0]

    return spoil


@pytest.mark.parametrize("status", [200, 302, 403])
@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_given_up(
    odd: Odd, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, status: int, packed: bool
) -> None:
    monkeypatch.setattr(whole_answer, "LARGEST_ANSWER", 100_000)
    body = b" " * 10_000_000
    headers = {"location": f"{odd.base_url}/zones"} if status == 302 else {}
    headers |= {"content-encoding": "gzip"} if packed else {}
    odd.spoil = lambda _method, _path, _answer: Answer(status, gzip.compress(body) if packed else body, headers)
    with pytest.raises(ProviderError, match="could not be asked: ReadError: the answer has more than 100000 bytes"):
        opened(odd).zone_of(ZONE)
    assert len(odd.requests) == 3


def test_an_answer_that_is_packed_otherwise_is_given_up(odd: Odd, clock: SimpleNamespace) -> None:
    odd.spoil = lambda _method, _path, _answer: Answer(200, b"x", {"content-encoding": "br"})
    with pytest.raises(ProviderError, match="packed in a way that was not asked for"):
        opened(odd).zone_of(ZONE)


def test_a_packed_answer_is_read(odd: Odd) -> None:
    def packed(_method: str, _path: str, answer: Answer) -> Answer:
        return Answer(answer.status, gzip.compress(json.dumps(answer.body).encode()), {"content-encoding": "gzip"})

    odd.spoil = packed
    assert opened(odd).zone_of(ZONE) == ZONE


def test_a_write_whose_answer_is_too_large_is_looked_at(
    odd: Odd, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_answer, "LARGEST_ANSWER", 100_000)
    huge = Answer(200, b" " * 1_000_000, {})
    odd.spoil = lambda method, _path, answer: huge if method == "POST" else answer
    change(opened(odd), APEX, NEW)
    assert f'"{NEW}"' in odd.values(ZONE, "TXT")


def test_records_that_go_on_for_ever_come_to_an_end(odd: Odd) -> None:
    odd.spoil = endless("/dns_records", 400_000)
    with pytest.raises(ProviderError, match="result is the same as on the pages before"):
        opened(odd).read(ZONE, [APEX])
    assert len(odd.requests) <= 4


def test_zones_that_go_on_for_ever_come_to_an_end(odd: Odd) -> None:
    odd.spoil = endless("/zones", 8)
    with pytest.raises(ProviderError, match="shows the zones of the pages before again"):
        opened(odd).zone_of(".".join([*"abcdefghijk", "example"]))
    assert len(odd.requests) <= 20


def test_a_fault_of_ours_leaves_its_line_in_the_journal(odd: Odd, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(opened(odd))
    monkeypatch.setattr(work.provider, "apply", lambda *_arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_loop.write_zone(work, work.plan, work)
    assert work.journal == ["kept", "failed"]


@pytest.mark.parametrize("tries", [400, pytest.param(2000, marks=pytest.mark.slow)])
def test_no_mutated_answer_ends_in_a_traceback_a_hang_or_a_zone_without_its_line(
    odd: Odd, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    monkeypatch.setattr(zone_lock, "let_others_arrive", lambda _taken: None)
    provider: Any = opened(odd)
    tried, ends = 0, Ends()
    for seed in fuzz_seeds():
        if tried >= fuzz_count(tries):
            break
        with fuzz_case(seed) as chance:
            began, odd.requests = time.monotonic(), []
            provider._zones = CloudflareZones(provider._api)
            odd.zones = {name: type(zone)(zone.name, zone.name_servers) for name, zone in odd.zones.items()}
            odd.spoil = staticmethod(lambda _method, _path, answer: answer)
            odd.write(ZONE, posts=[{"name": ZONE, "type": "TXT", "ttl": 600, "content": f'"{SPF}"'}])
            odd.write(
                ZONE, posts=[{"name": ZONE, "type": "MX", "ttl": 600, "content": "mail.acme.example", "priority": 9}]
            )
            odd.write(ZONE, posts=[{"name": f"www.{ZONE}", "type": "CNAME", "ttl": 1, "content": "mail.acme.example"}])
            odd.spoil, spoilt = spoiler(chance, chance.randint(1, 5))
            ends.go(partial(Work, provider))
            tried += spoilt[0]
            assert len(odd.requests) <= MOST_REQUESTS and time.monotonic() - began < MOST_SECONDS
    ends.look()
