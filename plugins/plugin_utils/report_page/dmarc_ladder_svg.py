# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The steps of a DMARC policy as a ladder: where a domain stands, and where it is going (RFC 9989 section 4.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.svg_parts import box, drawing, path, text_at
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import DmarcReport
from markupsafe import Markup

_POLICIES = ("none", "quarantine", "reject")
"""The steps, the loosest first."""

_WIDTH = 104
_GROUND = 132
_RISE = 30
_HEIGHT = 138


def dmarc_ladder_svg(dmarc: DmarcReport, words: Mapping[str, str]) -> Markup:
    """Draw the ladder.

    :param dmarc: the policy as it is and as it shall be
    :param words: the section ``dmarc`` of the words
    """
    now = f"{words['now']}: {dmarc.policy or words['no_policy']}"
    goal = f"; {words['goal']}: {dmarc.target}" if dmarc.target else ""
    parts = [part for number, name in enumerate(_POLICIES) for part in _step(number, name, dmarc, words)]
    return drawing(_WIDTH * len(_POLICIES), _HEIGHT, f"{words['ladder']}. {now}{goal}", parts, "ladder")


def _step(number: int, name: str, dmarc: DmarcReport, words: Mapping[str, str]) -> Iterator[Markup]:
    reached = dmarc.policy in _POLICIES and number <= _POLICIES.index(dmarc.policy)
    left, top = number * _WIDTH, _GROUND - _RISE * (number + 1)
    here = name == dmarc.policy
    yield box(left + 2, top, _WIDTH - 4, _GROUND - top, "here" if here else "reached" if reached else "ahead")
    yield text_at(left + 10, _GROUND - 10, name, "on" if here else "")
    if here:
        yield path(f"M{left + 10} {top - 14}h8l-4 9z", "pointer")
        yield text_at(left + 22, top - 6, words["now"], "strong")
    if name == dmarc.target:
        below = top - 6 if not here else top - 22
        yield text_at(left + (10 if not here else 22), below, words["goal"], "strong")
