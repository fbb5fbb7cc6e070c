# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether receivers find usable keys (RFC 6376 section 3.6)."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dkim_readiness import judge_signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Signature
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table

REVOKED = "v=DKIM1; p="


def published(**selectors: str | tuple[str, ...]) -> Table:
    return Table({f"{name}._domainkey.acme.example": value for name, value in selectors.items()})


ONE = [
    (ED25519_RECORD, "pass", "usable ed25519 key"),
    (f"{ED25519_RECORD}; t=y", "pass", "DKIM is being tested"),
    ((), "none", "section 6.1.2"),
    (REVOKED, "fail", "revoked"),
    ((ED25519_RECORD, REVOKED), "fail", "2 TXT records"),
    ((ED25519_RECORD, "google-site-verification=abc"), "fail", "(RFC 6376 section 3.6.2.2)"),
    ("v=spf1 -all", "fail", "v= must be the first tag"),
    ("oops", "fail", "no key record"),
]


@pytest.mark.parametrize(("values", "result", "reason"), ONE)
def test_one_selector_is_judged_by_its_records(values: str | tuple[str, ...], result: str, reason: str) -> None:
    found = judge_signature(Signature("acme.example", ("s1",)), published(s1=values))
    assert found.result == {"none": "fail"}.get(result, result)
    (selector,) = found.selectors
    assert (selector.selector, selector.name, selector.result) == ("s1", "s1._domainkey.acme.example", result)
    assert reason in selector.reason and "(RFC" in selector.reason


@pytest.mark.parametrize(
    ("values", "failing", "result"),
    [
        ((ED25519_RECORD, ED25519_RECORD), (), "pass"),
        ((ED25519_RECORD, ()), (), "unknown"),
        ((REVOKED, ()), (), "fail"),
        ((ED25519_RECORD, ED25519_RECORD), ("s2",), "temperror"),
        ((REVOKED, ED25519_RECORD), ("s2",), "temperror"),
        ((ED25519_RECORD, ED25519_RECORD), ("s1", "s2"), "temperror"),
    ],
)
def test_two_selectors_are_as_good_as_what_is_known_of_both(
    values: tuple[str | tuple[str, ...], ...], failing: tuple[str, ...], result: str
) -> None:
    table = published(s1=values[0], s2=values[1])
    table.failing = {f"{name}._domainkey.acme.example" for name in failing}
    assert judge_signature(Signature("acme.example", ("s1", "s2")), table).result == result


def test_what_is_not_declared_is_unknown_and_what_is_declared_unsigned_is_none() -> None:
    assert judge_signature(None, Table()).result == "unknown"
    found = judge_signature(Signature("acme.example", ()), Table())
    assert (found.result, found.domain, found.selectors) == ("none", "acme.example", ())
