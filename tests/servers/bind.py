# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real BIND 9 for tests: on 127.0.0.1, a free high port, in a temporary folder, with no system files and no rndc.

with Bind({"acme.example": zone_text("acme.example", '@ TXT "v=spf1 mx -all"')}) as server:
    provider = open_provider(server.dns_option)
    server.values("acme.example", "TXT")
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import dns.tsig
import dns.update

ADDRESS = "127.0.0.1"
KEY_NAME = "mailroom-test"
KEY_SECRET = "bWFpbHJvb20tdGVzdC1zZWNyZXQtb2YtMzItYnl0ZXM="

UPDATES_WITH_KEY = f'allow-update {{ key "{KEY_NAME}"; }};'
UPDATES_REFUSED = "allow-update { none; };"
UPDATES_OF_TXT_ONLY = f'update-policy {{ grant "{KEY_NAME}" zonesub TXT; }};'
"""Statements of a zone: who may update it. The last lets the key change TXT records and nothing else."""

_START_SECONDS = 10.0

_OPTIONS = f"""
options {{
    directory "%(folder)s";
    listen-on port %(port)d {{ {ADDRESS}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    lock-file none;
    session-keyfile none;
    recursion no;
    dnssec-validation no;
    empty-zones-enable no;
    notify no;
    tcp-clients 500;
}};
controls {{ }};
key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{KEY_SECRET}"; }};
"""


def zone_text(zone: str, records: str = "", serial: int = 1, ttl: int = 3600) -> str:
    """Write a small, valid master file.

    :param zone: the apex, no trailing dot
    :param records: lines to add after SOA and NS, relative to the apex
    :param serial: of the SOA
    :param ttl: the default TTL in seconds
    """
    return f"""$ORIGIN {zone}.
$TTL {ttl}
@       IN SOA ns1 hostmaster {serial} 7200 3600 1209600 300
        IN NS  ns1
ns1     IN A   192.0.2.53
{records}
"""


class Bind:
    """A running name server; a context manager that stops it."""

    def __init__(
        self,
        zones: Mapping[str, str],
        *,
        updates: str = UPDATES_WITH_KEY,
        zone_updates: Mapping[str, str] | None = None,
    ) -> None:
        """Start the server and wait until it answers.

        :param zones: apex to the text of its master file
        :param updates: the statement that says who may update the zones
        :param zone_updates: other statements for some zones
        :raises RuntimeError: named is not installed, or does not start; the message holds its log
        """
        self.zones = dict(zones)
        self._updates = {zone: (zone_updates or {}).get(zone, updates) for zone in zones}
        self._folder = tempfile.TemporaryDirectory(prefix="mailroom-bind-")
        self.folder = Path(self._folder.name)
        try:
            self.port = _free_port()
            self._configure()
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def dns_option(self) -> dict[str, Any]:
        """The option ``dns`` of the modules that reaches this server."""
        key = {"key_name": KEY_NAME, "key_secret": KEY_SECRET, "key_algorithm": "hmac-sha256"}
        return {"provider": "rfc2136", "server": ADDRESS, "port": self.port, "timeout": 5.0, **key}

    @property
    def resolver_option(self) -> dict[str, Any]:
        """The option ``resolver`` of the modules that asks this server."""
        return {"nameservers": [ADDRESS], "port": self.port, "timeout": 5.0}

    def query(self, name: str, rdtype: str) -> dns.message.Message:
        """Ask one question over TCP.

        :returns: the whole answer of the server
        """
        return dns.query.tcp(dns.message.make_query(name, rdtype), ADDRESS, timeout=5, port=self.port)

    def values(self, name: str, rdtype: str) -> list[str]:
        """The data of one RRset in presentation format, sorted; empty when it does not exist."""
        wanted = dns.rdatatype.from_text(rdtype)
        return sorted(
            rdata.to_text() for rrset in self.query(name, rdtype).answer for rdata in rrset if rrset.rdtype == wanted
        )

    def ttl(self, name: str, rdtype: str) -> int:
        """The TTL of one RRset in seconds.

        :raises IndexError: the RRset does not exist
        """
        return int(self.query(name, rdtype).answer[0].ttl)

    def serial(self, zone: str) -> int:
        """The serial of a zone's SOA."""
        return int(self.query(zone, "SOA").answer[0][0].serial)

    def update(self, zone: str) -> dns.update.UpdateMessage:
        """An empty UPDATE message, signed with the server's key; fill it and give it to :meth:`send`."""
        key = dns.tsig.Key(KEY_NAME, KEY_SECRET, dns.tsig.HMAC_SHA256)
        return dns.update.UpdateMessage(zone, keyring=key)

    def send(self, message: dns.message.Message) -> dns.message.Message:
        """Send a message over TCP, as somebody else who changes the zone would.

        :raises AssertionError: the server did not do it
        """
        answer = dns.query.tcp(message, ADDRESS, timeout=5, port=self.port)
        assert answer.rcode() == 0, answer.to_text()
        return answer

    def log(self) -> str:
        """What the server has written so far."""
        return (self.folder / "log").read_text(errors="replace")

    def halt(self) -> None:
        """End the program and keep its folder."""
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        if process is not None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def stop(self) -> None:
        """Stop the server and remove its folder; does nothing when it is stopped already."""
        self.halt()
        self._folder.cleanup()

    def __enter__(self) -> Bind:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the program, again after :meth:`halt`, and wait until it answers."""
        named = _named()
        with (self.folder / "log").open("wb") as log:
            command = [named, "-g", "-n", "1", "-c", str(self.folder / "named.conf")]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"named did not start:\n{self.log()}")
            time.sleep(0.02)

    def _configure(self) -> None:
        text = _OPTIONS % {"folder": self.folder, "port": self.port}
        for zone, records in self.zones.items():
            file = self.folder / f"{zone}.zone"
            file.write_bytes(records.encode("utf-8", "surrogateescape"))
            text += f'zone "{zone}" {{ type primary; file "{file}"; {self._updates[zone]} }};\n'
        (self.folder / "named.conf").write_text(text)

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            return False
        question = dns.message.make_query(next(iter(self.zones), "."), "SOA")
        with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
            dns.query.tcp(question, ADDRESS, timeout=1, port=self.port)
            return "running" in self.log()
        return False


def _named() -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])
    named = shutil.which("named", path=path)
    if named is None:
        raise RuntimeError("This test needs BIND 9's named, which is not installed: install the Debian package bind9")
    return named


def _free_port() -> int:
    """A port that is free for TCP and UDP alike, as a name server needs it."""
    while True:
        with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((ADDRESS, 0))
            port = int(tcp.getsockname()[1])
            with contextlib.suppress(OSError):
                udp.bind((ADDRESS, port))
                return port
