# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of reports: records and times, reports of TLS, and what parsedmarc has written."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports import (
    aggregate_report,
    report_shapes,
    report_xml,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_contents import content_kind, reports_in
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import (
    ReportPart,
    UnreadableReport,
)
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import (
    BEGIN,
    DAY,
    TLS_REPORT,
    Inform,
    message_with,
    report_text,
    zipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st

Put = Callable[[str, "str | bytes"], Path]

FULL = report_text(
    {
        "source": "2001:DB8:0:0::0001",
        "count": 3,
        "passed": (True, False),
        "envelope_from": "Bounce.Acme.Example",
        "header_from": "Sub.ACME.example.",
        "dkim": [
            {"domain": "acme.example", "selector": "s1", "result": "Pass"},
            {"domain": "esp.example", "result": "fail"},
        ],
        "spf": [{"domain": "bounce.acme.example", "scope": "mfrom", "result": "softfail"}],
    },
    {"source": "::ffff:192.0.2.7", "spf": [{"domain": "env.acme.example", "result": "pass"}]},
    {"spf": [{"domain": "helo.acme.example", "scope": "helo", "result": "pass"}]},
)


def test_records_as_reports_have_them(inform: Inform, put: Put) -> None:
    put("a.xml", FULL)
    told = inform(include_records=True)
    first, second, third = told["records"]
    assert first == {
        "domain": "acme.example",
        "org": "receiver.example",
        "report_id": "1",
        "begin": "2026-10-01T00:00:00Z",
        "end": "2026-10-01T23:59:59Z",
        "source_ip": "2001:db8::1",
        "count": 3,
        "disposition": "none",
        "dkim": "pass",
        "spf": "fail",
        "header_from": "sub.acme.example",
        "envelope_from": "bounce.acme.example",
    }
    # what the report tells in the results of SPF only; a greeting is no envelope
    assert (second["source_ip"], second["envelope_from"], third["envelope_from"]) == (
        "192.0.2.7",
        "env.acme.example",
        None,
    )
    assert "records" not in inform()


def test_rfc_9990_tells_more_of_the_policy(inform: Inform, put: Put) -> None:
    more = "<np>reject</np><testing>y</testing><discovery_method>treewalk</discovery_method>"
    text = report_text().replace("<pct>100</pct>", more).replace("<version>1.0<", "<version>2.0<")
    text = text.replace("<disposition>none<", "<disposition>pass<")
    put("a.xml", text.replace("<feedback>", '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'))
    told = inform(include_records=True)
    policy = told["domains"]["acme.example"]["policy_published"]
    assert (policy["np"], policy["testing"], policy["discovery_method"]) == ("reject", "y", "treewalk")
    assert told["records"][0]["disposition"] == "pass"


def test_the_policy_of_the_newest_report_is_told(inform: Inform, put: Put) -> None:
    put("b-old.xml", report_text(policy="none"))
    put("a-new.xml", report_text(report_id="2", policy="reject", begin=BEGIN + DAY, end=BEGIN + 2 * DAY))
    assert inform()["domains"]["acme.example"]["policy_published"]["p"] == "reject"


def test_since_and_domains_choose_what_is_told(inform: Inform, put: Put) -> None:
    put("a.xml", report_text({"count": 5}))
    put("b.xml", report_text({"count": 7}, report_id="2", begin=BEGIN + DAY, end=BEGIN + 2 * DAY - 1))
    put("c.xml", report_text(domain="other.example"))
    told = inform(since="2026-10-02", domains=["ACME.example.", "silent.example"], include_records=True)
    assert {name: domain["messages"] for name, domain in told["domains"].items()} == {
        "acme.example": 7,
        "silent.example": 0,
    }
    assert (list(told["sources"]), len(told["records"])) == (["acme.example"], 1)
    assert told["domains"]["silent.example"]["begin"] is None
    assert inform(since="2026-10-02T02:00:00+02:00")["domains"]["acme.example"]["messages"] == 7


def test_what_was_reported_is_told_day_by_day(inform: Inform, put: Put) -> None:
    put("a.xml", report_text({"count": 5}, {"count": 2, "passed": (False, False)}))
    put("b.xml", report_text({"count": 7}, report_id="2", begin=BEGIN + DAY, end=BEGIN + 2 * DAY - 1))
    put("c.xml", report_text({"count": 1}, report_id="3", org="another.example"))
    assert inform(include_days=True)["days"] == {
        "acme.example": [
            {"day": "2026-10-01", "messages": 8, "pass": 6, "fail": 2},
            {"day": "2026-10-02", "messages": 7, "pass": 7, "fail": 0},
        ]
    }
    assert "days" not in inform()


def test_a_reporter_without_a_name_is_known_by_its_address(inform: Inform, put: Put) -> None:
    put("a.xml", report_text().replace("<org_name>receiver.example</org_name>", "<org_name/>"))
    assert inform()["domains"]["acme.example"]["reporter_names"] == ["receiver.example"]


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(TLS_REPORT)),
        ("a.json.gz", gzip.compress(json.dumps(TLS_REPORT, indent=2).encode())),
        ("a.eml", message_with(gzip.compress(json.dumps(TLS_REPORT).encode()), "a.gz", "application/tlsrpt+gzip")),
        ("b.eml", message_with(json.dumps(TLS_REPORT).encode(), "noname", "application/tlsrpt+json")),
        ("a.zip", zipped(**{"a.json": b"\xef\xbb\xbf" + json.dumps(TLS_REPORT).encode()})),
    ],
)
def test_reports_of_tls_are_told_beside_them(inform: Inform, put: Put, name: str, content: str | bytes) -> None:
    put(name, content)
    put("copy.json", json.dumps(TLS_REPORT, indent=1))
    told = inform()
    assert (told["files"]["reports"], told["files"]["duplicates"], told["domains"]) == (1, 1, {})
    failure = {"result_type": "certificate-expired", "mx": "mx1.acme.example", "reason": None, "sessions": 3}
    assert told["tls"]["acme.example"] == {
        "reports": 1,
        "reporters": 1,
        "begin": "2026-10-01T00:00:00Z",
        "end": "2026-10-01T23:59:59Z",
        "successful": 5326,
        "failed": 3,
        "policy_types": ["sts"],
        "failures": [failure],
    }
    assert inform(domains=["other.example"])["tls"] == {}


PARSED: dict[str, Any] = {
    "xml_schema": "draft",
    "report_metadata": {
        "org_name": "receiver.example",
        "org_email": "dmarc@receiver.example",
        "report_id": "1",
        "begin_date": "2026-10-01 02:00:00",
        "end_date": "2026-10-02 01:59:59",
    },
    "policy_published": {"domain": "acme.example", "adkim": "r", "aspf": "r", "p": "none", "sp": "none", "pct": "100"},
    "records": [
        {
            "source": {"ip_address": "192.0.2.10", "country": "NL"},
            "count": 1,
            "policy_evaluated": {"disposition": "none", "dkim": "pass", "spf": "pass", "policy_override_reasons": []},
            "identifiers": {"header_from": "acme.example", "envelope_from": None, "envelope_to": None},
            "auth_results": {"dkim": [{"domain": "acme.example", "selector": "none", "result": "pass"}], "spf": []},
            "normalized_timespan": False,
            "interval_begin": "2026-10-01 00:00:00",
            "interval_end": "2026-10-01 23:59:59",
        }
    ],
}


def _lines(*reports: object) -> str:
    return "\n".join(map(json.dumps, reports))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(PARSED),
        json.dumps([PARSED]),
        f"[\n{json.dumps(PARSED, indent=2)},\n{json.dumps(PARSED)}\n]\n",
        _lines(PARSED, PARSED),
        json.dumps({"aggregate_reports": [PARSED], "failure_reports": [], "smtp_tls_reports": []}),
    ],
)
def test_what_parsedmarc_writes_is_the_same_report(inform: Inform, put: Put, text: str) -> None:
    put("a.xml", report_text({"dkim": [{"domain": "acme.example", "result": "pass"}]}))
    from_xml = inform(include_records=True)
    put("a.json", text)
    put("a.xml", "")
    told = inform(include_records=True)
    assert (told["records"], told["domains"], told["sources"]) == (
        from_xml["records"],
        from_xml["domains"],
        from_xml["sources"],
    )
    put("a.xml", report_text({"dkim": [{"domain": "acme.example", "result": "pass"}]}))
    assert inform()["domains"]["acme.example"]["messages"] == 1


def test_times_of_parsedmarc_without_a_zone_are_told(inform: Inform, put: Put) -> None:
    parsed = copy.deepcopy(PARSED)
    for name in ("normalized_timespan", "interval_begin", "interval_end"):
        del parsed["records"][0][name]
    put("a.json", json.dumps(parsed))
    told = inform()
    assert told["domains"]["acme.example"]["begin"] == "2026-10-01T02:00:00Z"
    assert "without a time zone" in told["files"]["notes"][0]["reason"]


def test_a_large_list_is_read_item_by_item(inform: Inform, put: Put) -> None:
    reports = [{**PARSED, "report_metadata": {**PARSED["report_metadata"], "report_id": str(n)}} for n in range(300)]
    put("a.json", json.dumps(reports, indent=2))
    assert inform()["files"]["reports"] == 300


# --- properties ------------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["", "x", " ", "\n", "&amp;", "&", "]]>", ">", "<", "\x02", "\x0b", "\x1c", "\ufffe", "\xe9", "\u2003", "0", "-1",
     "</record>", "<record>", "<!-- c -->", "<spf/>", "<row></row>", "<count>5</count>", "<![CDATA[</record>]]>",
     "<feedback>", "</feedback>"]
)  # fmt: skip


@pytest.mark.parametrize("known", [FULL.strip(), report_text().strip()], ids=["records", "one record"])
@given(changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 4), _PIECES), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_what_is_known_is_read_as_the_xml_parser_reads_it_or_not_at_all(
    known: str, changes: list[tuple[int, int, str]]
) -> None:
    reader = report_shapes.ReportReader()
    pieces = re.split("([<>])", known)
    assert reader.shaped_parts(known.encode()) == reader.shaped_parts(known.encode()) == by_parser(known)
    for at, taken, piece in changes:
        pieces[at % len(pieces) : at % len(pieces) + taken] = [piece]
    text = "".join(pieces).strip()
    fast = reader.shaped_parts(text.encode())
    assert fast is None or fast == by_parser(text)
    assert fast is None or fast == reader.shaped_parts(text.encode())


def by_parser(text: str) -> list[ReportPart]:
    """The parts of a report, by the XML parser alone."""
    return list(aggregate_report.aggregate_parts(report_xml.parsed_sections(text)))


@pytest.mark.parametrize("known", [FULL.strip(), report_text().strip()], ids=["records", "one record"])
@pytest.mark.parametrize("field", ["source_ip", "count", "header_from", "report_id", "begin"])
@given(
    value=st.text(max_size=12) | st.sampled_from(["7", " 7 ", "1.2.3.4", "\t::1", "1790812800", "1e3", "", "9" * 40])
)
@settings(max_examples=25, deadline=None)
def test_own_texts_are_read_as_the_xml_parser_does(known: str, field: str, value: str) -> None:
    reader = report_shapes.ReportReader()
    reader.shaped_parts(known.encode())
    text = re.sub(f"<{field}>[^<]*", lambda _match: f"<{field}>{escape(value)}", known, count=1)
    fast = reader.shaped_parts(text.encode())
    assert fast is None or fast == by_parser(text)


_OWN = "<source_ip>192.0.2.10</source_ip><count>1</count>"


@pytest.mark.parametrize(
    "written",
    [
        f"<!-- {_OWN} --><source_ip >192.0.2.11</source_ip ><count\n>2</count>",
        f"<other>{_OWN}</other><source_ip x='1'>192.0.2.11</source_ip><count\t>2</count>",
        f"{_OWN}<source_ip\n>192.0.2.11</source_ip><d:count xmlns:d='urn:x'>2</d:count>",
        f"<![CDATA[{_OWN}]]><d:source_ip xmlns:d='urn:x'>192.0.2.11</d:source_ip><count >2</count >",
        f"<?pi {_OWN}?><source_ip >192.0.2.11</source_ip><count >2</count>",
    ],
)
def test_what_only_looks_like_own_texts_is_not_taken_for_them(written: str) -> None:
    reader = report_shapes.ReportReader()
    text = report_text().strip().replace(_OWN, written)
    assert written in text
    for one in (text, text.replace("192.0.2.10", "192.0.2.99"), text):
        fast = reader.shaped_parts(one.encode())
        assert fast is None or fast == by_parser(one)


@pytest.mark.parametrize("known", [FULL.strip(), report_text().strip()], ids=["records", "one record"])
def test_known_reports_are_not_left_to_the_xml_parser(monkeypatch: pytest.MonkeyPatch, known: str) -> None:
    reader = report_shapes.ReportReader()
    reader.shaped_parts(known.encode())
    other = re.sub("192.0.2.(7|10)", "198.51.100.8", known).replace("<report_id>1<", "<report_id>2<")
    expected = by_parser(other)
    monkeypatch.setattr(report_shapes, "parsed_sections", lambda _text: 1 / 0)
    assert reader.shaped_parts(other.encode()) == expected


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_mutated_report_is_read_or_has_a_reason(data: st.DataObject) -> None:
    text = FULL.encode()
    kind = data.draw(st.sampled_from(["xml", "gzip", "zip", "mail", "json"]))
    raw = {
        "xml": text,
        "gzip": gzip.compress(text),
        "zip": zipped(**{"a.xml": text}),
        "mail": message_with(gzip.compress(text), "a.xml.gz"),
        "json": json.dumps([TLS_REPORT, PARSED]).encode(),
    }[kind]
    changed = bytearray(raw)
    for _change in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        piece = data.draw(st.sampled_from([b"", b"<", b">", b"\0", b"\xff", b"/", b"&", b'"', b"9", b"[", b"}"]))
        changed[at : at + data.draw(st.integers(0, 8))] = piece
        changed = changed or bytearray(b"x")
    _read_file(bytes(changed), content_kind(bytes(changed[:100])))


def _read_file(content: bytes, kind: str) -> None:
    """Read whatever there is; anything but a reason is a fault."""
    with contextlib.suppress(UnreadableReport):
        for _label, parts in reports_in("file", kind, lambda: io.BytesIO(content)):
            _read(parts)


def _read(parts: Iterator[ReportPart]) -> None:
    with contextlib.suppress(UnreadableReport):
        assert all(isinstance(part, tuple) for part in parts)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=8),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(sorted(report_xml.ELEMENT_NAMES)), inner), max_size=4
    ),
    max_leaves=8,
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(["record", "report_metadata", "policy_published", "x"]), _VALUES), max_size=5)
)
@settings(max_examples=100, deadline=None)
def test_elements_of_any_shape_are_read_or_have_a_reason(sections: list[tuple[str, Any]]) -> None:
    _read(aggregate_report.aggregate_parts(sections))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_json_of_any_shape_is_read_or_has_a_reason(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from([TLS_REPORT, PARSED])))
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            place[key] = data.draw(_JSON)
            break
        place = inner
    _read_file(json.dumps(document).encode(), "json")
