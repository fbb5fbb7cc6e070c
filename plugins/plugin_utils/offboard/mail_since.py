# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether an environment whose records the playbook offboard took away still sends, for ``verify``. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.stop_evidence import later_mail, stop_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.leaving_reports import LeavingEvidence


def records_gone_on(needs: Mapping[str, Any], writes: Mapping[Key, LastWrite]) -> datetime.date | None:
    """The day on which a run of ours took away the last of an environment's records, None where no journal tells.

    :param needs: of the environment
    :param writes: the last write of each RRset
    """
    found = [writes[key] for key in _keys(needs) if key in writes]
    days = [one.when[:10] for one in found if _lost(needs, one)]
    try:
        return datetime.date.fromisoformat(max(days)) if days else None
    except ValueError:
        return None


def _keys(needs: Mapping[str, Any]) -> Iterator[Key]:
    yield from ((domain, "TXT") for domain in needs["domains"])
    for domain, selectors in needs["dkim"].items():
        names = [f"{one['selector']}._domainkey.{domain}" for one in selectors]
        yield from ((name, kind) for name in names for kind in ("CNAME", "TXT"))


def _lost(needs: Mapping[str, Any], write: LastWrite) -> bool:
    """Whether a write took a record away, or a term of the environment out of an SPF record."""
    if write.before and not write.after:
        return True
    own = {term_key(one["term"]) for terms in needs["domains"].values() for one in terms}
    return bool(own & (_words(write.before) - _words(write.after)))


def _words(values: Sequence[str] | None) -> set[object]:
    return {term_key(word) for value in values or () for word in value.split()[1:]}


def mail_since(
    seen: Sequence[SeenSender] | None,
    word: datetime.date | None,
    gone: datetime.date | None,
    today: datetime.date,
    quiet_days: int,
) -> LeavingEvidence:
    """Judge whether it still sends.

    :param seen: what reports tell of its senders; None where there is no archive of reports
    :param word: the day that a person named as that of the last mail
    :param gone: when its records went, None where nobody knows
    :param today: the day of the run, UTC
    :param quiet_days: how many days without mail reports must show
    """
    found = stop_of(seen, word, today, quiet_days)
    if found.against:
        return LeavingEvidence(sends=f"{found.against}, which a person named as that of the last mail")
    if found.day is not None:
        return LeavingEvidence(stopped=found.proof)
    sends = later_mail(seen or (), gone) if gone else None
    if sends:
        return LeavingEvidence(sends=f"reports show {sends} after {gone}, when its records went")
    return LeavingEvidence(missing=found.missing)
