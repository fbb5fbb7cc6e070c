# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What provider cloudflare promises beyond the contract: what it leaves alone, and how much it asks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_answer import (
    CloudflareRecord,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_batch import (
    FLATTENED,
    PROXIED,
    cloudflare_batch,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.cloudflare_state import zone_of
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

# --- what stays -----------------------------------------------------------------------------------------------------


def test_a_value_is_patched_in_place_and_keeps_what_is_not_declared(server: Cloudflare) -> None:
    (record,) = server.records(ZONE, "TXT")
    server.write(ZONE, patches=[{"id": record["id"], "comment": "ours", "tags": ["team:mail"], "ttl": 1}])
    foreign = post(server, content='"google-site-verification=abc"', comment="theirs", tags=["a:b"], ttl=900)
    serial = server.serial(ZONE)
    change(opened(server), APEX, NEW, "google-site-verification=abc")
    (after,) = [one for one in server.records(ZONE, "TXT") if one["id"] == record["id"]]
    assert after["content"] == f'"{NEW}"'
    assert (after["comment"], after["tags"], after["ttl"]) == ("ours", ["team:mail"], 1)
    assert foreign in server.records(ZONE, "TXT")
    assert server.serial(ZONE) == serial + 1


def test_an_automatic_ttl_shows_as_1_and_stays_until_another_is_declared(server: Cloudflare) -> None:
    (record,) = server.records(ZONE, "TXT")
    server.write(ZONE, patches=[{"id": record["id"], "ttl": 1}])
    provider = opened(server)
    assert provider.read(ZONE, [APEX]).rrsets[APEX] == RRset(*APEX, 1, (SPF,))
    change(provider, APEX, NEW)
    assert server.ttl(ZONE, "TXT") == 1
    change(provider, APEX, NEW, ttl=300)
    assert server.ttl(ZONE, "TXT") == 300
    change(provider, APEX, NEW, ttl=1)
    assert server.ttl(ZONE, "TXT") == 1


def test_of_several_ttls_the_shortest_shows_and_all_stay(server: Cloudflare) -> None:
    post(server, content='"one"', ttl=3600)
    post(server, content='"two"', ttl=1)
    provider = opened(server)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].ttl == 1, "automatic is 300 seconds"
    change(provider, APEX, NEW, "one", "two")
    assert {one["content"]: one["ttl"] for one in server.records(ZONE, "TXT")} == {
        f'"{NEW}"': 600,
        '"one"': 3600,
        '"two"': 1,
    }
    change(provider, APEX, NEW, "one", "two", ttl=900)
    assert server.ttl(ZONE, "TXT") == 900


@pytest.mark.parametrize(
    "content",
    [SPF, f'"{SPF}"', '"v=spf1 " "mx ~all"', '"v=spf1 mx\\032~all"'],
    ids=["bare", "quoted", "in two strings", "escaped"],
)
def test_txt_is_compared_decoded_however_it_was_written(start_cloudflare: StartCloudflare, content: str) -> None:
    server = start_cloudflare({ZONE: zone_text(ZONE)})
    record = post(server, content=content)
    provider = opened(server)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].values == (SPF,)
    change(provider, APEX, NEW)
    assert [(one["id"], one["content"]) for one in server.records(ZONE, "TXT")] == [(record["id"], f'"{NEW}"')]


@pytest.mark.parametrize("content", ['"broken', '"a" and b"', "\\", 'bare \\ and ; "quoted"'])
def test_txt_that_is_malformed_is_read_as_it_stands_and_left_alone(server: Cloudflare, content: str) -> None:
    foreign = post(server, content=content)
    provider = opened(server)
    values = provider.read(ZONE, [APEX]).rrsets[APEX].values
    assert SPF in values and len(values) == 2
    change(provider, APEX, *(NEW if value == SPF else value for value in values))
    assert foreign in server.records(ZONE, "TXT")


def test_a_string_that_is_longer_than_the_wire_allows_is_still_read(server: Cloudflare) -> None:
    long = "v=DKIM1; p=" + "k" * 400
    post(server, name=f"s1._domainkey.{ZONE}", content=f'"{long}"')
    key = (f"s1._domainkey.{ZONE}", "TXT")
    assert opened(server).read(ZONE, [key]).rrsets[key].values == (long,)


def test_a_long_value_goes_out_in_strings_of_255_bytes(server: Cloudflare) -> None:
    key, value = (f"s1._domainkey.{ZONE}", "TXT"), "v=DKIM1; p=" + "k" * 600
    change(opened(server), key, value)
    (record,) = server.records(*key)
    assert max(len(string) for string in record["content"].strip('"').split('" "')) == 255
    assert txt.decode(record["content"]) == value


def test_the_record_that_is_most_alike_is_the_one_that_is_patched() -> None:
    records = [
        CloudflareRecord(str(n), ZONE, "TXT", f'"{text}"', 600, False, False)
        for n, text in enumerate(["abc", "v=spf1 a", "xyz"])
    ]
    before = RRset(*APEX, 600, ("abc", "v=spf1 a", "xyz"))
    parts = cloudflare_batch([Change(before, RRset(*APEX, 600, ("v=spf1 b",)))], {ZONE: records})
    assert [one["id"] for one in parts["patches"]] == ["1"]
    assert sorted(one["id"] for one in parts["deletes"]) == ["0", "2"]
    assert parts["posts"] == []


def test_other_types_are_not_changed_here(server: Cloudflare) -> None:
    with pytest.raises(ProviderError, match="TXT, CNAME, MX, not SRV"):
        change(opened(server), (ZONE, "SRV"), "1 2 3 mail.acme.example.")


# --- aliases --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [({"proxied": True}, PROXIED), ({"settings": {"flatten_cname": True}}, FLATTENED)],
    ids=["proxied", "flattened"],
)
def test_an_alias_that_the_world_does_not_see_becomes_one_and_can_be_brought_back(
    server: Cloudflare, hidden: dict[str, Any], shown: str
) -> None:
    name, target = f"s1._domainkey.{ZONE}", "key.service.example"
    record = post(server, name=name, type="CNAME", content=target, comment="by hand", **hidden)
    provider, key = opened(server), (name, "CNAME")
    state = provider.read(ZONE, [key])
    found = state.rrsets[key]
    assert found.values == (target + shown,)
    plain = RRset(name, "CNAME", found.ttl, (target,))
    provider.apply(ZONE, [Change(found, plain)], state.token)
    (after,) = server.records(*key)
    assert (after["id"], after["content"], after["proxied"], after["comment"]) == (
        record["id"],
        target,
        False,
        "by hand",
    )
    assert not after["settings"].get("flatten_cname")
    state = provider.read(ZONE, [key])
    assert state.rrsets[key] == plain
    provider.apply(ZONE, [Change(plain, found)], state.token)
    assert server.records(*key)[0] | {"modified_on": ""} == record | {"modified_on": ""}


def test_a_new_alias_is_not_proxied(server: Cloudflare) -> None:
    change(opened(server), (f"s1._domainkey.{ZONE}", "CNAME"), "key.service.example")
    (record,) = server.records(f"s1._domainkey.{ZONE}", "CNAME")
    assert (record["proxied"], record["content"]) == (False, "key.service.example")


def test_an_alias_at_the_apex_is_none_to_the_world_and_stays(server: Cloudflare) -> None:
    alias = post(server, type="CNAME", content="shop.pages.example")
    provider = opened(server)
    assert list(provider.read(ZONE, [APEX]).rrsets) == [APEX]
    change(provider, APEX, NEW)
    assert server.records(ZONE, "CNAME") == [alias]


# --- how much is asked ----------------------------------------------------------------------------------------------


def test_a_zone_is_read_by_one_request_and_changed_by_one(server: Cloudflare) -> None:
    provider, keys = opened(server), [APEX, (f"_dmarc.{ZONE}", "TXT"), (f"s1._domainkey.{ZONE}", "CNAME")]
    server.plan("", 0)
    state = provider.read(provider.zone_of(f"_dmarc.{ZONE}"), keys)
    assert provider.read(ZONE, [(ZONE, "NS")]).rrsets[ZONE, "NS"].values == ("ns1.acme.example.",)
    assert server.requests == [("GET", "/zones"), ("GET", "/zones/*/dns_records")]
    new = [Change(state.rrsets[APEX], RRset(*APEX, 600, (NEW,))), Change(None, RRset(*keys[1], 600, ("v=DMARC1",)))]
    server.plan("", 0)
    provider.apply(ZONE, new, state.token)
    assert server.requests == [("GET", "/zones/*/dns_records"), ("POST", "/zones/*/dns_records/batch")]


@pytest.mark.parametrize("cap", [5_000_000, 1000], ids=["as asked", "smaller pages"])
def test_every_page_of_a_large_zone_is_read(start_cloudflare: StartCloudflare, cap: int) -> None:
    server = start_cloudflare(most_records=cap)
    others = [{"name": f"host{n}", "type": "TXT", "ttl": 600, "content": f'"{n}"'} for n in range(10_000)]
    for first in range(0, len(others), 200):
        last = first + 200
        server.write(ZONE, posts=others[first:last])
    provider = opened(server)
    keys = [(f"host{n}.{ZONE}", "TXT") for n in (0, 4_999, 5_000, 9_999)]
    server.plan("", 0)
    state = provider.read(ZONE, [APEX, *keys])
    assert [state.rrsets[key].values for key in keys] == [("0",), ("4999",), ("5000",), ("9999",)]
    assert server.count("GET", "/dns_records") == -(-10_002 // min(cap, 5000))
    server.plan("", 0)
    assert provider.read(ZONE, [APEX]).rrsets[APEX].values == (SPF,)
    assert server.count("GET", "/dns_records") == 1, "one name is asked for by name"


def test_a_zone_that_changes_between_two_pages_is_read_again(start_cloudflare: StartCloudflare) -> None:
    server = start_cloudflare(most_records=100)
    others = [{"name": f"a{n:03}", "type": "TXT", "ttl": 600, "content": f'"{n}"'} for n in range(198)]
    made = server.write(ZONE, posts=others)["posts"]
    before_second = iter([{"deletes": [{"id": made[0]["id"]}]}, {"posts": [others[0]]}])

    def meanwhile(_method: str, _path: str, query: Mapping[str, str]) -> None:
        if query.get("page") == "2" and (edit := next(before_second, None)):
            server.write(ZONE, **edit)

    server.before = meanwhile
    keys = [(f"a{n:03}.{ZONE}", "TXT") for n in range(198)]
    state = opened(server).read(ZONE, keys)
    assert len(state.rrsets) == 198, "none is missed, though each moved from one page to the other"


def test_a_zone_that_never_stands_still_is_given_up(start_cloudflare: StartCloudflare) -> None:
    server = start_cloudflare(most_records=5)

    def meanwhile(_method: str, _path: str, query: Mapping[str, str]) -> None:
        if query.get("page", "1") != "1":
            post(server, content=f'"{time.monotonic_ns()}"')

    for number in range(8):
        post(server, content=f'"{number}"', name=f"host{number}")
    server.before = meanwhile
    with pytest.raises(ProviderError, match=rf"{ZONE}: it changes faster than it can be read"):
        opened(server).read(ZONE, [(f"_dmarc.{ZONE}", "TXT")])


def test_one_list_finds_the_zones_of_a_small_account(start_cloudflare: StartCloudflare) -> None:
    server = start_cloudflare(estate(50))
    provider = opened(server)
    for name in ("customer7.example", "_dmarc.customer8.example", "a.b.customer49.example"):
        assert name.endswith(provider.zone_of(name))
    with pytest.raises(ZoneNotFound, match="nowhere"):
        provider.zone_of("nowhere.example")
    assert server.requests == [("GET", "/zones")]


def test_one_domain_of_a_large_account_is_asked_for_by_name(start_cloudflare: StartCloudflare) -> None:
    server = start_cloudflare(estate(1000))
    assert opened(server).zone_of("_dmarc.customer999.example") == "customer999.example"
    assert len(server.requests) == 3, "the first page, and a question for each parent"


def test_many_domains_of_a_large_account_are_listed(start_cloudflare: StartCloudflare) -> None:
    server = start_cloudflare(estate(1000))
    provider = opened(server)
    for name in estate(1000):
        assert provider.zone_of(f"_dmarc.{name}") == name
    assert len(server.requests) <= 2 * (1000 / 50)


def test_a_zone_in_two_accounts_is_refused_unless_only_one_is_active(server: Cloudflare) -> None:
    copy = zone_of(ZONE, zone_text(ZONE))
    copy.id = "c" * 32
    server.zones["the same in another account"] = copy
    with pytest.raises(ProviderError, match=f"several accounts have it: .*zone {'c' * 32}"):
        opened(server).zone_of(ZONE)
    copy.status = "moved"
    assert opened(server).read(ZONE, [APEX]).rrsets[APEX].values == (SPF,)
