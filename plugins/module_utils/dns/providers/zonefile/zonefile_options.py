# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of provider ``zonefile``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration


def _open(dns: Mapping[str, Any], _tell: Callable[[str], None]) -> Provider:
    from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
        ZonefileProvider,
    )

    return ZonefileProvider(dns)


ZONEFILE = ProviderRegistration(name="zonefile", options={"path": {"type": "path", "required": True}}, open=_open)
