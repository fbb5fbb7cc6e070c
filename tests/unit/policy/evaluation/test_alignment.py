# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifier alignment under both standards (RFC 9989 sections 4.4 and 4.10.2, RFC 7489 section 3.1)."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation import alignment
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.alignment import (
    is_aligned,
    same_organisation,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import SuffixList, TreeWalk
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table

BANK = {
    "_dmarc.bank.example": "v=DMARC1; p=none; psd=y",
    "_dmarc.giant.bank.example": "v=DMARC1; p=reject",
}
ACME = {"_dmarc.acme.example": "v=DMARC1; p=none"}
SPLIT = ACME | {"_dmarc.dept.acme.example": "v=DMARC1; p=none; psd=n"}

CASES = [
    # the table of RFC 9989 section 4.4
    ({"_dmarc.example.com": "v=DMARC1"}, "news.example.com", "foo.example.com", False, True, True),
    ({"_dmarc.example.com": "v=DMARC1"}, "news.example.com", "news.example.com", True, True, True),
    ({"_dmarc.example.com": "v=DMARC1"}, "news.example.com", "foo.example.net", False, False, False),
    ({"_dmarc.example.com": "v=DMARC1"}, "news.example.com", "foo.example.com", True, False, False),
    # RFC 9989 appendix B.4.3; the suffix list does not know the bank's domain
    (BANK, "giant.bank.example", "mail.giant.bank.example", False, True, True),
    (BANK, "giant.bank.example", "mail.mega.bank.example", False, False, True),
    # the suffix list knows whose .co.uk is
    ({}, "a.co.uk", "b.co.uk", False, False, False),
    # without any record a tree walk finds no organisation (RFC 9989 section 4.10.2)
    ({}, "acme.example", "bounce.acme.example", False, False, True),
    (ACME, "acme.example", "bounce.acme.example", False, True, True),
    (SPLIT, "dept.acme.example", "acme.example", False, False, True),
    (SPLIT, "x.dept.acme.example", "dept.acme.example", False, True, True),
]


@pytest.mark.parametrize(("records", "author", "identifier", "strict", "by_walk", "by_list"), CASES)
def test_identifiers_are_aligned_as_each_standard_says(
    records: dict[str, str], author: str, identifier: str, strict: bool, by_walk: bool, by_list: bool
) -> None:
    table = Table(records)
    assert is_aligned(TreeWalk(table), author, identifier, strict) is by_walk
    assert is_aligned(SuffixList(table), author, identifier, strict) is by_list


def test_strict_alignment_needs_no_look_up_nor_do_names_without_a_label_in_common() -> None:
    table = Table()
    assert is_aligned(TreeWalk(table), "a.acme.example", "b.acme.example", True) is False
    assert is_aligned(TreeWalk(table), "acme.example", "acme.nl", False) is False
    assert table.asked == []


def test_what_is_not_known_or_cannot_be_looked_up_is_not_aligned_for_certain() -> None:
    table = Table(ACME, failing=["_dmarc.example"])
    assert is_aligned(TreeWalk(table), "acme.example", None, False) is None
    assert is_aligned(TreeWalk(table), "acme.example", "x.acme.example", False) is None
    assert is_aligned(SuffixList(table), "acme.example", "x.acme.example", False) is True


@pytest.mark.parametrize(("records", "author", "identifier", "strict", "by_walk", "by_list"), CASES)
def test_one_organisation_is_what_both_standards_take_for_one(
    records: dict[str, str], author: str, identifier: str, strict: bool, by_walk: bool, by_list: bool
) -> None:
    if not strict:
        assert same_organisation(Table(records), author, identifier) is (by_walk and by_list)


def test_what_cannot_be_looked_up_is_neither_one_organisation_nor_two() -> None:
    failing = Table(ACME, ("_dmarc.acme.example",))
    assert same_organisation(failing, "shop.acme.example", "mail.acme.example") is None
    assert same_organisation(failing, "a.co.uk", "b.co.uk") is False


def test_without_the_suffix_list_nothing_is_taken_for_one_organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_lookup: object) -> SuffixList:
        raise MissingLibrary("publicsuffixlist is needed")

    monkeypatch.setattr(alignment, "SuffixList", lacking)
    assert same_organisation(Table(ACME), "shop.acme.example", "mail.acme.example") is None
    assert same_organisation(Table(SPLIT), "dept.acme.example", "acme.example") is False
    assert same_organisation(Table(), "acme.example", "acme.example") is True
