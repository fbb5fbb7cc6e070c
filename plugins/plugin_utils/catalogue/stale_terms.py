# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What of the catalogue is too old on a day: SPF terms that are held back, because nobody has looked at their address
for too long, and facts that are to be checked again.

Source: docs/inventory.md; that an address is not published 12 months after its date is this project's own.
"""

from __future__ import annotations

import datetime
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Source

_STALE_AFTER = datetime.timedelta(days=365)

NeededTerm = Mapping[str, Any]
"""An SPF term and where it comes from, {term, service, source, date, given}, as ``environment_needs`` lists it."""


def is_held_back(term: NeededTerm, accepted: Container[str], today: datetime.date) -> bool:
    """Tell whether the role mail_dns does not publish a term: it is an old address that nobody accepted.

    :param term: one of the terms that ``environment_needs`` lists
    :param accepted: ``mail_dns_accept_stale``: the services whose old addresses are published
    :param today: the day to judge by
    """
    return is_stale(term, today) and term["service"] not in accepted


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is too old on a day, and the services whose old addresses are accepted by name."""

    accepted: Container[str]
    today: datetime.date

    def is_held_back(self, term: NeededTerm) -> bool:
        """See :func:`is_held_back`.

        :param term: one of the terms that ``environment_needs`` lists
        """
        return is_held_back(term, self.accepted, self.today)

    def is_due(self, source: Source | None) -> bool:
        """Tell whether facts are to be checked again.

        :param source: where they come from; None when nobody gave them
        """
        return source is not None and source.is_due(self.today)


def ageing_today(accepted: Container[str]) -> Ageing:
    """What is too old today, by UTC.

    :param accepted: ``mail_dns_accept_stale``: the services whose old addresses are published
    """
    return Ageing(accepted, utc_today())


def utc_today() -> datetime.date:
    """The day by UTC, so that every controller tells the same."""
    return datetime.datetime.now(datetime.UTC).date()


def is_stale(term: NeededTerm, today: datetime.date) -> bool:
    """Tell whether a catalogued address is older than 12 months, or of unknown age. Names do not age this way.

    :param term: one of the terms that ``environment_needs`` lists
    :param today: the day to judge by
    """
    if term["given"] or not str(term["term"]).lstrip("+").lower().startswith(("ip4:", "ip6:")):
        return False
    if not term["date"]:
        return True
    year, month, day = (*map(int, str(term["date"]).split("-")), 1)[:3]
    return today - datetime.date(year, month, day) > _STALE_AFTER
