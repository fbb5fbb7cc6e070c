# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Certificates that an application may sign in with: public ones only."""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate: content in base64 (DER), the first 16 hexadecimal digits of its SHA-256, validity in UTC."""

    content: str
    fingerprint: str
    start: datetime.datetime
    end: datetime.datetime


def holds_private_key(text: object) -> bool:
    """Whether a text holds a private key, which must never be sent or shown.

    :param text: anything that was given as a certificate
    """
    return isinstance(text, str) and "PRIVATE KEY" in text


def read_certificate(text: str, subject: str) -> Certificate:
    """Read a certificate in PEM.

    :param text: the certificate in PEM
    :param subject: what it belongs to, for messages
    :raises Refused: it is none, or holds a private key; no part of it is shown
    :raises MissingLibrary: cryptography is not installed
    """
    x509: Any = require("cryptography.x509")
    if holds_private_key(text):
        rule, way_out = "it holds a private key", "Keep the private key where it signs in from."
        raise Refused(ENTRA_RULES.problem(subject, "certificate", None, rule, way_out))
    try:
        read = x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        rule, way_out = "it is no certificate in PEM", "Give the file that begins with BEGIN CERTIFICATE."
        raise Refused(ENTRA_RULES.problem(subject, "certificate", None, rule, way_out)) from None
    der = read.public_bytes(require("cryptography.hazmat.primitives.serialization").Encoding.DER)
    digest = read.fingerprint(require("cryptography.hazmat.primitives.hashes").SHA256())
    content = base64.b64encode(der).decode()
    return Certificate(content, digest.hex()[:16], read.not_valid_before_utc, read.not_valid_after_utc)
