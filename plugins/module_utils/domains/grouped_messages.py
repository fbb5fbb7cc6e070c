# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The same sentence about many domains or environments is one: what is said of each, told with their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

NAMES_SHOWN = 5
"""So many names stand in a sentence; of the others only the number."""

_BEGINS, _ENDS = re.compile(r"(?<![\w.-])"), re.compile(r"(?![\w-]|\.\w)")
"""Where a name may begin and end."""
_FEWEST = 3
"""As many domains as a sentence must be about to be told once."""


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence about one domain, or another kind of thing. ``names`` are those in it that another has its own of,
    such as its records and its zone; ``others`` are more of them, each with what stands in its place."""

    subject: str
    text: str
    names: Collection[str] = ()
    kind: str = "domain"
    others: Mapping[str, str] = field(default_factory=dict)


def grouped(messages: Iterable[Message]) -> list[str]:
    """Tell what is said of three domains or more once, in the order in which it came up.

    :returns: a sentence of one or two domains as it is; one that differs in names only begins with their domains, and
        has ``<domain>`` (``_dmarc.<domain>``, ...) in place of each name
    """
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(template_of(message), []).append(message)
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


def template_of(message: Message) -> str:
    """The sentence with ``<domain>`` for the domain, and so on: equal for all of which the same is said."""
    text, subject, place = message.text, message.subject, f"<{message.kind}>"
    for name in sorted({subject, *message.names, *message.others}, key=len, reverse=True):
        other = name.replace(subject, place) if name.endswith(subject) else message.others.get(name, "<zone>")
        text = _with_other(text, name, other)
    return text


def _with_other(text: str, name: str, other: str) -> str:
    """The text with another word for a name, but where it is a part of a longer one. Each name is asked for once, so a
    pattern of its own would take longer to compile than to use."""
    parts, done, at = [], 0, text.find(name)
    while name and at >= 0:
        end = at + len(name)
        if _BEGINS.match(text, at) and _ENDS.match(text, end):
            parts += [text[done:at], other]
            done = end
        at = text.find(name, max(done, at + 1))
    return "".join([*parts, text[done:]])


def _told(template: str, found: list[Message]) -> list[str]:
    subjects = list(dict.fromkeys(message.subject for message in found))
    if len(subjects) < _FEWEST:
        return list(dict.fromkeys(message.text for message in found))
    kind = found[0].kind
    return [f"{len(subjects)} {kind}s ({listed(subjects)}): {template.removeprefix(f'<{kind}>: ')}"]
