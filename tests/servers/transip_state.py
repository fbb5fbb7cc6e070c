# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the TransIP test server keeps: domains and DNS entries, by the rules of api.transip.nl/rest/docs.html (6.45).

Where that page says nothing, by what the clients of others have met: TXT is kept and served as it came, without quotes,
and refused with a blank at either end, with quotation marks, backslashes or backticks, or beyond 1024 characters; there
is no null MX (dnscontrol, providers/transip/auditrecords.go); a zone that is being saved answers 409.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import dns.rdatatype
import dns.zone
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt

Entry = dict[str, Any]

_TYPES = ("A", "AAAA", "ALIAS", "CAA", "CNAME", "DS", "MX", "NAPTR", "NS", "SRV", "SSHFP", "TLSA", "TXT")
_FIELDS = ("name", "expire", "type", "content")
_LONGEST_TEXT = 1024


class TransipRefusal(Exception):
    """What the API answers instead of doing it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class TransipZone:
    """One domain with its entries, in the order in which they were made. ``serial`` counts the writes."""

    def __init__(self, name: str, name_servers: list[str], entries: list[Entry]) -> None:
        self.name, self.name_servers, self.entries = name, name_servers, entries
        self.serial = 1

    def post(self, wish: object) -> None:
        """Add an entry.

        :raises TransipRefusal: it is none, or stands there already
        """
        entry = self._checked(wish)
        if entry in self.entries:
            raise TransipRefusal(406, "Error setting Dns Entries: this DNS entry exists already")
        self._check_neighbours(entry)
        self._keep([*self.entries, entry])

    def patch(self, wish: object) -> None:
        """Give the one entry of a name, TTL and type another content.

        :raises TransipRefusal: there is no such entry, or more than one
        """
        entry = self._checked(wish)
        place = [n for n, one in enumerate(self.entries) if all(one[key] == entry[key] for key in _FIELDS[:3])]
        if len(place) != 1:
            what = f"{entry['name']} {entry['expire']} {entry['type']}"
            raise TransipRefusal(404, f"Could not find match for DNS entry '{what}'")
        self._keep([*self.entries[: place[0]], entry, *self.entries[place[0] + 1 :]])

    def delete(self, wish: object) -> None:
        """Take an entry away.

        :raises TransipRefusal: there is none that is the same in all four fields
        """
        if wish not in self.entries:
            raise TransipRefusal(404, "Could not find match for DNS entry")
        self._keep([one for one in self.entries if one != wish])

    def put(self, wishes: object) -> None:
        """Make these all entries that there are."""
        if not isinstance(wishes, list):
            raise TransipRefusal(406, "dnsEntries is required")
        self._keep([self._checked(wish) for wish in wishes])

    def answer(self) -> dict[str, Any]:
        """The domain as the API shows it."""
        return {
            "name": self.name,
            "nameservers": self.servers(),
            "contacts": [],
            "authCode": "",
            "isTransferLocked": False,
            "registrationDate": "2016-01-01",
            "renewalDate": "2027-01-01",
            "isWhitelabel": False,
            "cancellationDate": None,
            "cancellationStatus": None,
            "isDnsOnly": False,
            "hasAutoDns": True,
            "hasDnsSec": True,
            "canEditDns": True,
            "tags": ["customTag"],
            "status": "registered",
        }

    def servers(self) -> list[dict[str, str]]:
        return [{"hostname": host, "ipv4": "", "ipv6": ""} for host in self.name_servers]

    def _keep(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.serial += 1

    def _checked(self, wish: object) -> Entry:
        if not isinstance(wish, Mapping) or any(wish.get(key) in (None, "") for key in _FIELDS):
            raise TransipRefusal(406, "Error setting Dns Entries: name, expire, type and content are required")
        entry = {key: wish[key] for key in _FIELDS}
        if not isinstance(entry["expire"], int) or not 60 <= entry["expire"] <= 86400:
            raise TransipRefusal(406, f"Error setting Dns Entries: expire is not valid: {entry['expire']}")
        if entry["type"] not in _TYPES:
            raise TransipRefusal(406, f"Error setting Dns Entries: type is not valid: {entry['type']}")
        problem = _content_problem(entry["type"], entry["content"])
        if problem:
            what = f"{entry['name']} {entry['expire']} {entry['type']} {entry['content']}"
            raise TransipRefusal(406, f"Error setting Dns Entries: {problem}: {what}")
        return entry

    def _check_neighbours(self, entry: Entry) -> None:
        types = {one["type"] for one in self.entries if one["name"] == entry["name"]}
        if types and (entry["type"] == "CNAME" or "CNAME" in types):
            raise TransipRefusal(406, f"Error setting Dns Entries: a CNAME stands alone: {entry['name']}")


def transip_zone(name: str, text: str) -> TransipZone:
    """Make a domain from a master file; TransIP keeps the name servers of its apex apart from the entries."""
    parsed = dns.zone.from_text(text, name, relativize=False)
    apex, servers, entries = dns.name.from_text(name), list[str](), list[Entry]()
    for owner, rdataset in parsed.iterate_rdatasets():
        rdtype = dns.rdatatype.to_text(rdataset.rdtype)
        if (owner, rdtype) == (apex, "NS"):
            servers = sorted(rdata.target.to_text(omit_final_dot=True) for rdata in rdataset)
        elif rdtype != "SOA":
            head = {"name": owner.relativize(apex).to_text(), "expire": rdataset.ttl, "type": rdtype}
            entries += [{**head, "content": _content(rdata)} for rdata in rdataset]
    return TransipZone(name, servers, entries)


def presented(entry: Entry, zone: str) -> str:
    """The data of an entry in presentation format, names absolute."""
    content = str(entry["content"])
    if entry["type"] == "TXT":
        return txt.encode(content)
    if entry["type"] == "MX":
        preference, host = content.split()
        return f"{preference} {_absolute(host, zone)}"
    return _absolute(content, zone) if entry["type"] == "CNAME" else content


def _absolute(host: str, zone: str) -> str:
    return f"{zone}." if host == "@" else host if host.endswith(".") else f"{host}.{zone}."


def _content(rdata: Any) -> str:
    return txt.join(rdata.strings) if hasattr(rdata, "strings") else str(rdata.to_text())


def _content_problem(rdtype: str, content: object) -> str | None:
    if not isinstance(content, str) or content != content.strip():
        return "whitespace at the end or start of the content of a record is not allowed"
    if rdtype == "TXT" and (set(content) & set('"\\`') or len(content) > _LONGEST_TEXT):
        return "the content of a TXT record is not valid"
    if rdtype in ("A", "AAAA") and not _is_address(content, 4 if rdtype == "A" else 6):
        return "no valid address"
    if rdtype == "MX" and (len(content.split()) != 2 or content.split()[1] == "."):
        return "no valid MX"
    return "no valid host" if rdtype == "CNAME" and " " in content else None


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
