# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the real name servers of the tests share: 127.0.0.1, a free high port, a temporary folder, no system files."""

from __future__ import annotations

import abc
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import dns.tsig
import dns.update
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS, free_port
from ansible_collections.mailroom.erp.tests.servers.stoppable import Stoppable

KEY_NAME = "mailroom-test"
KEY_SECRET = "bWFpbHJvb20tdGVzdC1zZWNyZXQtb2YtMzItYnl0ZXM="
OTHER_SECRET = "aHVudGVyMi1odW50ZXIyLWh1bnRlcjI="
"""A well-formed secret that is not the key's."""

_START_SECONDS = 10.0


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


class Server(Stoppable):
    """A running name server; a context manager that stops it."""

    PROGRAM: ClassVar[str]
    PACKAGE: ClassVar[str]
    """Of Debian."""
    OPEN: ClassVar[str]
    CLOSED: ClassVar[str]
    """Values of ``updates``: who has the key may update the zone, or nobody may."""
    PORT: ClassVar[int | None] = None
    """The port to listen on; any that is free unless given."""

    def __init__(self, zones: Mapping[str, str], *, updates: str = "", zone_updates: Mapping[str, str] | None = None):
        """Start the server and wait until it answers.

        :param zones: apex to the text of its master file
        :param updates: who may update the zones, in the server's own words; ``OPEN`` unless given
        :param zone_updates: the same for some zones
        :raises RuntimeError: the program is not installed, or does not start; the message holds its log
        """
        self.zones = dict(zones)
        self._updates = {zone: (zone_updates or {}).get(zone, updates or self.OPEN) for zone in zones}
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix=f"mailroom-{self.PROGRAM}-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        try:
            self._program = program(self.PROGRAM, self.PACKAGE)
            self.port = self.PORT or free_port()
            self.configure()
            self.start()
        except BaseException:
            self.stop()
            raise

    @abc.abstractmethod
    def configure(self) -> None:
        """Write the configuration and the zones into the folder."""

    @abc.abstractmethod
    def command(self) -> list[str]:
        """The arguments that keep the program in the foreground, without its name."""

    @property
    def dns_option(self) -> dict[str, Any]:
        """The option ``dns`` of the modules that reaches this server."""
        key = {"key_name": KEY_NAME, "key_secret": KEY_SECRET, "key_algorithm": "hmac-sha256"}
        return {"provider": "rfc2136", "server": ADDRESS, "port": self.port, "timeout": 5.0, **key}

    @property
    def resolver_option(self) -> dict[str, Any]:
        """The option ``resolver`` of the modules that asks this server."""
        return {"nameservers": [ADDRESS], "port": self.port, "timeout": 5.0}

    def query(self, name: str, rdtype: str, *, dnssec: bool = False) -> dns.message.Message:
        """Ask one question over TCP.

        :param dnssec: whether signatures are wanted too
        :returns: the whole answer of the server
        """
        question = dns.message.make_query(name, rdtype, want_dnssec=dnssec)
        return dns.query.tcp(question, ADDRESS, timeout=5, port=self.port)

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

    def replace_text(self, zone: str, old: str, new: str) -> None:
        """Put a TXT value at the apex of a zone in the place of another, with TTL 600, as a person does by hand."""
        update = self.update(zone)
        update.delete(f"{zone}.", "TXT", f'"{old}"')
        update.add(f"{zone}.", 600, "TXT", f'"{new}"')
        self.send(update)

    def settle(self, zone: str) -> None:
        """Wait until updates that are on their way are done: Knot works them off in the background, one by one."""
        time.sleep(0.05)
        self.send(self.update(zone))

    def log(self) -> str:
        """What the server has written so far."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start the program, again after :meth:`halt`, and wait until every zone is answered for."""
        with (self.folder / "log").open("ab") as log:
            command = [self._program, *self.command()]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.PROGRAM} did not start:\n{self.log()}")
            time.sleep(0.02)

    def halt(self) -> None:
        """End the program and keep its folder."""
        process, self._process = self._process, None
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

    def ready(self) -> bool:
        """Whether the program says that it is; every zone is asked for besides."""
        return True

    def write_zones(self) -> dict[str, Path]:
        """Write the master files into the folder.

        :returns: apex to file
        """
        files = {zone: self.folder / f"{zone}.zone" for zone in self.zones}
        for zone, file in files.items():
            file.write_bytes(self.zones[zone].encode("utf-8", "surrogateescape"))
        return files

    def _answers(self) -> bool:
        """Ask for the last zone and the first; servers load them in the order of their configuration."""
        if self._process is None or self._process.poll() is not None or not self.ready():
            return False
        with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
            for zone in [*self.zones][-1:] + [*self.zones][:1] or ["."]:
                question = dns.message.make_query(zone, "SOA")
                answer = dns.query.tcp(question, ADDRESS, timeout=1, port=self.port)
                if self.zones and not answer.flags & dns.flags.AA:
                    return False
            return True
        return False


def program(name: str, package: str) -> str:
    """Find a program; Debian puts servers where a user's PATH may not look.

    :raises RuntimeError: it is not installed
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(f"This test needs {name}, which is not installed: install the Debian package {package}")
    return found
