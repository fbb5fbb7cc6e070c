# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an environment that left still sends: a day that is proved, mail since then, or nobody can tell."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.mail_since import mail_since, records_gone_on

NAME, TERM = "acme.example", "ip4:192.0.2.77"
TODAY = datetime.date(2026, 11, 30)
NEEDS: dict[str, Any] = {"domains": {NAME: [{"term": TERM}]}, "dkim": {NAME: [{"selector": "pay1"}]}}


def day(ago: int) -> datetime.date:
    return TODAY - datetime.timedelta(days=ago)


def seen(*mail_ago: int) -> list[SeenSender]:
    """Mail on some days, seen by one that reports each day."""
    reported = {"a.example": frozenset(str(day(ago)) for ago in range(60, 0, -1))}
    return [SeenSender("payroll", {(str(day(ago)), "a.example"): 1 for ago in mail_ago}, reported=reported)]


@pytest.mark.parametrize(
    ("found", "word", "gone", "part", "told"),
    [
        (seen(50), None, None, "stopped", f"reports: the last mail was on {day(50)}"),
        (None, day(20), None, "stopped", "a person's word"),
        (
            seen(50, 3),
            day(20),
            day(10),
            "sends",
            f"reports show 1 message, the last on {day(3)}, reported by a.example",
        ),
        (seen(20, 3, 2), None, day(10), "sends", f"reports show 2 messages, the last on {day(2)}"),
        (seen(20, 10), None, day(10), "missing", "reports show 2 messages"),
        (seen(20, 3), None, None, "missing", "reports show 2 messages"),
        (None, None, day(10), "missing", "there is no archive of reports"),
        ([], None, day(10), "missing", "no reports is no evidence"),
        (seen(), None, day(10), "missing", "no report ever showed its mail"),
    ],
)
def test_only_what_is_proved_is_told(found: Any, word: Any, gone: Any, part: str, told: str) -> None:
    evidence = mail_since(found, word, gone, TODAY, 35)
    values = {"stopped": evidence.stopped, "sends": evidence.sends, "missing": "; ".join(evidence.missing)}
    assert told in values.pop(part)
    assert not any(values.values()), values


def write(when: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> LastWrite:
    return LastWrite(f"{when}T03:00:00Z", None, before, after)


@pytest.mark.parametrize(
    ("writes", "gone"),
    [
        ({(NAME, "TXT"): write("2026-11-01", (f"v=spf1 {TERM} ~all",), ("v=spf1 ~all",))}, "2026-11-01"),
        ({(NAME, "TXT"): write("2026-11-01", ("v=spf1 mx ~all",), ("v=spf1 ~all",))}, None),
        ({(f"pay1._domainkey.{NAME}", "CNAME"): write("2026-11-09", ("pay1.keys.example.",), None)}, "2026-11-09"),
        ({(f"pay1._domainkey.{NAME}", "CNAME"): write("2026-11-09", None, ("pay1.keys.example.",))}, None),
        ({(f"other._domainkey.{NAME}", "CNAME"): write("2026-11-09", ("x.example.",), None)}, None),
        ({(NAME, "TXT"): write("some day", (f"v=spf1 {TERM} ~all",), None)}, None),
        ({}, None),
    ],
)
def test_the_day_is_that_of_the_write_that_took_it_away(writes: Any, gone: str | None) -> None:
    found = records_gone_on(NEEDS, writes)
    assert (None if found is None else str(found)) == gone
