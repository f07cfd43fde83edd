"""The directory of a zip archive, read strictly (PKWARE's APPNOTE.TXT 6.3.10; numbers below are its sections).

A zip archive says everything twice, and readers differ in what they believe: one goes by the directory at the end,
another by the headers in front of the members. Here both must say the same, and every byte must belong to one of
them. :mod:`zipfile` compares little of that, and reads a directory of any size into memory.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from dockerbuild_lib.sources.archives.budget import Budget
from dockerbuild_lib.sources.archives.members import refused, refused_member
from dockerbuild_lib.sources.archives.zip_end import MASK, Directory, find_directory, read_at

_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_EXTRA = struct.Struct("<2H")  # 4.5.1
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # 4.4.4, as the next two
_DESCRIPTOR = 0x8
_UTF8 = 0x800
_DESCRIPTOR_SIZES = (0, 12, 16, 20, 24)  # 4.3.9: with a signature or not, numbers of 4 or 8 bytes
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075  # 4.5.3, 4.6.9
_BEFORE_PATH = 5  # bytes of the Unicode path field: its version, and a checksum


class Entry(NamedTuple):
    """One member."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    """Bytes in the archive."""
    size: int
    """Bytes unpacked."""
    mode: int
    """Unix mode with its type bits; 0 when the archive does not say."""
    header: int
    """Where its own header begins."""
    start: int = 0
    """Where its packed bytes begin, behind its header."""


def read_entries(file: BinaryIO, length: int, budget: Budget) -> tuple[Entry, ...]:
    """Return the members of the archive *file* of *length* bytes, in the order in which they lie there.

    Raises:
        UnsafeArchiveError: it is damaged, truncated, encrypted, ambiguous, or too much.

    """
    directory = find_directory(file, length)
    if directory.members > budget.members_left:
        budget.take_members(directory.members)
    listed = sorted(_listed(file, directory), key=lambda entry: entry.header)
    for entry, total in zip(listed, itertools.accumulate(entry.size for entry in listed), strict=True):
        budget.announce(entry.name, total)
    entries = tuple(_found(file, entry) for entry in listed)
    _refuse_gaps(entries, directory)
    return entries


def _listed(file: BinaryIO, directory: Directory) -> Iterator[Entry]:
    """Yield what the directory says."""
    file.seek(directory.start)
    for _ in range(directory.members):
        yield _central(file)
    if file.tell() != directory.end:
        raise refused("it is damaged: its directory has another length than its end says")


def _central(file: BinaryIO) -> Entry:
    record = file.read(_CENTRAL.size)
    if len(record) < _CENTRAL.size or not record.startswith(b"PK\x01\x02"):
        raise refused("it is damaged: its directory cannot be read")
    _, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, attributes, header = _CENTRAL.unpack(record)
    raw, extra, _comment = (file.read(length) for length in lengths)
    more = _extra_fields(extra)
    size, packed, header = _whole_numbers(raw, (size, packed, header), more)
    if flags & _ENCRYPTED:
        raise refused_member(raw, "is encrypted")
    if disk:
        raise refused_member(raw, "is in another part of a divided archive")
    if more.get(_UNICODE_PATH, bytes(_BEFORE_PATH) + raw)[_BEFORE_PATH:] != raw:
        raise refused_member(raw, "has two names that differ")
    return Entry(_name(raw, flags), raw, flags, method, crc, packed, size, attributes >> 16, header)


def _name(raw: bytes, flags: int) -> str:
    """Return the name; what is not marked as UTF-8 is in whatever alphabet the archive's maker had (4.4.4, bit 11)."""
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise refused_member(raw, "has a name that is not UTF-8, or not marked as such") from error


def _extra_fields(data: bytes) -> Mapping[int, bytes]:
    """Return the fields of an extra record by their ids; padding behind them is passed over."""
    fields: dict[int, bytes] = {}
    while len(data) >= _EXTRA.size:
        kind, size = _EXTRA.unpack_from(data)
        fields.setdefault(kind, data[_EXTRA.size : _EXTRA.size + size])
        data = data[_EXTRA.size + size :]
    return fields


def _whole_numbers(raw: bytes, numbers: Sequence[int], more: Mapping[int, bytes]) -> list[int]:
    """Return *numbers*, each from the zip64 field where it is masked: the field holds only those, in this order."""
    field = more.get(_ZIP64, b"")
    whole = []
    for number in numbers:
        if number == MASK:
            if len(field) < struct.calcsize("<Q"):
                raise refused_member(raw, "lacks its size")
            (number,), field = struct.unpack_from("<Q", field), field[8:]  # noqa: PLW2901 - it stands for the masked one
        whole.append(number)
    return whole


def _found(file: BinaryIO, entry: Entry) -> Entry:
    """Return the entry with the start of its bytes; its own header must say what the directory says."""
    record = read_at(file, entry.header, _LOCAL.size)
    if len(record) < _LOCAL.size or not record.startswith(b"PK\x03\x04"):
        raise refused_member(entry.name, "is not where the archive's directory says")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(record)
    raw, extra = file.read(name_length), file.read(extra_length)
    size, packed = _whole_numbers(raw, (size, packed), _extra_fields(extra))
    said, listed = [crc, packed, size], [entry.crc, entry.packed, entry.size]
    if flags & _DESCRIPTOR:  # the numbers follow the member's bytes; here they may be left out
        said = [number or other for number, other in zip(said, listed, strict=True)]
    if [raw, flags, method, *said] != [entry.raw_name, entry.flags, entry.method, *listed]:
        raise refused_member(entry.name, "is something else in the archive's directory than in its own header")
    return entry._replace(start=entry.header + _LOCAL.size + name_length + extra_length)


def _refuse_gaps(entries: Sequence[Entry], directory: Directory) -> None:
    """Hold that each member begins where the one before it ends: no byte is used twice, and none is hidden."""
    begins = [*(entry.header for entry in entries), directory.start]
    if begins[0]:
        raise refused("it is damaged: something lies in front of its first member")
    for entry, following in zip(entries, begins[1:], strict=True):
        gap = following - entry.start - entry.packed
        if gap < 0:
            raise refused_member(entry.name, "overlaps what lies behind it")
        if gap not in (_DESCRIPTOR_SIZES if entry.flags & _DESCRIPTOR else (0,)):
            raise refused_member(entry.name, "is followed by bytes that belong to no member")
