# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of provider cloudflare do, past the provider or through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

StartCloudflare = Callable[..., Cloudflare]

ZONE = "acme.example"
APEX: Key = (ZONE, "TXT")
SPF = "v=spf1 mx ~all"
NEW = "v=spf1 mx include:spf.afas.online ~all"


def opened(server: Cloudflare, **options: Any) -> Provider:
    return open_provider({**server.dns_option, **options})


def post(server: Cloudflare, **record: Any) -> dict[str, Any]:
    """Make a record as somebody else; gives it as the API shows it."""
    (made,) = server.write(ZONE, posts=[{"name": ZONE, "type": "TXT", "ttl": 600, **record}])["posts"]
    return made


def change(provider: Provider, key: Key, *values: str, ttl: int | None = None) -> None:
    """Read an RRset and make these its values."""
    state = provider.read(ZONE, [key])
    before = state.rrsets.get(key)
    seconds = ttl or (before.ttl if before else 3600)
    provider.apply(ZONE, [Change(before, RRset(*key, seconds, values) if values else None)], state.token)


def estate(count: int) -> dict[str, str]:
    """Zones of many customers."""
    return {f"customer{n}.example": zone_text(f"customer{n}.example") for n in range(count)}
