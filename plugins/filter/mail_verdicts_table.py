# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers make of each sender, before and after, as text that a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import check_width, counted_results, wrapped

DOCUMENTATION = r"""
name: mail_verdicts_table
short_description: A readable table of verdicts, per environment and sender
version_added: 0.1.0
description:
  - Turns the C(verdicts) that M(mailroom.erp.mail_domains) or M(mailroom.erp.mail_auth_info) returns into text.
  - Each environment has a block, each sender its verdict before and after and the results of SPF, DKIM and DMARC; below
    stand the reason and the next step, unless all is well.
positional: _input
options:
  _input:
    description:
      - A dictionary with C(before) and C(after), or one list of verdicts.
      - C(live) may hold those on the live records after the change; where one is another than planned, the table says
        that what was written is not visible yet.
    type: raw
    required: true
  width:
    description: The longest line, in characters.
    type: int
    default: 100
author:
  - The mailroom.erp authors
"""

EXAMPLES = r"""
- name: Show what receivers will make of each sender
  ansible.builtin.debug:
    msg: "{{ made.verdicts | mailroom.erp.mail_verdicts_table }}"
"""

RETURN = r"""
_value:
  description: The table; its last line counts the senders by their verdict.
  type: str
"""

_NARROWEST = 60

_Verdict = Mapping[str, Any]
_Row = tuple[_Verdict, _Verdict, _Verdict]
"""One sender before and after the change, and as the live records have it afterwards."""


def mail_verdicts_table(verdicts: Any, width: int = 100) -> str:
    """Lay out verdicts.

    :param verdicts: {before, after} as mail_domains returns them, or the list that mail_auth_info returns
    :param width: the longest line in characters, at least 60
    :returns: one block per environment and a line that counts the verdicts
    :raises AnsibleFilterError: the input has another shape, or the width is too small
    """
    check_width("mail_verdicts_table", width, _NARROWEST)
    try:
        rows = list(_rows(verdicts))
        blocks = ["\n".join(_block(name, group, width)) for name, group in _grouped(rows).items()]
        counted = counted_results(after["result"] for _before, after, _live in rows)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"mail_verdicts_table wants the `verdicts` of mail_domains or mail_auth_info; this is else: {error!r}"
        ) from error
    return "\n\n".join([*blocks, f"{len(rows)} senders: {counted}"])


def _rows(verdicts: Any) -> Iterator[_Row]:
    if isinstance(verdicts, Mapping):
        return zip(verdicts["before"], verdicts["after"], verdicts.get("live") or verdicts["after"], strict=True)
    return ((verdict, verdict, verdict) for verdict in verdicts)


def _grouped(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row[1]["sender"]["environment"] or "other senders", []).append(row)
    return groups


def _block(name: str, rows: Iterable[_Row], width: int) -> list[str]:
    return [name, *(line for row in rows for line in _sender(*row, width))]


def _sender(before: _Verdict, after: _Verdict, live: _Verdict, width: int) -> list[str]:
    sender = after["sender"]
    was = "" if before["result"] == after["result"] else f"{before['result']} -> "
    parts = ", ".join(f"{kind.upper()} {after[kind]['result']}" for kind in ("spf", "dkim", "dmarc"))
    parts += f", mailbox {after['transport']['result']}" if after.get("transport") else ""
    asked = f"; receivers {_asked(after)}" if after["result"] != "pass" else ""
    by = f" by {sender['service']}" if sender["service"] else ""
    lines = [f"  {sender['from']}{by}: {was}{after['result'].upper()}", _wrapped("", f"{parts}{asked}", width)]
    if after["result"] != "pass":
        lines += [_wrapped("why", after["reason"], width)]
    else:
        lines += [_wrapped("but", caution, width) for caution in after.get("cautions", [])]
    if live["result"] != after["result"]:
        text = f"written, not yet visible everywhere: the live records still give {live['result']}, {live['reason']}"
        lines += [_wrapped("live", text, width)]
    if after["next_step"]:
        lines += [_wrapped("next", after["next_step"], width)]
    return lines


def _asked(verdict: _Verdict) -> str:
    """What receivers are asked to do with mail that fails."""
    policy = verdict["dmarc"]["policy"]
    if verdict["result"] == "unknown" and policy in ("quarantine", "reject"):
        return f"would be asked for {policy} if it failed"
    asked = {"reject": "are asked to reject it", "quarantine": "are asked to put it into spam"}
    return asked.get(verdict["disposition"], "decide for themselves")


def _wrapped(label: str, text: str, width: int) -> str:
    return wrapped(f"    {label + ':':<6}" if label else "    ", text, width)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_verdicts_table": mail_verdicts_table}
