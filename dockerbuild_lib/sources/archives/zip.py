"""Zip archives, wheels among them, read strictly: exactly the bytes that the directory announces, and no others."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from dockerbuild_lib.sources.archives.budget import Budget
from dockerbuild_lib.sources.archives.members import Kind, Member, refused_member
from dockerbuild_lib.sources.archives.streams import PIECE, Inflater
from dockerbuild_lib.sources.archives.zip_directory import Entry, read_entries

_STORED, _DEFLATED = 0, 8
_MAX_LINK = 4096
_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.FOLDER,
    stat.S_IFLNK: Kind.SYMBOLIC_LINK,
    stat.S_IFCHR: Kind.CHARACTER_DEVICE,
    stat.S_IFBLK: Kind.BLOCK_DEVICE,
    stat.S_IFIFO: Kind.FIFO,
}


def zip_members(file: BinaryIO, length: int, budget: Budget) -> Iterator[Member]:
    """Yield the members of the archive *file* of *length* bytes, in the order in which they lie there.

    Raises:
        UnsafeArchiveError: it is damaged, truncated, encrypted, ambiguous, or packed by an unknown method.

    """
    for entry in read_entries(file, length, budget):
        if entry.method not in (_STORED, _DEFLATED):
            raise refused_member(entry.name, f"is packed by method {entry.method}, not 0 (stored) or 8 (deflated)")
        kind, content = _kind(entry), _content(file, entry, budget)
        link = _link(entry, content) if kind is Kind.SYMBOLIC_LINK else ""
        yield Member(entry.name, kind, entry.size, stat.S_IMODE(entry.mode), link, content)
        for _ in content:  # what was not read is checked all the same
            pass


def _kind(entry: Entry) -> Kind:
    by_name = Kind.FOLDER if entry.name.endswith("/") else Kind.FILE
    format_bits = stat.S_IFMT(entry.mode)
    kind = _KINDS.get(format_bits, Kind.UNKNOWN) if format_bits else by_name
    if kind in (Kind.FILE, Kind.FOLDER) and kind is not by_name:
        raise refused_member(entry.name, f"is {kind.value} by its mode, and {by_name.value} by its name")
    if kind is Kind.FOLDER and entry.size:
        raise refused_member(entry.name, "is a folder with content")
    return kind


def _link(entry: Entry, content: Iterator[bytes]) -> str:
    if entry.size > _MAX_LINK:
        raise refused_member(entry.name, f"is a link to a name of {entry.size} bytes")
    return b"".join(content).decode("utf-8", "surrogateescape")


def _content(file: BinaryIO, entry: Entry, budget: Budget) -> Iterator[bytes]:
    """Yield the unpacked bytes: as many as announced, with the checksum that was announced."""
    left, crc = entry.size, 0
    for piece in _inflated(file, entry) if entry.method == _DEFLATED else _packed(file, entry):
        left -= len(piece)
        if left < 0:
            break
        budget.take(len(piece))
        crc = zlib.crc32(piece, crc)
        yield piece
    if left or crc != entry.crc:
        raise refused_member(entry.name, "has other bytes than its header says: their number or checksum differs")


def _packed(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    file.seek(entry.start)
    left = entry.packed
    while left and (piece := file.read(min(left, PIECE))):
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflater, packed = Inflater(-zlib.MAX_WBITS), _packed(file, entry)
    while not inflater.eof:
        data = next(packed, None) if inflater.needs_input else b""
        if data is None:
            raise refused_member(entry.name, "is truncated")
        try:
            piece = inflater.decompress(data, PIECE)
        except zlib.error as error:
            raise refused_member(entry.name, f"is damaged ({error})") from error
        if piece:
            yield piece
    if inflater.unused_data or next(packed, b""):
        raise refused_member(entry.name, "has bytes behind its end")
