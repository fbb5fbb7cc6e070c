# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Archives as streams: what they hold is bounded while it is unpacked, and nothing is ever written to the disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_parts import UnreadableReport
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

MOST_UNPACKED = 1 << 27
"""Bytes of one report, unpacked: 128 MiB, about a quarter of a million records."""
MOST_RATIO = 300
"""How many times its size an archive may unpack to, past the first MiB; the reports that are known stay near 100."""

ReadBytes = Callable[[int], bytes]
"""Gives the next bytes, at most as many as it is asked for, none at the end."""

_CHUNK = 1 << 16
_FREE = 1 << 20
_MOST_DEFLATED = 1032
"""How many times its size a deflate stream can unpack to."""
_MOST_MEMBERS = 1000
_MOST_DIRECTORY = 1 << 18
_END_RECORD = struct.Struct("<4s4H2LH")
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


class Bounded:
    """Counts what is unpacked, and refuses what is too much.

    :param packed: gives the bytes that were read of the archive so far
    """

    def __init__(self, packed: Callable[[], int]) -> None:
        self._packed = packed
        self._unpacked = 0

    def add(self, data: bytes) -> bytes:
        """Count some bytes.

        :raises UnreadableReport: they are too many
        """
        self._unpacked += len(data)
        refuse_size(self._unpacked)
        if self._unpacked > _FREE and self._unpacked > MOST_RATIO * self._packed():
            raise UnreadableReport(f"it unpacks to more than {MOST_RATIO} times its size, as an attack would")
        return data


def refuse_size(size: int) -> None:
    """Refuse a report by the size that it is said to have, before anything is unpacked.

    :raises UnreadableReport: it is more than :data:`MOST_UNPACKED`
    """
    if size > MOST_UNPACKED:
        raise UnreadableReport(f"unpacked it has more than {MOST_UNPACKED} bytes")


def gzip_size(file: IO[bytes]) -> int:
    """The size that a gzip file says to unpack to (RFC 1952 section 2.3.1, ISIZE); what follows is read from the start.

    :param file: which can be sought in
    :returns: 0 when the file is too small for what it says: then its end is missing, or is something else
    """
    packed = file.seek(0, 2)
    file.seek(max(0, packed - 4))
    size = int.from_bytes(file.read(4), "little")
    file.seek(0)
    return size if size <= packed * _MOST_DEFLATED else 0


def bounded_reader(read: ReadBytes) -> ReadBytes:
    """Bound what is not packed."""
    count = Bounded(lambda: MOST_UNPACKED)
    return lambda size: count.add(read(size))


class Gunzip:
    """A gzip stream (RFC 1952), of one member or several.

    :param read: the packed bytes
    """

    def __init__(self, read: ReadBytes) -> None:
        self._read_packed = read
        self._member = zlib.decompressobj(31)
        self._waiting = b""
        self._packed = 0
        self._bounded = Bounded(lambda: self._packed)

    def read(self, size: int) -> bytes:
        """Unpack the next bytes, at most ``size``; none at the end.

        :raises UnreadableReport: it is broken, ends too early, or unpacks to too much
        """
        while not self._member.eof:
            data = self._waiting or self._more()
            try:
                found = self._member.decompress(data, size)
            except zlib.error as error:
                raise UnreadableReport(f"its compression is broken: {error}") from None
            self._waiting = self._member.unconsumed_tail
            if self._member.eof and self._member.unused_data.startswith(b"\x1f\x8b"):
                self._waiting = self._member.unused_data
                self._member = zlib.decompressobj(31)
            if found:
                return self._bounded.add(found)
        return b""

    def _more(self) -> bytes:
        data = self._read_packed(_CHUNK)
        if not data:
            raise UnreadableReport("it ends before its compressed data does: it was cut off")
        self._packed += len(data)
        return data


def small_gunzipped(data: bytes, most: int) -> bytes | None:
    """Unpack a whole gzip file of one small member at once.

    :param data: all of it
    :param most: bytes that it may unpack to
    :returns: None when it is anything else, which is for :class:`Gunzip`
    """
    member = zlib.decompressobj(31)
    try:
        found = member.decompress(data, most)
    except zlib.error:
        return None
    return found if member.eof and not member.unused_data else None


def unzipped(file: IO[bytes]) -> Iterator[tuple[str, ReadBytes]]:
    """Read the members of a zip archive.

    :param file: which can be sought in
    :returns: their names, which are for people only, and their bytes
    :raises UnreadableReport: it is broken, has too many members, or one that cannot be read
    """
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if not member.is_dir() and not member.filename.startswith("__MACOSX/"):
                    yield member.filename, _member_reader(archive, member)
    except _BROKEN_ZIP as error:
        raise UnreadableReport(f"it is no whole zip archive: {error}") from None


def _check_directory(file: IO[bytes]) -> None:
    """Look at how long the list of members is before it is read (PKWARE APPNOTE section 4.3.16)."""
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - _END_RECORD.size))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END_RECORD.size:
        raise UnreadableReport("it is no whole zip archive: the list of its members is missing")
    _magic, _disk, _start, _here, members, length, _offset, _comment = _END_RECORD.unpack_from(tail, at)
    if members > _MOST_MEMBERS or length > _MOST_DIRECTORY:
        raise UnreadableReport(f"it is a zip archive with more than {_MOST_MEMBERS} members")
    file.seek(0)


def _member_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ReadBytes:
    bounded = Bounded(lambda: member.compress_size)
    opened: list[IO[bytes]] = []

    def read(size: int) -> bytes:
        if not opened:
            _check_member(member)
        try:
            if not opened:
                opened.append(archive.open(member))
            return bounded.add(opened[0].read(size))
        except _BROKEN_ZIP as error:
            raise UnreadableReport(f"its compression is broken: {error}") from None

    return read


def _check_member(member: zipfile.ZipInfo) -> None:
    refuse_size(member.file_size)
    if member.flag_bits & 1:
        raise UnreadableReport(f"{shown(member.filename)} is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableReport(f"{shown(member.filename)} is compressed in a way that no reporter uses")
