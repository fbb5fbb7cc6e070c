# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What octoDNS's provider classes do to a zone beside what they are asked, as read in their source (November 2026)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WHOLE = "accept_whole_zone_writes"
GAPS = "accept_record_gaps"

_SENT = "sends the whole zone with each change, so that what somebody else changes meanwhile is lost"
_FILE = "writes the whole file anew with each change: comments go, and so does what somebody else saves meanwhile"
_GAP = "deletes records before it creates the new ones: for a moment, and after a crash, they are not there"
_BOTH = (
    "may create a new record before it deletes the old one: for a moment, and after a crash, there are two SPF records"
)

WHOLE_ZONE_WRITERS: dict[tuple[str, str], str] = {
    ("octodns.provider.yaml", "YamlProvider"): _FILE,
    ("octodns_sakuracloud", "SakuraCloudProvider"): _SENT,
    ("octodns_transip", "TransipProvider"): _SENT,
}
"""(module, class) to the reason; the module stands for all inside it."""

UNUSABLE: dict[tuple[str, str], str] = {
    ("octodns_bind", "ZoneFileProvider"): "sees an empty zone and writes a file that holds nothing but the change",
    ("octodns_etchosts", "EtcHostsProvider"): "writes a hosts file, which holds no mail records",
}

RECORD_GAPS: dict[tuple[str, str], str] = {
    ("octodns_autodns", "AutoDNSProvider"): _GAP,
    ("octodns_bunny", "BunnyProvider"): _GAP,
    ("octodns_constellix", "ConstellixProvider"): _GAP,
    ("octodns_digitalocean", "DigitalOceanProvider"): _GAP,
    ("octodns_dnsimple", "DnsimpleProvider"): _GAP,
    ("octodns_dnsmadeeasy", "DnsMadeEasyProvider"): _GAP,
    ("octodns_domeneshop", "DomeneshopProvider"): _GAP,
    ("octodns_easydns", "EasyDnsProvider"): _GAP,
    ("octodns_exoscale", "ExoscaleProvider"): _GAP,
    ("octodns_gandi", "GandiProvider"): _GAP,
    ("octodns_hetzner", "HetznerProvider"): _GAP,
    ("octodns_infomaniak", "InfomaniakProvider"): _GAP,
    ("octodns_inwx", "INWXProvider"): _GAP,
    ("octodns_lexicon", "LexiconProvider"): _BOTH,
    ("octodns_metaname", "MetanameProvider"): _GAP,
    ("octodns_mythicbeasts", "MythicBeastsProvider"): _GAP,
    ("octodns_netbox_dns", "NetBoxDNSProvider"): _GAP,
    ("octodns_ovh", "OvhProvider"): _GAP,
    ("octodns_rackspace", "RackspaceProvider"): _GAP,
    ("octodns_selectel.v1", "SelectelProvider"): _GAP,
    ("octodns_spaceship", "SpaceshipProvider"): _GAP,
    ("octodns_vultr", "VultrProvider"): _GAP,
}

_WITHOUT_GAP = {("octodns_hetzner", "HetznerProvider"): ("backend", "hcloud")}
"""The option of a class, and its value, with which it changes records in place."""


def risks_of(found: type, options: Mapping[str, Any]) -> dict[str, str]:
    """What a provider class risks, or a class that it is made of.

    :param found: the class
    :param options: its options
    :returns: the option of ``dns`` that accepts the risk for named zones ("" when nothing does), to the reason
    """
    tables = ((WHOLE, WHOLE_ZONE_WRITERS), (GAPS, RECORD_GAPS), ("", UNUSABLE))
    found_in = [(option, key, reason) for option, table in tables for key, reason in _in(found, table)]
    return {option: reason for option, key, reason in found_in if not _spared(key, options)}


def _in(found: type, table: Mapping[tuple[str, str], str]) -> Iterator[tuple[tuple[str, str], str]]:
    for base in found.__mro__:
        for (module, name), reason in table.items():
            if name == base.__name__ and f"{base.__module__}.".startswith(f"{module}."):
                yield (module, name), reason


def _spared(key: tuple[str, str], options: Mapping[str, Any]) -> bool:
    name, value = _WITHOUT_GAP.get(key, ("", None))
    return value is not None and options.get(name) == value
