"""The bytes of a package file: a zip as Go's ``archive/zip`` streams it, which is how CIPD's own client writes.

An instance id is the hash of these bytes, so every field here is fixed: flag 3 with a data descriptor behind
each member, no times, no extra fields, no comments, unix modes, and ZIP64 (APPNOTE 4.3.14, 4.5.3) only where a
size, an offset or the number of members needs it. Python's ``zipfile`` differs: it never marks a name with
``~`` or a backslash as UTF-8, and its output changes between releases.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from dockerbuild_lib.core.files import CHUNK

FILE_MODE = stat.S_IFREG | 0o400
EXECUTABLE_MODE = stat.S_IFREG | 0o500
LINK_MODE = stat.S_IFLNK | 0o400
FLAG_UTF8 = 0x0800
"""Says of a member that its name is UTF-8."""

_PORTABLE = frozenset(range(0x20, 0x7E)) - {ord("\\")}  # ASCII but ~ and backslash, which some code pages replace
_UINT16_MAX = 0xFFFF
_UINT32_MAX = 0xFFFF_FFFF
_VERSION_20 = 20
_VERSION_45 = 45  # the first with ZIP64
_MADE_ON_UNIX = 3 << 8
_FLAG_DESCRIPTOR = 0x0008
_READ_ONLY = 0x01  # MS-DOS attribute of members that nobody may write
_ZIP64_EXTRA = 0x0001
_END64_SIZE = 56


@dataclass(frozen=True)
class Entry:
    """One member as the central directory lists it; all members are stored, so it has one size."""

    name: bytes
    mode: int
    crc: int
    size: int
    offset: int

    @property
    def is_large(self) -> bool:
        """Tell whether the size needs ZIP64."""
        return self.size >= _UINT32_MAX


def _flags(name: bytes) -> int:
    return _FLAG_DESCRIPTOR | (0 if _PORTABLE.issuperset(name) else FLAG_UTF8)


def local_header(name: bytes) -> bytes:
    """Return what stands before a member's bytes; its sizes follow them in the descriptor."""
    fixed = struct.pack("<4s5H3L2H", b"PK\3\4", _VERSION_20, _flags(name), 0, 0, 0, 0, 0, 0, len(name), 0)
    return fixed + name


def data_descriptor(entry: Entry) -> bytes:
    """Return what stands behind a member's bytes: its checksum and sizes."""
    sizes = "2Q" if entry.is_large else "2L"
    return struct.pack(f"<4sL{sizes}", b"PK\7\x08", entry.crc, entry.size, entry.size)


def central_header(entry: Entry) -> bytes:
    """Return a member's entry in the central directory."""
    needed = _VERSION_45 if entry.is_large else _VERSION_20
    size, extra = entry.size, b""
    if entry.is_large or entry.offset >= _UINT32_MAX:
        size = _UINT32_MAX
        extra = struct.pack("<2H3Q", _ZIP64_EXTRA, 24, entry.size, entry.size, entry.offset)
    head = (b"PK\1\2", _MADE_ON_UNIX | _VERSION_20, needed, _flags(entry.name), 0, 0, 0, entry.crc, size, size)
    tail = (len(entry.name), len(extra), 0, 0, 0, entry.mode << 16 | _READ_ONLY, min(entry.offset, _UINT32_MAX))
    return struct.pack("<4s6H3L5H2L", *head, *tail) + entry.name + extra


def end_records(members: int, size: int, offset: int) -> bytes:
    """Return what stands at the end: where the central directory of so many members lies, and its size."""
    records = b""
    if members >= _UINT16_MAX or size >= _UINT32_MAX or offset >= _UINT32_MAX:
        fields = (_END64_SIZE - 12, _VERSION_45, _VERSION_45, 0, 0, members, members, size, offset)
        records = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *fields)
        records += struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
        members, size, offset = _UINT16_MAX, _UINT32_MAX, _UINT32_MAX
    return records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, members, members, size, offset, 0)


class ContainerWriter:
    """Streams members into a package file and hashes what it writes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._offset = 0
        self._entries: list[Entry] = []

    def add(self, name: str, mode: int, source: BinaryIO) -> None:
        """Write one member: all bytes of *source* under *name*, with one of the modes of this module."""
        encoded, offset = name.encode(), self._offset
        self._write(local_header(encoded))
        size = crc = 0
        while chunk := source.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            self._write(chunk)
        entry = Entry(encoded, mode, crc, size, offset)
        self._write(data_descriptor(entry))
        self._entries.append(entry)

    def finish(self) -> bytes:
        """Write the central directory and return the raw sha256 of the whole file."""
        start = self._offset
        for entry in self._entries:
            self._write(central_header(entry))
        self._write(end_records(len(self._entries), self._offset - start, start))
        return self._hash.digest()

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._hash.update(data)
        self._offset += len(data)
