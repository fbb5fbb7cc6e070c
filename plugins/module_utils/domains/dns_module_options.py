# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options that every DNS module takes beside its own, as argument specs."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import dns_spec
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS


def shared_spec() -> dict[str, Any]:
    """The argument spec of the options ``dns``, ``zone`` and ``resolver``, and the rest that every DNS module takes."""
    return {
        "dns": dns_spec(),
        "zone": {"type": "str"},
        "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
        "accept_undelegated": {"type": "list", "elements": "str", "default": []},
        "snapshot_dir": {"type": "path"},
        "why": {"type": "str"},
    }


def domain_spec() -> dict[str, Any]:
    """The argument spec of the options that every module for one domain takes."""
    return {"domain": {"type": "str", "required": True}, "ttl": {"type": "int"}, **shared_spec()}
