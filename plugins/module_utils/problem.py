# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What can be wrong, in one shape: every error of the collection names where, what, which rule and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Union

_LONGEST_VALUE = 120


def escape_controls(text: str) -> str:
    """Make any text one line of printable characters: control characters and undecodable bytes are escaped."""
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in encodable(text))


def encodable(text: str) -> str:
    """Make any text one that UTF-8 holds: bytes that are none (surrogateescape) are escaped as ``\\xff``, and halves of
    surrogate pairs, which JSON can hold (RFC 8259 section 8.2), as ``\\ud800``."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def shown(value: str) -> str:
    """Quote a value for an error message, on one line; a long one is cut in the middle.

    :param value: the value as the user or the DNS gave it
    """
    text = escape_controls(value)
    if len(text) > _LONGEST_VALUE:
        half = _LONGEST_VALUE // 2
        text = f"{text[:half]}...{text[-half:]} ({len(value)} characters)"
    return f'"{text}"'


@dataclass(frozen=True, slots=True)
class Option:
    """An option that a way out names: its path in an entry of ``mail_domains`` (``spf.on_duplicate``) or, for a whole
    run, its name (``accept_undelegated``); behind a colon, what to give: ``spf.on_duplicate: merge``."""

    text: str

    def __str__(self) -> str:
        """As tasks call it: the name of an option inside a kind of record is enough."""
        path, colon, value = self.text.partition(": ")
        name = path.rpartition(".")[2]
        return f"{name}: {value}" if colon else f"`{name}`"


@dataclass(frozen=True, slots=True)
class WayOut:
    """A next step that names options, which the user of an inventory does not have: text and options, in order."""

    parts: tuple[Union[str, Option], ...]

    def __str__(self) -> str:
        """The sentence for whoever wrote the task."""
        return "".join(map(str, self.parts))

    def worded(self, name: Callable[[str], str]) -> str:
        """The sentence with other names.

        :param name: gives what stands in place of an :class:`Option`
        """
        return "".join(name(part.text) if isinstance(part, Option) else part for part in self.parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule.

    ``subject`` is the domain or the ERP environment, ``where`` the option, field or record, ``value`` what stood
    there (None when it is secret or missing), ``rule`` what is demanded, ``source`` where the rule comes from (an RFC
    section, a vendor's document, this collection's documentation), ``way_out`` the next step; one that names
    options is a :class:`WayOut`.
    """

    subject: str
    where: str
    value: str | None
    rule: str
    source: str
    way_out: Union[str, WayOut]

    def worded(self, name: Callable[[str, str], str]) -> Problem:
        """The same for a user who has other names for options than tasks have.

        :param name: gives the name of an option for a subject; for any other ``where`` that text itself
        """
        where, way_out = name(self.subject, self.where), self.way_out
        told = way_out.worded(lambda option: name(self.subject, option)) if isinstance(way_out, WayOut) else way_out
        return replace(self, where=where, way_out=told)

    def __str__(self) -> str:
        given = "" if self.value is None else f" {shown(self.value)}"
        # any part may hold what came from outside, such as a key of a dictionary
        return escape_controls(f"{self.subject}: {self.where}{given}: {self.rule} ({self.source}). {self.way_out}")


class Refused(Exception):
    """The input or the state of the DNS breaks rules; nothing has been written.

    :param problems: at least one broken rule; several are reported together
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def worded(self, name: Callable[[str, str], str]) -> Refused:
        """The same for a user who has other names for options; see :meth:`Problem.worded`."""
        return Refused(problem.worded(name) for problem in self.problems)


def rule_and_source(message: str, default: str) -> tuple[str, str]:
    """Take a sentence of the policy apart: the rule, and its source, which stands in brackets at the end.

    :param default: the source of a sentence that names none
    """
    rule, bracket, source = message.rpartition(" (")
    return (rule, source.removesuffix(")")) if bracket and message.endswith(")") else (message, default)


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Makes the problems of rules that stand in one place: a page of the documentation, or a module's own."""

    name: str

    def problem(self, subject: str, where: str, value: str | None, rule: str, way_out: Union[str, WayOut]) -> Problem:
        """A broken rule of this source; the parameters are the fields of :class:`Problem`."""
        return Problem(subject, where, value, rule, self.name, way_out)

    def told(self, subject: str, where: str, value: str | None, sentence: str, way_out: Union[str, WayOut]) -> Problem:
        """A broken rule as a sentence tells it, which may name its own source in brackets at its end."""
        rule, source = rule_and_source(sentence, self.name)
        return Problem(subject, where, value, rule, source, way_out)
