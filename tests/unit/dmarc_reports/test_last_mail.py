# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the mail of an environment was seen last, from archives that the tests fill themselves."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender, seen_senders
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import reading_archive
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import BEGIN, DAY, Inform, report_text

SENDERS: list[dict[str, Any]] = [
    {
        "from": "payroll@acme.example",
        "environment": "payroll",
        "envelope_domain": "acme.example",
        "sources": ["ip4:192.0.2.77"],
        "dkim": {"domain": "acme.example", "selectors": ["pay1"]},
    },
    {"from": "erp@acme.example", "environment": "relay", "sources": ["ip4:192.0.2.10"]},
]
SIGNED = {"dkim": [{"domain": "acme.example", "selector": "pay1", "result": "pass"}]}
ALPHA, BETA = "alpha.example", "beta.example"


def on(number: int) -> str:
    return str(datetime.date(2026, 10, 1) + datetime.timedelta(days=number))


def fill(put: Callable[..., Path], inform: Inform, tmp_path: Path, rows: dict[tuple[int, str], list[Any]]) -> None:
    """Reports by day (counted from 2026-10-01) and reporter."""
    for (number, org), own in rows.items():
        begin = BEGIN + number * DAY
        text = report_text(*own, org=org, report_id=f"{number}", begin=begin, end=begin + DAY - 1)
        put(f"{org}-{number}.xml", text)
    inform(archive=str(tmp_path / "archive"))


def seen_of(
    folder: Path,
    senders: Sequence[dict[str, Any]] | None = None,
    lookup: Callable[[str, str], tuple[str, ...]] | None = None,
) -> dict[str, list[SeenSender]]:
    declared = read_senders(SENDERS if senders is None else senders, [])
    with reading_archive(str(folder / "archive")) as connection:
        return seen_senders(connection, declared, ["payroll"], lookup or (lambda _n, _t: ()))


def test_mail_is_known_by_its_signature_and_by_its_servers(
    put: Callable[..., Path], inform: Inform, tmp_path: Path
) -> None:
    other = {"source": "192.0.2.10", "count": 50}
    fill(put, inform, tmp_path, {
        (0, ALPHA): [{"source": "192.0.2.77", "count": 2}, other],
        (3, ALPHA): [{"source": "198.51.100.9", "count": 1, **SIGNED}, other],  # forwarded
        (4, ALPHA): [other],
        (5, BETA): [{"source": "203.0.113.5", "count": 9}],
    })  # fmt: skip
    (found,) = seen_of(tmp_path)["payroll"]
    assert found.label == "payroll (acme.example)"
    assert found.own == {(on(0), ALPHA): 2, (on(3), ALPHA): 1}
    assert found.shared == {} and found.others == () and found.unresolved == ()
    assert found.reported == {ALPHA: frozenset({on(0), on(3), on(4)}), BETA: frozenset({on(5)})}


def test_mail_that_may_be_of_another_is_no_ones_for_sure(
    put: Callable[..., Path], inform: Inform, tmp_path: Path
) -> None:
    fill(put, inform, tmp_path, {(0, ALPHA): [{"source": "192.0.2.77", "count": 4}]})
    twin = {**SENDERS[0], "from": "wages@acme.example", "environment": "wages"}
    (found,) = seen_of(tmp_path, [*SENDERS, twin])["payroll"]
    assert found.own == {} and found.shared == {(on(0), ALPHA): 4} and found.others == ("wages",)
    service = {"from": "*@acme.example", "service": "microsoft365", "sources": ["ip4:192.0.2.77"]}
    (found,) = seen_of(tmp_path, [SENDERS[0], {**service, "envelope_domain": "acme.example"}])["payroll"]
    assert found.own == {} and found.others == ("microsoft365 (acme.example)",)


def test_servers_that_cannot_be_looked_up_are_told(put: Callable[..., Path], inform: Inform, tmp_path: Path) -> None:
    fill(put, inform, tmp_path, {(0, ALPHA): [{"source": "192.0.2.77"}]})

    def silent(name: str, rdtype: str) -> tuple[str, ...]:
        raise Unresolved(f"{name} {rdtype}: no answer")

    senders = [{**SENDERS[0], "sources": ["include:spf.service.example"]}]
    (found,) = seen_of(tmp_path, senders, silent)["payroll"]
    assert found.own == {} and "no answer" in found.unresolved[0]


def test_a_sender_below_a_domain_is_found_in_the_reports_of_the_domain(
    put: Callable[..., Path], inform: Inform, tmp_path: Path
) -> None:
    row = {"source": "192.0.2.77", "count": 7, "header_from": "mail.acme.example"}
    fill(put, inform, tmp_path, {(0, ALPHA): [row, {"source": "192.0.2.77", "count": 5}]})
    sender = {**SENDERS[0], "from": "payroll@mail.acme.example"}
    (found,) = seen_of(tmp_path, [sender])["payroll"]
    assert found.own == {(on(0), ALPHA): 7} and found.reported[ALPHA] == frozenset({on(0)})
