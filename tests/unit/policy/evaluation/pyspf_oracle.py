# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pyspf over answers in memory, as it is and without those of its habits that RFC 7208 does not have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved

NO_EXPLANATION = "none given"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What pyspf says: the result, the explanation of a fail, and its own words for an error."""

    result: str
    explanation: str
    message: str


@dataclass(frozen=True, slots=True)
class Habits:
    """What pyspf does that RFC 7208 does not say.

    ``self_include``: an include that names the record it stands in is refused unread. ``ptr_errors``: a reverse name
    that cannot be resolved is a temperror. ``lookups`` and ``void`` are its limits: it counts some things too early.
    """

    self_include: bool = True
    ptr_errors: bool = True
    lookups: int = 10
    void: int = 2

    def without(self, other: Habits) -> Habits:
        """Without those of another's, too."""
        return Habits(
            self.self_include and other.self_include,
            self.ptr_errors and other.ptr_errors,
            max(self.lookups, other.lookups),
            max(self.void, other.void),
        )


class _OtherName(str):
    """A name that is never equal to another text: the comparison that refuses an include of itself finds nothing."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return False


class _Query(spf.query):  # type: ignore[misc]
    """pyspf with or without its habits."""

    habits = Habits()
    _validating = False

    def check1(self, text: str, domain: str, recursion: int) -> Any:
        return super().check1(text, domain if self.habits.self_include else _OtherName(domain), recursion)

    def dns_a(self, name: str, rdtype: str = "A") -> Any:
        try:
            return super().dns_a(name, rdtype)
        except spf.TempError:
            if self._validating and not self.habits.ptr_errors:
                return []
            raise

    def validated_ptrs(self) -> Any:
        self._validating = True
        try:
            return super().validated_ptrs()
        finally:
            self._validating = False


@contextlib.contextmanager
def over(lookup: Lookup) -> Iterator[None]:
    """Have pyspf ask this source of answers."""

    def answers(name: str, rdtype: str, *_more: Any) -> list[tuple[tuple[str, str], Any]]:
        try:
            values = lookup(name, rdtype)
        except Unresolved as reason:
            raise spf.TempError(str(reason)) from None
        return [((name, rdtype), _data(rdtype, index, value)) for index, value in enumerate(values)]

    with mock.patch.object(spf, "DNSLookup", answers):
        yield


def ask(ip: str, sender: str, helo: str, habits: Habits) -> Verdict:
    """One evaluation."""
    with mock.patch.object(spf, "MAX_LOOKUP", habits.lookups), mock.patch.object(spf, "MAX_VOID_LOOKUPS", habits.void):
        query = _Query(i=ip, s=sender, h=helo)
        query.habits = habits
        query.set_default_explanation(NO_EXPLANATION)
        result, _code, explanation = query.check()
        return Verdict(result, explanation, str(query.perm_error or explanation))


def _data(rdtype: str, index: int, value: str) -> Any:
    if rdtype == "TXT":
        return (value.encode("utf-8", "surrogateescape"),)
    return (index, value) if rdtype == "MX" else value
