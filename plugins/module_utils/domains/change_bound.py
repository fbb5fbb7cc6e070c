# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How much one run may change: a mistake in an inventory that everybody shares stops before the first write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, RuleSource, WayOut
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many

MAX_CHANGES_OPTIONS: ArgumentSpec = {"rrsets": {"type": "int"}, "share": {"type": "float"}}
"""The option ``max_changes``."""

_FEWEST = 10
"""Domains of a run from which on a share is asked for; as few as octoDNS has (MIN_EXISTING_RECORDS)."""
_LISTED = 10
_RULES = RuleSource("documentation of mailroom.erp.mail_domains")


@dataclass(frozen=True, slots=True)
class ChangeBound:
    """At most so many RRsets, and this share of the domains of a run (0 to 1), may change; None: any. ``accepted`` is
    the number of RRsets that somebody has looked at and named."""

    rrsets: int | None = None
    share: float | None = None
    accepted: int | None = None


def read_change_bound(params: Mapping[str, Any]) -> ChangeBound | None:
    """Read the options ``max_changes`` and ``accept_changes``; None where nothing is bounded.

    :param params: the module's parameters
    """
    given = params.get("max_changes")
    return ChangeBound(given.get("rrsets"), given.get("share"), params.get("accept_changes")) if given else None


def wrong_bound(bound: ChangeBound | None) -> list[Problem]:
    """What is wrong with a bound itself."""
    wrong = []
    if bound and bound.rrsets is not None and bound.rrsets < 0:
        wrong.append(("rrsets", str(bound.rrsets), "a number of RRsets is not less than 0"))
    if bound and bound.share is not None and not 0 <= bound.share <= 1:
        wrong.append(("share", str(bound.share), "a share is a number from 0 to 1"))
    return [
        _RULES.problem("task", f"max_changes.{name}", value, rule, "Correct it, or leave it out.")
        for name, value, rule in wrong
    ]


def beyond_bound(bound: ChangeBound, rrsets: int, changing: Sequence[str], domains: int) -> list[Problem]:
    """See how much a run would change.

    :param rrsets: how many RRsets
    :param changing: the domains that they are of
    :param domains: how many domains the run has
    :returns: one problem per bound that is passed, none where the exact number of RRsets was accepted
    """
    if bound.accepted == rrsets:
        return []
    passed = []
    if bound.rrsets is not None and rrsets > bound.rrsets:
        passed.append(("rrsets", str(bound.rrsets)))
    # the number as it was written: 0.29 of 100 domains is 29, which floats make a little less
    if bound.share is not None and domains >= _FEWEST and len(changing) > Fraction(str(bound.share)) * domains:
        passed.append(("share", str(bound.share)))
    more = f" and {so_many(len(changing) - _LISTED, 'other')}" if len(changing) > _LISTED else ""
    named = f"{', '.join(changing[:_LISTED])}{more}"
    told = f"this run would change {so_many(rrsets, 'RRset')} of {_of_all(len(changing), domains)} ({named})"
    accept = Option(f"accept_changes: {rrsets}")
    way_out = WayOut(("Look at each with --check --diff and a larger bound; if all are meant, give ", accept, "."))
    return [_RULES.problem("run", f"max_changes.{name}", value, told, way_out) for name, value in passed]


def _of_all(changing: int, domains: int) -> str:
    if changing == domains:
        return "its only domain" if domains == 1 else f"all its {domains} domains"
    return f"{changing} of its {domains} domains"
