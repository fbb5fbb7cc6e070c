# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The domains that ``mail_auth_info`` is to look at: all that are ours, each with the DKIM selectors that are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan


def audited_domains(plan: EstatePlan) -> list[dict[str, Any]]:
    """Name them.

    :param plan: what is to be made, and who sends
    :returns: the option ``domains`` of the module
    """
    selectors: dict[str, dict[str, None]] = {name: {} for name in plan.names}
    for entry in plan.domains:
        for one in entry.get("dkim") or []:
            if isinstance(one, Mapping) and isinstance(one.get("selector"), str) and one.get("state") != "absent":
                selectors[entry["domain"]][one["selector"]] = None
    for sender in plan.senders:
        signature = sender.get("dkim") or {}
        if signature.get("domain") in selectors:
            selectors[signature["domain"]] |= dict.fromkeys(signature.get("selectors") or [])
    return [{"domain": name, "selectors": [*own]} for name, own in selectors.items()]


def managed_domains(plan: EstatePlan) -> list[str]:
    """The domains whose DMARC policy the collection moves.

    :param plan: what is to be made
    """
    return [one["domain"] for one in plan.domains if (one.get("dmarc") or {}).get("mode") == "managed"]
