# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of mail servers as they should not be: expired, of another name, signed by nobody; and right ones."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, its key, and the certificates above it that the server sends, as one PEM file."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, file: Path) -> str:
        """Write key and chain.

        :returns: the path
        """
        key = self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain = b"".join(one.public_bytes(_PEM) for one in (self.certificate, *self.above))
        file.write_bytes(key + chain)
        return str(file)

    def context(self, file: Path) -> ssl.SSLContext:
        """The settings of a server with this certificate; any version that OpenSSL has."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(self.write(file))
        return context


def issued(
    names: Sequence[str] = ("localhost",),
    *,
    issuer: Issued | None = None,
    common_name: str = "server",
    days: tuple[float, float] = (-10, 80),
    authority: bool = False,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    send_chain: bool = False,
) -> Issued:
    """Make a certificate.

    :param names: names and addresses of its SAN; none at all without any
    :param issuer: who signs it; itself unless given
    :param days: from and until when it is valid, counted from now
    :param authority: whether it may sign others
    :param key: a new one of an elliptic curve unless given
    :param send_chain: whether the server sends the issuer's, too
    """
    own = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names and not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
    above = (issuer.certificate, *issuer.above) if issuer and send_chain else ()
    return Issued(builder.sign(issuer.key if issuer else own, hashes.SHA256()), own, above)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
