# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PowerDNS Authoritative Server for tests, its zones in SQLite, its HTTP API open."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from pathlib import Path

import dns.name
import dns.rdata
import dns.rdatatype
import dns.zone
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS, free_port
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, Server, program

# Of the package, as the program finds its back end by itself.
_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
API_KEY = "test-key-of-the-powerdns-api-0123"
_OPTIONS = f"""
local-address={ADDRESS}
local-port=%(port)d
socket-dir=%(folder)s
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
launch=gsqlite3
gsqlite3-database=%(folder)s/zones.sqlite3
gsqlite3-pragma-synchronous=0
gsqlite3-dnssec=yes
dnsupdate=yes
allow-dnsupdate-from=%(allowed)s
allow-axfr-ips=
receiver-threads=1
distributor-threads=2
max-tcp-connections=200
max-tcp-connections-per-client=0
webserver=yes
webserver-address={ADDRESS}
webserver-port=%(api_port)d
webserver-loglevel=none
api=yes
api-key={API_KEY}
"""


class PowerDns(Server):
    """PowerDNS; ``updates`` is the TSIG key that may update the zones; ``SIGNED`` signs them, too."""

    PROGRAM = "pdns_server"
    PACKAGE = "pdns-backend-sqlite3"
    OPEN = KEY_NAME
    CLOSED = "somebody-else"
    SIGNED = f"{KEY_NAME} signed"
    MORE_OPTIONS = ""

    def configure(self) -> None:
        self.api_port = free_port()
        options = {"folder": self.folder, "port": self.port, "api_port": self.api_port, "allowed": f"{ADDRESS}/32"}
        (self.folder / "pdns.conf").write_text(_OPTIONS % options + self.MORE_OPTIONS)
        with contextlib.closing(sqlite3.connect(self.folder / "zones.sqlite3")) as database:
            database.executescript(f"PRAGMA synchronous=0; {_SCHEMA.read_text()}")
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("INSERT INTO tsigkeys(name, algorithm, secret) VALUES (?, 'hmac-sha256', ?)", self._key)
            for number, (zone, text) in enumerate(self.zones.items(), 1):
                self._insert(database, number, zone, text)
            database.commit()
        for zone, updates in self._updates.items():
            if updates == self.SIGNED:
                pdnsutil = [program("pdnsutil", "pdns-server"), f"--config-dir={self.folder}"]
                for action in ("secure-zone", "rectify-zone"):
                    subprocess.run([*pdnsutil, action, zone], check=True, capture_output=True)

    def command(self) -> list[str]:
        return [f"--config-dir={self.folder}"]

    _key = (KEY_NAME, KEY_SECRET)

    def _insert(self, database: sqlite3.Connection, number: int, zone: str, text: str) -> None:
        database.execute("INSERT INTO domains(id, name, type) VALUES (?, ?, 'NATIVE')", (number, zone))
        allowed = (number, "TSIG-ALLOW-DNSUPDATE", self._updates[zone].removesuffix(" signed"))
        # As zones have it that were made by the API: a change by it raises the serial.
        metadata = [allowed, (number, "TSIG-ALLOW-AXFR", KEY_NAME), (number, "SOA-EDIT-API", "DEFAULT")]
        database.executemany("INSERT INTO domainmetadata(domain_id, kind, content) VALUES (?, ?, ?)", metadata)
        parsed = dns.zone.from_text(text, zone, relativize=False)
        rows = [
            (number, name.to_text(True).lower(), dns.rdatatype.to_text(rdata.rdtype), *_content(rdata), ttl)
            for name, ttl, rdata in parsed.iterate_rdatas()
        ]
        columns = "domain_id, name, type, prio, content, ttl"
        database.executemany(f"INSERT INTO records({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _content(rdata: dns.rdata.Rdata) -> tuple[int, str]:
    """Priority and text of the data as PowerDNS keeps them: names without the trailing dot, but for the root."""
    text = str(rdata.to_text())
    if rdata.rdtype == dns.rdatatype.TXT:
        return 0, text
    words = [word.removesuffix(".") or "." for word in text.split(" ")]
    has_priority = rdata.rdtype in (dns.rdatatype.MX, dns.rdatatype.SRV)
    return (int(words[0]), " ".join(words[1:])) if has_priority else (0, " ".join(words))


class UncachedPowerDns(PowerDns):
    """Shows by DNS at once what its API has taken.

    With its caches, an answer that is being made while a write empties them may be kept for 20 seconds: one in thirty
    looks right after a write, under constant questions.
    """

    MORE_OPTIONS = "cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"
