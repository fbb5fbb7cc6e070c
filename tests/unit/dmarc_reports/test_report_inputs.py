# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a report may come, and every way in which a file may be none."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import mailbox
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports import report_archives
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import (
    BEGIN,
    TLS_REPORT,
    Inform,
    message_with,
    packed_message,
    report_text,
    row_text,
    zipped,
)

Put = Callable[[str, "str | bytes"], Path]

REPORT = report_text({"count": 7}, {"count": 2, "passed": (False, False)})
PACKED = gzip.compress(REPORT.encode())


def one_reason(told: dict[str, Any]) -> str:
    """The reason for which the only file was skipped, beside a good report that must count."""
    assert told["files"]["reports"] == 1
    (skipped,) = told["files"]["skipped"]
    return str(skipped["reason"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", REPORT),
        ("a.xml", "\ufeff" + REPORT),
        ("a.xml", "\n  " + REPORT),
        ("a.xml", REPORT.replace("\n", "\r\n")),
        ("a.xml", REPORT.encode("utf-16")),
        ("a.xml", REPORT.replace("UTF-8", "iso-8859-1").encode("latin-1")),
        ("a.xml", REPORT.replace("UTF-8", "utf-7")),
        ("a.xml.gz", PACKED),
        ("two-members.gz", gzip.compress(REPORT[:99].encode()) + gzip.compress(REPORT[99:].encode())),
        ("no-name", PACKED + b"\0\0\0"),
        ("a.zip", zipped(**{"a.xml": REPORT.encode()})),
        ("a.eml", packed_message(REPORT)),
        ("zip.eml", message_with(zipped(**{"a.xml": REPORT.encode()}), "a.zip", "application/zip")),
        ("odd.eml", message_with(PACKED, "a.bin", "application/octet-stream")),
        ("xml.eml", message_with(REPORT.encode(), "a.xml", "text/xml")),
        ("forwarded.eml", b"Subject: Fwd\nContent-Type: message/rfc822\n\n" + packed_message(REPORT)),
        ("a.xml", REPORT.replace("<feedback>", '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">')),
        ("a.xml", REPORT.replace("<feedback>", '<feedback xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">')),
        ("a.xml", report_text({"count": 7}, {"count": 2, "passed": (False, False)}, root="d:feedback xmlns:d='urn:x'")),
        ("a.xml", REPORT.replace("<sp>none</sp>", "<sp>none</sp>11")),
        ("a.xml", REPORT.replace("<sp>none</sp>", "<sp>none</sp><!-- a note --><other a='1'><b/></other>")),
        # what RFC 9990 and others may add, also where its names look like ours
        ("a.xml", REPORT.replace("</row>", "</row><extension><record><count>99</count></record></extension>")),
        (
            "a.xml",
            REPORT.replace("</report_meta", "<generator>x</generator><error>a</error><error>b</error></report_meta"),
        ),
        ("deep/er/a.xml", REPORT),
    ],
)
def test_a_report_counts_however_it_comes(inform: Inform, put: Put, name: str, content: str | bytes) -> None:
    put(name, content)
    told = inform()
    assert told["files"]["skipped"] == []
    assert told["files"] | {"skipped": []} == told["files"]
    domain = told["domains"]["acme.example"]
    assert (domain["reports"], domain["messages"], domain["pass"], domain["fail"]) == (1, 9, 7, 2)
    assert (domain["begin"], domain["end"]) == ("2026-10-01T00:00:00Z", "2026-10-01T23:59:59Z")
    assert domain["policy_published"] == {"p": "none", "sp": "none", "pct": "100", "adkim": "r", "aspf": "r"}


@pytest.mark.parametrize(
    ("name", "mended"),
    [
        ("a bare ampersand", REPORT.replace("receiver.example</org", "Smith & Sons</org")),
        ("an address in brackets", REPORT.replace("dmarc@receiver.example", "<dmarc@receiver.example>")),
        ("a control character", REPORT.replace("receiver.example</org", "receiver\x01.example</org")),
        ("a schema that is not closed", REPORT.replace("<feedback>", '<xs:schema xmlns:xs="x">\n<feedback>')),
    ],
)
def test_what_is_nearly_xml_is_mended(inform: Inform, put: Put, name: str, mended: str) -> None:
    put("a.xml", mended)
    assert inform()["domains"]["acme.example"]["messages"] == 9, name


@pytest.mark.parametrize("kind", ["folder", "maildir", "mbox"])
def test_many_messages_at_one_place(inform: Inform, tmp_path: Path, kind: str) -> None:
    messages = [packed_message(report_text(report_id=str(number))) for number in range(3)]
    place = tmp_path / "reports" / "mail"
    if kind == "folder":
        place.mkdir()
        for number, message in enumerate(messages):
            (place / f"{number}.eml").write_bytes(message)
    else:
        box = mailbox.Maildir(place) if kind == "maildir" else mailbox.mbox(place)
        for message in messages:
            box.add(message)
        box.close()
    told = inform()
    assert (told["files"]["read"], told["files"]["reports"], told["files"]["skipped"]) == (3, 3, [])


def test_a_maildir_is_its_new_and_cur_and_its_folders(inform: Inform, put: Put) -> None:
    for number, place in enumerate(["new/1", "cur/2:2,S", ".Sent/cur/3:2,S", "tmp/4", "dovecot-uidlist"]):
        put(f"mail/{place}", packed_message(report_text(report_id=str(number))))
    put("mail/.Sent/new/.keep", "")
    told = inform()
    assert (told["files"]["reports"], told["files"]["skipped"]) == (3, [])


def test_each_member_of_a_zip_is_a_file_of_its_own(inform: Inform, put: Put) -> None:
    put("a.zip", zipped(**{"../../etc/x.xml": REPORT.encode(), "bad.xml": b"<feedback>", "\x1b[31m": b"nothing"}))
    told = inform()
    assert told["files"]["reports"] == 1
    names = [one["file"].rpartition("a.zip: ")[2] for one in told["files"]["skipped"]]
    assert names == ["bad.xml", r"\x1b[31m"]
    assert not (put("x", "").parents[2] / "etc").exists()


def _nested() -> bytes:
    return zipped(**{"inner.zip": zipped(**{"a.xml": REPORT.encode()})})


def _encrypted() -> bytes:
    data = bytearray(zipped(**{"a.xml": REPORT.encode()}))
    data[6] |= 1
    data[data.rindex(b"PK\1\2") + 8] |= 1
    return bytes(data)


def _packed_by(method: int) -> bytes:
    """A zip archive that says that its member is compressed by a method."""
    data = bytearray(zipped(**{"a.xml": REPORT.encode()}))
    for place in (8, data.rindex(b"PK\1\2") + 10):
        data[place : place + 2] = method.to_bytes(2, "little")
    return bytes(data)


def _other_content() -> bytes:
    """A zip archive whose member is not what it was."""
    with io.BytesIO() as data:
        with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("a.xml", REPORT)
        return data.getvalue().replace(b"<count>7", b"<count>8")


def _many_members() -> bytes:
    return zipped(**{f"{number}.xml": b"" for number in range(1001)})


BOMB = '<!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FILE_ENTITY = '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("hello", "neither XML nor JSON"),
        (REPORT[: len(REPORT) // 2], "no XML"),
        (REPORT[:-12], "no XML"),
        (PACKED[:-20], "cut off"),
        (PACKED[:40] + b"\xff" * 20 + PACKED[60:], "compression is broken"),
        (gzip.compress(b"", mtime=0), "it is empty"),
        (gzip.compress(PACKED), "archive in an archive"),
        (_nested(), "archive in an archive"),
        (zipped(**{"a.xml.gz": PACKED}), "archive in an archive"),
        (_encrypted(), "encrypted"),
        (_many_members(), "more than 1000 members"),
        (_packed_by(9), "compressed in a way that no reporter uses"),
        (_packed_by(93), "compressed in a way that no reporter uses"),
        (_other_content(), "compression is broken"),
        (bz2.compress(REPORT.encode()), "neither XML nor JSON"),
        (lzma.compress(REPORT.encode()), "neither XML nor JSON"),
        (zipped(), "without members"),
        (zipped(**{"a.xml": REPORT.encode()})[:-30], "no whole zip"),
        (b"PK\3\4" + b"\0" * 100, "no whole zip"),
        ("<html><body>no report</body></html>", 'another XML, with "html"'),
        (REPORT.replace("<feedback>", BOMB + "<feedback>"), "declares a document type"),
        (REPORT.replace("<feedback>", FILE_ENTITY + "<feedback>"), "declares a document type"),
        (REPORT.replace("<feedback>", BOMB + "<feedback>").encode("utf-16"), "declares a document type"),
        ("<feedback>" + "<a>" * 100 + "</a>" * 100 + "</feedback>", "nested more than"),
        ("<feedback></feedback>", "no report_metadata"),
        (REPORT.replace("policy_published", "other"), "no policy_published"),
        (REPORT.replace("report_id>", "other>"), "no report_id"),
        (REPORT.replace("<domain>acme.example</domain>", "<domain>no domain</domain>"), "is none: "),
        (REPORT.replace("<domain>acme.example</domain>", ""), "does not say which domain"),
        (report_text(begin=BEGIN + 10, end=BEGIN), "ends before it begins"),
        (REPORT.replace(str(BEGIN), "yesterday"), 'begin "yesterday" is no time'),
        (REPORT.replace(str(BEGIN), "9" * 30), "is no time"),
        (REPORT.replace(str(BEGIN), "-5"), "is no time"),
        (report_text({"count": "many"}), 'record 1: count "many" is no number'),
        (report_text({"count": 2**63}), "is no number of messages"),
        (report_text({"count": "\u0667"}), "is no number of messages"),
        (report_text({"count": "1_0"}), "is no number of messages"),
        (report_text({"source": "nobody"}), 'record 1: source_ip "nobody" is no IP address'),
        (REPORT.split("<record>")[0] + "</feedback>", "holds no record"),
        (f"<x>{REPORT.split('?>')[1]}{REPORT.split('?>')[1]}</x>", "more than one report_metadata"),
        ("{", "no JSON"),
        ("[1, 2", "neither a TLS report"),
        ("{}", "neither a TLS report"),
        ("[" * 100_000, "nested too deep"),
        (json.dumps({**TLS_REPORT, "policies": 5}), "not of its type"),
        (json.dumps({**TLS_REPORT, "date-range": {"start-datetime": "x", "end-datetime": "y"}}), "is no time"),
        (json.dumps({"report_metadata": {}}), "is missing"),
        (b"From: a@acme.example\nSubject: hello\n\nno report\n", "message without a report"),
        (message_with(b"not packed", "a.xml.gz"), "neither XML nor JSON"),
        (message_with(PACKED[:-9], "a.xml.gz"), "cut off"),
        (b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nX: y\n--b--\n",
         "RFC 9991"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_and_skipped_and_the_rest_counts(
    inform: Inform, put: Put, content: str | bytes, reason: str
) -> None:
    put("a-bad", content)
    put("b-good.xml", report_text(report_id="good"))
    told = inform()
    assert reason in one_reason(told)
    assert told["files"]["skipped"][0]["file"].partition(": ")[0].endswith("reports/a-bad")
    assert told["domains"]["acme.example"]["messages"] == 1


def test_a_record_that_cannot_be_told_is_left_out_and_told(inform: Inform, put: Put) -> None:
    bad = [
        {"count": "-1"},
        {"count": "1e3"},
        {"source": "300.1.1.1"},
        {"source": ""},
        {"source": "fe80::1%eth0"},
    ]
    put("a.xml", report_text({"count": 5}, *bad))
    told = inform()
    (incomplete,) = told["files"]["incomplete"]
    assert incomplete["reason"].startswith('5 of its records were left out, the first: record 2: count "-1"')
    assert told["domains"]["acme.example"] | {"messages": 5, "records_left_out": 5} == told["domains"]["acme.example"]


def test_results_that_are_missing_are_never_taken_for_a_pass(inform: Inform, put: Put) -> None:
    rows = "".join(row_text({"count": 10**number}) for number in range(4)).split("</record>\n")
    rows[0] = rows[0].replace("<dkim>pass</dkim>", "")  # SPF passed: DMARC passed
    rows[1] = rows[1].replace("<dkim>pass</dkim>", "").replace("<spf>pass</spf>", "<spf>fail</spf>")
    rows[2] = rows[2].replace("<dkim>pass</dkim>", "<dkim>Pass</dkim>").replace("<spf>pass</spf>", "<spf>neutral</spf>")
    rows[3] = rows[3].replace("policy_evaluated>", "other>")
    head, _rows, tail = report_text().partition("<record>")
    put("a.xml", head + "</record>".join(rows) + "</feedback>")
    told = inform(include_records=True)
    assert [(one["count"], one["dkim"], one["spf"]) for one in told["records"]] == [
        (1, "fail", "pass"),
        (100, "pass", "fail"),
    ]
    assert tail and told["domains"]["acme.example"]["records_left_out"] == 2


def test_a_broken_end_takes_back_what_came_before(inform: Inform, put: Put) -> None:
    rows = "".join(row_text({"source": f"192.0.2.{number % 250}"}) for number in range(5000))
    head, _row, _tail = report_text(report_id="long").partition("<record>")
    assert len(head + rows) > 1 << 20
    put("a.xml", head + rows + "<record></row>")
    put("b.xml", report_text(report_id="good"))
    told = inform()
    assert "no XML" in one_reason(told)
    assert told["domains"]["acme.example"]["messages"] == 1


def test_records_before_the_head_count(inform: Inform, put: Put) -> None:
    head, record, _tail = report_text({"count": 3}).partition("<record>")
    start, metadata = head.split("<version>")
    put("a.xml", start + record + report_text({"count": 3}).split("<record>")[1].replace(
        "</feedback>", "<version>" + metadata) + "</feedback>")  # fmt: skip
    assert inform()["domains"]["acme.example"]["messages"] == 3


def test_a_large_report_is_read_as_a_stream(inform: Inform, put: Put) -> None:
    rows = [{"source": f"192.0.{number // 250}.{number % 250}", "count": 2} for number in range(4000)]
    text = report_text(*rows)
    assert len(text) > 1 << 20
    put("a.xml.gz", gzip.compress(text.encode()))
    assert inform()["domains"]["acme.example"]["messages"] == 8000


def test_one_part_that_is_too_long_is_refused(inform: Inform, put: Put) -> None:
    put("a.xml", REPORT.replace("<sp>none", "<sp>" + "x" * 3_000_000))
    put("b.xml", report_text(report_id="good"))
    assert "more than 1048576 characters" in one_reason(inform())


def test_a_path_that_does_not_exist_is_refused(inform: Inform, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file or directory"):
        inform(paths=[str(tmp_path / "reports"), str(tmp_path / "reprots")])
    with pytest.raises(Refused, match="null"):
        inform(paths=["a\0b"])


def test_what_is_no_regular_file_does_not_hold_the_run(inform: Inform, tmp_path: Path, put: Put) -> None:
    os.mkfifo(tmp_path / "reports" / "a-pipe")
    (tmp_path / "reports" / "link-to-nothing").symlink_to("nowhere")
    (tmp_path / "reports" / "around").symlink_to(tmp_path / "reports")
    put("b.xml", REPORT)
    told = inform()
    reasons = {one["file"].rpartition("/")[2]: one["reason"] for one in told["files"]["skipped"]}
    assert set(reasons) == {"a-pipe", "link-to-nothing", "around"}
    assert "no regular file" in reasons["a-pipe"]
    assert told["files"]["reports"] == 1


# --- size ------------------------------------------------------------------------------------------------------------

_LIMITED = """
import json, sys
from pathlib import Path
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import opened_archive
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_files import report_items
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_intake import Intake
with opened_archive(None, True) as archive:
    told = Intake(archive).take_all(report_items(sys.argv[1:]))
(peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(json.dumps([told.reports, [one.reason for one in told.skipped], int(peak) // 1024]))
"""


def in_a_process(*files: Path) -> tuple[int, list[str], int]:
    """Read files in a process of its own: the reports, the reasons, and the most memory that it had, in MiB."""
    command = [sys.executable, "-c", _LIMITED, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    reports, reasons, memory = json.loads(done.stdout)
    return reports, reasons, memory


def pack(file: Path, parts: Iterable[bytes]) -> None:
    """Write a gzip file of these parts, of which the first is the head of a report."""
    head = report_text().partition("<record>")[0].encode()
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.writelines([head, *parts])


def noise(size: int) -> bytes:
    """Text that gzip makes no bomb of."""
    return bytes(97 + number * number * 31 % 23 for number in range(size))


def test_a_gzip_that_unpacks_to_150_mb_is_refused_in_60_mb(tmp_path: Path) -> None:
    pack(tmp_path / "spaces.gz", [b" " * (1 << 20)] * 150)
    pack(tmp_path / "records.gz", [b"<record><row>" + noise(1 << 16) + b"</row>"] * 2400)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as member:
        member.writelines([b"<feedback>", *[b" " * (1 << 20)] * 150])
    reports, reasons, memory = in_a_process(*sorted(tmp_path.iterdir()))
    assert (reports, reasons) == (0, ["unpacked it has more than 134217728 bytes"] * 3)
    assert memory < 60


def test_a_gzip_that_does_not_tell_its_size_is_refused_in_60_mb(tmp_path: Path) -> None:
    last = gzip.compress(b"</feedback>")
    for name, part in {"spaces.gz": b" " * (1 << 20), "record.gz": b"<record><row>" + noise(1 << 16)}.items():
        pack(tmp_path / name, [part] * 150)
        with (tmp_path / name).open("ab") as file:
            file.write(last)
    reports, reasons, memory = in_a_process(*sorted(tmp_path.iterdir()))
    assert (reports, len(reasons)) == (0, 2)
    assert [reason for reason in reasons if "more than" not in reason] == []
    assert memory < 60


def test_what_unpacks_to_more_than_it_says_is_refused(
    inform: Inform, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_archives, "MOST_UNPACKED", len(REPORT) - 1)
    lying = bytearray(zipped(**{"a.xml": REPORT.encode()}))
    at = lying.rindex(b"PK\1\2") + 24
    lying[at : at + 4] = (9).to_bytes(4, "little")
    put("a.gz", gzip.compress(REPORT[:99].encode()) + gzip.compress(REPORT[99:].encode()))
    put("c.zip", zipped(**{"a.xml": REPORT.encode()}))
    put("d.zip", bytes(lying))
    told = inform()
    reasons = [one["reason"] for one in told["files"]["skipped"]]
    assert reasons[:2] == [f"unpacked it has more than {len(REPORT) - 1} bytes"] * 2
    assert (len(reasons), told["files"]["reports"]) == (3, 0)


def test_a_report_that_is_too_large_to_be_held_whole_is_read_as_a_stream(inform: Inform, put: Put) -> None:
    padded = row_text({}).replace("<row>", f"<!--{'x' * 60_000}--><row>") * 80
    put("a.xml", f"{report_text().partition('<record>')[0]}{padded}</feedback>")
    told = inform()
    assert (told["files"]["skipped"], told["domains"]["acme.example"]["messages"]) == ([], 80)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_records_of_a_report(tmp_path: Path) -> None:
    parts = (row_text({"source": f"10.0.{number >> 8 & 255}.{number & 255}"}).encode() for number in range(100_000))
    pack(tmp_path / "a.gz", [*parts, b"</feedback>"])
    reports, reasons, memory = in_a_process(tmp_path / "a.gz")
    assert (reports, reasons) == (1, [])
    assert memory < 80


def test_a_report_of_a_million_records_is_refused_before_it_is_read(tmp_path: Path) -> None:
    pack(tmp_path / "a.gz", [*[row_text({}).encode() * 1000] * 1000, b"</feedback>"])
    assert in_a_process(tmp_path / "a.gz")[1] == ["unpacked it has more than 134217728 bytes"]


def test_the_list_of_a_zip_is_looked_at_before_it_is_read(inform: Inform, put: Put) -> None:
    # a directory that says it has few members and is huge
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(900):
            archive.writestr("x" * 400 + str(number), b"")
    put("a.zip", data.getvalue())
    put("b.xml", report_text(report_id="good"))
    assert "more than 1000 members" in one_reason(inform())


def test_broken_deflate_at_every_place_is_a_reason(inform: Inform, put: Put) -> None:
    raw = zlib.compress(REPORT.encode(), wbits=31)
    for at in range(0, len(raw), 7):
        put(f"{at}.gz", raw[:at] + bytes([raw[at] ^ 0x55]) + raw[at + 1 :])
    put("good.xml", report_text(report_id="good"))
    told = inform()
    assert told["files"]["reports"] >= 1
