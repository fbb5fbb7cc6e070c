# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes find what one finds, byte for byte, and whatever becomes of the second one nothing is lost or left."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains import two_processes
from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit_run import inform
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.two_processes import each_in_two
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones

ITEMS = list(range(10))
FIRST = os.getpid()


def in_second() -> bool:
    return os.getpid() != FIRST


def squared(number: int) -> tuple[int, bool]:
    """A result, and whether the second process found it."""
    return number * number, in_second()


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "FIRST", os.getpid())


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two cores, a threshold of ten items, and the ids of the processes that are made."""
    made: list[int] = []
    real = two_processes._fork

    def noted() -> int | None:
        process = real()
        made.extend([process] if process is not None else [])
        return process

    monkeypatch.setattr(two_processes, "LEAST", len(ITEMS))
    monkeypatch.setattr(two_processes, "_cores", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # those of the test runner hold no lock of ours
    monkeypatch.setattr(two_processes, "_fork", noted)
    return made


def gone(process: int) -> bool:
    """Whether a process has ended and nobody need wait for it any more."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_second_half_is_found_by_the_second_process_and_all_stands_in_order(
    forked: list[int], tmp_path: Path
) -> None:
    progress = Progress(str(tmp_path / "progress"))
    found = each_in_two("numbers squared", squared, ITEMS, 2, progress)
    assert found == [(number * number, number >= 5) for number in ITEMS]
    assert (tmp_path / "progress").read_text().splitlines()[-1] == "10 of 10 numbers squared"
    assert len(forked) == 1 and gone(forked[0])
    assert progress.said == []


@pytest.mark.parametrize("why", ["too few items", "one core", "a thread that may hold a lock"])
def test_nothing_is_forked_where_it_gains_nothing_or_is_not_safe(
    why: str, forked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if why == "one core":
        monkeypatch.setattr(two_processes, "_cores", lambda: 1)
    if why == "a thread that may hold a lock":
        monkeypatch.setattr(threading, "active_count", lambda: 2)
    items = ITEMS[1:] if why == "too few items" else ITEMS
    found = each_in_two("numbers squared", squared, items, 2, Progress(None))
    assert found == [(number * number, False) for number in items]
    assert forked == []


def test_the_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {3}, raising=False)
    assert two_processes._cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")
    assert two_processes._cores() == 1


def killed(number: int) -> tuple[int, bool]:
    if in_second() and number == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return squared(number)


def stopped(number: int) -> tuple[int, bool]:
    if in_second() and number == 8:
        os.kill(os.getpid(), signal.SIGSTOP)
    return squared(number)


def unsendable(number: int) -> Any:
    return (lambda: number) if in_second() else squared(number)


@pytest.mark.parametrize("work", [killed, stopped, unsendable])
def test_what_the_second_process_does_not_bring_is_done_by_the_first_which_says_so(
    work: Any, forked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_processes, "_PATIENCE", 0.3)
    progress = Progress(None)
    found = each_in_two("numbers squared", work, ITEMS, 2, progress)
    assert found == [(number * number, False) for number in ITEMS]
    assert len(forked) == 1 and gone(forked[0])
    assert ["ended before it was done" in line for line in progress.said] == [True]


def test_half_a_result_counts_for_nothing(forked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(found: Any, pipe: Any, protocol: int) -> None:
        pipe.write(pickle.dumps(found, protocol)[:-5])

    monkeypatch.setattr(pickle, "dump", cut)
    found = each_in_two("numbers squared", squared, ITEMS, 2, Progress(None))
    assert found == [(number * number, False) for number in ITEMS]
    assert gone(forked[0])


def test_where_no_more_processes_are_allowed_one_does_it_all(
    forked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    found = each_in_two("numbers squared", squared, ITEMS, 2, Progress(None))
    assert found == [(number * number, False) for number in ITEMS]
    assert forked == []


def broken_everywhere(number: int) -> int:
    if number == 8:
        raise ValueError("eight")
    return number


def cancelled(number: int) -> int:
    if not in_second():
        raise KeyboardInterrupt
    time.sleep(30)
    return number


def test_an_error_of_the_work_is_raised_as_by_one_process(forked: list[int]) -> None:
    with pytest.raises(ValueError, match="eight"):
        each_in_two("numbers", broken_everywhere, ITEMS, 2, Progress(None))
    assert gone(forked[0])


def test_who_is_cancelled_ends_the_second_process(forked: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        each_in_two("numbers", cancelled, ITEMS, 2, Progress(None))
    assert gone(forked[0])


DIES = """
import os, signal, time
from ansible_collections.mailroom.erp.plugins.module_utils.domains import progress, two_processes
two_processes.LEAST, two_processes._cores, first = 10, lambda: 2, os.getpid()
def work(number):
    if os.getpid() != first:
        os.write(1, f"{os.getpid()}\\n".encode())
        time.sleep(0.05)
    elif number == 4:
        time.sleep(0.1)
        os.kill(first, signal.SIGKILL)
    return number
two_processes.each_in_two("numbers", work, range(4000), 1, progress.Progress(None))
"""


def test_the_second_process_does_not_outlive_a_first_that_is_killed() -> None:
    """It holds the other end of the pipe of its output, which is read to its end here."""
    ended = subprocess.run([sys.executable, "-c", DIES], stdout=subprocess.PIPE, check=False, timeout=30)
    assert ended.returncode == -signal.SIGKILL
    assert 0 < len(ended.stdout.split()) < 100


MODULE = """
import os, runpy, sys
from ansible_collections.mailroom.erp.plugins.module_utils.domains import two_processes
two_processes.LEAST, two_processes._cores, real = 20, lambda: {cores}, two_processes._fork
def forked():
    print("forked", file=sys.stderr)
    return real()
two_processes._fork = forked
runpy.run_module("ansible_collections.mailroom.erp.plugins.modules.mail_domains", run_name="__main__")
"""
SERVICE = (
    'spf TXT "v=spf1 ip4:203.0.113.0/24 include:more.service.example -all"\nmore TXT "v=spf1 ip6:2001:db8::/48 -all"'
)
ERP, SPF = "ip4:192.0.2.251", '@ TXT "v=spf1 include:spf.service.example ~all"'
LIVE = {
    "sound": [SPF, '_dmarc TXT "v=DMARC1; p=none"'],
    "done": [f'@ TXT "v=spf1 {ERP} ~all"', '_dmarc TXT "v=DMARC1; p=quarantine"'],
    "two-records": ['@ TXT "v=spf1 -all"', SPF],
    "eleven": ['@ TXT "v=spf1 ' + " ".join(f"a:h{number}.service.example" for number in range(11)) + ' ~all"'],
    "broken-include": ['@ TXT "v=spf1 include:nobody.service.example ~all"', '_dmarc TXT "v=DMARC1; p=none"'],
    "no-word": ['@ TXT "v=spf1 ipv4:1.2.3.4 ~all"'],
    "delegated": [SPF, "_dmarc NS ns1.elsewhere.example."],
    "two-policies": [SPF, '_dmarc TXT "v=DMARC1; p=none"', '_dmarc TXT "v=DMARC1; p=reject"'],
    "foreign-bytes": [SPF, r'_dmarc TXT "v=DMARC1; p=none; x=caf\255"'],
    "no-sender": [SPF],
    "empty": [],
}
"""Live records by what the domains are in the test of everything; three of each."""


def sender(domain: str) -> dict[str, Any]:
    """One that is ours, or, by the domain, one that the change would harm or nobody knows enough of."""
    known = {"from": f"erp@{domain}", "envelope_domain": domain, "dkim": {"domain": domain, "selectors": []}}
    if domain.startswith("done"):
        return {"from": f"erp@{domain}"}
    return {**known, "sources": ["198.51.100.7"] if domain.startswith("sound1") else ["192.0.2.251"]}


def estate(folder: Path) -> tuple[OurZones, list[str]]:
    """All kinds of domains, and their names; two of them have no zone."""
    zones = OurZones(folder, {"service.example": zone_text("service.example", SERVICE)})
    names = [f"{kind}{number}.example" for number in range(3) for kind in LIVE]
    for number in range(3):
        for kind, records in LIVE.items():
            if kind != "empty" or number == 0:
                zones.zone(f"{kind}{number}.example", *records)
    return zones, names


def arguments(zones: OurZones, names: list[str], mode: dict[str, bool]) -> str:
    """The arguments of ``mail_domains``."""
    asked = {
        "dns": zones.ours.dns_option,
        "resolver": zones.resolver_option,
        "domains": names,
        "spf": {"terms": [ERP]},
        "dmarc": {"policy": "quarantine"},
        "senders": [sender(name) for name in names if not name.startswith("no-sender")],
        "on_refused": "skip",
        "snapshot_dir": str(zones.ours.folder.parent / "snapshots"),
        "judge_live": True,
    }
    return json.dumps({"ANSIBLE_MODULE_ARGS": asked | {f"_ansible_{name}": value for name, value in mode.items()}})


@pytest.mark.parametrize("mode", [{"check_mode": True, "diff": True}, {}], ids=["check and diff", "real"])
def test_mail_domains_tells_and_writes_the_same_by_one_process_and_by_two(
    mode: dict[str, bool], tmp_path: Path
) -> None:
    told, written = [], []
    for cores in (1, 2):
        shutil.rmtree(tmp_path, ignore_errors=True)
        tmp_path.mkdir()
        zones, names = estate(tmp_path)
        given = arguments(zones, names, mode)
        command = [sys.executable, "-c", MODULE.format(cores=cores)]
        ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert ended.stderr.split() == ["forked"] * (0 if cores == 1 else 2 if mode else 3)
        result = json.loads(ended.stdout)
        assert bool(result.pop("snapshot", None)) is not bool(mode)
        told.append(json.dumps(result))
        written.append(zones.ours.contents())
    assert told[0] == told[1]
    assert written[0] == written[1]
    results = {verdict["result"] for verdict in json.loads(told[0])["verdicts"]["after"]}
    assert results == {"pass", "fail", "unknown"}
    assert len(json.loads(told[0])["failures"]) > 10


def test_mail_auth_info_tells_the_same_by_one_process_and_by_two(
    forked: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zones, names = estate(tmp_path)
    asked = {"domains": names, "senders": [sender(name) for name in names], "resolver": zones.resolver_option}
    by_two = inform(asked)
    assert len(forked) == 2
    monkeypatch.setattr(two_processes, "_cores", lambda: 1)
    assert json.dumps(inform(asked)) == json.dumps(by_two)
    assert len(forked) == 2
