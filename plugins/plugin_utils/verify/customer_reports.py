# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The report of one customer: what is its own, and no name of another customer anywhere in it. Pure.

Commands are left out: they name files of whoever runs the playbooks, and only that one can give them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import parents_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customer_file_stem
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_changes import report_changes
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    CalendarItem,
    DomainReport,
    TodoItem,
    VerifyReport,
)

_TOKEN = re.compile(r"[\w@.-]+")
_OTHER = "(another)"
_Part = TypeVar("_Part")


def customer_report_file(folder: Path, name: str) -> Path:
    """Where the report of a customer is.

    :param folder: of the reports
    :param name: of the customer
    """
    return folder / "customers" / f"{customer_file_stem(name)}.json"


def only_report(report: VerifyReport, name: str, previous: Mapping[str, Any]) -> VerifyReport:
    """The report of a run for one customer: all that it found is his, what it could not find out, too.

    :param report: of that run
    :param name: of the customer
    :param previous: his last report as plain data, empty without one
    """
    mine = replace(
        report,
        customer=name,
        customers=(),
        todo=tuple(replace(one, command=None) for one in report.todo),
        domains=tuple(_domain(one, name) for one in report.domains),
    )
    return replace(mine, changed=report_changes(previous, mine))


def customer_report(report: VerifyReport, name: str, previous: Mapping[str, Any]) -> VerifyReport:
    """Make the report of one customer.

    :param report: that on all
    :param name: of the customer
    :param previous: the last report of this customer as plain data, empty without one
    """
    hosts = tuple(one for one in report.environments if one.customer == name)
    domains = tuple(_domain(one, name) for one in report.domains if name in one.customers)
    own = frozenset({one.name for one in hosts} | {one.name for one in domains})
    mine = replace(
        report,
        customer=name,
        state=next(one.state for one in report.customers if one.name == name),
        todo=tuple(_todo(one, own) for one in report.todo if own & {*one.environments, *one.domains}),
        changed=(),
        customers=(),
        environments=hosts,
        domains=domains,
        calendar=tuple(_calendar(one, own) for one in report.calendar if own & {*one.environments, *one.domains}),
        unknown=tuple(one for one in report.unknown if one.subject in own),
    )
    clean = _Cleaner(report, name, own).clean(mine)
    made = previous.get("made")
    clean = replace(clean, previous=made if isinstance(made, str) else None)
    return replace(clean, changed=report_changes(previous, clean))


def _domain(domain: DomainReport, name: str) -> DomainReport:
    records = tuple(replace(one, restore=None) for one in domain.records)
    return replace(domain, customers=(name,), records=records)


def _todo(item: TodoItem, own: frozenset[str]) -> TodoItem:
    return replace(
        item,
        environments=tuple(one for one in item.environments if one in own),
        domains=tuple(one for one in item.domains if one in own),
        command=None,
    )


def _calendar(item: CalendarItem, own: frozenset[str]) -> CalendarItem:
    return replace(
        item,
        environments=tuple(one for one in item.environments if one in own),
        domains=tuple(one for one in item.domains if one in own),
    )


class _Cleaner:
    """Takes the names of others out of texts: a reason may name the environment that it contradicts.

    :param report: that on all
    :param customer: whose names stay
    :param own: its environments and domains
    """

    def __init__(self, report: VerifyReport, customer: str, own: frozenset[str]) -> None:
        everything = {one.name for one in report.environments} | {one.name for one in report.domains}
        self._own, self._foreign = own, everything - own
        self._customer, self._names = customer, _any_of(tuple(one.name for one in report.customers))

    def clean(self, part: _Part) -> _Part:
        """A part of the report, without the names of others.

        :param part: a dataclass of the report, a tuple or a value
        """
        found: Any = part
        if isinstance(found, str):
            found = self._text(found)
        elif isinstance(found, tuple):
            found = tuple(self.clean(one) for one in found)
        elif is_dataclass(found) and not isinstance(found, type):
            found = replace(found, **{one.name: self.clean(getattr(found, one.name)) for one in fields(found)})
        return found  # type: ignore[no-any-return]

    def _text(self, text: str) -> str:
        text = _TOKEN.sub(self._token, text)
        return self._names.sub(self._name, text)

    def _name(self, found: re.Match[str]) -> str:
        return found[0] if found[0] == self._customer else _OTHER

    def _token(self, found: re.Match[str]) -> str:
        token = found[0].rstrip(".")
        name = token.rpartition("@")[2].lower()
        names = {token, name, *parents_of(name)}
        return _OTHER if self._foreign & names and not self._own & names else found[0]


@lru_cache(maxsize=2)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the names, the longest first: one may be a part of another. The same for all customers."""
    escaped = [re.escape(name) for name in sorted(names, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(escaped)})(?!\w)")
