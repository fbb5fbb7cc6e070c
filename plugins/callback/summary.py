# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a run with what receivers make of each sender, and what to do next."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: Ends a run with the verdict of each sender, and what to do next
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Prints a table at the end of any run in which M(mailroom.erp.mail_domains) or M(mailroom.erp.mail_auth_info) judged
    senders, alone, by a role, or by C(site) or C(verify).
  - The next steps stand below it, unless the run has printed its own report, as C(site) and C(verify) do.
  - Prints nothing when nothing was judged. It shows no secret, and control characters are escaped.
requirements:
  - enable it in C(callbacks_enabled)
options:
  width:
    description: The longest line, in characters.
    type: int
    default: 100
    ini:
      - section: callback_mailroom_summary
        key: width
    env:
      - name: MAILROOM_SUMMARY_WIDTH
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import whole_result
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import counted_results, wrapped
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import ToldSender, told_senders

_JUDGING = ("mailroom.erp.mail_domains", "mailroom.erp.mail_auth_info")
_REPORTING = ("mailroom.erp.erp_environments", "mailroom.erp.erp_verification")
_NARROWEST = 60


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Keeps the last verdict of each sender."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mailroom.erp.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: dict[tuple[str, str, str], ToldSender] = {}
        self._is_reported = False

    def v2_runner_on_ok(self, result: Any) -> None:
        """Take the verdicts of a task.

        :param result: of any task; Ansible has taken out what is hidden
        """
        self._take(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Take the verdicts of a task that refused or failed.

        :param result: of any task
        :param ignore_errors: not used
        """
        self._take(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the table.

        :param stats: not used
        """
        width = max(self.get_option("width"), _NARROWEST)
        for line in summary_lines(list(self._told.values()), width, with_next=not self._is_reported):
            self._display.display(line)

    def _take(self, result: Any) -> None:
        action = _action_of(result)
        if action in _REPORTING:
            self._is_reported = True
        if action in _JUDGING:
            for sender in _senders(_data_of(result)):
                self._told[(sender.environment, sender.address, str(sender.after["sender"]["service"]))] = sender


def summary_lines(senders: list[ToldSender], width: int, *, with_next: bool) -> list[str]:
    """Write the table.

    :param senders: in the order in which they were judged
    :param width: the longest line, in characters
    :param with_next: whether the next steps are told
    :returns: no line without senders
    """
    if not senders:
        return []
    told = ["", "SENDERS, as receivers judge them"]
    for one in senders:
        parts = ", ".join(f"{kind.upper()} {one.after[kind]['result']}" for kind in ("spf", "dkim", "dmarc"))
        told.append(wrapped("  ", f"{one.environment}, {one.address}{one.headline} ({parts})", width))
    steps = dict.fromkeys(str(one.after["next_step"]) for one in senders if one.after["next_step"])
    if steps and with_next:
        told += ["TO DO NEXT", *(wrapped("  - ", step, width) for step in steps)]
    told.append(f"{so_many(len(senders), 'sender')}: {counted_results(one.after['result'] for one in senders)}")
    return [escape_controls(line) for line in "\n".join(told).split("\n")]


def _senders(data: Mapping[str, Any]) -> Iterator[ToldSender]:
    """Those of a task; a loop has a result for each of its items."""
    try:
        for one in data.get("results") or [data]:
            yield from told_senders(whole_result(one).get("verdicts") or [])
    except (AttributeError, KeyError, TypeError, ValueError):
        # a task of another release: a summary never makes a run fail
        return


def _action_of(result: Any) -> str:
    task = getattr(result, "task", None) or result._task
    return str(getattr(task, "resolved_action", None) or task.action)


def _data_of(result: Any) -> Mapping[str, Any]:
    found = getattr(result, "result", None) or result._result
    return found if isinstance(found, Mapping) else {}
