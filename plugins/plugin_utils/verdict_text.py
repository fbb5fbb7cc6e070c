# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person is told of a sender's verdict: what it was, what it is, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import wrapped

_Verdict = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToldSender:
    """One sender before and after the change, and as the live records have it afterwards; verdicts are dicts as
    ``mail_auth_info`` returns them."""

    before: _Verdict
    after: _Verdict
    live: _Verdict

    @property
    def address(self) -> str:
        """The From address."""
        return str(self.after["sender"]["from"])

    @property
    def environment(self) -> str:
        """The name of its environment, or what stands in place of one."""
        return self.after["sender"]["environment"] or "other senders"

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell: it passes as it did before, with nothing to look at."""
        same = self.before["result"] == self.after["result"] == self.live["result"] == "pass"
        return same and not self.after["next_step"] and not self.after.get("cautions")

    @property
    def headline(self) -> str:
        """By which service it sends, and the verdict: " by afas_online: fail -> PASS"."""
        service, was, now = self.after["sender"]["service"], self.before["result"], self.after["result"]
        by = f" by {service}" if service else ""
        return f"{by}: {'' if was == now else f'{was} -> '}{now.upper()}"

    @property
    def details(self) -> list[tuple[str, str]]:
        """The lines below, each with its label."""
        return list(_details(self.after, self.live))


def told_senders(verdicts: Any) -> list[ToldSender]:
    """Take verdicts in the order in which they are to be told.

    :param verdicts: {before, after} and maybe live, or one list
    :raises ValueError: the lists are not of one length
    """
    if isinstance(verdicts, Mapping):
        before, after, live = verdicts["before"], verdicts["after"], verdicts.get("live") or verdicts["after"]
        return [ToldSender(*row) for row in zip(before, after, live, strict=True)]
    return [ToldSender(verdict, verdict, verdict) for verdict in verdicts]


def labelled(label: str, text: str, width: int) -> str:
    """One of the details, below the sender that it is about.

    :param label: empty for the first
    :param text: what is said
    :param width: the longest line, in characters
    """
    return wrapped(f"    {label + ':':<6}" if label else "    ", text, width)


def _details(after: _Verdict, live: _Verdict) -> Iterator[tuple[str, str]]:
    parts = ", ".join(f"{kind.upper()} {after[kind]['result']}" for kind in ("spf", "dkim", "dmarc"))
    parts += f", transport {after['transport']['result']}" if after.get("transport") else ""
    yield "", parts + (f"; receivers {_asked(after)}" if after["result"] != "pass" else "")
    if after["result"] != "pass":
        yield "why", after["reason"]
    else:
        yield from (("but", caution) for caution in after.get("cautions") or ())
    if live["result"] != after["result"]:
        told = f"the live records still give {live['result']}, {live['reason']}"
        yield "live", f"written, not yet visible everywhere: {told}"
    if after["next_step"]:
        yield "next", after["next_step"]


def _asked(verdict: _Verdict) -> str:
    """What receivers are asked to do with mail that fails."""
    policy = verdict["dmarc"]["policy"]
    if verdict["result"] == "unknown" and policy in ("quarantine", "reject"):
        return f"would be asked for {policy} if it failed"
    asked = {"reject": "are asked to reject it", "quarantine": "are asked to put it into spam"}
    return asked.get(verdict["disposition"], "decide for themselves")
