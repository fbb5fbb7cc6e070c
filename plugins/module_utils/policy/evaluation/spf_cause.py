# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is to be changed for an SPF result to become a pass: data for the next step, where a reason is for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

KINDS = (
    "none",
    "near",
    "no_name",
    "decided",
    "several",
    "syntax",
    "missing",
    "lookups",
    "loop",
    "void",
    "hosts",
    "unresolved",
    "message",
    "broken_source",
    "unresolved_source",
    "empty_source",
    "bound",
    "undeclared",
)


class Place(NamedTuple):
    """One term, as written, and the domain whose record holds it."""

    domain: str
    term: str


@dataclass(frozen=True, slots=True)
class SpfCause:
    """Why a result is no pass.

    ``kind`` is what is wrong:

    - none: the domain has no record; near: a value there is nearly one; no_name: it cannot have one
    - decided: a term says fail, softfail or neutral, or none matches
    - several, syntax: ``at`` has several records, or one that is invalid
    - missing: a term leads to ``at``, which has no record
    - lookups, loop, void, hosts: a limit is reached
    - unresolved: ``at`` cannot be looked up
    - message, broken_source, empty_source, bound, undeclared: the result is unknown. Only a message decides ``at``, a
      term; records of a declared source ``at`` cannot be evaluated; it covers nobody; it is too large; none is declared
    - unresolved_source: it is unknown, because ``at``, which the records of a declared source name, cannot be looked up

    ``path`` are the terms that led there, the first one in the sender's own record. ``terms`` are those to be taken out
    or replaced. ``sources`` are the declared servers that do not pass for this kind of reason, as written; ``front`` is
    the term of the sender's own record that they must stand in front of ("": the end of the record).
    """

    kind: str
    at: str = ""
    path: tuple[Place, ...] = ()
    terms: tuple[Place, ...] = ()
    sources: tuple[str, ...] = ()
    front: str = ""
