# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a server's certificate says: whose it is, for how long, and whether it is meant for a name. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require

_MOST_LEFT = timedelta(days=30)
_PART_LEFT = 5
BY_SAN, BY_CN = "san", "cn"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate. ``names`` are the DNS names of the SAN in lower case, ``addresses`` its IP addresses,
    ``common_name`` that of the subject; times are aware (UTC); ``self_issued`` tells that issuer and subject are one;
    ``key`` and ``signature`` are for people, ``sha256`` is the fingerprint in hexadecimal digits."""

    subject: str
    issuer: str
    common_name: str | None
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    self_issued: bool
    key: str
    signature: str
    sha256: str

    def ends_soon(self, now: datetime) -> bool:
        """Whether it should have been renewed: less than a fifth of its own lifetime is left, or at most 30 days of a
        long one.

        :param now: aware
        """
        return self.not_after - now < min(_MOST_LEFT, (self.not_after - self.not_before) / _PART_LEFT)

    def matches(self, host: str) -> str | None:
        """How the certificate names a server (RFC 9525 section 6): by its SAN, or, without DNS names there, by its
        common name, which older clients take.

        :param host: a name in A-labels, or an address
        :returns: ``san``, ``cn`` or None
        """
        wanted = host.lower().rstrip(".")
        try:
            address = ipaddress.ip_address(wanted)
        except ValueError:
            return self._names(wanted)
        return BY_SAN if str(address) in self.addresses else None

    def _names(self, wanted: str) -> str | None:
        if any(_covers(pattern, wanted) for pattern in self.names):
            return BY_SAN
        is_common = not self.names and self.common_name is not None and _covers(self.common_name.lower(), wanted)
        return BY_CN if is_common else None


def certificate_facts(der: bytes) -> CertificateFacts | None:
    """Read a certificate.

    :param der: as the server sent it
    :returns: None when it cannot be read
    :raises MissingLibrary: the library cryptography is not installed
    """
    x509 = require("cryptography.x509")
    odd = (x509.InvalidVersion, x509.UnsupportedGeneralNameType, x509.DuplicateExtension)
    try:
        return _facts(x509, x509.load_der_x509_certificate(der))
    except (ValueError, TypeError, AttributeError, NotImplementedError, *odd):
        return None


def _facts(x509: Any, found: Any) -> CertificateFacts:
    common = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    names, addresses = _alternatives(x509, found)
    hash_algorithm = _hash(found)
    hashes = require("cryptography.hazmat.primitives.hashes")
    return CertificateFacts(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        common_name=str(common[-1].value) if common else None,
        names=names,
        addresses=addresses,
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        self_issued=found.issuer == found.subject,
        key=_key(found),
        signature=hash_algorithm,
        sha256=found.fingerprint(hashes.SHA256()).hex(),
    )


def _alternatives(x509: Any, found: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    dns = tuple(str(name).lower().rstrip(".") for name in names.get_values_for_type(x509.DNSName))
    return dns, tuple(str(address) for address in names.get_values_for_type(x509.IPAddress))


def _hash(found: Any) -> str:
    exceptions = require("cryptography.exceptions")
    try:
        algorithm = found.signature_hash_algorithm
    except exceptions.UnsupportedAlgorithm:
        return "unknown"
    return str(algorithm.name) if algorithm is not None else "none"


def _key(found: Any) -> str:
    """Its kind and size, e.g. RSA 2048."""
    exceptions = require("cryptography.exceptions")
    try:
        key = found.public_key()
    except (ValueError, exceptions.UnsupportedAlgorithm):
        return "unknown"
    kind = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
    size = getattr(key, "key_size", None)
    return f"{kind} {size}" if size else kind


def _covers(pattern: str, name: str) -> bool:
    """A wildcard is the whole first label, stands for one label, and has two more behind it (RFC 9525 section 6.3)."""
    if not pattern.startswith("*."):
        return bool(pattern) and pattern.rstrip(".") == name
    first, _dot, rest = name.partition(".")
    return bool(first) and "." in rest and rest == pattern[2:]
