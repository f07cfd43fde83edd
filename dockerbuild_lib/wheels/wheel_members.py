"""The members of a wheel's zip archive, read without trusting a byte of it.

The container that wrote the archive ran foreign code. So sizes are bounded before anything is unpacked, names that
an installer could take for a path outside are refused, and whatever the zip reader meets becomes a refusal.
Nothing is written anywhere.
"""

from __future__ import annotations

import itertools
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.core.files import CHUNK, translated_os_errors

MAX_MEMBERS = 100_000
MAX_MEMBER_SIZE = 1 << 30
"""Bytes of one member, unpacked; the largest shared libraries in use have about half of that."""
MAX_TOTAL_SIZE = 4 << 30
MAX_EXPANSION = 200
"""How many times its own size an archive may unpack to, once that is more than ``SMALL_TOTAL`` bytes."""
SMALL_TOTAL = 64 << 20
MAX_NAME = 1024
_LOCAL_HEADER = 30  # bytes of a local file header before its name (APPNOTE 4.3.7)
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # flag bits: encrypted, strongly encrypted, masked headers (APPNOTE 4.4.4)
_UTF8_NAME = 0x800
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)


@dataclass(frozen=True)
class Member:
    """One regular file of the archive."""

    name: str
    size: int
    mode: int
    """Unix file mode with its type bits; 0 when the archive does not say."""
    modified: tuple[int, ...]
    """Year, month, day, hour, minute, second."""
    layout: tuple[int, int, bytes, bytes]
    """How the archive stores it: method, compressed size, extra field, comment."""


@dataclass(frozen=True)
class WheelArchive:
    """An open archive whose names and sizes have been found sound."""

    members: tuple[Member, ...]
    _zip: zipfile.ZipFile

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Yield the member's bytes, checked against its CRC and declared size.

        Raises:
            WheelRefusedError: they cannot be unpacked, or are not as many as declared.

        """
        read = 0
        with _refusing(f"{shown(member.name)}: it cannot be unpacked"), self._zip.open(member.name) as stream:
            while chunk := stream.read(CHUNK):
                read += len(chunk)
                yield chunk
        if read != member.size:
            raise WheelRefusedError(f"{shown(member.name)}: it has {read} bytes, its header says {member.size}")

    def read(self, member: Member) -> bytes:
        """Return all bytes of the member; raises as :meth:`chunks` does."""
        return b"".join(self.chunks(member))


@contextmanager
def open_archive(path: Path) -> Iterator[WheelArchive]:
    """Yield the archive at *path*, after checking every member's name, kind and size.

    Raises:
        WheelRefusedError: it is no zip archive, or not one that is safe to read; a line for every reason.
        PermissionDeniedError: the file may not be read.

    """
    if not path.is_file():
        raise WheelRefusedError("there is no such file", where=path.name)
    with translated_os_errors(path), path.open("rb") as stream:
        archive = _open_zip(stream)
        if not all(info.filename for info in archive.infolist()):
            raise WheelRefusedError("a member has no name", where=path.name)
        infos = [info for info in archive.infolist() if not info.is_dir()]
        problems = tuple(_archive_problems(archive.infolist(), path.stat().st_size))
        if problems:
            raise WheelRefusedError("\n".join(problems[:100]), where=path.name)
        yield WheelArchive(tuple(map(_member, infos)), archive)


def shown(text: str, limit: int = 160) -> str:
    """Return foreign *text* fit for a message: one line, no control characters, not too long."""
    clean = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: limit + 1])
    return clean if len(clean) <= limit else clean[:limit] + "..."


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except _ZIP_ERRORS as error:
        raise WheelRefusedError(f"{what} ({shown(str(error))})") from error


def _open_zip(stream: IO[bytes]) -> zipfile.ZipFile:
    with _refusing("it is not a zip archive"):
        return zipfile.ZipFile(stream)


def _member(info: zipfile.ZipInfo) -> Member:
    layout = (info.compress_type, info.compress_size, info.extra, info.comment)
    return Member(info.filename, info.file_size, info.external_attr >> 16, info.date_time, layout)


def _archive_problems(infos: list[zipfile.ZipInfo], packed_size: int) -> Iterator[str]:
    if len(infos) > MAX_MEMBERS:
        yield f"it has {len(infos)} members, more than the {MAX_MEMBERS} allowed"
        return
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL_SIZE or (total > SMALL_TOTAL and total > packed_size * MAX_EXPANSION):
        yield f"it unpacks to {total} bytes from {packed_size}: that is a zip bomb"
    for info in infos:
        for problem in _member_problems(info):
            yield f"{shown(info.orig_filename)}: {problem}"
    yield from _clashes(infos)
    yield from _overlaps(infos)


def _member_problems(info: zipfile.ZipInfo) -> Iterator[str]:
    if unsafe := _unsafe_name(info):
        yield unsafe
    if info.file_size > MAX_MEMBER_SIZE:
        yield f"it unpacks to {info.file_size} bytes, more than the {MAX_MEMBER_SIZE} allowed"
    if info.flag_bits & _ENCRYPTED:
        yield "it is encrypted"
    if info.compress_type not in _METHODS:
        yield f"it is packed with zip method {info.compress_type}; only stored and deflated are allowed"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        yield "it is not a regular file"
    if info.is_dir() and info.file_size:
        yield "it is a folder with content"


def _unsafe_name(info: zipfile.ZipInfo) -> str | None:
    name = info.orig_filename
    if len(name) > MAX_NAME or not name.isprintable() or "\ufffd" in name:
        return "its name has characters that are not allowed, or is too long"
    if not name.isascii() and not info.flag_bits & _UTF8_NAME:
        return "its name is not marked as UTF-8, so that tools read it differently"
    parts = name.removesuffix("/").split("/")
    if "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        return "its name is not a plain path inside the wheel"
    return None


def _clashes(infos: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Find names that are one file, or a file and a folder, on some file system."""
    seen: dict[str, str] = {}
    for info in infos:
        key = same_file_key(info.filename.removesuffix("/"))
        if key in seen:
            yield f"{shown(info.filename)}: it is there twice, the other is {shown(seen[key])}"
        seen[key] = info.filename
    for key, name in seen.items():
        for folder in _folders(key):
            if folder in seen and not seen[folder].endswith("/"):
                yield f"{shown(name)}: it lies below {shown(seen[folder])}, which is a file"


def same_file_key(name: str) -> str:
    """Return what two names share that some file system takes for the same file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _folders(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _overlaps(infos: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Find members that share bytes: a bomb, or an archive that two readers see differently."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, following in itertools.pairwise(ordered):
        end = info.header_offset + _LOCAL_HEADER + len(info.orig_filename) + info.compress_size
        if end > following.header_offset:
            yield f"{shown(following.orig_filename)}: its bytes overlap those of {shown(info.orig_filename)}"
