# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Zones kept as master files: read without a lock, written under one, replaced in one step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file, unfinished_files
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file import (
    MasterFile,
    read_master_file,
    remember_master_file,
    zone_files,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    WHOLE_TYPES,
    Conflict,
    ProviderError,
    ZoneNotFound,
    outside_zone,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import StillLocked, hold
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import open_regular

_LOCK_SECONDS = 30.0
"""How long to wait for another run that is writing the same file."""


class ZonefileProvider:
    """Master files in a folder (``<zone>.zone``), or a single one."""

    def __init__(self, dns: Mapping[str, Any]) -> None:
        """Take the option ``dns``; nothing is read yet.

        :param dns: holds ``path``
        :raises MissingLibrary: dnspython is not installed
        """
        libraries.require("dns.zone")
        self._path = Path(dns["path"])
        self._listed: dict[str, Path] | None = None
        self._listing = threading.Lock()
        self._left: dict[Path, dict[str, list[Path]]] = {}

    def zone_of(self, name: str) -> str:
        """See :meth:`Provider.zone_of`."""
        zone = longest_match(name, self._zones())
        if zone is None:
            raise ZoneNotFound(
                f"{self._path}: none of the {len(self._zones())} zones there holds {name}. "
                "Add its master file (<zone>.zone), or name the DNS account that serves it"
            )
        return zone

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        """See :meth:`Provider.read`. The token is a hash of the file."""
        master = read_master_file(self._file(zone), zone)
        elsewhere = _elsewhere(master, zone, {key[0] for key in keys})
        present = [(name, rdtype) for name, rdtype in keys if name not in elsewhere]
        wanted = {*present, *((key[0], "CNAME") for key in present)}
        found = {key: rrset for key in sorted(wanted) if (rrset := master.rrset(key))}
        return ZoneState(zone, found, _hash(master.data), elsewhere)

    def read_whole(self, zone: str) -> dict[Key, RRset]:
        """See :meth:`ReadsWhole.read_whole`."""
        return {one.key: one for one in read_master_file(self._file(zone), zone).rrsets(WHOLE_TYPES)}

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        """See :meth:`Provider.apply`. Any other edit of the file since it was read is a conflict."""
        file = self._file(zone)
        # A link is kept: its target is what changes.
        target = Path(os.path.realpath(file))
        with _locked(target, zone):
            master = read_master_file(target, zone)
            if _hash(master.data) != token:
                raise Conflict(f"{file} (zone {zone}): someone else has changed the file since it was read. Run again")
            self._sweep(target)
            new = master.edited(changes, datetime.now(UTC).date())
            _replace(target, zone, new.data)
            remember_master_file(target, zone, new)

    def _zones(self) -> dict[str, Path]:
        with self._listing:
            if self._listed is None:
                self._listed = zone_files(self._path)
            return self._listed

    def _sweep(self, file: Path) -> None:
        """Remove what a run left that was killed; whoever holds the lock is the only one to make such files."""
        with self._listing:
            if file.parent not in self._left:
                self._left[file.parent] = unfinished_files(file.parent)
            found = self._left[file.parent].pop(file.name, [])
        for left in found:
            with contextlib.suppress(OSError):
                left.unlink()

    def _file(self, zone: str) -> Path:
        zones = self._zones()
        file = zones.get(zone) or zones.get(values.normal_name(zone))
        if file is None:
            raise ZoneNotFound(
                f"{self._path}: there is no zone {zone} there. Add {zone}.zone, or correct the option zone"
            )
        return file


def _elsewhere(master: MasterFile, zone: str, texts: Iterable[str]) -> dict[str, str]:
    """The names that are delegated away from the zone, each with where."""
    found = {}
    for text in texts:
        name = values.normal_name(text)
        if not values.is_at_or_below(name, master.origin):
            raise outside_zone(text, zone)
        if delegation := master.delegation(name):
            found[text] = delegation
    return found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _locked(file: Path, zone: str) -> Iterator[None]:
    """Hold the lock of one zone file against other runs and threads."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold(file.with_name(f".{file.name}.lock"), _LOCK_SECONDS, 0o644))
        except OSError as error:
            raise _cannot_write(file, zone, error) from error
        except StillLocked:
            raise ProviderError(
                f"{file} (zone {zone}): another run has held its lock for {_LOCK_SECONDS:.0f} seconds. "
                "Wait for it to end and run again"
            ) from None
        yield


def _replace(file: Path, zone: str, data: bytes) -> None:
    """Put new bytes in the place of a file, mode and owner kept."""
    try:
        status = file.stat()
        # A file that this user may not write stays, even where the folder would let it be replaced.
        os.close(open_regular(file, os.O_RDWR))
        replace_file(file, data, like=status)
    except OSError as error:
        raise _cannot_write(file, zone, error) from error


def _cannot_write(file: Path, zone: str, error: OSError) -> ProviderError:
    return ProviderError(
        f"{file} (zone {zone}): cannot be written: {error.strerror}. "
        "The file stays as it was; let this user own it and write to its folder, or run as its owner"
    )
