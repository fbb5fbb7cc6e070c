# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Signing in to TransIP: an access token for each purpose, got with the account's key pair or given by the user."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

_LIFETIME = "1 hour"
_RENEWED_AFTER = 3000.0
"""Seconds after which a token is not used any more; it lives for 3600."""

Ask = Callable[[bytes, str], str]
"""Sends the body of a sign-in with its signature, and gives the token."""


class RefusedSignIn(ProviderError):
    """TransIP gave no token, because of the account, the key, or the address that it was asked from."""


class TransipSignIn:
    """The access tokens of one account; may be used by several threads at once."""

    def __init__(self, dns: Mapping[str, Any]) -> None:
        """Take the options of provider transip; nothing is asked yet.

        :raises MissingLibrary: there is a private key, and cryptography is not installed
        :raises ProviderError: the token or the key cannot be one
        """
        self._login = str(dns["login"])
        self._given = _checked_token(str(dns["token"])) if dns.get("token") is not None else None
        self._key = None if self._given is not None else _read_key(str(dns["private_key"]))
        self._tokens: dict[bool, tuple[str, float]] = {}
        self._anywhere = False
        self._lock = threading.Lock()

    def token(self, write: bool, ask: Ask) -> str:
        """A token that is valid now. One that may write is asked for when something is to be written, and not before.

        :param write: whether the request changes something
        :raises ProviderError: what ``ask`` raises
        """
        if self._given is not None:
            return self._given
        with self._lock:
            token, since = self._tokens.get(write, ("", 0.0))
            if not token or time.monotonic() - since > _RENEWED_AFTER:
                token = self._new_token(write, ask)
                self._tokens[write] = (token, time.monotonic())
            return token

    def refused(self, token: str) -> bool:
        """Take note that TransIP does not accept a token, and say whether another one may be better.

        :param token: the one that was refused
        """
        with self._lock:
            self._tokens = {write: one for write, one in self._tokens.items() if one[0] != token}
            better = self._key is not None and not self._anywhere
            self._anywhere = self._key is not None
            return better

    def masked(self, text: str) -> str:
        """A text without the tokens that it may repeat."""
        known = [self._given or "", *(token for token, _since in self._tokens.values())]
        for token in filter(None, known):
            text = text.replace(token, "***")
        return text

    def _new_token(self, write: bool, ask: Ask) -> str:
        """Tokens are valid from the addresses of TransIP's list only, unless they are asked for otherwise, which helps
        with a key pair that is not bound to the list. So the list is tried first."""
        try:
            return ask(*self._signed(read_only=not write))
        except RefusedSignIn:
            if self._anywhere:
                raise
            self._anywhere = True
            return ask(*self._signed(read_only=not write))

    def _signed(self, *, read_only: bool) -> tuple[bytes, str]:
        """The body of a sign-in, and its signature (api.transip.nl/rest/docs.html, Authentication)."""
        nonce = secrets.token_hex(16)
        body = {
            "login": self._login,
            "nonce": nonce,
            "read_only": read_only,
            "expiration_time": _LIFETIME,
            # A label may be in use once only.
            "label": f"mailroom.erp {nonce[:12]}",
            "global_key": self._anywhere,
        }
        data = json.dumps(body).encode()
        signature = self._key.sign(data, padding.PKCS1v15(), hashes.SHA512()) if self._key else b""
        return data, base64.b64encode(signature).decode()


def _checked_token(text: str) -> str:
    token = text.strip()
    if not re.fullmatch(r"[!-~]+", token):
        # An HTTP library would show it in its error.
        raise ProviderError("dns.token holds blanks or other characters that no token has. Copy it again")
    return token


def _read_key(text: str) -> Any:
    libraries.require("cryptography.hazmat.primitives.serialization")
    try:
        key = serialization.load_pem_private_key(text.strip().encode(), password=None)
    except Exception:
        # Whatever it is, the words of the library could hold a part of the key.
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ProviderError(
            "dns.private_key is no RSA key in PEM without a password. Copy the whole text that TransIP's control panel "
            "showed (Account, API), with its first and last line and all line breaks"
        )
    return key
