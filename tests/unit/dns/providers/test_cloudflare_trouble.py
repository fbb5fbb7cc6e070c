# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What provider cloudflare says and does when something is wrong: tokens, refusals, rate limits, lost answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare import (
    cloudflare_api,
    cloudflare_provider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Access, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.faulty_api import (
    DROP_AFTER,
    DROP_BEFORE,
    ERROR_AFTER,
    ERROR_BEFORE,
    GARBLED,
    LIMIT,
    SLOW,
)
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import (
    APEX,
    NEW,
    SPF,
    ZONE,
    StartCloudflare,
    change,
    estate,
    opened,
    post,
)

# --- tokens and errors ----------------------------------------------------------------------------------------------


def test_a_token_for_one_zone_is_enough(start_cloudflare: StartCloudflare) -> None:
    server = start_cloudflare(estate(120) | {ZONE: zone_text(ZONE, f'@ 600 TXT "{SPF}"')})
    server.tokens["a-token-for-one-zone-0123456789"] = Access({ZONE})
    provider = opened(server, api_token="a-token-for-one-zone-0123456789")
    assert provider.zone_of(f"_dmarc.{ZONE}") == ZONE
    change(provider, APEX, NEW)
    assert server.values(ZONE, "TXT") == [f'"{NEW}"']
    with pytest.raises(ZoneNotFound):
        provider.zone_of("customer1.example")


@pytest.mark.parametrize(
    ("token", "code"),
    [("another-token-0123456789", "9109 Invalid access token"), ("tooshort", "6111 Invalid format")],
)
def test_a_wrong_token_is_told_without_showing_it(server: Cloudflare, token: str, code: str) -> None:
    with pytest.raises(ProviderError, match=rf"{code}.*Check dns\.api_token") as caught:
        opened(server, api_token=token).zone_of(ZONE)
    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["with blank in it", "line\nbreak", "caf\xe9-caf\xe9"])
def test_a_token_that_cannot_be_one_is_refused_before_it_is_sent(server: Cloudflare, token: str) -> None:
    with pytest.raises(ProviderError, match=r"dns\.api_token holds blanks") as caught:
        opened(server, api_token=token)
    assert token not in str(caught.value)
    assert server.requests == []


def test_a_token_that_may_only_read_is_told_so(server: Cloudflare) -> None:
    server.tokens["a-token-that-reads-0123456789"] = Access(write=False)
    with pytest.raises(ProviderError, match=rf"zone {ZONE}: .*10000 Authentication error.*DNS: Edit"):
        change(opened(server, api_token="a-token-that-reads-0123456789"), APEX, NEW)


def test_a_ttl_that_the_service_does_not_take_is_told(server: Cloudflare) -> None:
    with pytest.raises(ProviderError, match=r"9021 Invalid TTL.*Correct the option ttl"):
        change(opened(server), APEX, NEW, ttl=45)
    assert server.values(ZONE, "TXT") == [f'"{SPF}"']


def test_an_answer_that_repeats_the_token_is_masked(server: Cloudflare) -> None:
    body = {"success": False, "errors": [{"code": 1, "message": f"what is {TOKEN}?"}]}
    api = cloudflare_api.CloudflareApi(server.dns_option, print)
    for request in ("GET /zones?page=1", "POST"):
        assert str(api._refusal(ZONE, request, 400, body)) == (
            f"Cloudflare, zone {ZONE}: it answered HTTP 400: 1 what is ***?. "
            "Look the code up in Cloudflare's documentation"
        )


def test_the_environment_does_not_replace_the_account(server: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CLOUDFLARE_EMAIL": "somebody@else.example",
        "CLOUDFLARE_API_KEY": "0" * 37,
        "CLOUDFLARE_API_TOKEN": "another-token-0123456789",
        "CLOUDFLARE_API_USER_SERVICE_KEY": "v1.0-else",
        "CLOUDFLARE_BASE_URL": "http://127.0.0.1:9/",
    }.items():
        monkeypatch.setenv(name, value)
    assert opened(server).zone_of(ZONE) == ZONE


def test_a_proxy_of_the_environment_is_used(server: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
    assert opened(server, base_url="http://localhost:9/client/v4").zone_of(ZONE) == ZONE


def test_what_is_not_cloudflare_is_told(start_cloudflare: StartCloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudflare_api, "CLOUDFLARE_PAUSE", 0.0)
    server = start_cloudflare()
    with pytest.raises(ProviderError, match="7003 Could not route"):
        opened(server, base_url=f"{server.base_url}/elsewhere").zone_of(ZONE)
    server.plan(GARBLED, 1)
    with pytest.raises(ProviderError, match="the answer is not Cloudflare's"):
        opened(server).zone_of(ZONE)
    server.stop()
    with pytest.raises(ProviderError, match=r"could not be asked: ConnectError.*Check dns\.base_url"):
        opened(server).zone_of(ZONE)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://api.cloudflare.com/client/v4", True),
        ("http://127.0.0.1:8080/client/v4", True),
        ("http://api.cloudflare.com/client/v4", False),
        ("ftp://localhost/", False),
        ("https://", False),
        ("api.cloudflare.com", False),
        ("http://[", False),
    ],
)
def test_a_token_does_not_travel_in_the_clear(url: str, fine: bool) -> None:
    problems = check_dns({"provider": "cloudflare", "api_token": "x" * 40, "base_url": url})
    assert bool(problems) is not fine
    assert all("dns.base_url must begin with https://" in problem for problem in problems)


def test_the_sdk_is_named_when_it_is_missing(server: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudflare", None)
    with pytest.raises(MissingLibrary, match=r"-m pip install 'cloudflare>=5\.0,<6'"):
        opened(server)


def test_users_of_other_providers_never_load_it(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from ansible_collections.mailroom.erp.plugins.module_utils.domains import dns_module\n"
        "from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider\n"
        f"open_provider({{'provider': 'zonefile', 'path': {str(tmp_path)!r}}})\n"
        "sys.exit(any(name.partition('.')[0] in ('cloudflare', 'httpx') for name in sys.modules))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- waiting and trying again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [2, 300], ids=["short", "longer than the SDK waits"])
def test_a_rate_limit_is_waited_for_as_long_as_it_says_and_told(
    server: Cloudflare, slept: list[float], seconds: int
) -> None:
    told: list[str] = []
    provider = open_provider(server.dns_option, told.append)
    server.plan(LIMIT, 2, seconds)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].values == (SPF,)
    assert slept == [seconds]
    assert told == [f"Cloudflare limits the rate of requests: waiting {seconds} seconds, as it asks"]


def test_a_rate_limit_that_lasts_too_long_ends_the_wait(server: Cloudflare, slept: list[float]) -> None:
    server.plan(LIMIT, 1, 400, onwards=True)
    with pytest.raises(ProviderError, match=r"wants us to wait 400 seconds; at most 900 .*Run again later"):
        opened(server).zone_of(ZONE)
    assert slept == [400, 400]


def test_a_rate_limited_write_was_not_done_and_is_a_conflict(server: Cloudflare, slept: list[float]) -> None:
    provider = opened(server)
    state = provider.read(ZONE, [APEX])
    server.plan(LIMIT, 2, 5)
    wish = [Change(state.rrsets[APEX], RRset(*APEX, 600, (NEW,)))]
    with pytest.raises(Conflict, match="limits the rate"):
        provider.apply(ZONE, wish, state.token)
    assert server.values(ZONE, "TXT") == [f'"{SPF}"']
    provider.apply(ZONE, wish, provider.read(ZONE, [APEX]).token)
    assert 5 in slept, "the next question waits"


@pytest.mark.parametrize("fault", [ERROR_BEFORE, DROP_BEFORE, DROP_AFTER])
def test_a_question_is_asked_again_but_not_for_ever(server: Cloudflare, slept: list[float], fault: str) -> None:
    provider = opened(server)
    provider.zone_of(ZONE)
    server.plan(fault, 1)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].values == (SPF,)
    server.plan(fault, 1, onwards=True)
    with pytest.raises(ProviderError, match=rf"zone {ZONE}: it could not be asked"):
        provider.read(ZONE, [APEX])
    assert len(server.requests) == 3


@pytest.mark.parametrize("fault", [ERROR_AFTER, DROP_AFTER, GARBLED])
def test_a_write_whose_answer_is_lost_is_found_done_and_not_sent_again(server: Cloudflare, fault: str) -> None:
    provider = opened(server)
    state = provider.read(ZONE, [APEX])
    changes = [
        Change(state.rrsets[APEX], RRset(*APEX, 600, (NEW,))),
        Change(None, RRset(f"s1._domainkey.{ZONE}", "CNAME", 3600, ("key.service.example",))),
    ]
    with pytest.raises(ProviderError, match="was not read"):
        provider.apply(ZONE, changes, state.token)
    state = provider.read(ZONE, [one.key for one in changes])
    server.plan(fault, 2)
    provider.apply(ZONE, changes, state.token)
    assert server.count("POST") == 1
    assert server.values(ZONE, "TXT") == [f'"{NEW}"']
    assert len(server.records(f"s1._domainkey.{ZONE}", "CNAME")) == 1


@pytest.mark.parametrize("fault", [ERROR_BEFORE, DROP_BEFORE])
def test_a_write_that_was_lost_is_a_conflict_after_a_look(server: Cloudflare, fault: str) -> None:
    provider = opened(server)
    state = provider.read(ZONE, [APEX])
    server.plan(fault, 2)
    with pytest.raises(Conflict, match=rf"zone {ZONE} is as it was"):
        provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (NEW,)))], state.token)
    assert [method for method, _path in server.requests] == ["GET", "POST", "GET"]


def test_a_write_whose_fate_cannot_be_found_out_says_so(server: Cloudflare, slept: list[float]) -> None:
    provider = opened(server)
    state = provider.read(ZONE, [APEX])
    server.plan(DROP_AFTER, 2, onwards=True)
    with pytest.raises(ProviderError, match=rf"it is not known whether zone {ZONE} has changed") as caught:
        provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (NEW,)))], state.token)
    assert not isinstance(caught.value, Conflict)
    assert server.count("POST") == 1


def test_a_slow_page_is_waited_for(server: Cloudflare) -> None:
    server.plan(SLOW, 2, 0.5)
    assert opened(server, timeout=5.0).read(ZONE, [APEX]).rrsets[APEX].values == (SPF,)


def test_a_page_that_does_not_come_is_given_up(server: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudflare_api, "CLOUDFLARE_PAUSE", 0.0)
    provider = opened(server, timeout=0.3)
    provider.zone_of(ZONE)
    server.plan(SLOW, 1, 2, onwards=True)
    with pytest.raises(ProviderError, match="could not be asked: ReadTimeout"):
        provider.read(ZONE, [APEX])


def test_a_record_that_goes_just_before_the_write_is_a_conflict(server: Cloudflare) -> None:
    provider = opened(server)
    state = provider.read(ZONE, [APEX])
    (record,) = server.records(ZONE, "TXT")

    def meanwhile(method: str, _path: str, _query: Mapping[str, str]) -> None:
        if method == "POST":
            server.write(ZONE, deletes=[{"id": record["id"]}])

    server.before = meanwhile
    with pytest.raises(Conflict, match="81044 Record does not exist"):
        provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (NEW,)))], state.token)


def test_the_same_record_made_just_before_the_write_is_a_conflict(server: Cloudflare) -> None:
    provider, key = opened(server), (f"_dmarc.{ZONE}", "TXT")
    state = provider.read(ZONE, [key])

    def meanwhile(method: str, _path: str, _query: Mapping[str, str]) -> None:
        if method == "POST":
            post(server, name=key[0], content='"v=DMARC1; p=none"')

    server.before = meanwhile
    with pytest.raises(Conflict, match="81058 An identical record"):
        provider.apply(ZONE, [Change(None, RRset(*key, 600, ("v=DMARC1; p=none",)))], state.token)
    assert len(server.records(*key)) == 1


def test_a_lock_that_cannot_be_made_is_told(
    server: Cloudflare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(ProviderError, match=rf"zone {ZONE}: its lock .* cannot be made.*XDG_STATE_HOME"):
        change(opened(server), APEX, NEW)
    assert server.values(ZONE, "TXT") == [f'"{SPF}"']


def test_a_lock_that_another_run_keeps_is_told(server: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudflare_provider, "_LOCK_SECONDS", 0.1)
    provider = opened(server)
    with (
        zone_lock.held("cloudflare", server.zones[ZONE].id, ZONE, 1.0),
        pytest.raises(ProviderError, match="another run has held its lock"),
    ):
        change(provider, APEX, NEW)


def test_a_list_of_zones_that_fails_is_not_asked_for_once_per_domain(
    start_cloudflare: StartCloudflare, slept: list[float]
) -> None:
    server = start_cloudflare(estate(3))
    provider = opened(server)
    server.plan(ERROR_BEFORE, 1, onwards=True)
    for name in estate(3):
        with pytest.raises(ProviderError, match=r"zone customer0\.example: it could not be asked"):
            provider.zone_of(name)
    assert len(server.requests) == 3, "three attempts, for all"
