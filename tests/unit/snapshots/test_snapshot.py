# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot and journal: what they say, that they are whole at every moment, and that they hold no secret."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_file import read_snapshot
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import escaped, unescaped
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import default_folder
from ansible_collections.mailroom.erp.plugins.module_utils.version import VERSION
from hypothesis import given
from hypothesis import strategies as st

SECRET = "aHVudGVyMi1odW50ZXIy"
SERVER = {
    "provider": "rfc2136",
    "server": "192.0.2.53",
    "port": 53,
    "key_name": "mailroom",
    "key_secret": SECRET,
    "key_algorithm": "hmac-sha256",
    "timeout": 10.0,
}
FILES = {"provider": "zonefile", "path": "/srv/d'zones"}
WHEN = datetime(2026, 11, 21, 9, 30, 15, 123456, UTC)
STRANGE = "it's \udcff\\ caf\u00e9 \u2028\t\x7f #: ' \" end "


def rrset(*values: str, name: str = "acme.example", rdtype: str = "TXT", ttl: int = 3600) -> RRset:
    return RRset(name, rdtype, ttl, values)


OLD, NEW, NEWER = rrset("v=spf1 mx ~all"), rrset("v=spf1 mx a ~all"), rrset("v=spf1 mx a ip4:192.0.2.9 ~all")
CHANGE = Change(OLD, NEW)


def at(zone: str, change: Change) -> Change:
    """The same change at the apex of another zone."""
    before, after = (rrset(*side.values, name=zone) if side else None for side in (change.before, change.after))
    return Change(before, after)


def snapshot(folder: Path) -> Snapshot:
    return Snapshot(folder / "state" / "mailroom", "CHG-1: let AFAS send", "anna@controller", lambda: WHEN)


def journal(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "state" / "mailroom" / "journal.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "state" / "mailroom").glob("*.yml"))


def test_the_snapshot_is_text_for_a_person(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    removed = Change(rrset("key.service.example", name="s1._domainkey.acme.example", rdtype="CNAME", ttl=60), None)
    added = Change(None, rrset(STRANGE, name="_dmarc.b.example"))
    kept.keep_all([(SERVER, "acme.example", [CHANGE, removed]), (FILES, "b.example", [added])])
    assert kept.path is not None
    rest = "key_algorithm: 'hmac-sha256', timeout: 10.0"
    assert (
        kept.path.read_text()
        == rf"""# What stood in the DNS right before this run wrote, and what the run made of it.
# Bring it back: ansible-playbook mailroom.erp.restore -e mail_restore_snapshot=<this file>
# In quoted text a backslash stands as \\, and a byte that is no printable text as \DDD (decimal), as in a zone file.
format: 'mailroom.erp/snapshot/2'
when: '2026-11-21T09:30:15Z'
who: 'anna@controller'
why: 'CHG-1: let AFAS send'
collection: '{VERSION}'
zones:
  - zone: 'acme.example'
    account: {{provider: 'rfc2136', server: '192.0.2.53', port: 53, key_name: 'mailroom', {rest}}}
    records:
      - name: 'acme.example'
        type: TXT
        before:
          ttl: 3600
          values:
            - 'v=spf1 mx ~all'
        after:
          ttl: 3600
          values:
            - 'v=spf1 mx a ~all'
      - name: 's1._domainkey.acme.example'
        type: CNAME
        before:
          ttl: 60
          values:
            - 'key.service.example'
        after: null
  - zone: 'b.example'
    account: {{provider: 'zonefile', path: '/srv/d''zones'}}
    records:
      - name: '_dmarc.b.example'
        type: TXT
        before: null
        after:
          ttl: 3600
          values:
            - 'it''s \255\\ café \226\128\168\009\127 #: '' " end '
...
"""
    )
    first, second = read_snapshot(kept.path)
    assert first.changes == (CHANGE, removed)
    assert first.account == {name: value for name, value in SERVER.items() if name != "key_secret"}
    assert (second.account, second.zone, second.changes) == (FILES, "b.example", (added,))


def test_the_journal_has_a_line_for_each_write(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([(SERVER, "acme.example", [CHANGE]), (FILES, "b.example", [CHANGE])])
    kept.applied(SERVER, "acme.example", [CHANGE])
    kept.failed(FILES, "b.example", [CHANGE], "zone b.example: on fire\nand \udcff smoking")
    kept.close()
    assert kept.path is not None
    first, second = journal(tmp_path)
    side = {"ttl": 3600, "values": ["v=spf1 mx ~all"]}
    assert first == {
        "when": "2026-11-21T09:30:15Z",
        "who": "anna@controller",
        "why": "CHG-1: let AFAS send",
        "snapshot": kept.path.name,
        "account": "rfc2136 server=192.0.2.53 port=53 key_name=mailroom key_algorithm=hmac-sha256 timeout=10.0",
        "zone": "acme.example",
        "changes": [
            {
                "name": "acme.example",
                "type": "TXT",
                "before": side,
                "after": {**side, "values": ["v=spf1 mx a ~all"]},
            }
        ],
        "outcome": "applied",
    }
    assert second["outcome"] == r"failed: zone b.example: on fire\nand \xff smoking"


def test_nothing_holds_a_secret_and_nobody_else_may_read(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept = snapshot(tmp_path)
        kept.keep_all([(SERVER, "acme.example", [CHANGE])])
        kept.applied(SERVER, "acme.example", [CHANGE])
        kept.close()
    finally:
        os.umask(before)
    assert kept.path is not None
    folder = kept.path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {path.name for path in folder.iterdir()}
    assert names == {kept.path.name, "journal.jsonl"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert SECRET not in path.read_text()


def test_no_file_before_something_changes(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([])
    kept.close()
    assert kept.path is None
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_the_place_of_the_snapshot_is_not_followed(tmp_path: Path, exists: bool) -> None:
    kept, other = snapshot(tmp_path), tmp_path / "other"
    kept._file.parent.mkdir(mode=0o700, parents=True)
    if exists:
        other.write_text("theirs")
    kept._file.symlink_to(other)
    kept.keep_all([(FILES, "b.example", [CHANGE])])
    assert kept._file.is_file() and not kept._file.is_symlink()
    assert (other.read_text() if exists else other.exists()) == ("theirs" if exists else False)


def test_names_sort_by_time_and_never_meet(tmp_path: Path) -> None:
    moments = [WHEN.replace(microsecond=5), WHEN, WHEN, WHEN.replace(second=59), WHEN.replace(hour=10)]
    paths = []
    for moment in moments:
        kept = Snapshot(tmp_path, "test", "anna@controller", partial(datetime.fromisoformat, moment.isoformat()))
        kept.keep_all([(FILES, "b.example", [CHANGE])])
        paths.append(kept.path)
    assert len(set(paths)) == len(moments)
    stamps = [path.name.partition("-")[0] for path in paths if path]
    assert stamps == sorted(stamps)


def test_another_run_in_between_is_in_the_snapshot_before_the_next_write(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([(FILES, "acme.example", [CHANGE])])
    assert kept.path is not None
    kept.drop(FILES, "acme.example")
    theirs = Change(rrset("v=spf1 mx ip4:192.0.2.9 ~all"), NEWER)
    kept.keep(FILES, "acme.example", [theirs])
    assert read_snapshot(kept.path)[0].changes == (theirs,)


def test_what_another_run_did_for_us_is_not_ours_to_undo(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([(FILES, "acme.example", [CHANGE]), (SERVER, "acme.example", [CHANGE])])
    kept.drop(FILES, "acme.example")
    kept.applied(SERVER, "acme.example", [CHANGE])
    kept.close()
    assert kept.path is not None
    assert [entry.account["provider"] for entry in read_snapshot(kept.path)] == ["rfc2136"]


def test_a_run_that_wrote_nothing_after_all_leaves_no_snapshot(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([(FILES, "acme.example", [CHANGE])])
    kept.drop(FILES, "acme.example")
    kept.close()
    assert kept.path is None
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("found", "after", "before"),
    [
        # our first write still stands, with somebody's value beside it
        (rrset("other", "v=spf1 mx a ~all"), rrset("other", *NEWER.values), rrset("other", *OLD.values)),
        # somebody has replaced what we wrote
        (rrset("v=spf1 ip4:192.0.2.1 ~all"), NEWER, rrset("v=spf1 ip4:192.0.2.1 ~all")),
    ],
)
def test_a_second_write_is_kept_as_one_with_the_first(
    tmp_path: Path, found: RRset, after: RRset, before: RRset
) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([(FILES, "acme.example", [CHANGE])])
    kept.applied(FILES, "acme.example", [CHANGE])
    kept.keep(FILES, "acme.example", [Change(found, after)])
    kept.applied(FILES, "acme.example", [Change(found, after)])
    kept.close()
    assert kept.path is not None
    assert read_snapshot(kept.path)[0].changes == (Change(before, after),)


def test_two_thousand_zones_are_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    real = os.replace

    def replace(source: str, target: str) -> None:
        nonlocal count
        count += 1
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    kept = snapshot(tmp_path)
    zones = [f"z{number}.example" for number in range(2000)]
    kept.keep_all((FILES, zone, [at(zone, CHANGE)]) for zone in zones)
    for zone in zones:
        kept.keep(FILES, zone, [at(zone, CHANGE)])
        kept.applied(FILES, zone, [CHANGE])
    kept.close()
    assert count == 1
    assert len(journal(tmp_path)) == 2000


def test_many_threads_keep_and_note_at_once(tmp_path: Path) -> None:
    kept = snapshot(tmp_path)
    zones = [f"z{number}.example" for number in range(60)]
    kept.keep_all((FILES, zone, [at(zone, CHANGE)]) for zone in zones)

    def settle(zone: str) -> None:
        kept.drop(FILES, zone)
        kept.keep(FILES, zone, [at(zone, Change(NEW, NEWER))])
        kept.applied(FILES, zone, [at(zone, Change(NEW, NEWER))])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(settle, zones))
    kept.close()
    assert kept.path is not None
    entries = read_snapshot(kept.path)
    assert sorted(entry.zone for entry in entries) == sorted(zones)
    assert all(entry.changes == (at(entry.zone, Change(NEW, NEWER)),) for entry in entries)
    assert sorted(line["zone"] for line in journal(tmp_path)) == sorted(zones)


def in_a_child(work: Callable[[], None]) -> int:
    """Run in a process of its own; its exit code, 9 when it was killed on the way."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(3)
        os._exit(0)
    return child


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_two_processes_share_one_journal(tmp_path: Path) -> None:
    big = Change(OLD, rrset("x" * 60_000))

    def work() -> None:
        kept = snapshot(tmp_path)
        kept.keep_all([(FILES, "acme.example", [big])])
        for _turn in range(100):
            kept.applied(FILES, "acme.example", [big])
        kept.close()

    children = [in_a_child(work) for _process in range(3)]
    assert [code_of(child) for child in children] == [0, 0, 0]
    lines = journal(tmp_path)
    assert len(lines) == 300
    assert len({line["snapshot"] for line in lines}) == 3
    assert len(files(tmp_path)) == 3


STEPS: list[tuple[Any, str]] = [
    (os, "mkdir"),
    (os, "open"),
    (tempfile, "mkstemp"),
    (os, "fsync"),
    (os, "replace"),
    (os, "unlink"),
    (os, "close"),
]


def killed_at(step: int) -> None:
    """Let this process die right before its n-th call of a function that touches the disk."""
    left = step

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return real(*args, **options)

        return call

    for module, name in STEPS:
        setattr(module, name, wrapped(getattr(module, name)))


def deaths(work: Callable[[], None]) -> Iterator[int]:
    """Run the work over and over, each time killed one step later, until it survives."""
    for step in range(100):

        def run(step: int = step) -> None:
            killed_at(step)
            work()

        code = code_of(in_a_child(run))
        assert code in (0, 9)
        yield step
        if code == 0:
            return
    raise RuntimeError("the work never came to its end")


def test_killed_at_any_step_it_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def work() -> None:
        zones = [f"z{number}.example" for number in range(500)]
        snapshot(tmp_path).keep_all([(FILES, zone, [at(zone, CHANGE)]) for zone in zones])

    steps = []
    for step in deaths(work):
        steps.append(step)
        for name in files(tmp_path):
            path = tmp_path / "state" / "mailroom" / name
            assert len(read_snapshot(path)) == 500
            path.unlink()
    assert len(steps) > 5


def test_killed_while_it_is_replaced_the_old_or_the_new_is_there(tmp_path: Path) -> None:
    seen = set()

    for step in range(100):
        folder = tmp_path / str(step)

        def work(folder: Path = folder, step: int = step) -> None:
            kept = snapshot(folder)
            kept.keep_all([(FILES, "acme.example", [CHANGE])])
            killed_at(step)
            kept.drop(FILES, "acme.example")
            kept.keep(FILES, "acme.example", [Change(NEW, NEWER)])

        code = code_of(in_a_child(work))
        assert code in (0, 9)
        (name,) = files(folder)
        ((change,),) = [entry.changes for entry in read_snapshot(folder / "state" / "mailroom" / name)]
        assert change in (CHANGE, Change(NEW, NEWER))
        seen.add(change)
        if code == 0:
            break
    assert seen == {CHANGE, Change(NEW, NEWER)}


@pytest.mark.parametrize(("module", "name"), [step for step in STEPS if step[1] not in ("unlink", "close")])
def test_what_cannot_be_kept_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    def full(*args: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, full)
        with pytest.raises(Refused, match="nothing is written to the DNS without a snapshot: No space left") as caught:
            snapshot(tmp_path).keep_all([(SERVER, "acme.example", [CHANGE])])
    assert SECRET not in str(caught.value)
    assert files(tmp_path) == []


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = snapshot(tmp_path)
    kept.keep_all([(FILES, "acme.example", [CHANGE])])
    kept.applied(FILES, "acme.example", [CHANGE])
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: real(handle, data[:10]))
        with pytest.raises(Refused, match=r"zone acme\.example could not be noted \(applied\)"):
            kept.applied(FILES, "acme.example", [CHANGE])
    kept.failed(FILES, "acme.example", [CHANGE], "x")
    assert [line["outcome"] for line in journal(tmp_path)] == ["applied", "failed: x"]


def test_the_default_folder_is_the_users_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert default_folder({"XDG_STATE_HOME": "/var/state"}) == "/var/state/mailroom"
    assert default_folder({"XDG_STATE_HOME": "relative"}) == "/home/anna/.local/state/mailroom"
    assert default_folder({}) == "/home/anna/.local/state/mailroom"


@given(st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_every_value_comes_back(value: str) -> None:
    assert escaped(value).isprintable() or value == ""
    assert unescaped(escaped(value)) == value


def test_half_a_surrogate_pair_is_written_in_words() -> None:
    assert escaped("zo\ud800nes") == "zo\\\\ud800nes"
    assert unescaped(escaped("zo\ud800nes")) == "zo\\ud800nes"
