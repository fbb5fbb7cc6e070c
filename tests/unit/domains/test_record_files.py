# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that belong to records: before the record when they come, after it when they go, and what stands in the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change
from ansible_collections.mailroom.erp.plugins.module_utils.domains import record_files
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import MtaStsPolicy, policy_text
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company, check_problem

ZONE, OTHER = "acme.example", "beta.example"
Break = Callable[[str], None]


class Estate(Company):
    """Two domains whose policies are files."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path, {})
        self.zone(OTHER)

    def file(self, domain: str) -> Path:
        return self.policies / f"mta-sts.{domain}" / ".well-known" / "mta-sts.txt"

    def both(self, write: bool = True, **options: Any) -> list[DomainOutcome]:
        return self.run_all(ZONE, OTHER, write=write, mta_sts=self.wish(**options))

    def wish(self, **options: Any) -> dict[str, Any]:
        return {"policy_dir": str(self.policies), **options}

    def refused_files(self, **options: Any) -> list[tuple[str, str]]:
        """The files that refuse a run, with the rules; check mode says the same."""
        (check, done) = (
            self.problems(ZONE, OTHER, write=write, mta_sts=self.wish(**options)) for write in (False, True)
        )
        assert check == done
        for problem in done:
            path = self.file(problem.subject.removeprefix("_mta-sts."))
            check_problem(problem, problem.subject, "file", str(path), "", "mail_domains", "name another folder")
        return [(problem.subject, problem.rule) for problem in done]

    def is_done(self) -> bool:
        return all(
            self.read(f"_mta-sts.{domain}")
            and self.file(domain).read_bytes().decode() == policy_text(MtaStsPolicy("testing", (domain,), 604800))
            for domain in (ZONE, OTHER)
        )

    def is_gone(self) -> bool:
        return not any(self.read(f"_mta-sts.{domain}") or self.file(domain).exists() for domain in (ZONE, OTHER))


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_file_comes_before_its_record_and_goes_after_it(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str | None]] = []
    apply = ZonefileProvider.apply

    def watched(self: ZonefileProvider, zone: str, changes: Sequence[Change], token: object) -> None:
        file = estate.file(zone)
        seen.append((zone, file.read_text().split()[3] if file.exists() else None))
        apply(self, zone, changes, token)

    monkeypatch.setattr(ZonefileProvider, "apply", watched)
    estate.both()
    estate.both(mode="enforce")
    estate.both(state="absent")
    assert sorted(seen) == [(zone, mode) for zone in (ZONE, OTHER) for mode in ("enforce", "enforce", "testing")]
    assert estate.is_gone()


def test_what_is_made_can_be_read_by_a_web_server(estate: Estate, umask: None) -> None:
    estate.policies.mkdir()
    estate.both()
    file = estate.file(ZONE)
    modes = [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parent.parent, estate.policies)]
    assert modes == [0o644, 0o755, 0o755, 0o700], "a folder that was there stays as it is"


def test_a_folder_that_is_a_link_is_followed(estate: Estate, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    estate.policies.symlink_to(tmp_path / "elsewhere")
    estate.both()
    assert estate.is_done()
    assert len(list((tmp_path / "elsewhere").rglob("mta-sts.txt"))) == 2


@pytest.mark.parametrize("below", [False, True], ids=["the folder", "above it"])
def test_a_folder_that_cannot_be_is_refused(estate: Estate, tmp_path: Path, below: bool) -> None:
    (tmp_path / "plain").write_text("a file where a folder should be")
    estate.policies = tmp_path / "plain" / "policies" if below else tmp_path / "plain"
    rule = f"{tmp_path / 'plain'} is no folder"
    assert estate.refused_files() == [(f"_mta-sts.{ZONE}", rule), (f"_mta-sts.{OTHER}", rule)]
    assert not any(outcome.changed for outcome in estate.both(state="absent")), "there is nothing to take away"


def test_a_folder_of_somebody_else_is_refused(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.both()
    folder = estate.file(OTHER).parent
    # The user root may write everywhere, so a folder that it may not write to cannot be made.
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder)
    told = [(f"_mta-sts.{OTHER}", f"this user may not write to {folder}")]
    assert estate.refused_files(mode="enforce") == estate.refused_files(state="absent") == told
    assert not any(outcome.changed for outcome in estate.both()), "what is as wanted need not be written"


def _link(path: Path) -> None:
    target = path.parent / "target.txt"
    target.write_text("of somebody")
    path.symlink_to(target)


OBSTACLES: list[Callable[[Path], None]] = [
    _link,
    lambda path: path.symlink_to(path.parent / "nowhere"),
    Path.mkdir,
    os.mkfifo,
]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("put", OBSTACLES, ids=["link", "dangling link", "folder", "pipe"])
def test_what_is_no_plain_file_is_neither_replaced_nor_taken_away(
    estate: Estate, put: Callable[[Path], None], state: str
) -> None:
    path = estate.file(OTHER)
    path.parent.mkdir(parents=True)
    put(path)
    assert estate.refused_files(state=state) == [(f"_mta-sts.{OTHER}", "it is no plain file")]
    assert not path.is_file() or (path.is_symlink() and path.read_text() == "of somebody")


def test_a_long_file_is_not_read_whole(estate: Estate) -> None:
    path = estate.file(ZONE)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 1_000_000)
    change = estate.both(write=False)[0].steps[0].file_change
    assert change is not None and change.before is not None and len(change.before) < 100_000
    estate.both()
    assert estate.is_done()


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Break:
    """A disk that is full when a file of one domain is to be written, or taken away."""

    def fill(domain: str) -> None:
        replace, unlink = replace_file, Path.unlink

        def no_space(path: Path, *arguments: Any, **options: Any) -> None:
            if domain in str(path):
                raise OSError(28, "No space left on device", str(path))
            replace(path, *arguments, **options)

        def no_way(path: Path, **options: Any) -> None:
            if domain in str(path):
                raise OSError(30, "Read-only file system", str(path))
            unlink(path, **options)

        monkeypatch.setattr(record_files, "replace_file", no_space)
        monkeypatch.setattr(Path, "unlink", no_way)

    return fill


def test_a_file_that_cannot_be_written_fails_its_own_zone_before_it_changes(
    estate: Estate, full: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(OTHER)
    acme, beta = estate.both()
    assert (acme.changed, acme.failure, beta.changed) == (True, None, False)
    assert beta.failure is not None
    for word in (f"zone {OTHER}: a file of its records", "No space left on device", str(estate.file(OTHER))):
        assert word in beta.failure
    assert estate.read(f"_mta-sts.{OTHER}") == []
    monkeypatch.undo()
    assert [outcome.changed for outcome in estate.both()] == [False, True]
    assert estate.is_done()


def test_a_file_that_cannot_be_taken_away_is_told_when_its_record_is_gone(
    estate: Estate, full: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.both()
    full(OTHER)
    acme, beta = estate.both(state="absent")
    assert (acme.failure, beta.changed) == (None, True)
    assert beta.failure is not None and "Read-only file system" in beta.failure
    assert (beta.steps[0].record_changed, beta.steps[0].file_changed) == (True, False)
    assert (estate.read(f"_mta-sts.{OTHER}"), estate.file(OTHER).exists()) == ([], True)
    monkeypatch.undo()
    assert [outcome.changed for outcome in estate.both(state="absent")] == [False, True]
    assert estate.is_gone()


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_service_that_fails_after_the_file_was_written_fails_the_domain_and_the_next_run_ends_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    if state == "absent":
        estate.both()
    apply = ZonefileProvider.apply

    def on_fire(self: ZonefileProvider, zone: str, changes: Collection[Change], token: object) -> None:
        if zone == OTHER:
            raise ProviderError(f"zone {zone}: the server is on fire")
        apply(self, zone, list(changes), token)

    monkeypatch.setattr(ZonefileProvider, "apply", on_fire)
    acme, beta = estate.both(state=state)
    assert (acme.changed, acme.failure, beta.failure) == (True, None, f"zone {OTHER}: the server is on fire")
    (step,) = beta.steps
    assert (step.record_changed, step.file_changed) == (False, state == "present")
    assert estate.file(OTHER).exists(), "written already, or not yet taken away"
    assert bool(estate.read(f"_mta-sts.{OTHER}")) is (state == "absent")
    monkeypatch.undo()
    again = estate.both(state=state)
    assert [outcome.changed for outcome in again] == [False, True]
    assert estate.is_done() if state == "present" else estate.is_gone()
    assert not any(outcome.changed for outcome in estate.both(state=state))
