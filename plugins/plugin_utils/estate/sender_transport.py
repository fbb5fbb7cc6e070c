# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is known about handing in the mail of a sender: what the tenant says of its mailbox, and what was seen of the
mail server, for its verdict. Pure.

Source of the rules: docs/verdicts.md, ``transport``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight

_Finding = dict[str, Any]
"""``result``, ``reason`` and ``next_step``, as the option ``senders`` takes ``transport``."""
_WORST = ("fail", "unknown", "pass")


def with_transport(needs: Any, made: Any, sight: ServerSight | None = None) -> Any:
    """The needs of an environment with what is known about handing in the mail of its senders, for their verdicts.

    :param needs: the fact ``erp_mail_needs``, or None
    :param made: the fact ``mail_entra_made``, or None
    :param sight: what was seen of its mail server, None when nobody looked
    """
    if not needs or not (made or sight):
        return needs
    mailboxes = {one["address"]: _mailbox(one) for one in (made or {}).get("senders") or []}
    server = None if sight is None else _server(sight)
    return {**needs, "senders": [_sender(one, needs, mailboxes, server) for one in needs.get("senders") or []]}


def _sender(
    sender: Mapping[str, Any], needs: Mapping[str, Any], mailboxes: Mapping[str, _Finding], server: _Finding | None
) -> dict[str, Any]:
    """A sender of another service than the environment's own is handed in another way."""
    found = [one for one in (server, mailboxes.get(sender["from"])) if one is not None]
    if sender["service"] != needs["service"] or not found:
        return dict(sender)
    return {**sender, "transport": _together(found)}


def _together(found: list[_Finding]) -> _Finding:
    """The worst of all; what is well is told only where all is."""
    result = min((one["result"] for one in found), key=_WORST.index)
    told = [one for one in found if one["result"] != "pass"] or found
    steps = " ".join(one["next_step"] for one in told if one["next_step"])
    return {"result": result, "reason": "; ".join(one["reason"] for one in told), "next_step": steps or None}


def _mailbox(said: Mapping[str, Any]) -> _Finding:
    reason = f"{said['reason']} (docs/entra.md)"
    return {"result": said["result"], "reason": reason, "next_step": said.get("next_step")}


def _server(sight: ServerSight) -> _Finding | None:
    """None where nothing is wrong from here and the ERP sends from elsewhere: from there nobody has looked."""
    if not sight.is_open:
        if sight.result != "pass":
            return None
        reason = f"the mail server {sight.name} is as the ERP needs it (docs/smtp_probe.md)"
        return {"result": "pass", "reason": reason, "next_step": None}
    told = "; ".join(one["text"] for one in sight.hindrances)
    steps = " ".join(dict.fromkeys(one["next_step"] for one in sight.hindrances))
    reason = f"the mail server {sight.name}: {told} (docs/smtp_probe.md)"
    return {"result": sight.result, "reason": reason, "next_step": steps}
