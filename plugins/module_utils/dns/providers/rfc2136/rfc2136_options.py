# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of provider ``rfc2136``, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration

_ALGORITHMS = ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]


def _open(dns: Mapping[str, Any], _tell: Callable[[str], None]) -> Provider:
    from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.rfc2136_provider import (
        Rfc2136Provider,
    )

    return Rfc2136Provider(dns)


def _problems(dns: Mapping[str, Any]) -> list[str]:
    if (dns.get("key_name") is None) == (dns.get("key_secret") is None):
        return []
    return ["dns.key_name and dns.key_secret belong together: give both (TSIG) or neither"]


RFC2136 = ProviderRegistration(
    name="rfc2136",
    options={
        "server": {"type": "str", "required": True},
        "port": {"type": "int", "default": 53},
        "key_name": {"type": "str"},
        "key_secret": {"type": "str", "no_log": True},
        "key_algorithm": {"type": "str", "default": "hmac-sha256", "choices": _ALGORITHMS},
        "timeout": {"type": "float"},
    },
    open=_open,
    problems=_problems,
)
