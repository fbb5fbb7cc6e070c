# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports in messages: several in one, and those that another organisation mailed than they name."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import domain_evidence
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import reading_archive
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import SourceIdentifier
from ansible_collections.mailroom.erp.plugins.module_utils.policy.public_suffix import organisation
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import TLS_REPORT, Inform, report_text, zipped

Put = Callable[[str, str | bytes], Path]


def message(author: str, *attached: tuple[str, str, bytes]) -> EmailMessage:
    """A message with attachments: the type, the name, and the content of each."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = author, "reports@acme.example", "Report Domain: acme.example"
    made.set_content("This is an aggregate report.")
    for kind, name, content in attached:
        main, _slash, sub = kind.partition("/")
        made.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return made


def packed(**report: str) -> tuple[str, str, bytes]:
    """A report as an attachment."""
    return "application/gzip", "report.xml.gz", gzip.compress(report_text(**report).encode())  # type: ignore[arg-type]


def test_each_report_of_a_message_counts_and_a_broken_one_is_named(inform: Inform, put: Put) -> None:
    made = message(
        "dmarc@receiver.example",
        packed(report_id="one"),
        ("image/png", "logo.png", b"\x89PNG"),
        ("application/zip", "two.zip", zipped(a=report_text(report_id="two").encode(), b=b"<feedback>")),
        ("application/gzip", "cut.xml.gz", packed(report_id="cut")[2][:-9]),
        ("application/tlsrpt+gzip", "tls.json.gz", gzip.compress(json.dumps(TLS_REPORT).encode())),
        packed(report_id="one"),
    )
    put("several.eml", made.as_bytes())
    told = inform()
    assert (told["files"]["read"], told["files"]["reports"], told["files"]["duplicates"]) == (1, 3, 1)
    assert [one["file"].partition("several.eml: ")[2] for one in told["files"]["skipped"]] == [
        "two.zip: b",
        "cut.xml.gz",
    ]
    assert told["domains"]["acme.example"]["reports"] == 2 and told["tls"]["acme.example"]["reports"] == 1


@pytest.mark.parametrize(
    ("author", "others"),
    [
        ("dmarc@receiver.example", []),
        ("Receiver <noreply@mail.receiver.example>", []),
        ("noreply@REPORTS.Receiver.Example.", []),
        ("dmarc@elsewhere.example", ["elsewhere.example"]),
        ("dmarc@receiver.example.elsewhere.example", ["receiver.example.elsewhere.example"]),
        ("=?no-such-charset?b?//8=?= <x@elsewhere.example>", ["elsewhere.example"]),
        ("nobody", []),
        ("=?utf-8?q?=ff?=", []),
    ],
)
def test_a_report_that_another_organisation_mailed_is_told(
    inform: Inform, put: Put, author: str, others: list[str]
) -> None:
    made = message("x@receiver.example", packed()).as_bytes()
    put("a.eml", made.replace(b"From: x@receiver.example", b"From: " + author.encode()))
    told = inform()["domains"]["acme.example"]
    assert told["reports"] == 1
    assert told["mailed_by_others"] == [
        {"org": "receiver.example", "mailed_by": name, "reports": 1} for name in others
    ]  # fmt: skip


def test_of_a_forwarded_report_the_inner_message_counts(inform: Inform, put: Put) -> None:
    outer = EmailMessage()
    outer["From"], outer["To"] = "postmaster@acme.example", "archive@acme.example"
    outer.set_content("see attached")
    outer.add_attachment(message("dmarc@receiver.example", packed(report_id="inner")))
    kind, name, content = packed(report_id="outer")
    outer.add_attachment(content, maintype="application", subtype=kind.partition("/")[2], filename=name)
    put("forwarded.eml", outer.as_bytes())
    told = inform()["domains"]["acme.example"]
    assert told["reports"] == 2
    assert told["mailed_by_others"] == [{"org": "receiver.example", "mailed_by": "acme.example", "reports": 1}]


def test_a_report_that_is_no_message_was_mailed_by_nobody(inform: Inform, put: Put) -> None:
    put("a.xml", report_text())
    assert inform()["domains"]["acme.example"]["mailed_by_others"] == []


def test_three_reporters_of_one_stranger_are_one(inform: Inform, put: Put, tmp_path: Path) -> None:
    for number, org in enumerate(["alpha.example", "beta.example", "gamma.example"]):
        put(f"{number}.eml", message("x@elsewhere.example", packed(org=org)).as_bytes())
    put("own.eml", message("x@delta.example", packed(org="delta.example")).as_bytes())
    told = inform(archive=str(tmp_path / "archive"))["domains"]["acme.example"]
    assert told["reporters"] == 4 and [one["org"] for one in told["mailed_by_others"]] == [
        "alpha.example", "beta.example", "gamma.example",
    ]  # fmt: skip
    with reading_archive(str(tmp_path / "archive")) as connection:
        (day,) = domain_evidence(connection, "acme.example", SourceIdentifier((), (), lambda *_question: ())).days
    assert day.reporters == {"elsewhere.example", "delta.example"}


def test_reporters_that_one_organisation_mailed_are_one_whatever_their_reports_say(
    inform: Inform, put: Put, tmp_path: Path
) -> None:
    for number, org in enumerate(["alpha.example", "beta.example", "gamma.example"]):
        text = report_text(org=org).replace(f"dmarc@{org}", "dmarc@evil.example")
        content = "application/gzip", "a.xml.gz", gzip.compress(text.encode())
        put(f"{number}.eml", message(f"x@mail{number}.evil.example", content).as_bytes())
    put("own.eml", message("x@mail.delta.example", packed(org="Delta Inc.")).as_bytes())
    put("file.xml", report_text(org="Epsilon Inc."))
    told = inform(archive=str(tmp_path / "archive"))["domains"]["acme.example"]
    assert told["reporters"] == 5 and told["mailed_by_others"] == [
        {"org": "Delta Inc.", "mailed_by": "mail.delta.example", "reports": 1}
    ], "an address of its own is no proof, but nothing that is odd either"
    with reading_archive(str(tmp_path / "archive")) as connection:
        (day,) = domain_evidence(connection, "acme.example", SourceIdentifier((), (), lambda *_question: ())).days
    assert day.reporters == {"evil.example", "delta.example", "epsilon inc."}


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("a.b.acme.example", "acme.example"),
        ("shop.acme.co.uk", "acme.co.uk"),
        ("acme.nl", "acme.nl"),
        ("co.uk", "co.uk"),
        ("nl", "nl"),
        ("Outlook", "Outlook"),
        ("", ""),
    ],
)
def test_the_registered_part_of_a_name(name: str, registered: str) -> None:
    assert organisation(name) == registered


TAKER = "mx.acme.example"


def taken(report: tuple[str, str, bytes], *results: str, author: str = "dmarc@receiver.example") -> bytes:
    """A message with a report, as the server passed it on that took it: its headers stand above all others."""
    return "".join(f"Authentication-Results: {one}\n" for one in results).encode() + message(author, report).as_bytes()


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([f"{TAKER}; dkim=pass header.d=receiver.example; dmarc=pass header.from=receiver.example"], None),
        ([f"{TAKER}; dkim=pass header.d=receiver.example", "MX.Acme.Example 1; DMARC=Pass (p=reject)"], None),
        ([f"{TAKER}; dmarc=fail header.from=receiver.example"], "dmarc=fail"),
        ([f"{TAKER}; dmarc=none header.from=receiver.example", f"{TAKER}; dmarc=pass"], "dmarc=none"),
        ([f"{TAKER}; spf=pass smtp.mailfrom=x@receiver.example", "mx.evil.example; dmarc=pass"], "no result of DMARC"),
        (
            [f"evil.example (; {TAKER}); dmarc=pass", "dmarc=pass", f"{TAKER}; dmarc=bestguesspass"],
            "dmarc=bestguesspass",
        ),
        ([], "no result of DMARC"),
    ],
)
def test_only_messages_that_passed_count_where_the_server_is_named(
    inform: Inform, put: Put, results: list[str], told: str | None
) -> None:
    put("a.eml", taken(packed(), *results))
    put("own.xml", report_text(report_id="own"))
    files = inform(authserv_id=TAKER)["files"]
    assert files["reports"] == (1 if told else 2)
    assert told is None or (told in files["skipped"][0]["reason"] and TAKER in files["skipped"][0]["reason"])
    assert inform()["files"]["reports"] == 2, "where no server is named, all count"


def test_headers_without_a_name_are_believed_where_that_is_said(inform: Inform, put: Put) -> None:
    put("a.eml", taken(packed(), "spf=pass smtp.mailfrom=receiver.example; dmarc=pass action=none"))
    assert inform(authserv_id="")["files"]["reports"] == 1
    assert inform(authserv_id=TAKER)["files"]["reports"] == 0


def test_what_did_not_pass_is_looked_at_again(inform: Inform, put: Put, tmp_path: Path) -> None:
    put("a.eml", taken(packed(), f"{TAKER}; dmarc=pass"))
    right = {"archive": str(tmp_path / "archive"), "authserv_id": TAKER}
    mistyped = {**right, "authserv_id": "mx.acme.exampel"}
    for number in range(2):
        looked = inform(**mistyped)
        assert len(looked["files"]["skipped"]) == 1
        assert looked["changed"] == (number == 0), "a look that keeps nothing changes nothing"
    found = inform(**right)["files"]
    assert (found["reports"], found["skipped"]) == (1, [])
    assert inform(**mistyped)["files"]["known"] == 1, "what has been read counts"


def test_what_a_stranger_forwards_is_the_strangers(inform: Inform, put: Put) -> None:
    inner = taken(packed(), f"{TAKER}; dmarc=pass header.from=receiver.example")
    outer = EmailMessage()
    outer["From"] = "x@elsewhere.example"
    outer.set_content("see attached")
    outer.add_attachment(message_from_bytes(inner))
    put("forged.eml", outer.as_bytes())
    assert inform(authserv_id=TAKER)["files"]["reports"] == 0
    put("forwarded.eml", f"Authentication-Results: {TAKER}; dmarc=pass\n".encode() + outer.as_bytes())
    told = inform(authserv_id=TAKER)["domains"]["acme.example"]["mailed_by_others"]
    assert told == [{"org": "receiver.example", "mailed_by": "elsewhere.example", "reports": 1}]


def test_other_messages_are_skipped_for_what_they_are(inform: Inform, put: Put) -> None:
    put("a.eml", message("somebody@elsewhere.example").as_bytes())
    (skipped,) = inform(authserv_id=TAKER)["files"]["skipped"]
    assert skipped["reason"] == "it is a message without a report"
