# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public DKIM keys for tests."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519_RECORD = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""A key record that is always the same: that of RFC 8463 appendix A.2."""


def new_public_key(bits: int) -> str:
    """Make an RSA key of this size.

    :returns: its public half as the tag ``p`` has it
    """
    return encoded_key(rsa.generate_private_key(65537, bits).public_key())


def encoded_key(key: rsa.RSAPublicKey) -> str:
    """A public key as the tag ``p`` has it: SubjectPublicKeyInfo in DER, in base64 (RFC 6376 section 3.6.1)."""
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
