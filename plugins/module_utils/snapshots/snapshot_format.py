# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The text of a snapshot: YAML that a person reads, and that comes back without loss. docs/restore.md shows one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import (
    plain_text,
    public_options,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.problem import encodable
from ansible_collections.mailroom.erp.plugins.module_utils.version import VERSION

SNAPSHOT_FORMAT = "mailroom.erp/snapshot/2"
FORMAT_WITHOUT_END = "mailroom.erp/snapshot/1"
"""The format before: a file that had lost zones at its end read as whole."""

END = "...\n"
"""The last line of a snapshot: the end of a YAML document (YAML 1.2, 9.1.2)."""

_HEAD = r"""# What stood in the DNS right before this run wrote, and what the run made of it.
# Bring it back: ansible-playbook mailroom.erp.restore -e mail_restore_snapshot=<this file>
# In quoted text a backslash stands as \\, and a byte that is no printable text as \DDD (decimal), as in a zone file.
"""
_ESCAPE = re.compile(r"\\(\\|[0-9]{3})?")


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """When a run began (UTC), who ran it (user@host) and why (the task, as its author named it)."""

    when: datetime
    who: str
    why: str


def escaped(text: str) -> str:
    """Write any text, undecodable bytes included (surrogateescape), in printable characters.

    :param text: for example a TXT value as ``policy.txt.join`` gives it
    :returns: the same with ``\\\\`` for a backslash and ``\\DDD`` for each byte that is no printable text
    """
    if text.isprintable():  # as nearly all are
        return text.replace("\\", "\\\\")
    return "".join(_escaped(char) for char in text)


def unescaped(text: str) -> str:
    """Read what :func:`escaped` wrote.

    :raises ValueError: a backslash that escapes nothing, or a number over 255
    """
    data, end = b"", 0
    for match in _ESCAPE.finditer(text):
        data += text[end : match.start()].encode() + _unescaped(match[1])
        end = match.end()
    return (data + text[end:].encode()).decode("utf-8", "surrogateescape")


def when_text(moment: datetime) -> str:
    """A moment in UTC as ISO 8601, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def head_text(facts: SnapshotFacts) -> str:
    """The head of a snapshot, up to the list of zones."""
    entries = {
        "format": SNAPSHOT_FORMAT,
        "when": when_text(facts.when),
        "who": facts.who,
        "why": facts.why,
        "collection": VERSION,
    }
    return _HEAD + "".join(f"{name}: {_quoted(text)}\n" for name, text in entries.items()) + "zones:\n"


def zone_text(account: Mapping[str, Any], zone: str, changes: Iterable[Change]) -> str:
    """One entry of the list of zones."""
    options = ", ".join(f"{name}: {_scalar(value)}" for name, value in public_options(account).items())
    head = f"  - zone: {_quoted(zone)}\n    account: {{{options}}}\n    records:\n"
    return head + "".join(_record_text(change) for change in changes)


def rrset_data(rrset: RRset | None) -> dict[str, Any] | None:
    """An RRset as plain data with escaped values, as snapshot and journal show it; None when there is none."""
    return None if rrset is None else {"ttl": rrset.ttl, "values": [escaped(value) for value in rrset.values]}


def _record_text(change: Change) -> str:
    name, rdtype = change.key
    sides = _side_text("before", change.before) + _side_text("after", change.after)
    return f"      - name: {_quoted(name)}\n        type: {rdtype}\n{sides}"


def _side_text(side: str, rrset: RRset | None) -> str:
    if rrset is None:
        return f"        {side}: null\n"
    values = "".join(f"            - {_quoted(value)}\n" for value in rrset.values)
    return f"        {side}:\n          ttl: {rrset.ttl}\n          values:\n{values}"


def _scalar(value: object) -> str:
    """A text or number; a dictionary or list as JSON, in quotes."""
    return str(value) if isinstance(value, int | float) else _quoted(plain_text(value))


def _quoted(text: str) -> str:
    """A single-quoted YAML scalar: nothing in it means anything but itself, a quote is doubled (YAML 1.2, 7.3.2)."""
    return "'" + escaped(text).replace("'", "''") + "'"


def _escaped(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    try:
        return "".join(f"\\{byte:03d}" for byte in char.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        # Half a surrogate pair stands for no bytes; no value of the DNS holds one, but words about a run may.
        return "\\" + encodable(char)


def _unescaped(code: str | None) -> bytes:
    if code is None:
        raise ValueError("a backslash escapes nothing")
    return b"\\" if code == "\\" else bytes([int(code)])
