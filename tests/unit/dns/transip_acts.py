# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of provider transip do, past the provider or through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.tests.servers.transip import LOGIN, Transip
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import ZONE

StartTransip = Callable[..., Transip]


def opened_transip(server: Transip, **options: Any) -> Provider:
    """The provider with the key pair, or with other options."""
    account = {**server.dns_option, **options}
    return open_provider({name: value for name, value in account.items() if value is not None})


def opened_with_token(server: Transip, token: str) -> Provider:
    return opened_transip(server, private_key=None, token=token, login=LOGIN)


def entry(content: str, *, name: str = "@", ttl: int = 600, rdtype: str = "TXT") -> dict[str, Any]:
    """An entry as the API has it."""
    return {"name": name, "expire": ttl, "type": rdtype, "content": content}


def post_entry(server: Transip, content: str, **parts: Any) -> None:
    """Make an entry as somebody else."""
    server.zones[ZONE].post(entry(content, **parts))
