# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DKIM keys of these tests, made anew for each run: nothing secret is kept anywhere."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.tools.dkim_keys import encoded_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

KEYS = {name: generate_private_key(65537, 2048) for name in ("service", "other")}
"""By name; RSA of 2048 bits, so that a record needs several character-strings."""


def private_pem(name: str) -> bytes:
    """A private key as dkimpy takes it (PKCS #1, PEM)."""
    return KEYS[name].private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def public_base64(name: str) -> str:
    """A public key as the tag ``p`` has it (RFC 6376 section 3.6.1)."""
    return encoded_key(KEYS[name].public_key())


def pkcs1_pem(name: str) -> str:
    """A public key in the form of PKCS#1, as PEM: BEGIN RSA PUBLIC KEY."""
    return KEYS[name].public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()


def key_line(owner: str, name: str = "service") -> str:
    """The line of a master file that publishes a key at an owner name."""
    record = f"v=DKIM1; k=rsa; p={public_base64(name)}"
    strings = " ".join(f'"{record[start : start + 255]}"' for start in range(0, len(record), 255))
    return f"{owner} TXT {strings}"
