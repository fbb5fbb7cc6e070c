# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How octoDNS's provider classes reach the servers of the tests, and zones kept in octoDNS's own YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dns.rdata
import dns.zone
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.powerdns import API_KEY, PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET

_ONE_VALUE = ("CNAME", "SOA")


def on_bind(server: Bind) -> dict[str, Any]:
    """The option ``dns`` for octodns-bind; it cannot list zones."""
    options = {"host": ADDRESS, "port": server.port, "timeout": 10, "key_name": KEY_NAME}
    return _dns(
        "octodns_bind.Rfc2136Provider",
        {**options, "key_algorithm": "hmac-sha256"},
        {"key_secret": KEY_SECRET},
        zones=list(server.zones),
    )


def on_powerdns(server: PowerDns) -> dict[str, Any]:
    """The option ``dns`` for octodns-powerdns."""
    options = {"host": ADDRESS, "port": server.api_port, "timeout": 10}
    return _dns("octodns_powerdns.PowerDnsProvider", options, {"api_key": API_KEY})


def on_cloudflare(server: Cloudflare) -> dict[str, Any]:
    """The option ``dns`` for octodns-cloudflare, which would wait five minutes before it asks again."""
    options = {"api_url": server.base_url, "pagerules": False, "min_ttl": 60, "retry_count": 0, "retry_period": 0}
    return _dns("octodns_cloudflare.CloudflareProvider", options, {"token": TOKEN})


def on_yaml(folder: Path, zones: Mapping[str, str]) -> dict[str, Any]:
    """Write zones as octoDNS's YAML; the option ``dns`` for its YamlProvider.

    :param zones: apex to master file
    """
    for zone, text in zones.items():
        (folder / f"{zone}.yaml").write_text(yaml.safe_dump(_as_yaml(zone, text)))
    options = {"directory": str(folder), "escaped_semicolons": True, "enforce_order": False}
    return _dns("octodns.provider.yaml.YamlProvider", options, {}, accept_whole_zone_writes=list(zones))


def yaml_values(file: Path, zone: str, name: str, rdtype: str) -> tuple[list[str], int]:
    """What a YAML file of octoDNS says about one RRset: data in presentation format, sorted, and the TTL."""
    entries = yaml.safe_load(file.read_text()).get(name.removesuffix(zone).removesuffix("."), [])
    for entry in entries if isinstance(entries, list) else [entries]:
        if entry["type"] == rdtype:
            values = entry.get("values") or [entry["value"]]
            if rdtype == "TXT":
                values = [txt.encode(value.replace("\\;", ";")) for value in values]
            elif rdtype == "MX":
                values = [f"{value['preference']} {value['exchange']}" for value in values]
            return sorted(values), int(entry.get("ttl", 3600))
    return [], 0


def _dns(name: str, options: dict[str, Any], secrets: dict[str, str], **more: Any) -> dict[str, Any]:
    return with_defaults({"provider": "octodns", "class": name, "options": options, "secrets": secrets, **more})


def _as_yaml(zone: str, text: str) -> dict[str, list[dict[str, Any]]]:
    parsed = dns.zone.from_text(text, zone, relativize=False)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, rdataset in parsed.iterate_rdatasets():
        rdtype = dns.rdatatype.to_text(rdataset.rdtype)
        if rdtype != "SOA":
            owner = name.to_text(True).lower().removesuffix(zone).removesuffix(".")
            values = [_value(rdata) for rdata in rdataset]
            found.setdefault(owner, []).append({"type": rdtype, "ttl": rdataset.ttl, **_given(rdtype, values)})
    return found


def _given(rdtype: str, values: list[Any]) -> dict[str, Any]:
    return {"value": values[0]} if rdtype in _ONE_VALUE else {"values": values}


def _value(rdata: Any) -> Any:
    if rdata.rdtype == dns.rdatatype.MX:
        return {"preference": rdata.preference, "exchange": rdata.exchange.to_text()}
    return txt.join(rdata.strings).replace(";", "\\;") if hasattr(rdata, "strings") else str(rdata.to_text())
