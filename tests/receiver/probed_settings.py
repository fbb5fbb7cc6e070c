# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix with many settings at once: one service per setting, each on a port of its own; and what to find there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.postfix import Postfix
from ansible_collections.mailroom.erp.tests.servers.server_certificates import Issued, issued
from cryptography.hazmat.primitives.asymmetric import rsa

FIRST_PORT = 21000
OLD_CIPHERS = {"tls_medium_cipherlist": "ALL:@SECLEVEL=0"}
# By itself this Postfix also takes 1.0 and 1.1.
NEW = {"smtpd_tls_protocols": ">=TLSv1.2", "smtpd_tls_mandatory_protocols": ">=TLSv1.2"}
TLS = {"smtpd_tls_security_level": "may", **NEW}
WRAPPED = {"smtpd_tls_wrappermode": "yes", "smtpd_tls_security_level": "encrypt", **NEW}
SASL = {"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of Postfix, what an ERP wants of it, and the findings, of the level fail or unknown, and warnings."""

    name: str
    options: Mapping[str, str]
    security: str = "starttls"
    certificate: str = "right"
    wanted: Mapping[str, Any] = field(default_factory=dict)
    bad: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    banner: int = 220

    @property
    def implicit(self) -> bool:
        return self.security == "implicit"


def certificates() -> dict[str, Issued]:
    """Right and wrong certificates by the names that settings call them, and the authority under ``authority``."""
    authority = issued(common_name="test authority", authority=True, days=(-400, 400))
    middle = issued(common_name="middle", authority=True, issuer=authority, days=(-300, 300))
    stale = issued(common_name="stale", authority=True, issuer=authority, days=(-300, -1))
    small = rsa.generate_private_key(65537, 1024)
    return {
        "authority": authority,
        "right": issued(issuer=authority),
        "rsa": issued(issuer=authority, key=rsa.generate_private_key(65537, 2048)),
        "chain": issued(issuer=middle, send_chain=True),
        "half a chain": issued(issuer=middle),
        "stale chain": issued(issuer=stale, send_chain=True),
        "expired": issued(issuer=authority, days=(-90, -1)),
        "not yet": issued(issuer=authority, days=(1, 90)),
        "ending": issued(issuer=authority, days=(-85, 5)),
        "other name": issued(["mx.other.example"], issuer=authority),
        "common name": issued([], issuer=authority, common_name="localhost"),
        "self-signed": issued(),
        "unknown": issued(issuer=issued(common_name="nobody", authority=True)),
        "small key": issued(issuer=authority, key=small),
    }


CERTIFICATE_FINDINGS = {
    "right": ((), ()),
    "rsa": ((), ()),
    "chain": ((), ()),
    "half a chain": (("certificate_untrusted",), ()),
    "stale chain": (("chain_dates",), ()),
    "expired": (("certificate_expired",), ()),
    "not yet": (("certificate_not_yet_valid",), ()),
    "ending": ((), ("certificate_ends_soon",)),
    "other name": (("certificate_wrong_name",), ()),
    "common name": ((), ("certificate_name_in_cn",)),
    "self-signed": (("certificate_self_signed",), ()),
    "unknown": (("certificate_untrusted",), ()),
    "small key": (("certificate_weak",), ()),
}


def _of_certificates() -> Iterator[Setting]:
    for name, (bad, warnings) in CERTIFICATE_FINDINGS.items():
        for security, options in (("starttls", TLS), ("implicit", WRAPPED)):
            extra = OLD_CIPHERS if name == "small key" else {}
            yield Setting(f"{name}, {security}", {**options, **extra}, security, name, {}, bad, warnings)


VERSIONS: list[tuple[str, str, dict[str, Any], tuple[str, ...], tuple[str, ...]]] = [
    ("1.3 only, for one with 1.2", ">=TLSv1.3", {"tls": "1.2"}, ("tls_too_new",), ()),
    ("1.3 only, for one with 1.3", ">=TLSv1.3", {"tls": "1.3"}, (), ()),
    ("1.2 only", ">=TLSv1.2, <=TLSv1.2", {"tls": "1.2"}, (), ()),
    ("1.2 and 1.3", ">=TLSv1.2", {"tls": "1.2"}, (), ()),
    ("1.1 only", ">=TLSv1.1, <=TLSv1.1", {"tls": "1.2"}, (), ("tls_outdated",)),
    ("1.0 only", ">=TLSv1, <=TLSv1", {}, ("tls_outdated",), ()),
    ("1.0 to 1.2", ">=TLSv1, <=TLSv1.2", {"tls": "1.2"}, (), ("tls_also_old",)),
    ("all", ">=TLSv1", {}, (), ("tls_also_old",)),
]


def _of_versions() -> Iterator[Setting]:
    for name, protocols, wanted, bad, warnings in VERSIONS:
        for security, options in (("starttls", TLS), ("implicit", WRAPPED)):
            spoken = {"smtpd_tls_protocols": protocols, "smtpd_tls_mandatory_protocols": protocols}
            given = {**options, **spoken, **OLD_CIPHERS}
            yield Setting(f"TLS {name}, {security}", given, security, "right", wanted, bad, warnings)


def _of_sign_in() -> Iterator[Setting]:
    login = {"auth": "LOGIN"}
    filtered = {**TLS, **SASL, "smtpd_sasl_mechanism_filter": "plain"}
    yield Setting("AUTH after TLS", {**TLS, **SASL}, wanted=login)
    yield Setting("AUTH with implicit TLS", {**WRAPPED, **SASL}, "implicit", wanted=login)
    yield Setting("AUTH PLAIN only", filtered, wanted=login, bad=("mechanism_missing",))
    yield Setting("AUTH PLAIN will do", filtered, wanted={"auth": "any"})
    yield Setting("no AUTH", TLS, wanted=login, bad=("auth_missing",))
    yield Setting("AUTH in clear, too", {**TLS, **SASL, "smtpd_tls_auth_only": "no"}, warnings=("auth_in_clear",))
    clear = {**SASL, "smtpd_tls_auth_only": "no", "smtpd_tls_security_level": "none"}
    yield Setting("AUTH in clear only", clear, "none", wanted=login, warnings=("auth_in_clear",))
    bad, warnings = ("auth_only_after_tls",), ("tls_not_used",)
    yield Setting("AUTH after TLS, unused", {**TLS, **SASL}, "none", wanted=login, bad=bad, warnings=warnings)


def _of_words() -> Iterator[Setting]:
    none = {"smtpd_tls_security_level": "none"}
    yield Setting("no TLS", none, bad=("starttls_missing",))
    yield Setting("no TLS, opportunistic", none, "opportunistic", warnings=("starttls_missing",))
    yield Setting("TLS, opportunistic", TLS, "opportunistic")
    yield Setting(
        "self-signed, unchecked",
        TLS,
        "opportunistic",
        "self-signed",
        {"verify": False},
        (),
        ("certificate_self_signed",),
    )
    yield Setting("TLS demanded", {**TLS, "smtpd_tls_security_level": "encrypt"})
    yield Setting("no fixed size", {**TLS, "message_size_limit": "0"}, wanted={"min_size": 10**9})
    yield Setting(
        "small size", {**TLS, "message_size_limit": "1000"}, wanted={"min_size": 1001}, bad=("size_too_small",)
    )
    yield Setting("just the size", {**TLS, "message_size_limit": "1000"}, wanted={"min_size": 1000})
    hidden = {**TLS, "smtpd_discard_ehlo_keywords": "size"}
    yield Setting("size not told", hidden, wanted={"min_size": 1}, bad=("size_unknown",))
    hidden = {**TLS, "smtpd_discard_ehlo_keywords": "starttls"}
    yield Setting("STARTTLS hidden", hidden, bad=("starttls_missing",))
    now = {**TLS, "smtpd_delay_reject": "no"}
    refusing = {**now, "smtpd_client_restrictions": "reject"}
    yield Setting("refuses clients", refusing, bad=("client_refused",), banner=554)
    yield Setting("defers clients", {**now, "smtpd_client_restrictions": "defer"}, bad=("busy",), banner=450)
    yield Setting("slow banner", {**now, "smtpd_client_restrictions": "sleep 1"})
    yield Setting("clear where TLS is wanted", TLS, "implicit", bad=("other_security",))


SETTINGS: list[Setting] = [*_of_certificates(), *_of_versions(), *_of_sign_in(), *_of_words()]


class ManySettings(Postfix):
    """Postfix on 127.0.0.1 with all settings; ``port`` tells where each of them is.

    :param folder: made here
    :param dovecot: the folder of the program that knows the accounts
    """

    ADDRESS = ("127.0.0.1", FIRST_PORT)

    def __init__(self, folder: Path, dovecot: Path) -> None:
        self._dovecot = dovecot
        super().__init__(folder)

    @property
    def ca_file(self) -> str:
        return str(self.folder / "authority.pem")

    def port(self, setting: Setting) -> int:
        return FIRST_PORT + SETTINGS.index(setting)

    def configure(self) -> None:
        super().configure()
        for name, one in certificates().items():
            one.write(self.folder / f"{name.replace(' ', '_')}.pem")
        with (self.folder / "main.cf").open("a", encoding="ascii") as main:
            main.write(f"inet_interfaces = 127.0.0.1\nsmtpd_milters =\nsmtpd_sasl_type = dovecot\n"
                       f"smtpd_sasl_path = {self._dovecot}/sasl\nsmtpd_recipient_restrictions = reject\n"
                       f"smtpd_client_connection_rate_limit = 0\n")  # fmt: skip
        master = self.folder / "master.cf"
        _first, _line, services = master.read_text().partition("\n")
        own = "".join(map(self._service, SETTINGS))
        master.write_text(f"{own}{services}tlsmgr unix - - n 1000? 1 tlsmgr\n", encoding="ascii")

    def _service(self, setting: Setting) -> str:
        file = self.folder / f"{setting.certificate.replace(' ', '_')}.pem"
        options = {"smtpd_tls_chain_files": str(file), **setting.options}
        lines = "".join(f"  -o {{ {name} = {value} }}\n" for name, value in options.items())
        return f"127.0.0.1:{self.port(setting)} inet n - n - - smtpd\n{lines}"
