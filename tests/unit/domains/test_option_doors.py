# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and shapes of all options are checked before a DNS module starts, in a task and in a file, without a value."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.dns_action import DnsAction

CANARY = "canary-7f3a9c1e5b"
ZONES = {"provider": "zonefile", "path": "/zones"}
SERVER = {"provider": "rfc2136", "server": "192.0.2.53", "key_name": "k.", "key_secret": CANARY}
OCTODNS = {"provider": "octodns", "class": "octodns_transip.TransipProvider"}


def prepared(module: str, arguments: dict[str, Any]) -> list[str]:
    action = DnsAction.__new__(DnsAction)
    action._task = SimpleNamespace(action=f"mailroom.erp.{module}")
    return action._prepare(arguments)


def examples(module: str) -> list[dict[str, Any]]:
    """The options of each task in the examples of a module, but those that are templates."""
    text = importlib.import_module(f"ansible_collections.mailroom.erp.plugins.modules.{module}").EXAMPLES
    tasks = [task[f"mailroom.erp.{module}"] for task in yaml.safe_load(text) if f"mailroom.erp.{module}" in task]
    return [{name: value for name, value in task.items() if "{{" not in str(value)} for task in tasks]


@pytest.mark.parametrize("module", DNS_MODULE_OPTIONS)
def test_every_module_takes_what_its_examples_show(module: str) -> None:
    found = examples(module)
    assert found
    assert [prepared(module, arguments) for arguments in found] == [[]] * len(found)


def test_an_audit_takes_domains_with_selectors_and_nothing_else() -> None:
    assert prepared("mail_auth_info", {"domains": ["a.example", {"domain": "b.example", "selectors": ["s1"]}]}) == []
    (told,) = prepared("mail_auth_info", entry(spf={"terms": [CANARY]}))
    assert "no such option: spf" in told and "selectors" in told and CANARY not in told
    (other,) = prepared("mail_domains", entry(selectors=[CANARY]))
    assert "no such option: selectors" in other and CANARY not in other


def entry(**options: Any) -> dict[str, Any]:
    return {"domains": [{"domain": "acme.example", **options}]}


@pytest.mark.parametrize("module", DNS_MODULE_OPTIONS)
@pytest.mark.parametrize("name", ["key_secret", "api_token", "secret", "dnss", "Domain", CANARY + "\x1b[31m"])
def test_no_module_takes_an_option_that_it_has_not(module: str, name: str) -> None:
    (told,) = prepared(module, {name: CANARY})
    assert "there is no such option" in told and CANARY not in told and "\x1b" not in told


@pytest.mark.parametrize("module", [name for name, spec in DNS_MODULE_OPTIONS.items() if "dns" in spec])
@pytest.mark.parametrize(
    ("dns", "words"),
    [
        ({"key_secret": CANARY}, "dns.provider is missing"),
        ({**ZONES, "key_secret": CANARY}, "belongs to provider rfc2136"),
        ({**SERVER, "key_secrett": CANARY}, "did you mean dns.key_secret?"),
        ({**SERVER, CANARY + " ": "x"}, "is no option of provider"),
        ({**SERVER, "key_secret": [CANARY]}, "dns.key_secret must be one value"),
        ({**SERVER, "port": "53x" + CANARY}, "dns.port must be a whole number"),
        ({**SERVER, "port": True}, "dns.port must be a whole number"),
        ({**SERVER, "port": "53.5"}, "dns.port must be a whole number"),
        ({**SERVER, "timeout": CANARY}, "dns.timeout must be a number"),
        ({**SERVER, "timeout": "nan"}, "dns.timeout must be a number"),
        ({**SERVER, "timeout": {CANARY: 1}}, "dns.timeout must be one value"),
        ({**SERVER, "key_algorithm": CANARY}, "value of dns.key_algorithm must be one of: hmac-md5"),
        ({**SERVER, "key_algorithm": "HMAC-SHA256"}, "value of dns.key_algorithm must be one of"),
        ({**SERVER, "key_algorithm": ["hmac-sha256"]}, "dns.key_algorithm must be one value"),
        (CANARY, "dns must be a dictionary"),
        ([SERVER], "dns must be a dictionary"),
        (json.dumps(SERVER), "dns must be a dictionary"),
    ],
)
def test_an_account_is_checked_in_each_module(module: str, dns: Any, words: str) -> None:
    told = prepared(module, {"dns": dns})
    assert any(words in one for one in told), told
    assert CANARY not in str(told)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    # the entry of a domain
    (
        "mail_domains",
        entry(key_secret=CANARY),
        "acme.example: there is no such option: key_secret; it belongs into dns",
    ),
    ("mail_domains", entry(dnss={"key_secret": CANARY}), "acme.example: there is no such option: dnss"),
    ("mail_domains", entry(dns={**SERVER, "api_token": CANARY}), "acme.example: dns.api_token belongs to"),
    ("mail_domains", entry(refused=[CANARY]), "no such option: refused"),
    ("mail_domains", entry(spf={"token": CANARY}), "no such option: spf.token"),
    ("mail_domains", entry(spf={"terms": {"a": CANARY}}), "spf.terms must be a list, not a dict"),
    ("mail_domains", entry(spf={"mx_services": [{"sufix": CANARY}]}), "spf.mx_services[0].sufix; did you mean"),
    ("mail_domains", entry(dkim={"selector": "s", "private_key": CANARY}), "dkim must be a list, not a dict"),
    ("mail_domains", entry(dkim=[{"private_key": CANARY}]), "no such option: dkim[0].private_key"),
    ("mail_domains", entry(dkim=[{"selector": "s", "key": CANARY}]), "no such option: dkim[0].key"),
    ("mail_domains", entry(dkim=[[CANARY]]), "dkim[0] must be a dictionary, not a list"),
    ("mail_domains", entry(dkim=CANARY), "dkim must be a list, not a str"),
    ("mail_domains", {"domains": [{"domain": {"x": CANARY}}]}, "domains[0]: domain must be one value"),
    # the shape of the list of domains
    ("mail_domains", {"domains": {"acme.example": {"dns": SERVER}}}, "domains must be a list"),
    ("mail_domains", {"domains": json.dumps([{"domain": "acme.example", "dns": SERVER}])}, "domains must be a list"),
    ("mail_domains", {"domains": f"domain=acme.example key_secret={CANARY}"}, "domains must be a list"),
    ("mail_domains", {"domains": [[{"domain": "acme.example", "dns": SERVER}]]}, "domains[0] must be the name"),
    ("mail_domains", {"domains": [json.dumps({"dns": SERVER})]}, "domains[0] must be the name"),
    ("mail_domains", {"domains": ["a.example", ({"dns": SERVER},)]}, "domains[1] must be the name"),
    ("mail_auth_info", {"domains": {"acme.example": CANARY}}, "domains must be a list"),
    ("mail_auth_info", {"domains": [[CANARY]]}, "domains[0] must be the name"),
    # the same options for all domains
    ("mail_domains", {"spf": {"key_secret": CANARY}}, "no such option: spf.key_secret"),
    ("mail_domains", {"spf": json.dumps({"key_secret": CANARY})}, "spf must be a dictionary, not a str"),
    ("mail_domains", {"spf": [{"token": CANARY}]}, "spf must be a dictionary, not a list"),
    ("mail_domains", {"dkim": {"private_key": CANARY}}, "dkim must be a list, not a dict"),
    ("mail_domains", {"dkim": [{"private_key": CANARY}]}, "no such option: dkim[0].private_key"),
    ("mail_domains", {"dkim": json.dumps([{"private_key": CANARY}])}, "dkim must be a list, not a str"),
    # accounts
    ("mail_domains", {"accounts": [{**SERVER, "key_secrett": CANARY}]}, "accounts[0]: dns.key_secrett"),
    ("mail_domains", {"accounts": {"key_secret": CANARY}}, "accounts must be a list"),
    ("mail_domains", {"accounts": [CANARY]}, "accounts[0]: dns must be a dictionary"),
    ("mail_records_restore", {"accounts": [SERVER, {**ZONES, "token": CANARY}]}, "accounts[1]: dns.token"),
    ("mail_records_restore", {"accounts": [[SERVER]]}, "accounts[0]: dns must be a dictionary"),
    ("mail_records_restore", {"accounts": json.dumps([SERVER])}, "accounts must be a list"),
    # senders
    ("mail_domains", {"senders": [{"from": "a@b.example", "password": CANARY}]}, "senders[0].password"),
    ("mail_domains", {"senders": [{"dkim": {"private_key": CANARY}}]}, "senders[0].dkim.private_key"),
    ("mail_domains", {"senders": {"password": CANARY}}, "senders must be a list, not a dict"),
    ("mail_auth_info", {"senders": [CANARY]}, "senders[0] must be a dictionary, not a str"),
    ("mail_auth_info", {"senders": [[{"password": CANARY}]]}, "senders[0] must be a dictionary, not a list"),
    ("mail_auth_info", {"planned": [{"name": "a", "token": CANARY}]}, "no such option: planned[0].token"),
    # the resolver
    ("spf_record", {"resolver": {"key_secret": CANARY}}, "no such option: resolver.key_secret"),
    ("dmarc_record", {"resolver": [CANARY]}, "resolver must be a dictionary, not a list"),
    ("mail_auth_info", {"resolver": {"tls": {"token": CANARY}}}, "no such option: resolver.tls"),
    ("mail_domains", {"resolver": CANARY}, "resolver must be a dictionary, not a str"),
    ("dkim_record", {"private_key": CANARY}, "no such option: private_key"),
    ("dkim_record", {"public_key": {"private_key": CANARY}}, "public_key must be one value, not a dict"),
]


@pytest.mark.parametrize(("module", "arguments", "words"), WRONG, ids=[f"{one[0]} {one[2]}" for one in WRONG])
def test_names_and_shapes_are_checked_at_every_depth(module: str, arguments: dict[str, Any], words: str) -> None:
    told = prepared(module, arguments)
    assert any(words in one for one in told), told
    assert CANARY not in str(told)


@pytest.mark.parametrize("domains", [["a.example"], "a.example", "a.example, b.example", [entry()["domains"][0]], []])
def test_good_domains_pass(domains: Any) -> None:
    assert prepared("mail_domains", {"domains": domains, "dns": SERVER, "spf": {"terms": "a,mx"}}) == []


@pytest.mark.parametrize("on_refused", ["skip", "hold"])
@pytest.mark.parametrize(
    "wrong", [{"spf": {"token": CANARY}}, {"dkim": {"private_key": CANARY}}, {"dns": {**SERVER, "secret": CANARY}}]
)
def test_where_refused_domains_are_skipped_the_values_of_a_wrong_one_stay_behind(
    on_refused: str, wrong: dict[str, Any]
) -> None:
    arguments = {"domains": [{"domain": "b.example", **wrong}, "a.example"], "spf": {"terms": ["a"]}, "dns": ZONES}
    arguments["on_refused"] = on_refused
    assert prepared("mail_domains", arguments) == []
    assert CANARY not in str(arguments)
    order = read_order(arguments)
    assert [one.domain for one in order.requests] == ["a.example"]
    assert list(order.unread) == ["b.example"]


ACCOUNTS: list[tuple[dict[str, Any], str]] = [
    ({"port": "53x"}, "dns.port must be a whole number"),
    ({"port": [53]}, "dns.port must be one value"),
    ({"port": "yes"}, "dns.port must be a whole number"),
    ({"timeout": CANARY}, "dns.timeout must be a number"),
    ({"timeout": "inf"}, "dns.timeout must be a number"),
    ({"timeout": True}, "dns.timeout must be a number"),
    ({"key_algorithm": CANARY}, "value of dns.key_algorithm must be one of"),
    ({"key_algorithm": "hmac-sha3"}, "value of dns.key_algorithm must be one of"),
    ({"key_algorithm": 256}, "value of dns.key_algorithm must be one of"),
    ({"token": CANARY}, "dns.token belongs to"),
]
FILES: list[tuple[Any, str]] = [
    *(({"domains": ["acme.example"], "dns": {**SERVER, **wrong}}, words) for wrong, words in ACCOUNTS),
    (entry(dns={**SERVER, "port": CANARY}), "acme.example: dns: dns.port must be a whole number"),
    (entry(refused=[CANARY]), "acme.example: options: there is no such option: refused"),
    (entry(spf={"token": CANARY}), "acme.example: options: there is no such option: spf.token"),
    (entry(spf={"all": CANARY}), "value of spf.all must be one of"),
    (entry(ttl=CANARY), "ttl must be a whole number"),
    (entry(dmarc={"testing": CANARY}), "dmarc.testing must be a boolean"),
    ({**entry(), "key_secret": CANARY}, "no such option: key_secret; it belongs into dns: dns.key_secret"),
    ({**entry(), "senders": [{"from": "a@b.example", "password": CANARY}]}, "senders[0].password"),
    ({**entry(), "senders": {"password": CANARY}}, "senders must be a list"),
    ({**entry(), "ttl": CANARY}, "ttl must be a whole number"),
    ({"domains": {"acme.example": {"dns": SERVER}}}, "domains must be a list"),
    ({"domains": [[SERVER]]}, "domains[0] must be the name"),
    ({"domains": json.dumps([SERVER])}, "domains must be a list"),
    (CANARY, "a list of domains, or a mapping"),
    ({"dns": SERVER}, "domains is missing"),
]


@pytest.mark.parametrize("suffix", ["yml", "json"])
@pytest.mark.parametrize(("content", "words"), FILES, ids=[f"{number} {one[1]}" for number, one in enumerate(FILES)])
def test_a_file_of_domains_passes_the_same_door(tmp_path: Path, content: Any, words: str, suffix: str) -> None:
    source = tmp_path / f"estate.{suffix}"
    source.write_text(json.dumps(content) if suffix == "json" else yaml.safe_dump(content))
    with pytest.raises(Refused) as caught:
        read_order({"spf": {"terms": ["a"]}, "src": str(source)})
    assert words in str(caught.value)
    assert "53x" not in str(caught.value) and CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"dns: {{key_secret: *{CANARY}}}",
        f"dns: {{key_secret: !{CANARY} x}}",
        f"dns: {{key_secret: !{CANARY}!x y}}",
        f"key_secret: '{CANARY}",
        "[" * 100_000,
        f"dns: &a {{provider: octodns, class: a.B, options: {{{CANARY}: *a}}}}\ndomains: [acme.example]",
    ],
)
@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_a_file_that_cannot_be_read_is_not_quoted(tmp_path: Path, text: str, suffix: str) -> None:
    source = tmp_path / f"estate.{suffix}"
    source.write_text(text)
    with pytest.raises(Refused) as caught:
        read_order({"src": str(source)})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("name", ["key", "consumer_key", "application_key", "Key", "azure-key", "access_key"])
def test_a_key_of_an_octodns_class_is_a_secret(name: str) -> None:
    told = check_dns({**OCTODNS, "options": {"account": {name: CANARY}}})
    assert told == [f"dns.options.{name} looks like a secret, which would be shown: put it into dns.secrets"]
    assert check_dns({**OCTODNS, "secrets": {name: CANARY}}) == []


@pytest.mark.parametrize("name", ["key_name", "public_key", "keyring", "monkey", "key_file"])
def test_what_only_sounds_like_a_key_is_none(name: str) -> None:
    assert check_dns({**OCTODNS, "options": {name: "x"}}) == []
