# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Options that are numbers: Ansible takes ``yes`` for 1, ``1_0`` for 10 and ``nan`` for a number; nobody means that."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource

NUMBER_OPTIONS = frozenset(
    {
        "accept_changes",
        "account",
        "alarm_days",
        "concurrency",
        "failing_share",
        "flatten_refresh",
        "left_out",
        "lifetime",
        "max_age",
        "message_size",
        "messages_per_day",
        "messages_per_minute",
        "min_size",
        "minimum_days",
        "minimum_reporters",
        "newest_days",
        "overlap",
        "poll_interval",
        "port",
        "quiet_days",
        "renew_before",
        "retention",
        "rrsets",
        "settle",
        "share",
        "timeout",
        "ttl",
        "unknown_messages",
        "unknown_share",
        "view",
    }
)
"""The names of all options of the collection that are numbers, at any depth; no other option has one of these names."""

_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_ACCOUNTS = ("dns", "accounts")
_RULES = RuleSource("docs/inventory.md")


def wrong_numbers(value: object, place: str = "", subject: str = "task") -> Iterator[Problem]:
    """Find the options that should be numbers and are none; those of DNS accounts are checked with the rest of them.

    :param value: what a user gave, at any depth
    :param place: where it stands: the path of the option, empty for all options
    :param subject: the domain that it is about, for the message
    :returns: one problem per option; the values are no secrets
    """
    if isinstance(value, Mapping):
        about = value["domain"] if isinstance(value.get("domain"), str) else subject
        inside = "" if about != subject else place
        for name, inner in value.items():
            if name in _ACCOUNTS:
                continue
            where = f"{inside}.{name}" if inside else str(name)
            if name in NUMBER_OPTIONS and not is_number(inner):
                yield _problem(about, where, inner)
            else:
                yield from wrong_numbers(inner, where, about)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            if isinstance(inner, (Mapping, list, tuple)):
                yield from wrong_numbers(inner, place, subject)


def is_number(value: object) -> bool:
    """Tell whether a value is a number, or is for Ansible to judge: nothing, a list, a dictionary.

    :param value: anything
    """
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or _NUMBER.fullmatch(value) is not None


def _problem(subject: str, where: str, value: object) -> Problem:
    given = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return _RULES.problem(subject, where, given, "it is no number", "Give a number.")
