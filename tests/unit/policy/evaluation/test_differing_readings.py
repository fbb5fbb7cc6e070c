# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table "Where readings differ" of docs/verdicts.md: each row is what the collection does, and what others do.

What OpenDMARC, rspamd, Mail::DMARC, mailauth and go-msgauth do was read in their sources; checkdmarc and dkimpy are
asked.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import checkdmarc.dmarc as their_dmarc
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils import policy
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim, dmarc, near_misses
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcWish
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import Policy, TreeWalk
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import encoded_key
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dkim.crypto import parse_public_key
from dkim.util import parse_tag_value

PAGE = Path(policy.__file__).parents[3] / "docs" / "verdicts.md"
PUBLIC = rsa.generate_private_key(65537, 2048).public_key()
RUA = "rua=mailto:d@acme.example"


def applied(text: str) -> Policy:
    """The policy that a verdict applies for this record, which stands alone."""
    return TreeWalk(Table({"_dmarc.acme.example": text})).policy("acme.example")


def changed(text: str, **values: str) -> str:
    """The record after a change of its policy."""
    return str(dmarc.merge_dmarc(dmarc.parse_dmarc(text), DmarcWish({"p": "quarantine", **values})))


def is_near_miss(text: str) -> bool:
    return applied(text).result == "none" and "looks meant as DMARC" in (near_misses.near_dmarc(text) or "")


def concerned(text: str, words: str) -> bool:
    return any(words in concern for concern in dmarc.dmarc_concerns(dmarc.parse_dmarc(text)))


def checkdmarc_finds(text: str) -> bool:
    return bool(their_dmarc._is_dmarc_record(text))


def names_without_case() -> None:
    assert applied("v=DMARC1; P=reject").policy == "reject"
    assert changed("v=DMARC1; P=reject") == "v=DMARC1; p=quarantine"
    assert (
        their_dmarc.parse_dmarc_record(f"v=DMARC1; P=reject; {RUA}", "acme.example")["tags"]["p"]["value"] == "reject"
    )


def version_spelled_otherwise() -> None:
    for text in ("V=DMARC1; p=reject", "v = DMARC1; p=reject"):
        assert applied(text).policy == "reject" and concerned(text, "not written v=DMARC1")
        assert changed(text) == "v=DMARC1; p=quarantine"


def version_in_small_letters() -> None:
    assert is_near_miss("v=dmarc1; p=reject") and not checkdmarc_finds("v=dmarc1; p=reject")


def blank_before() -> None:
    assert is_near_miss(" v=DMARC1; p=reject") and not checkdmarc_finds(" v=DMARC1; p=reject")


def backslash() -> None:
    assert is_near_miss("v=DMARC1\\; p=reject") and not checkdmarc_finds("v=DMARC1\\; p=reject")


def no_semicolon() -> None:
    assert is_near_miss("v=DMARC1 p=reject") and not checkdmarc_finds("v=DMARC1 p=reject")


def doubled() -> None:
    found = applied("v=DMARC1; p=none; p=reject")
    assert (found.result, found.policy) == ("permerror", None) and "the last, p=reject" in found.reason
    assert applied("v=DMARC1; p=none; x=1; x=2").result == "permerror"
    assert changed("v=DMARC1; p=none; p=reject") == "v=DMARC1; p=quarantine"
    with pytest.raises(their_dmarc.InvalidDMARCTag):
        their_dmarc.parse_dmarc_record("v=DMARC1; p=none; p=reject", "acme.example")


def invalid_values() -> None:
    assert (applied("v=DMARC1; p=foo").result, applied(f"v=DMARC1; p=foo; {RUA}").policy) == ("permerror", "none")
    found = applied("v=DMARC1; p=reject; sp=bad")
    assert found.result == "permerror" and "some receivers apply p=reject all the same" in found.reason


def empty_part() -> None:
    text = f"v=DMARC1; p=none;; oops; {RUA}"
    assert applied(text).policy == "none" and concerned(text, "an empty part") and concerned(text, '" oops" is no tag')
    assert changed(text) == f"v=DMARC1; p=quarantine; {RUA}"


def blank_before_equals() -> None:
    assert applied("v=DMARC1; p =reject").policy == "reject" and concerned("v=DMARC1; p =reject", "before the = of p")
    assert changed("v=DMARC1; p =reject") == "v=DMARC1; p=quarantine"


def without_mailto() -> None:
    text = "v=DMARC1; p=foo; rua=d@acme.example"
    assert applied(text).result == "permerror" and dmarc.report_faults(dmarc.parse_dmarc(text))
    assert changed(text) == f"v=DMARC1; p=quarantine; {RUA}"


def reports_by_https() -> None:
    record = dmarc.parse_dmarc("v=DMARC1; p=none; rua=https://r.example/d")
    assert dmarc.destinations(record, "acme.example") == [] and concerned(str(record), "by mail only")


def pkcs1() -> None:
    der = PUBLIC.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    record = f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    verdict = dkim.judge_key(record)
    assert verdict.faults == [] and "PKCS#1" in verdict.cautions[0]
    assert dkim.key_record(record) == f"v=DKIM1; k=rsa; p={encoded_key(PUBLIC)}"
    assert parse_public_key(der)["modulus"] == PUBLIC.public_numbers().n


def key_tag_in_capitals() -> None:
    record = f"v=DKIM1; k=rsa; P={encoded_key(PUBLIC)}"
    assert "there is no p=" in (near_misses.near_dkim(record) or "")
    assert b"p" not in parse_tag_value(record.encode())


def testing_key() -> None:
    verdict = dkim.judge_key(f"v=DKIM1; t=y; p={encoded_key(PUBLIC)}")
    assert verdict.faults == [] and "t=y" in verdict.cautions[0]


ROWS: dict[str, Callable[[], None]] = {
    "DMARC `P=reject`": names_without_case,
    "DMARC `V=DMARC1`, `v = DMARC1`": version_spelled_otherwise,
    "DMARC `v=dmarc1`": version_in_small_letters,
    "DMARC with a blank before `v=`": blank_before,
    "DMARC `v=DMARC1\\; p=reject`": backslash,
    "DMARC `v=DMARC1 p=reject`": no_semicolon,
    "DMARC `p=none; p=reject`, any tag twice, also an unknown one": doubled,
    "DMARC `p=foo`, `sp=bad`": invalid_values,
    "DMARC `p=none;; rua=...`, a part that is no tag": empty_part,
    "DMARC `p =reject`": blank_before_equals,
    "DMARC `rua=d@acme.example` without `mailto:`": without_mailto,
    "DMARC `rua=https://...`": reports_by_https,
    "DKIM key in the form of PKCS#1": pkcs1,
    "DKIM `P=` instead of `p=`": key_tag_in_capitals,
    "DKIM `t=y`": testing_key,
}


def documented() -> list[str]:
    """The first cells of the table's rows."""
    section = PAGE.read_text(encoding="utf-8").partition("## Where readings differ")[2].partition("\n#")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [row.split(" | ")[0].removeprefix("| ") for row in rows[2:]]


def test_each_row_about_dmarc_and_dkim_has_a_test_here() -> None:
    assert [row for row in documented() if row.startswith(("DMARC", "DKIM"))] == list(ROWS)


@pytest.mark.parametrize("check", ROWS.values(), ids=ROWS.keys())
def test_a_record_is_taken_as_its_row_says(check: Callable[[], None]) -> None:
    check()
