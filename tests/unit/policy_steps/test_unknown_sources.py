# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source that nobody declared is called: by the strongest name that it could not just write."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import DkimResult, SpfCheck
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    KnownService,
    MailTraits,
    SourceIdentity,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.unknown_sources import SourceNamer

UNKNOWN = SourceIdentity("unknown", "nobody knows it")
SERVICES = (KnownService("relay", "The Relay", (), ("relay.example",)),)


def traits(signed: str = "", enveloped: str = "", dkim: str = "pass", spf: str = "pass") -> MailTraits:
    signatures = (DkimResult(signed, "s", dkim),) if signed else ()
    return MailTraits("acme.example", enveloped, signatures, (SpfCheck(enveloped, "mfrom", spf),) if enveloped else ())


def namer(reverse: str | None = None, let_fail: tuple[str, ...] = ()) -> SourceNamer:
    return SourceNamer("acme.example", SERVICES, let_fail, lambda _address: reverse)


@pytest.mark.parametrize(
    ("seen", "reverse", "kind", "name", "guess"),
    [
        (traits("mail.news.example", "bounce.relay.example"), "a.cloud.example", "dkim", "news.example", "The Relay"),
        (traits("news.example", "b.relay.example", dkim="fail"), None, "envelope", "relay.example", "The Relay"),
        (traits("shop.co.uk"), None, "dkim", "shop.co.uk", None),
        (traits("", "x.relay.example", spf="fail"), "h1.cloud.example", "reverse_name", "cloud.example", "The Relay"),
        (traits(), "h1.relay.example", "reverse_name", "relay.example", "The Relay"),
        (traits("news.acme.example", "acme.example"), None, "network", "203.0.113.0/24", None),
        (traits("news.example", dkim="permerror"), None, "network", "203.0.113.0/24", None),
        (traits(), None, "network", "203.0.113.0/24", None),
    ],
)
def test_the_strongest_name_counts(
    seen: MailTraits, reverse: str | None, kind: str, name: str, guess: str | None
) -> None:
    found = namer(reverse)
    found.add("203.0.113.9", seen, UNKNOWN, "2026-11-01", 3, False)
    (told,) = (one.as_dict() for one in found.take())
    assert (told["known_by"], told["name"], told["guess"], told["messages"]) == (kind, name, guess, 3)
    assert told["networks"] == ["203.0.113.0/24"]


def test_sources_of_one_name_are_one_and_the_largest_comes_first() -> None:
    found = namer()
    for address, seen, messages in (
        ("203.0.113.9", traits("a.news.example"), 2),
        ("203.0.113.10", traits(), 3),
        ("2001:db8:1::9", traits("b.news.example"), 2),
        ("2001:db8:1:2::10", traits(), 1),
        ("2001:db8:1:3::10", traits(), 1),
    ):
        found.add(address, seen, UNKNOWN, "2026-11-01", messages, False)
    assert [(one.name, one.messages(), sorted(one.networks)) for one in found.take()] == [
        ("news.example", 4, ["2001:db8:1::/48", "203.0.113.0/24"]),
        ("203.0.113.0/24", 3, ["203.0.113.0/24"]),
        ("2001:db8:1::/48", 2, ["2001:db8:1::/48"]),
    ]


@pytest.mark.parametrize(
    ("seen", "name", "is_let"),
    [
        (traits("a.news.example"), "news.example", True),
        (traits("a.news.example"), "example", True),
        (traits("a.news.example"), "other.example", False),
        (traits("a.news.example"), "203.0.113.0/24", False),
        (traits(), "203.0.113.0/24", True),
        (traits(), "203.0.0.0/16", True),
        (traits(), "203.0.113.9", False),
        (traits(), "news.example", False),
    ],
)
def test_a_person_lets_fail_what_has_this_name_or_lies_in_this_network(
    seen: MailTraits, name: str, is_let: bool
) -> None:
    found = namer(let_fail=(name,))
    found.add("203.0.113.9", seen, UNKNOWN, "2026-11-01", 1, False)
    assert [one.let_fail for one in found.take()] == [is_let]
