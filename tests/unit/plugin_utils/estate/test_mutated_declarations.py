# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories and files of domains made odd: each is taken or refused in printable words, and hurts nobody else.

``make fuzz`` tries more of them (FUZZ_ANSWERS). What it found stands in ODD_INVENTORIES.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import wrong_entry
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_files import declared_files
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import host_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import sound_plan
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import (
    Catalogues,
    HostJudgement,
    judged_variables,
)
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import fuzz_case, fuzz_count, fuzz_seeds, oddly
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import COMPLETE

SHARED: dict[str, Any] = {
    "mail_dns_account": {"provider": "zonefile", "path": "/zones"},
    "mail_dns_domains": {
        "acme.example": {"services": ["microsoft365"], "dmarc": {"policy": "quarantine", "rua": ["d@acme.example"]}},
        "bakery.example": {"services": [], "dkim": [{"selector": "s1", "target": "s1.relay.example"}]},
        "king.example": {"services": ["gmail"], "flatten": ["spf.king.example"]},
    },
    "erp_mail_output_dir": "/out",
}
HOSTS: dict[str, dict[str, Any]] = {
    "profit": {
        "erp_mail_system": "afas_profit",
        "erp_mail_transport": "afas_online",
        "erp_mail_senders": {"environment": "erp@acme.example", "administrations": {"1": "finance@acme.example"}},
        "erp_mail_dkim": {
            "acme.example": [{"selector": f"afas{one}", "target": f"a.dkim{one}.afas.online"} for one in (1, 2)]
        },
        "erp_mail_settings": {"afas_environment": "O98765AA"},
        "erp_mail_confirmed": ["dkim_requested"],
    },
    "bakery": {
        "erp_mail_system": "compad_bakkerij",
        "erp_mail_service": "ziggo",
        "erp_mail_senders": {"environment": "mijnbakkerij@ziggo.nl", "ordernow": "orders@bakery.example"},
        "erp_mail_settings": {"ordernow": True, "cc": "info@bakery.example"},
    },
    "relay": {
        "erp_mail_system": "afas_profit",
        "erp_mail_transport": "smtp",
        "erp_mail_service": "sales_relay",
        "erp_mail_senders": {"environment": "info@king.example"},
        "erp_mail_settings": {"server": "relay.king.example"},
        "erp_mail_spf_terms": ["ip4:192.0.2.7"],
        "erp_mail_catalogue_services": {
            "sales_relay": {
                "title": "Relay",
                "kind": "relay",
                "sources": {"page": {"title": "A page", "url": "https://relay.example/", "date": "2026-11"}},
                "smtp": {
                    "host": {"value": "relay.king.example", "source": "page"},
                    "ports": {"value": [{"port": 587, "security": "starttls"}], "source": "page"},
                    "auth": {"value": "none", "source": "page"},
                },
                "spf": {"terms": {"value": ["ip4:192.0.2.8"], "source": "page"}},
            }
        },
    },
}
FILE: dict[str, Any] = {
    "dns": {"provider": "rfc2136", "server": "192.0.2.53", "key_name": "k.", "key_secret": "c2VjcmV0", "timeout": 5},
    "spf": {"terms": ["ip4:192.0.2.1"], "all": "~all", "lookup_limit": "warn"},
    "dmarc": {"policy": "none", "rua": ["d@{domain}"]},
    "ttl": 300,
    "domains": [
        "acme.example",
        {"domain": "b.example", "zone": "b.example", "dkim": [{"selector": "s1", "target": "{selector}.x.example"}]},
        {"domain": "c.example", "spf": {"terms": ["mx"], "flatten": ["spf.x.example"]}, "mta_sts": {"mode": "testing"}},
    ],
    "senders": [
        {"from": "e@acme.example", "sources": ["192.0.2.1"], "dkim": {"domain": "acme.example", "selectors": ["s1"]}}
    ],
    "allow_failing_senders": ["e@acme.example"],
}


def relay_at_port(port: Any) -> dict[str, Any]:
    """The relay's own service, with another port."""
    services = copy.deepcopy(HOSTS["relay"]["erp_mail_catalogue_services"])
    services["sales_relay"]["smtp"]["ports"]["value"][0]["port"] = port
    return dict(services)


# Each holds one thing that ended in a traceback once: the host, the variable, and its value.
ODD_INVENTORIES: list[tuple[str, str, Any]] = [
    ("profit", "erp_mail_output_dir", {"erp_mail_output_dir": "/out"}),
    ("profit", "erp_mail_output_dir", "/out\x00\x1b[31m"),
    ("relay", "erp_mail_catalogue_services", "x"),
    ("relay", "erp_mail_catalogue_services", {"sales_relay": {"title": "Relay", "spf": float("nan")}}),
    ("bakery", "erp_mail_system", ""),
    ("relay", "erp_mail_catalogue_services", relay_at_port(float("inf"))),
    ("relay", "erp_mail_catalogue_services", relay_at_port("inf")),
    ("relay", "erp_mail_catalogue_services", relay_at_port("1e999999999")),
    ("relay", "erp_mail_settings", {"server": "relay.king.example", "port": float("inf")}),
    ("relay", "erp_mail_settings", {"server": "relay.king.example", "port": "1e999999999"}),
]


class Inventory:
    """The variables of one host, as plain as they stand."""

    templar = None

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw: Mapping[str, Any] = raw

    def value(self, name: str) -> Any:
        return self.raw.get(name)


def judged(hosts: dict[str, dict[str, Any]]) -> dict[str, HostJudgement]:
    catalogues = Catalogues()
    return {
        host: judged_variables(host, Inventory({**copy.deepcopy(SHARED), **own}), catalogues)
        for host, own in hosts.items()
    }


def told(hosts: dict[str, dict[str, Any]]) -> list[str]:
    """All that a run of ``site`` would say of these hosts, up to the look at DNS and tenants; files are made too."""
    found = judged(hosts)
    needs = [host_needs(host, one.needs, one.variables.get) for host, one in found.items()]
    plan, refusals = sound_plan(needs, COMPLETE, {}, {})
    for entry in plan.module_options()["domains"]:
        assert wrong_entry("mail_domains", entry) == []
    texts = [str(problem) for problem in plan.warnings]
    texts += [
        text for reasons in (refusals.environments, refusals.domains) for told in reasons.values() for text in told
    ]
    for host, one in found.items():
        texts += [str(problem) for problem in one.warnings]
        if one.declaration:
            texts += _written(one.declaration, refusals.environments.get(host, []))
    json.dumps(plan.module_options(), default=str).encode()
    return texts


def _written(declaration: dict[str, Any], reasons: list[str]) -> list[str]:
    files = declared_files(declaration, None, reasons, Catalogues())
    return [line for text in files.texts.values() if text for line in text.encode().decode().split("\n")]


def unprintable(texts: list[str]) -> list[str]:
    return [text for text in texts if not text.isprintable()]


def test_the_inventory_is_right_as_it_stands() -> None:
    found = judged(HOSTS)
    problems = [Problem(**problem) for one in found.values() for problem in (one.needs or {}).get("problems", [])]
    assert problems == []
    assert [one.declaration is not None for one in found.values()] == [True] * len(HOSTS)
    assert len(read_order(FILE).requests) == 3


@pytest.mark.parametrize("variables", [True, False], ids=["of one host", "of all hosts"])
def test_no_mutated_inventory_ends_in_a_traceback(variables: bool) -> None:
    refused = 0
    for seed in fuzz_seeds(fuzz_count(250)):
        with fuzz_case(seed) as chance:
            hosts = copy.deepcopy(HOSTS)
            host = chance.choice(sorted(hosts))
            whole = hosts[host] if variables else {**SHARED, **hosts[host]}
            spoilt = oddly(whole, chance)
            hosts[host] = spoilt if isinstance(spoilt, dict) else {}
            texts = told(hosts)
            refused += bool(texts)
            assert unprintable(texts) == []
    assert refused


@pytest.mark.parametrize(("host", "variable", "value"), ODD_INVENTORIES)
def test_what_was_found_in_an_inventory_is_told(host: str, variable: str, value: Any) -> None:
    texts = told({**HOSTS, host: {**HOSTS[host], variable: value}})
    assert [text for text in texts if text.startswith(f"{host}: ")], texts
    assert unprintable(texts) == []


def read(content: object, folder: Path) -> list[str]:
    """What ``mail_domains`` refuses of a file of domains."""
    (folder / "src.json").write_text(json.dumps(content))
    try:
        read_order({"src": str(folder / "src.json")})
    except Refused as refused:
        return [str(problem) for problem in refused.problems]
    return []


def test_no_mutated_file_of_domains_ends_in_a_traceback(tmp_path: Path) -> None:
    refused = 0
    for seed in fuzz_seeds(fuzz_count(2000)):
        with fuzz_case(seed) as chance:
            texts = read(oddly(FILE, chance), tmp_path)
            refused += bool(texts)
            assert unprintable(texts) == []
            assert "c2VjcmV0" not in str(texts)
    assert refused
