"""Tar archives, read strictly and forwards only (POSIX.1-2017, pax; GNU tar's manual, "Basic Tar Format").

Single headers are parsed by :mod:`tarfile`. What it does between them is not strict enough here: it takes damage for
the end of the archive, and reads descriptions of any size into memory.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace

from dockerbuild_lib.sources.archives.budget import Budget
from dockerbuild_lib.sources.archives.members import Kind, Member, refused, refused_member
from dockerbuild_lib.sources.archives.streams import Stream

MAX_DESCRIPTION = 1 << 20
"""Bytes of one header that describes the member behind it: a long name, or pax records."""
_BLOCK = tarfile.BLOCKSIZE
_ZEROS = bytes(_BLOCK)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_GNU = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_SPARSE = "GNU.sparse."
_LONGEST_NUMBER = 20
_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.DIRTYPE: Kind.FOLDER,
    tarfile.SYMTYPE: Kind.SYMBOLIC_LINK,
    tarfile.LNKTYPE: Kind.HARD_LINK,
    tarfile.CHRTYPE: Kind.CHARACTER_DEVICE,
    tarfile.BLKTYPE: Kind.BLOCK_DEVICE,
    tarfile.FIFOTYPE: Kind.FIFO,
    tarfile.GNUTYPE_SPARSE: Kind.SPARSE,
}


def tar_members(stream: Stream, budget: Budget) -> Iterator[Member]:
    """Yield the members of an archive; what was not read of a member's content is passed over.

    Raises:
        UnsafeArchiveError: it is no tar archive, or is damaged or truncated.

    """
    described: dict[bytes, dict[str, str]] = {}  # type of a header -> what it says about the member behind it
    header = _first_header(stream)
    while header is not None:
        if header.type == tarfile.XGLTYPE:
            budget.take_members()
            _refuse_decisive(header, _pax_records(header, _description(stream, header)))
        elif header.type in _PAX or header.type in _GNU:
            if header.type in described:
                raise refused_member(header.name, "comes twice: two headers describe the same member")
            described[header.type] = _records(stream, header)
        else:
            yield from _member(stream, header, described, budget)
            described = {}
        header = _next_header(stream)
    if described:
        raise refused("it is damaged: it ends with a header that describes no member")
    _expect_zeros(stream)


def _first_header(stream: Stream) -> tarfile.TarInfo | None:
    block = stream.read(_BLOCK)
    try:
        return _parsed(block)
    except tarfile.HeaderError as error:
        raise refused("it is no archive of a known format") from error


def _next_header(stream: Stream) -> tarfile.TarInfo | None:
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        raise refused("it is truncated: its end is missing")
    try:
        return _parsed(block)
    except tarfile.HeaderError as error:
        raise refused(f"it is damaged: a header cannot be read ({error})") from error


def _parsed(block: bytes) -> tarfile.TarInfo | None:
    """Return the header in *block*; None for the block of zeros that ends an archive."""
    if block == _ZEROS:
        return None
    header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    if header.size < 0:
        raise tarfile.HeaderError("its size is negative")
    return header


def _description(stream: Stream, header: tarfile.TarInfo) -> bytes:
    if header.size > MAX_DESCRIPTION:
        raise refused_member(header.name, f"is a header of {header.size} bytes, more than names and the like need")
    return b"".join(_content(stream, header.name, header.size))


def _records(stream: Stream, header: tarfile.TarInfo) -> dict[str, str]:
    data = _description(stream, header)
    if header.type in _GNU:
        return {_GNU[header.type]: _text(data.rstrip(b"\0"))}
    return _pax_records(header, data)


def _pax_records(header: tarfile.TarInfo, data: bytes) -> dict[str, str]:
    """Return the records of a pax header: each is ``LENGTH KEYWORD=VALUE`` and a newline, LENGTH bytes in all."""
    records: dict[str, str] = {}
    position = 0
    while position < len(data):
        digits = data[position : position + _LONGEST_NUMBER].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        keyword, equals, value = data[position + len(digits) + 1 : position + length].partition(b"=")
        if not (keyword and equals and value.endswith(b"\n")) or position + length > len(data):
            raise refused_member(header.name, "has pax records that cannot be read")
        records[_text(keyword)] = _text(value[:-1])
        position += length
    return records


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _refuse_decisive(header: tarfile.TarInfo, records: dict[str, str]) -> None:
    """Refuse a global header that says what is each member's own; others are comments, such as git's commit."""
    if records.keys() & {"path", "linkpath", "size"} or _is_sparse(records):
        raise refused_member(header.name, "is a global header that renames or resizes the members behind it")


def _is_sparse(records: dict[str, str]) -> bool:
    return any(keyword.startswith(_SPARSE) for keyword in records)


def _member(
    stream: Stream, header: tarfile.TarInfo, described: dict[bytes, dict[str, str]], budget: Budget
) -> Iterator[Member]:
    """Yield one member, then pass over its content."""
    records: dict[str, str] = {}
    for kind in (*_GNU, *_PAX):  # where both say something, pax counts
        records |= described.get(kind, {})
    name = records.get("path", header.name)
    member = Member(
        name=name,
        kind=Kind.SPARSE if _is_sparse(records) else _KINDS.get(header.type, Kind.UNKNOWN),
        size=_size(name, records.get("size"), header.size),
        mode=header.mode,
        link=records.get("linkpath", header.linkname),
    )
    if member.kind is not Kind.FILE:
        yield member  # its size, where there is one, is that of nothing
        return
    budget.announce(name, member.size)
    content = _content(stream, name, member.size)
    yield replace(member, content=content)
    for _ in content:
        pass


def _size(name: str, record: str | None, otherwise: int) -> int:
    if record is None:
        return otherwise
    if not (record.isascii() and record.isdigit()) or len(record) > _LONGEST_NUMBER:
        raise refused_member(name, "has a size that is no number")
    return int(record)


def _content(stream: Stream, name: str, size: int) -> Iterator[bytes]:
    """Yield what follows a header, then pass over what fills its last block up."""
    left = size
    for chunk in stream.chunks(size):
        left -= len(chunk)
        yield chunk
    if left:
        raise refused_member(name, "is truncated")
    stream.read(-size % _BLOCK)


def _expect_zeros(stream: Stream) -> None:
    """Read to the end: a block of zeros in the middle is damage, and what is behind it would be lost."""
    while rest := stream.read(1 << 16):
        if rest.strip(b"\0"):
            raise refused("it is damaged: something follows its end")
