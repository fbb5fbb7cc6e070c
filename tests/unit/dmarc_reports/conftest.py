# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that the tests write themselves, and runs of dmarc_report_info in this process."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_options import REPORT_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import inform_of_reports

DAY = 86400
BEGIN = 1_790_812_800
"""2026-10-01T00:00:00Z."""

Row = Mapping[str, Any]
Inform = Callable[..., dict[str, Any]]


def row_text(row: Row) -> str:
    """One record; ``dkim`` and ``spf`` are lists of results, ``passed`` the aligned ones."""
    dkim_passed, spf_passed = row.get("passed", (True, True))
    results = "".join(
        f"<{kind}>{''.join(f'<{name}>{escape(text)}</{name}>' for name, text in one.items())}</{kind}>"
        for kind in ("dkim", "spf")
        for one in row.get(kind, [])
    )
    envelope = row.get("envelope_from")
    return (
        f"<record><row><source_ip>{row.get('source', '192.0.2.10')}</source_ip><count>{row.get('count', 1)}</count>"
        f"<policy_evaluated><disposition>none</disposition><dkim>{'pass' if dkim_passed else 'fail'}</dkim>"
        f"<spf>{'pass' if spf_passed else 'fail'}</spf></policy_evaluated></row>\n  <identifiers>"
        f"{f'<envelope_from>{envelope}</envelope_from>' if envelope else ''}"
        f"<header_from>{row.get('header_from', 'acme.example')}</header_from></identifiers>"
        f"<auth_results>{results}</auth_results></record>\n"
    )


def report_text(
    *rows: Row,
    org: str = "receiver.example",
    report_id: str = "1",
    domain: str = "acme.example",
    begin: int = BEGIN,
    end: int = BEGIN + DAY - 1,
    root: str = "feedback",
    policy: str = "none",
) -> str:
    """A report of RFC 7489 appendix C; of one record unless there are rows."""
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<{root}>\n <version>1.0</version>\n <report_metadata>'
        f"<org_name>{escape(org)}</org_name><email>dmarc@{escape(org)}</email><report_id>{escape(report_id)}"
        f"</report_id><date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>\n"
        f" <policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf><p>{policy}</p><sp>none</sp>"
        f"<pct>100</pct></policy_published>\n{''.join(map(row_text, rows or [{}]))}</{root.split()[0]}>\n"
    )


def zipped(**members: bytes) -> bytes:
    """A zip archive with these members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def message_with(content: bytes, name: str, kind: str = "application/gzip", to: str = "reports@acme.example") -> bytes:
    """A message with one attachment, as reporters send them."""
    message = EmailMessage()
    message["From"], message["To"] = "dmarc@receiver.example", to
    message["Subject"] = "Report Domain: acme.example Submitter: receiver.example"
    message.set_content("This is an aggregate report.")
    main, _slash, sub = kind.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def packed_message(text: str, to: str = "reports@acme.example", org: str = "receiver.example") -> bytes:
    """A message with a report in gzip, from an address of a reporter."""
    made = message_with(gzip.compress(text.encode()), f"{org}!acme.example!1!2.xml.gz", to=to)
    return made.replace(b"dmarc@receiver.example", f"dmarc@{org}".encode(), 1)


TLS_REPORT: dict[str, Any] = {
    "organization-name": "Receiver Inc.",
    "date-range": {"start-datetime": "2026-10-01T00:00:00Z", "end-datetime": "2026-10-01T23:59:59Z"},
    "contact-info": "tls@receiver.example",
    "report-id": "tls-1",
    "policies": [
        {
            "policy": {"policy-type": "sts", "policy-domain": "acme.example", "mx-host": ["*.acme.example"]},
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 3},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:12::1",
                    "receiving-mx-hostname": "mx1.acme.example",
                    "failed-session-count": 3,
                }
            ],
        }
    ],
}
"""A report as in RFC 8460 appendix B."""


@pytest.fixture
def inform(tmp_path: Path) -> Inform:
    """Run the module on the folder ``reports``, as Ansible would start it; ``check`` is check mode."""

    def run(check: bool = False, **options: Any) -> dict[str, Any]:
        given = {"paths": [str(tmp_path / "reports")], "services": [], "resolver": {"zonefiles": []}, **options}
        result = ArgumentSpecValidator(REPORT_OPTIONS).validate(given)
        assert not result.error_messages
        told = inform_of_reports(result.validated_parameters, write=not check)
        assert json.loads(json.dumps(told)) == told  # what Ansible can send
        return told

    (tmp_path / "reports").mkdir()
    return run


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the folder ``reports``."""

    def write(name: str, content: str | bytes) -> Path:
        file = tmp_path / "reports" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write
