# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones in a folder: how they are found, locked and replaced, and what is said when that is not possible."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import master_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile import zonefile_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

ZONE = "acme.example"
KEY = (ZONE, "TXT")
NEW = RRset(ZONE, "TXT", 3600, ("v=spf1 mx -all",))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / f"{ZONE}.zone"
    path.write_text(zone_text(ZONE, '@ TXT "v=spf1 ~all"'))
    return path


def change(path: Path, zone: str = ZONE) -> None:
    """Read and write one record, as a run does."""
    provider = ZonefileProvider({"path": str(path)})
    state = provider.read(zone, [(zone, "TXT")])
    after = RRset(zone, "TXT", 3600, ("v=spf1 mx -all",))
    provider.apply(zone, [Change(state.rrsets.get((zone, "TXT")), after)], state.token)


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Work as somebody who owns nothing: root may do everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("acme.example.zone", zone_text(ZONE).replace(f"$ORIGIN {ZONE}.\n", "")),
        ("Acme.Example.zone", zone_text(ZONE).replace(f"$ORIGIN {ZONE}.\n", "")),
        ("db.acme", zone_text(ZONE)),
        ("db.acme", "; a comment\n$TTL 60\n" + zone_text(ZONE).partition("\n")[2].replace("@ ", "ACME.example. ")),
    ],
)
def test_a_single_file_says_which_zone_it_is(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    provider = ZonefileProvider({"path": str(tmp_path / name)})
    assert provider.zone_of("www.acme.example") == ZONE
    change(tmp_path / name)
    assert provider.read(ZONE, [KEY]).rrsets == {KEY: NEW}
    assert provider.read("Acme.Example.", [KEY]).rrsets == {KEY: NEW}


def test_only_zone_files_of_a_folder_are_zones(file: Path) -> None:
    for name in ("notes.txt", ".hidden.zone", "acme.example.zone~", ".acme.example.zone.lock", "bad..name.zone"):
        (file.parent / name).write_text("")
    (file.parent / "folder.zone").mkdir()
    assert list(master_file.zone_files(file.parent)) == [ZONE]


def test_two_thousand_zones_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2000):
        (tmp_path / f"customer{number}.example.zone").touch()
    (tmp_path / "customer7.example.zone").write_text(zone_text("customer7.example"))
    listed: list[Path] = []
    opened: list[str] = []
    list_zones, read_file = master_file.zone_files, master_file.read_master_file

    def list_once(path: Path) -> dict[str, Path]:
        listed.append(path)
        return list_zones(path)

    def read_once(path: Path, zone: str) -> master_file.MasterFile:
        opened.append(zone)
        return read_file(path, zone)

    monkeypatch.setattr(zonefile_provider, "zone_files", list_once)
    monkeypatch.setattr(zonefile_provider, "read_master_file", read_once)
    provider = ZonefileProvider({"path": str(tmp_path)})
    names = [f"_dmarc.customer{number}.example" for number in range(2000)]
    assert [provider.zone_of(name) for name in names] == [name.removeprefix("_dmarc.") for name in names]
    provider.read("customer7.example", [("customer7.example", "TXT")])
    assert (listed, opened) == ([tmp_path], ["customer7.example"])


def test_a_file_is_taken_apart_once_before_and_once_after_it_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    take_apart = master_file.MasterFile._read_plain

    def count(master: master_file.MasterFile, before: master_file.MasterFile | None) -> object:
        parsed.append(master.data)
        return take_apart(master, before)

    monkeypatch.setattr(master_file.MasterFile, "_read_plain", count)
    monkeypatch.chdir(file.parent)
    old = file.read_bytes()
    change(Path())
    assert ZonefileProvider({"path": str(file.parent)}).read(ZONE, [KEY]).rrsets == {KEY: NEW}
    assert parsed == [old, file.read_bytes()]
    file.write_bytes(file.read_bytes().replace(b"mx", b"a"))
    assert ZonefileProvider({"path": str(file)}).read(ZONE, [KEY]).rrsets[KEY].values == ("v=spf1 a -all",)


def test_mode_and_owner_stay(file: Path) -> None:
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 1234, 2345)
    before = file.stat()
    change(file.parent)
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = file.rename(elsewhere / "real")
    file.symlink_to(target)
    change(file.parent)
    assert file.is_symlink()
    assert "v=spf1 mx -all" in target.read_text()


def test_nothing_but_the_zone_and_its_lock_is_left(file: Path) -> None:
    change(file.parent)
    assert sorted(path.name for path in file.parent.iterdir()) == [f".{file.name}.lock", file.name]


@pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
def test_a_failed_write_leaves_the_old_file_whole(file: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    before = file.read_bytes()
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(ProviderError, match=rf"{file} \(zone acme.example\): cannot be written: No space left"):
        change(file.parent)
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*.tmp")) + list(file.parent.glob(".*.tmp"))


def test_a_change_that_the_zone_cannot_hold_writes_nothing(file: Path) -> None:
    """A CNAME beside other data: guarded above the provider, and here once more."""
    before = file.read_bytes()
    provider = ZonefileProvider({"path": str(file)})
    state = provider.read(ZONE, [KEY])
    alias = RRset(ZONE, "CNAME", 60, ("other.example",))
    with pytest.raises(ProviderError, match="CNAME beside other data"):
        provider.apply(ZONE, [Change(None, alias)], state.token)
    assert file.read_bytes() == before


def test_the_lock_of_another_run_is_waited_for(file: Path) -> None:
    lock = os.open(file.parent / f".{file.name}.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    thread = threading.Thread(target=change, args=(file.parent,))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    assert "mx" not in file.read_text()
    os.close(lock)
    thread.join(10)
    assert "v=spf1 mx -all" in file.read_text()


def test_a_lock_that_is_never_freed_is_reported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zonefile_provider, "_LOCK_SECONDS", 0.1)
    lock = os.open(file.parent / f".{file.name}.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(ProviderError, match="another run has held its lock"):
        change(file.parent)
    os.close(lock)


def test_of_threads_on_one_zone_one_wins_and_the_others_are_told(file: Path) -> None:
    provider = ZonefileProvider({"path": str(file)})
    state = provider.read(ZONE, [KEY])
    outcomes: list[str] = []

    def write(number: int) -> None:
        after = RRset(ZONE, "TXT", 3600, (f"v=spf1 ip4:192.0.2.{number} ~all",))
        try:
            provider.apply(ZONE, [Change(state.rrsets[KEY], after)], state.token)
            outcomes.append("written")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 7 + ["written"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"absent: cannot be read: No such file or directory.*Check the path"):
        ZonefileProvider({"path": str(tmp_path / "absent")}).zone_of(ZONE)


def test_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / f"{ZONE}.zone").symlink_to(tmp_path / "gone")
    with pytest.raises(
        ProviderError, match=r"acme\.example\.zone \(zone acme\.example\): cannot be read: No such file"
    ):
        change(tmp_path)


def test_an_empty_folder_holds_no_zone(tmp_path: Path) -> None:
    with pytest.raises(ZoneNotFound, match=r"none of the 0 zones there holds www\.acme\.example"):
        ZonefileProvider({"path": str(tmp_path)}).zone_of("www.acme.example")


def test_a_single_file_that_does_not_say_its_zone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db.acme").write_text(zone_text(ZONE).replace(f"$ORIGIN {ZONE}.\n", ""))
    with pytest.raises(ProviderError, match=r"does not say which zone it is\. Name it <zone>\.zone"):
        ZonefileProvider({"path": str(tmp_path / "db.acme")}).zone_of(ZONE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no SOA record for acme.example"),
        ("not a zone at all\n", "line 1: "),
        (zone_text("other.example"), "no SOA record for acme.example"),
        (zone_text(ZONE, 'x TXT "open'), "line 6: a quote"),
        (zone_text(ZONE, "$INCLUDE keys.db"), "INCLUDE"),
    ],
)
def test_a_broken_zone_is_refused_before_anything_is_planned(file: Path, text: str, expected: str) -> None:
    file.write_text(text)
    with pytest.raises(ProviderError, match=rf"{file} \(zone acme.example\): .*{expected}"):
        change(file.parent)
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "expected"),
    [
        (0o000, 0o755, "cannot be read: Permission denied"),
        (0o444, 0o777, "cannot be written: Permission denied"),
        (0o666, 0o555, "cannot be written: Permission denied"),
        (0o644, 0o311, "cannot be read: Permission denied"),
    ],
)
def test_missing_permissions_are_named(file: Path, file_mode: int, folder_mode: int, expected: str) -> None:
    change(file.parent)  # all libraries are loaded before the rights go
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / file.name
        before = copy.write_text(zone_text(ZONE))
        copy.chmod(file_mode)
        folder.chmod(folder_mode)
        with unprivileged(), pytest.raises(ProviderError, match=expected):
            change(folder)
        folder.chmod(0o755)
        copy.chmod(0o644)
        assert len(copy.read_bytes()) == before
        assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []


def test_an_owner_that_cannot_be_kept_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of somebody else in a folder of ours: a new file would be ours, and unreadable for its server."""
    before = file.read_bytes()

    def refuse(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    file.chmod(0o600)
    stat = os.fstat

    def ours(handle: int) -> os.stat_result:
        found = list(stat(handle))
        found[4] += 1
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", ours)
    with pytest.raises(ProviderError, match=r"Operation not permitted.*run as its owner"):
        change(file.parent)
    assert file.read_bytes() == before
