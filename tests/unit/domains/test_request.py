# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every shape that the DNS modules accept, and what is wrong with those that they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_kind import SpfRecipe
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, Order, read_order
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

ZONES = {"provider": "zonefile", "path": "/zones"}
SERVER = {"provider": "rfc2136", "server": "192.0.2.53", "key_name": "k.", "key_secret": "c2VjcmV0LXNlY3JldA=="}
SPF = {"terms": ["mx"]}


def order_of(*domains: object, **params: Any) -> Order:
    return read_order({"dns": ZONES, "spf": SPF, **params, "domains": list(domains)})


def spf_of(request: DomainRequest) -> SpfRecipe:
    (recipe,) = request.recipes
    assert isinstance(recipe, SpfRecipe)
    return recipe


def test_names_share_the_defaults() -> None:
    order = order_of("Acme.Example.", "jansen.example", ttl=600)
    assert [(request.domain, request.account, spf_of(request).ttl) for request in order.requests] == [
        ("acme.example", 0, 600),
        ("jansen.example", 0, 600),
    ]
    assert order.accounts == [ZONES]
    assert [term.raw for request in order.requests for term in spf_of(request).wish.add] == ["mx", "mx"]


def test_an_entry_completes_the_defaults_key_by_key() -> None:
    order = order_of(
        {"domain": "a.example", "ttl": 60, "spf": {"all": "-all"}}, {"domain": "b.example", "spf": {"terms": ["a"]}}
    )
    first, second = (spf_of(request) for request in order.requests)
    assert (first.ttl, first.wish.all, [term.raw for term in first.wish.add]) == (60, "-all", ["mx"])
    assert (second.ttl, second.wish.all, [term.raw for term in second.wish.add]) == (None, "keep", ["a"])


def test_every_kind_that_is_no_list_completes_the_defaults_key_by_key() -> None:
    shared: dict[str, Any] = {
        "dmarc": {"policy": "quarantine", "rua": ["d@{domain}"]},
        "null_mx": {"state": "absent"},
        "tls_rpt": {"rua": ["t@acme.example"], "exclusive": True},
        "mta_sts": {"mode": "enforce", "mx": ["mx.acme.example"], "max_age": 86400, "policy_dir": "/srv/mta-sts"},
    }
    own: dict[str, Any] = {
        "dmarc": {"policy": "none"},
        "null_mx": {},
        "tls_rpt": {"exclusive": False},
        "mta_sts": {"max_age": 5},
    }
    whole = {kind: {**options, **own[kind]} for kind, options in shared.items()} | {"spf": {**SPF, "all": "-all"}}
    entry = {"domain": "a.example", "spf": {"all": "-all"}, **own}
    completed, plain = order_of(entry, "b.example", **shared).requests
    (alone,) = order_of({"domain": "a.example", **whole}, spf=None).requests
    assert completed.recipes == alone.recipes
    assert [recipe.kind for recipe in completed.recipes] == ["spf", "dmarc", "null_mx", "tls_rpt", "mta_sts"]
    assert order_of({"domain": "b.example", **shared}).requests[0].recipes == plain.recipes


def test_a_kind_that_is_null_is_left_alone() -> None:
    order = order_of({"domain": "a.example", "spf": None, "dmarc": {"policy": "none"}}, "b.example")
    assert [[recipe.kind for recipe in request.recipes] for request in order.requests] == [["dmarc"], ["spf"]]
    order = order_of(
        "a.example", {"domain": "b.example", "null_mx": None}, null_mx={}, spf=None, tls_rpt={"rua": ["t@a.example"]}
    )
    kinds = [[recipe.kind for recipe in request.recipes] for request in order.requests]
    assert kinds == [["null_mx", "tls_rpt"], ["tls_rpt"]]


def test_each_account_is_opened_once() -> None:
    order = order_of("a.example", {"domain": "b.example", "dns": SERVER}, {"domain": "c.example", "dns": dict(SERVER)})
    assert [request.account for request in order.requests] == [0, 1, 1]
    assert order.accounts[1]["port"] == 53
    assert order.accounts[1]["key_algorithm"] == "hmac-sha256"


@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_a_file_has_the_same_shape(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"estate.{suffix}"
    source.write_text(
        json.dumps({"ttl": 60, "spf": {"terms": ["a"]}, "domains": ["a.example", {"domain": "b.example", "ttl": 5}]})
    )
    order = read_order({"dns": ZONES, "src": str(source), "domains": None, "spf": None, "ttl": None})
    assert [(request.domain, spf_of(request).ttl) for request in order.requests] == [
        ("a.example", 60),
        ("b.example", 5),
    ]


def test_a_file_may_hold_every_kind_of_record(tmp_path: Path) -> None:
    source = tmp_path / "estate.yml"
    alias = {"name": "em1", "target": "x.service.example"}
    kinds = {
        "dmarc": {"policy": "none"},
        "dkim": [{"selector": "s1", "target": "y.service.example"}],
        "cnames": [alias],
    }
    source.write_text(json.dumps({**kinds, "domains": ["a.example"]}))
    (request,) = read_order({"dns": ZONES, "src": str(source)}).requests
    assert [recipe.kind for recipe in request.recipes] == ["dkim", "cname", "dmarc"]


def test_the_task_goes_before_the_defaults_of_the_file(tmp_path: Path) -> None:
    source = tmp_path / "estate.yml"
    source.write_text("ttl: 60\nspf: {terms: [a]}\ndomains: [a.example]\n")
    (request,) = read_order({"dns": ZONES, "src": str(source), "spf": SPF, "ttl": 7}).requests
    assert spf_of(request).ttl == 7
    assert [term.raw for term in spf_of(request).wish.add] == ["mx"]


def test_absent_without_terms_is_the_whole_record() -> None:
    (whole,) = order_of({"domain": "a.example", "spf": {"state": "absent", "terms": []}}).requests
    (some,) = order_of({"domain": "a.example", "spf": {"state": "absent"}}).requests
    assert (spf_of(whole).absent, spf_of(whole).wish.remove) == (True, ())
    assert (spf_of(some).absent, [term.raw for term in spf_of(some).wish.remove]) == (False, ["mx"])


def _spf(**options: Any) -> dict[str, Any]:
    return {"domain": "acme.example", "spf": options}


WRONG_DECLARATIONS: list[tuple[object, list[str]]] = [
    (
        {"domain": "acme.example", "zone": "cme.example"},
        ["acme.example", '"cme.example"', "not inside the zone", "RFC 1034"],
    ),
    ({"domain": "notexample.com", "zone": "example.com"}, ["notexample.com", '"example.com"', "not inside the zone"]),
    ({"domain": "acme.example", "zone": "nl"}, ["zone", '"nl"', "two labels"]),
    ({"domain": "acme..example"}, ["acme..example", "no empty label", "RFC 1035 section 2.3.1"]),
    ({"domain": "a" * 64 + ".example"}, ["domain", "at most 63 bytes"]),
    ({"domain": "a." * 125 + "example"}, ["domain", "at most 253 bytes"]),
    ({"domain": "acme.example\x07"}, ["acme.example\\x07", "letters, digits"]),
    ({"domain": "*.acme.example"}, ['"*.acme.example"', "letters, digits"]),
    ({"domain": "info@acme.example"}, ['"info@acme.example"', "letters, digits"]),
    ({"domain": "m\u00fcller\u200d.example"}, ["internationalised", "RFC 5891"]),
    ({"domain": "localhost"}, ["at least two labels", "RFC 5321"]),
    ({"spf": {"terms": ["a"]}}, ["domain", "missing required"]),
    ({"domain": "acme.example", "spff": {}}, ["acme.example", "spff", "no such option"]),
    ({"domain": "acme.example", "spf": {"term": ["a"]}}, ["acme.example", "term", "no such option"]),
    ({"domain": "acme.example", "spf": "mx"}, ["acme.example", "spf", "dict"]),
    ({"domain": "acme.example", "ttl": "soon"}, ["acme.example", "ttl", "int"]),
    ({"domain": "acme.example", "ttl": -1}, ["acme.example", "ttl", '"-1"', "RFC 2181 section 8"]),
    ({"domain": "acme.example", "ttl": 2**31}, ["acme.example", "ttl", "2147483648", "RFC 2181 section 8"]),
    (7, ["domains", "a name or a dictionary, not a int"]),
    (["acme.example"], ["domains", "a name or a dictionary, not a list"]),
    ({"domain": "acme.example", "account": 3}, ["account", '"3"', "no such account"]),
    ({"domain": "acme.example", "dns": "cloudflare"}, ["acme.example", "dns must be a dictionary"]),
    ({"domain": "acme.example", "dns": {"server": "x"}}, ["dns.provider is missing", "rfc2136, zonefile"]),
    ({"domain": "acme.example", "dns": {"provider": "bind"}}, ["dns.provider is not one", "rfc2136, zonefile"]),
    ({"domain": "acme.example", "dns": {"provider": "zonefile"}}, ["dns.path is required by provider zonefile"]),
    (
        {"domain": "acme.example", "dns": {**ZONES, "server": "x"}},
        ["dns.server belongs to provider rfc2136, not to zonefile"],
    ),
    ({"domain": "acme.example", "dns": {**ZONES, "pth": "x"}}, ["dns.pth is no option", "did you mean dns.path?"]),
    (
        {"domain": "acme.example", "dns": {**SERVER, "key_secret": "acme"}},
        ["dns.key_secret is shorter than 8 characters"],
    ),
    ({"domain": "acme.example", "dns": {**SERVER, "key_name": None}}, ["key_name and dns.key_secret belong together"]),
    (_spf(terms=["v=spf1 a ~all"]), ["spf.terms", '"v=spf1 a ~all"', "not a record"]),
    (_spf(terms=["a mx"]), ["spf.terms", '"a mx"', "no spaces"]),
    (_spf(terms=["-all"]), ["spf.terms", '"-all"', "Use `all`"]),
    (_spf(terms=["include"]), ["spf.terms", '"include"', "a colon and a domain", "RFC 7208 section 5"]),
    (_spf(terms=["inlcude:spf.afas.online"]), ["'inlcude' is no mechanism"]),
    (_spf(terms=["ip4:192.0.2.300"]), ['"ip4:192.0.2.300"', "one IPv4 address"]),
    (_spf(terms=["ip4:192.0.2.1/40"]), ["from 0 to 32"]),
    (_spf(terms=["ip6:192.0.2.1"]), ["one IPv6 address"]),
    (_spf(terms=["include:%{x}.example"]), ["begins a macro"]),
    (_spf(terms=["a\x1b[31m"]), ["a\\x1b[31m", "no control characters"]),
    (_spf(terms=[""]), ["not empty"]),
    (_spf(terms=["a"], absent_terms=["+A:ACME.example"]), ["both wanted and to be removed"]),
    (_spf(all="+all"), ["spf.all", '"+all"', "the whole world", "RFC 7208 section 8"]),
    (_spf(all="all"), ["all", "value of spf.all must be one of"]),
    (_spf(state="gone"), ["state", "must be one of: present, absent"]),
    (_spf(state="absent", exclusive=True), ["spf.state", "Leave `exclusive` and `all` out"]),
    (_spf(lookup_limit="off"), ["lookup_limit", "must be one of"]),
    (_spf(mx_services=[{"suffix": "x.example"}]), ["missing required arguments: service"]),
]


@pytest.mark.parametrize(
    ("entry", "words"), WRONG_DECLARATIONS, ids=lambda value: str(value)[:60] if isinstance(value, list) else None
)
def test_a_wrong_declaration_is_refused_with_its_rule(entry: object, words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        order_of(entry)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "\x1b" not in message
    assert "\x07" not in message


def test_all_wrong_domains_are_named_together() -> None:
    with pytest.raises(Refused) as caught:
        order_of(*[entry for entry, _words in WRONG_DECLARATIONS], "right.example")
    assert len(caught.value.problems) >= len(WRONG_DECLARATIONS)
    assert "right.example" not in str(caught.value)


def test_a_domain_that_stands_twice_is_refused() -> None:
    with pytest.raises(Refused, match="stands in a task once"):
        order_of("acme.example", {"domain": "ACME.example."})


def test_nothing_asked_is_refused() -> None:
    with pytest.raises(Refused, match="nothing is asked of this domain"):
        order_of("acme.example", spf=None)
    with pytest.raises(Refused, match="at least one domain"):
        order_of()
    with pytest.raises(Refused, match="no DNS account"):
        order_of("acme.example", dns=None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("domains: [a.example\nkey_secret: hunter2hunter2\n", "line 2 is no valid YAML"),
        ("domains: {a.example: 1}", "domains must be a list of names"),
        ("domains: [a.example]\nspfs: {}", "no such option: spfs; did you mean spf"),
        ("just text", "a list of domains"),
        ("", "a list of domains"),
        ("a: !vault hunter2hunter2", "no valid YAML"),
    ],
)
def test_a_wrong_file_is_refused_without_quoting_it(tmp_path: Path, text: str, words: str) -> None:
    source = tmp_path / "estate.yml"
    source.write_text(text)
    with pytest.raises(Refused, match=words) as caught:
        read_order({"dns": ZONES, "spf": SPF, "src": str(source)})
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none\.yml"):
        read_order({"dns": ZONES, "spf": SPF, "src": str(tmp_path / "none.yml")})


def test_no_secret_is_in_any_refusal() -> None:
    secret = "dG9wLXNlY3JldC1rZXk="
    for dns in (
        {"provider": "rfc2136", "server": "x", "key_nmae": "k.", "key_secret": secret},
        {"provider": "zonefile", "path": "/zones", "key_secret": secret},
        {"provider": "rfc2136", "server": "x", "key_name": "k.", "key_secrett": secret},
        secret,
    ):
        with pytest.raises(Refused) as caught:
            order_of({"domain": "acme.example", "dns": dns})
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("ttl", "fine"), [(1, True), (30, True), (86400, True), (29, False), (0, False), (86401, False)]
)
def test_a_ttl_that_the_dns_service_never_takes_is_refused_at_once(ttl: int, fine: bool) -> None:
    account = {"provider": "cloudflare", "api_token": "0" * 40}
    domains = ["a.example", {"domain": "b.example", "ttl": ttl}]
    if fine:
        assert [spf_of(request).ttl for request in order_of(*domains, dns=account).requests] == [None, ttl]
        return
    with pytest.raises(Refused, match=r"b\.example: ttl .*Cloudflare takes a TTL of 30 to 86400 seconds, or 1"):
        order_of(*domains, dns=account)
    assert order_of({"domain": "b.example", "ttl": ttl}).requests, "other services take it"
