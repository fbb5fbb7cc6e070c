# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers make of each sender, before and after, as text that a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import check_width, counted_results
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import ToldSender, labelled, told_senders

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


def mail_verdicts_table(verdicts: Any, width: int = 100) -> str:
    """Lay out verdicts.

    :param verdicts: {before, after} as mail_domains returns them, or the list that mail_auth_info returns
    :param width: the longest line in characters, at least 60
    :returns: one block per environment and a line that counts the verdicts
    :raises AnsibleFilterError: the input has another shape, or the width is too small
    """
    check_width("mail_verdicts_table", width, _NARROWEST)
    try:
        rows = told_senders(verdicts)
        blocks = ["\n".join(_block(name, group, width)) for name, group in _grouped(rows).items()]
        counted = counted_results(row.after["result"] for row in rows)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise AnsibleFilterError(
            f"mail_verdicts_table wants the `verdicts` of mail_domains or mail_auth_info; this is else: {error!r}"
        ) from error
    return "\n\n".join([*blocks, f"{so_many(len(rows), 'sender')}: {counted}"])


def _grouped(rows: Iterable[ToldSender]) -> dict[str, list[ToldSender]]:
    groups: dict[str, list[ToldSender]] = {}
    for row in rows:
        groups.setdefault(row.environment, []).append(row)
    return groups


def _block(name: str, rows: Iterable[ToldSender], width: int) -> list[str]:
    lines = [name]
    for row in rows:
        lines.append(f"  {row.address}{row.headline}")
        lines += [labelled(label, text, width) for label, text in row.details]
    return lines


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_verdicts_table": mail_verdicts_table}
