# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The same sentence about many domains is one sentence: what is said of each, told with the names that it is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

NAMES_SHOWN = 5
"""So many names stand in a sentence; of the others only the number."""

_FEWEST = 3
"""As many domains as a sentence must be about to be told once."""


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence about one domain. ``names`` are those in it that another domain would have its own of: its records and
    its zone."""

    domain: str
    text: str
    names: Collection[str] = ()


def grouped(messages: Iterable[Message]) -> list[str]:
    """Tell what is said of three domains or more once, in the order in which it came up.

    :returns: a sentence of one or two domains as it is; one that differs in names only begins with their domains, and
        has ``<domain>`` (``_dmarc.<domain>``, ...) in place of each name
    """
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(_template(message), []).append(message)
    return [line for template, found in groups.items() for line in _told(template, found)]


def failure_list(what: str, failures: Collection[Message], total: int, check_mode: bool) -> str:
    """What a task says at its end of those that failed, the same reason of many once.

    :param what: "domains" or "zones"
    :param failures: one for each that failed
    :param total: how many there are
    """
    done = "would be done" if check_mode else "are done"
    head = f"{len(failures)} of {total} {what} failed, the others {done}:"
    if len(failures) == total:
        head = f"all {total} {what} failed:" if total > 1 else f"{what.removesuffix('s')} failed:"
    return "\n".join([head, *grouped(failures)])


def listed(names: Collection[str]) -> str:
    """Names in a sentence: the first few, and how many there are besides."""
    shown = [*names][:NAMES_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _told(template: str, found: list[Message]) -> list[str]:
    domains = list(dict.fromkeys(message.domain for message in found))
    if len(domains) < _FEWEST:
        return list(dict.fromkeys(message.text for message in found))
    rest = template.removeprefix("<domain>: ")
    return [f"{len(domains)} domains ({listed(domains)}): {rest}"]


def _template(message: Message) -> str:
    """The sentence with ``<domain>`` for the domain, longer names of it first."""
    text = message.text
    for name in sorted({message.domain, *message.names}, key=len, reverse=True):
        other = name.replace(message.domain, "<domain>") if name.endswith(message.domain) else "<zone>"
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", other, text)
    return text
