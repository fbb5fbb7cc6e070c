# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exim with many settings at once, each on a port of its own. Its TLS is that of GnuTLS, where Postfix has OpenSSL's.

Debian installs no Exim beside Postfix, so `make receiver` unpacks it into a folder (MAILROOM_EXIM).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.daemon import Daemon
from ansible_collections.mailroom.erp.tests.receiver.probed_settings import CERTIFICATE_FINDINGS, certificates

EXIM_VARIABLE = "MAILROOM_EXIM"
"""The environment variable that names the folder with an unpacked Exim."""
FIRST_PORT = 22000
_USER, _USER_ID = "Debian-exim", 64101
"""Exim is built for this user, and wants nothing but that it exists."""

_TODAY = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
"""By itself this GnuTLS also takes 1.0 and 1.1."""

_CONFIGURATION = """\
primary_hostname = mx.exim.test
keep_environment =
spool_directory = %(folder)s/spool
log_file_path = %(folder)s/exim-%%s.log
local_interfaces = 127.0.0.1
%(ports)s
tls_advertise_hosts = *
tls_certificate = ${extract{port$received_port}{%(certificates)s}}
tls_privatekey = ${extract{port$received_port}{%(certificates)s}}
tls_require_ciphers = ${extract{port$received_port}{%(ciphers)s}{$value}{%(today)s}}
message_size_limit = ${extract{port$received_port}{%(sizes)s}{$value}{50M}}
acl_smtp_connect = ${extract{port$received_port}{%(connects)s}{$value}{accept}}
acl_smtp_rcpt = deny
begin acl
deny:
  deny
accept:
  accept
busy:
  defer message = busy
begin routers
begin transports
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = false
  server_advertise_condition = ${if inlist{$received_port}{%(plain)s}{%(safe)s}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = false
  server_advertise_condition = ${if inlist{$received_port}{%(login)s}{%(safe)s}}
"""


@dataclass(frozen=True, slots=True)
class EximSetting:
    """One setting of Exim, what an ERP wants of it, and the findings, of the level fail or unknown, and warnings.

    ``ciphers`` is a priority string of GnuTLS, ``auth`` the mechanisms that it offers after TLS.
    """

    name: str
    security: str = "starttls"
    certificate: str = "right"
    ciphers: str = ""
    auth: tuple[str, ...] = ()
    size: str = ""
    connect: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict, hash=False)
    bad: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def implicit(self) -> bool:
        return self.security == "implicit"


def _settings() -> Iterator[EximSetting]:
    for number, (name, (bad, warnings)) in enumerate(CERTIFICATE_FINDINGS.items()):
        if name != "small key":  # GnuTLS does not serve with one
            security = ("starttls", "implicit")[number % 2]
            yield EximSetting(f"{name}, {security}", security, name, bad=bad, warnings=warnings)
    only = "NORMAL:-VERS-ALL:+VERS-TLS{}"
    for security in ("starttls", "implicit"):
        newest, usual, old = only.format("1.3"), only.format("1.2"), {"tls": "1.2"}
        yield EximSetting(f"1.3 only, {security}", security, ciphers=newest, wanted=old, bad=("tls_too_new",))
        yield EximSetting(f"1.2 only, {security}", security, ciphers=usual, wanted=old)
        yield EximSetting(f"all, {security}", security, ciphers="NORMAL", warnings=("tls_also_old",))
    login = {"auth": "LOGIN"}
    yield EximSetting("AUTH LOGIN", auth=("plain", "login"), wanted=login)
    yield EximSetting("AUTH PLAIN only", auth=("plain",), wanted=login, bad=("mechanism_missing",))
    yield EximSetting("no AUTH", wanted=login, bad=("auth_missing",))
    yield EximSetting("too small", size="1000", wanted={"min_size": 1001}, bad=("size_too_small",))
    yield EximSetting("just the size", size="1000", wanted={"min_size": 1000})
    yield EximSetting("defers clients", connect="busy", bad=("busy",))
    yield EximSetting("clear where TLS is wanted", "implicit", connect="accept", bad=("other_security",))


EXIM_SETTINGS = list(_settings())


class ManyExims(Daemon):
    """Exim on 127.0.0.1 with all settings; ``port`` tells where each of them is."""

    PROGRAM = "exim4"
    PACKAGE = "exim4-daemon-light"
    ADDRESS = ("127.0.0.1", FIRST_PORT)

    @property
    def ca_file(self) -> str:
        return str(self.folder / "authority.pem")

    def port(self, setting: EximSetting) -> int:
        return FIRST_PORT + EXIM_SETTINGS.index(setting)

    def configure(self) -> None:
        _make_user(self.folder)
        for name, one in certificates().items():
            one.write(self.folder / f"{name.replace(' ', '_')}.pem")
        (self.folder / "spool").mkdir()
        for place in (self.folder, self.folder / "spool"):
            os.chown(place, _USER_ID, _USER_ID)
        (self.folder / "exim.conf").write_text(_CONFIGURATION % self._values(), encoding="ascii")

    def command(self) -> list[str]:
        return ["-C", str(self.folder / "exim.conf"), "-bdf"]

    def log(self) -> str:
        return super().log() + "".join(one.read_text(errors="replace") for one in self.folder.glob("exim-*.log"))

    def _values(self) -> dict[str, str]:
        ports = {one: self.port(one) for one in EXIM_SETTINGS}
        wrapped = [str(port) for one, port in ports.items() if one.implicit and not one.connect]
        listens = f"daemon_smtp_ports = {' : '.join(map(str, ports.values()))}\ntls_on_connect_ports = "
        return {
            "folder": str(self.folder),
            "ports": listens + " : ".join(wrapped),
            "today": _TODAY,
            "safe": "${if def:tls_in_cipher}",
            "certificates": _pairs({port: self._file(one) for one, port in ports.items()}),
            "ciphers": _pairs({port: one.ciphers for one, port in ports.items()}),
            "sizes": _pairs({port: one.size for one, port in ports.items()}),
            "connects": _pairs({port: one.connect for one, port in ports.items()}),
            "plain": ":".join(str(port) for one, port in ports.items() if "plain" in one.auth),
            "login": ":".join(str(port) for one, port in ports.items() if "login" in one.auth),
        }

    def _file(self, setting: EximSetting) -> str:
        return str(self.folder / f"{setting.certificate.replace(' ', '_')}.pem")


def _pairs(values: dict[int, str]) -> str:
    """For ``extract``, which takes a key of digits for the number of a field."""
    return " ".join(f"port{port}={value}" for port, value in values.items() if value)


def exim_environment() -> dict[str, str] | None:
    """What finds an unpacked Exim and its libraries; None where there is none."""
    place = os.environ.get(EXIM_VARIABLE)
    if not place or not (Path(place) / "usr/sbin/exim4").exists():
        return None
    libraries = [str(one) for one in Path(place).glob("usr/lib/*-linux-gnu*")]
    path = f"{place}/usr/sbin:{os.environ.get('PATH', '')}"
    return {"PATH": path, "LD_LIBRARY_PATH": ":".join(libraries)}


def _make_user(folder: Path) -> None:
    """Exim's user and group, in this namespace alone."""
    group = f"{_USER}:x:{_USER_ID}:"
    for name, line in (("passwd", f"{group}{_USER_ID}::/nonexistent:/bin/false"), ("group", group)):
        file = folder / name
        file.write_text(f"{Path('/etc', name).read_text(encoding='utf-8').rstrip()}\n{line}\n", encoding="utf-8")
        file.chmod(0o644)
        subprocess.run(["mount", "--bind", str(file), f"/etc/{name}"], check=True)
