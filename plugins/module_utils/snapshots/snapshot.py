# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Keeps what stood in the DNS right before each write, so that any run can be undone; and notes every write."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import public_options
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.dns.write_loop import ZoneToWrite
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.journal import Journal
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import (
    END,
    SnapshotFacts,
    head_text,
    rrset_data,
    when_text,
    zone_text,
)
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import make_folder

_SOURCE = "docs/restore.md"


@dataclass(slots=True)
class _Kept:
    """One zone: what was written, and what is about to be, each with what stood there before."""

    account: Mapping[str, Any]
    zone: str
    _written: dict[Key, Change] = field(default_factory=dict)
    _planned: dict[Key, Change] = field(default_factory=dict)
    _text: str | None = None
    """Of a zone that has not changed since, as most have not."""

    @property
    def text(self) -> str:
        if self._text is None:
            whole = {**self._written, **self._planned}.values()
            changes = [change for change in whole if change.before != change.after]
            self._text = zone_text(self.account, self.zone, changes) if changes else ""
        return self._text

    def plan(self, changes: Iterable[Change]) -> None:
        planned = {change.key: self._whole(change) for change in changes}
        if planned != self._planned:
            self._planned, self._text = planned, None

    def note_written(self) -> None:
        self._written |= self._planned
        self._planned = {}

    def _whole(self, change: Change) -> Change:
        """A second write to the same RRset: from what would stand there without the first."""
        first = self._written.get(change.key)
        return Change(_without(change.before, first), change.after) if first else change


class _Named:
    """An account without its secrets: its place in the snapshot (``key``), its name in the journal (``label``)."""

    def __init__(self, account: Mapping[str, Any]) -> None:
        self.account = account  # held, so that no other object gets its id
        options = public_options(account)
        self.key = json.dumps(options, sort_keys=True, default=str)
        provider = options.pop("provider")
        self.label = " ".join([provider, *(escape_controls(f"{name}={value}") for name, value in options.items())])


class Snapshot:
    """The snapshot of one run, and its lines in the journal; may be used by several threads at once.

    No file is made before something is about to change. The file always holds what stood there right before our write:
    it is replaced in one step when another run was faster, and goes when nothing was written in the end.

    :param folder: where snapshots and the journal are; made with mode 0700
    :param why: the reason of the run, for a person
    :param who: user@host; found out when not given
    :param clock: tells the time in UTC
    """

    def __init__(
        self,
        folder: str | Path,
        why: str,
        who: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        began = clock()
        self._folder = Path(folder).absolute()
        self._facts = SnapshotFacts(began, who or _who(), why)
        self._clock = clock
        # Sorts by time; process and random part keep two runs of one moment apart.
        name = f"{began.strftime('%Y%m%dT%H%M%S.%fZ')}-{os.getpid()}-{secrets.token_hex(4)}.yml"
        self._file = self._folder / name
        self._journal = Journal(self._folder / "journal.jsonl")
        self._zones: dict[tuple[str, str], _Kept] = {}
        self._accounts: dict[int, _Named] = {}
        self._on_disk: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        """The snapshot's file; None while there is none."""
        return self._file if self._on_disk else None

    def keep_all(self, works: Iterable[tuple[Mapping[str, Any], str, Sequence[Change]]]) -> None:
        """Keep what a whole run is about to change, by one write of the file.

        :param works: account, zone and changes of each zone
        :raises Refused: it cannot be kept, so nothing may be written to the DNS
        """
        with self._lock:
            for account, zone, changes in works:
                self._kept(account, zone).plan(changes)
            self._write()

    def keep(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change]) -> None:
        """See :meth:`Recorder.keep`; writes the file only when it does not say so already."""
        with self._lock:
            kept = self._kept(account, zone)
            kept.plan(changes)
            if self._on_disk.get((self._named(account).key, zone), "") != kept.text:
                self._write()

    def drop(self, account: Mapping[str, Any], zone: str) -> None:
        """See :meth:`Recorder.drop`; the file follows with the next :meth:`keep`, or with :meth:`close`."""
        with self._lock:
            self._kept(account, zone).plan([])

    def applied(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change]) -> None:
        """See :meth:`Recorder.applied`."""
        with self._lock:
            self._kept(account, zone).note_written()
            self._note(account, zone, changes, "applied")

    def failed(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change], reason: str) -> None:
        """See :meth:`Recorder.failed`. What was kept stays: the service may have done it all the same."""
        with self._lock:
            self._note(account, zone, changes, f"failed: {reason}")

    def note_decisions(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Write lines of another kind into the journal: what was decided, and on what evidence; and close it.

        :param entries: what each tells beside when, who, why and the snapshot of the run
        :raises Refused: they cannot be written; what was decided has been done
        """
        file = self._folder / "journal.jsonl"
        try:
            make_folder(self._folder)
            for entry in entries:
                self._journal.append({**self._head(self.path.name if self.path else None), **entry})
            self._journal.close()
        except OSError as error:
            raise self._unwritable("what was decided has been done, but could not be noted", file, error) from error

    def _head(self, snapshot: str | None) -> dict[str, Any]:
        """What each line of the journal begins with."""
        return {
            "when": when_text(self._clock()),
            "who": escape_controls(self._facts.who),
            "why": escape_controls(self._facts.why),
            "snapshot": snapshot,
        }

    def close(self) -> None:
        """Leave out of the file what was kept and then not written; bring the journal to the disk."""
        with self._lock:
            # Too much in a snapshot does no harm, and all lines are written by now: no error may hide the result.
            with contextlib.suppress(Refused):
                if self._texts() != self._on_disk:
                    self._write()
            with contextlib.suppress(OSError):
                self._journal.close()

    def _kept(self, account: Mapping[str, Any], zone: str) -> _Kept:
        key = (self._named(account).key, zone)
        if key not in self._zones:
            self._zones[key] = _Kept(account, zone)
        return self._zones[key]

    def _named(self, account: Mapping[str, Any]) -> _Named:
        """What an account is called; it is the same object each time, so it is worked out once."""
        if id(account) not in self._accounts:
            self._accounts[id(account)] = _Named(account)
        return self._accounts[id(account)]

    def _texts(self) -> dict[tuple[str, str], str]:
        return {key: text for key, kept in self._zones.items() if (text := kept.text)}

    def _write(self) -> None:
        texts = self._texts()
        try:
            if texts:
                make_folder(self._folder)
                self._journal.open()
                replace_file(self._file, (head_text(self._facts) + "".join(texts.values()) + END).encode())
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable("nothing is written to the DNS without a snapshot", self._file, error) from error
        self._on_disk = texts

    def _note(self, account: Mapping[str, Any], zone: str, changes: Sequence[Change], outcome: str) -> None:
        entry = {
            **self._head(self._file.name),
            "account": self._named(account).label,
            "zone": zone,
            "changes": [_change_data(change) for change in changes],
            "outcome": escape_controls(outcome),
        }
        try:
            self._journal.append(entry)
        except OSError as error:
            file = self._folder / "journal.jsonl"
            raise self._unwritable(f"zone {zone} could not be noted ({outcome})", file, error) from error

    def _unwritable(self, rule: str, file: Path, error: OSError) -> Refused:
        way_out = "Let this user write there, or name another folder."
        return Refused(
            Problem("snapshot", "snapshot_dir", str(file), f"{rule}: {error.strerror or error}", _SOURCE, way_out)
        )


@contextlib.contextmanager
def keeping(snapshot: Snapshot | None, works: Iterable[ZoneToWrite]) -> Iterator[None]:
    """Keep what stands in all zones of a run, by one write of the file, for the time in which they are written.

    :param snapshot: None keeps nothing
    :param works: the zones, read and planned
    :raises Refused: it cannot be kept, so nothing may be written to the DNS
    """
    if snapshot is None:
        yield
        return
    snapshot.keep_all((work.account, work.zone, work.changes) for work in works)
    try:
        yield
    finally:
        snapshot.close()


def _without(found: RRset | None, first: Change) -> RRset | None:
    """What would stand there if a write of ours had not been; ``found`` when others have changed what it made."""
    before, after = values_of(first.before), values_of(first.after)
    added, removed, values = departed(after, before), departed(before, after), values_of(found)
    if departed(added, values) or any(value in values for value in removed):
        return found
    rest = (*departed(values, added), *removed)
    ttl = found.ttl if found else 0
    if first.before and (found is None or (first.after and ttl == first.after.ttl)):
        ttl = first.before.ttl
    return RRset(*first.key, ttl, rest) if rest else None


def _change_data(change: Change) -> dict[str, Any]:
    name, rdtype = change.key
    return {"name": name, "type": rdtype, "before": rrset_data(change.before), "after": rrset_data(change.after)}


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not have a name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
