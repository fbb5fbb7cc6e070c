# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The mail servers of all environments as ``smtp_probe`` takes them, each once, and what it found of each. Pure.

Source of the rules: docs/smtp_probe.md, "In site".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import (
    wrong_smtp_probe_arguments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight, read_sight, unseen

_LONGEST_REASON = 300


def probed_servers(needs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What to look for, once for all environments that want the same of the same server.

    :param needs: what ``environment_needs`` gave, by host
    :returns: the option ``servers`` of ``smtp_probe``, without servers that it would refuse
    """
    wanted = {canonical_json(item): item for item in _wanted(needs).values()}
    return [item for item in wanted.values() if not wrong_smtp_probe_arguments({"servers": [item]})]


def server_sights(needs: Mapping[str, Mapping[str, Any]], looked: Mapping[str, Any]) -> dict[str, ServerSight]:
    """What was found at the server of each environment.

    :param needs: as :func:`probed_servers` took them
    :param looked: what ``smtp_probe`` returned for these; empty when nobody looked
    :returns: by host, for those that have a server; empty when nobody looked
    """
    if not looked:
        return {}
    asked, found = probed_servers(needs), looked.get("servers") or []
    whole = len(asked) == len(found)
    seen = {canonical_json(one): read_sight(item) for one, item in zip(asked, found, strict=True)} if whole else {}
    return {
        host: seen.get(canonical_json(item)) or unseen(item, _reason(item, looked))
        for host, item in _wanted(needs).items()
    }


def _wanted(needs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By host; the name of an environment makes no other server of it."""
    present = {host: one["probe"] for host, one in needs.items() if one["state"] == "present" and one.get("probe")}
    return {host: {key: value for key, value in item.items() if key != "name"} for host, item in present.items()}


def _reason(item: Mapping[str, Any], looked: Mapping[str, Any]) -> str:
    wrong = wrong_smtp_probe_arguments({"servers": [item]})
    told = "; ".join(wrong).replace("servers[0].", "") or str(looked.get("msg") or "the task has no result")
    line = " ".join(told.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."
