# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is told of a password that a service ends: when it ends, and what the ERP moves to."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem

_EFFECTS = {
    "off_by_default": "no passwords unless an administrator allows them again",
    "ended": "no passwords",
}
_WHEN = {
    "before": "from {date}: ",
    "during": "in {date}: ",
    "after": "since {date}: ",
    "undated": "later, on a day not known yet: ",
}


def step_time(date: str, today: datetime.date) -> str:
    """Where a day stands to the date of a step.

    :param date: YYYY-MM-DD, YYYY-MM or unknown
    :param today: the day
    :returns: before, during (some day of that month, or that very day), after, or undated
    """
    if date == "unknown":
        return "undated"
    first, last = _days(date)
    if today < first:
        return "before"
    return "during" if today <= last else "after"


def needs_checking(end: Mapping[str, Any], today: datetime.date) -> bool:
    """Tell whether the dates are to be looked up again, because the day that their source names is past.

    :param end: the ``password_end`` of an environment's needs
    :param today: the day to judge by
    """
    after = end["check_after"]
    return after is not None and today > datetime.date.fromisoformat(after)


def password_end_text(end: Mapping[str, Any], today: datetime.date) -> str:
    """What becomes of the passwords of a service, as a clause.

    :param end: the ``password_end`` of an environment's needs
    :param today: the day to judge by
    """
    steps = [_WHEN[step_time(step["date"], today)].format(**step) + _EFFECTS[step["effect"]] for step in end["steps"]]
    again = ": check it again" if needs_checking(end, today) else ""
    as_of = f" (as of {end['date']}{again})" if end["date"] else ""
    return f"{end['title']}: {'; '.join(steps)}{as_of}"


def move_text(end: Mapping[str, Any]) -> str:
    """What an ERP moves to and what that needs, as sentences.

    :param end: the ``password_end`` of an environment's needs
    """
    if not end["ways"]:
        return _without_way(end)
    wants: dict[str, list[str]] = {}
    for way in end["ways"]:
        named = f"{way['transport']} ({way['label']})"
        wants.setdefault(_wanted(way), []).append(named)
    moves = [f"erp_mail_transport: {' or '.join(names)}{wanted}" for wanted, names in wants.items()]
    return f"{end['system']} moves to {'; or to '.join(moves)}."


def password_problem(environment: str, end: Mapping[str, Any], today: datetime.date) -> Problem:
    """The same as a warning of one environment.

    :param environment: its name
    :param end: the ``password_end`` of its needs
    :param today: the day to judge by
    """
    rule = password_end_text(end, today)
    return Problem(environment, "erp_mail_service", end["service"], rule, end["source"], move_text(end))


def end_date(end: Mapping[str, Any]) -> str:
    """The date by which such environments are put in order: that of the first step, as it stands there.

    :param end: the ``password_end`` of an environment's needs
    """
    return str(end["steps"][0]["date"])


def _days(date: str) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of a date that may be a month."""
    if len(date) > len("YYYY-MM"):
        day = datetime.date.fromisoformat(date)
        return day, day
    first = datetime.date.fromisoformat(f"{date}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _without_way(end: Mapping[str, Any]) -> str:
    told = [f"{end['system']} cannot use {end['title']} without a password."]
    if end["otherwise"]:
        told.append(str(end["otherwise"].get("en") or end["otherwise"].get("nl")))
    if end["relay"] is not None:
        told.append("Declare it as erp_mail_service: own_relay, with its addresses in erp_mail_spf_terms.")
    return " ".join(told)


def _wanted(way: Mapping[str, Any]) -> str:
    """What a transport wants of the tenant, and what the inventory still has to say so that a person can prepare it."""
    entra = way["entra"] or {}
    if entra.get("kind") == "application":
        roles = " and ".join(one["role"] for one in entra["permissions"])
        return f", which needs an application in Microsoft Entra with {roles}; {_prepared(way['missing'])}"
    if entra.get("kind") == "consent":
        return f", which needs consent for {entra['application']} of {entra['publisher']}; {_prepared(way['missing'])}"
    return ""


def _prepared(missing: list[str]) -> str:
    once = f" once {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} declared" if missing else ""
    return f"the playbook entra_bootstrap prepares it{once}"
