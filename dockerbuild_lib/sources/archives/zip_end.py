"""Where the directory of a zip archive lies, as the end of the archive says it (PKWARE's APPNOTE.TXT 6.3.10)."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from dockerbuild_lib.sources.archives.members import refused

MASK = 0xFFFFFFFF
"""In place of a number of 4 bytes that stands in a zip64 record instead; of 2 bytes: 0xFFFF."""
_END = struct.Struct("<4s4H2LH")  # section 4.3.16
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR64 = struct.Struct("<4sLQL")  # 4.3.15
_LONGEST_COMMENT = 0xFFFF
_LEAST_END64 = 12  # bytes of an end record that its own size does not count


class Directory(NamedTuple):
    """Where the directory begins and ends, and how many members it lists."""

    start: int
    end: int
    members: int


def find_directory(file: BinaryIO, length: int) -> Directory:
    """Return where the directory of the archive *file* of *length* bytes is; nothing may follow the end.

    Raises:
        UnsafeArchiveError: there is none, or more than one reading of where it is.

    """
    tail = read_at(file, max(length - _END.size - _LONGEST_COMMENT, 0), _END.size + _LONGEST_COMMENT)
    position = tail.rfind(b"PK\x05\x06")
    if not 0 <= position <= len(tail) - _END.size:
        raise refused("it is truncated: it has no directory")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, position)
    if position + _END.size + comment != len(tail):
        raise refused("it is damaged: something follows its end")
    end = length - len(tail) + position
    said = (count, size, start)
    locator = tail[max(position - _LOCATOR64.size, 0) : position]
    if locator.startswith(b"PK\x06\x07"):
        end, (count, size, start) = _end64(file, locator, end)
        masks = (MASK & 0xFFFF, MASK, MASK)
        if any(old not in (mask, new) for old, mask, new in zip(said, masks, (count, size, start), strict=True)):
            raise refused("it is damaged: it has two ends that differ")
    elif here != count:
        raise refused("it is one part of a divided archive")
    if disk or first_disk or start + size != end:
        raise refused("it is damaged: its directory is not where its end says")
    return Directory(start, end, count)


def _end64(file: BinaryIO, locator: bytes, end: int) -> tuple[int, tuple[int, int, int]]:
    """Return where the zip64 end record begins, and its count, size and start of the directory."""
    _, _, position, _ = _LOCATOR64.unpack(locator)
    record = read_at(file, position, _END64.size)
    if position >= end or len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        raise refused("it is damaged: its zip64 end is missing")
    _, own_size, _, _, disk, first_disk, here, count, size, start = _END64.unpack(record)
    if disk or first_disk or here != count or position + _LEAST_END64 + own_size != end - _LOCATOR64.size:
        raise refused("it is damaged: its zip64 end cannot be read")
    return position, (count, size, start)


def read_at(file: BinaryIO, position: int, size: int) -> bytes:
    """Return at most *size* bytes of *file* from *position* on."""
    file.seek(position)
    return file.read(size)
