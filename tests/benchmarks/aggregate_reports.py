# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reports cost, beside parsedmarc: one report of many rows, and many small ones in gzip.

Run it by ``make benchmark-reports``. Both sides read the same files in turn, each in a process of its own, and ask
nobody. parsedmarc makes Python objects of each report and keeps nothing; ours is the whole run of ``dmarc_report_info``
but its start, without an archive: reading, totals, sources. It prints the processor's time, the ratio, and the peak of
memory; then ours alone, with an archive, for numbers of reports that grow, and for a run that finds all known: whether
the time of one report and the memory stay as they are.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import inform_of_reports

ROWS, SMALL, GROWING = 2_286, 10_000, (10_000, 30_000, 100_000)
_PARSEDMARC = Path(__file__).with_name("parsedmarc_side.py")

_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>receiver{org}.example</org_name>
    <email>dmarc@receiver{org}.example</email>
    <report_id>{number}</report_id>
    <date_range>
      <begin>{begin}</begin>
      <end>{end}</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>acme.example</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>none</p>
    <sp>none</sp>
    <pct>100</pct>
    <fo>0</fo>
  </policy_published>
"""
_ROW = """  <record>
    <row>
      <source_ip>198.{a}.{b}.{c}</source_ip>
      <count>{count}</count>
      <policy_evaluated>
        <disposition>none</disposition>
        <dkim>pass</dkim>
        <spf>fail</spf>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_from>bounce.acme.example</envelope_from>
      <header_from>acme.example</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>acme.example</domain>
        <selector>s1</selector>
        <result>pass</result>
      </dkim>
      <spf>
        <domain>bounce.acme.example</domain>
        <scope>mfrom</scope>
        <result>softfail</result>
      </spf>
    </auth_results>
  </record>
"""


def report(number: int, rows: int) -> bytes:
    """One report; each row is another address, of 5,000 in all."""
    begin = 1_790_812_800 + number // 100 * 86_400
    first = number * rows
    body = "".join(
        _ROW.format(a=18, b=one % 5000 >> 8, c=one % 5000 & 255, count=one % 9 + 1)
        for one in range(first, first + rows)
    )
    return (
        f"{_HEAD.format(org=number % 100, number=number, begin=begin, end=begin + 86_399)}{body}</feedback>\n".encode()
    )


def make(folder: Path, reports: int, rows: int) -> Path:
    """Write a folder of reports in gzip; a single one as it is."""
    folder.mkdir()
    for number in range(reports):
        text = report(number, rows)
        name, data = ("r.xml", text) if reports == 1 else (f"r{number}.xml.gz", gzip.compress(text, 6))
        (folder / name).write_bytes(data)
    return folder


def ours(folder: str, archive: str) -> dict[str, Any]:
    """One run in this process."""
    given: dict[str, Any] = dict.fromkeys(("since", "retention", "services", "resolver"))
    given |= dict.fromkeys(("include_days", "include_records", "shorten_addresses", "reverse_names"), False)
    given |= {"domains": [], "senders": [], "archive": None}
    # the first file once before, as the other side has it, so that what is loaded on first use does not count
    inform_of_reports({**given, "paths": [str(min(Path(folder).iterdir()))]}, write=True)
    start = time.process_time()
    told = inform_of_reports({**given, "paths": [folder], "archive": archive or None}, write=True)
    used = time.process_time() - start
    (peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    return {"seconds": used, "reports": told["files"]["reports"] or told["files"]["known"], "memory": int(peak) / 1024}


def _side(*command: str) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"})
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _ours(folder: Path, archive: Path | str = "") -> dict[str, Any]:
    return _side(sys.executable, __file__, "--side", str(folder), "--archive", str(archive))


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: statistics.median(one[name] for one in runs) for name in runs[0]}


def compare(title: str, folder: Path, parsedmarc: str, rounds: int) -> None:
    """Both sides in turn."""
    theirs, mine = [], []
    for _round in range(rounds):
        theirs.append(_side(parsedmarc, str(_PARSEDMARC), "time", str(folder)))
        mine.append(_ours(folder))
    one, other = _middle(theirs), _middle(mine)
    if one["reports"] != other["reports"]:
        raise SystemExit(f"{title}: parsedmarc read {one['reports']} reports, we {other['reports']}")
    for name, side in (("parsedmarc", one), ("ours", other)):
        print(f"{title:28} {name:11} {side['seconds']:8.3f} s {side['memory']:8.1f} MiB")
    print(f"{title:28} parsedmarc / ours: {one['seconds'] / other['seconds']:.1f}")


def alone(numbers: list[int], folder: Path) -> None:
    """Ours for each of these numbers of reports: a first run, and one that finds all known."""
    found: dict[str, list[dict[str, Any]]] = {"first run": [], "all known": []}
    for number in numbers:
        reports, archive = make(folder / f"all{number}", number, 1), folder / f"archive{number}"
        for name, sides in found.items():
            sides.append(_ours(reports, archive))
            seconds, memory, per = sides[-1]["seconds"], sides[-1]["memory"], _each(sides[-1])
            title = f"{number} reports of 1 row"
            print(f"{title:28} {name:11} {seconds:8.3f} s {memory:8.1f} MiB {per:8.1f} us per report", flush=True)
        shutil.rmtree(reports)
    for name, sides in found.items():
        times = _each(sides[-1]) / _each(sides[0])
        more = sides[-1]["memory"] - sides[0]["memory"]
        print(f"{numbers[-1]} beside {numbers[0]}, {name}: {times:.2f} times the time of a report, {more:+.1f} MiB")


def _each(side: dict[str, Any]) -> float:
    """Microseconds of one report."""
    return float(side["seconds"] / side["reports"] * 1e6)


def main() -> None:
    """Make the reports, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parsedmarc", help="the Python that has parsedmarc")
    parser.add_argument("--small", type=int, default=SMALL, help="small reports for both sides")
    parser.add_argument(
        "--growing", type=int, nargs="*", default=GROWING, help="numbers of small reports for ours alone"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--archive", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(ours(given.side, given.archive)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.parsedmarc:
            compare(f"1 report of {ROWS} rows", make(folder / "one", 1, ROWS), given.parsedmarc, given.rounds)
            small = make(folder / "small", given.small, 1)
            compare(f"{given.small} reports of 1 row", small, given.parsedmarc, given.rounds)
        if given.growing:
            alone(given.growing, folder)


if __name__ == "__main__":
    main()
