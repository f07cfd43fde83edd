"""A look into an sdist without unpacking it: its top folder, and single files of it."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.core.errors import DockerbuildError, UnsafeArchiveError
from dockerbuild_lib.core.files import translate_os_error

MAX_MEMBERS = 200_000
MAX_TOTAL_SIZE = 8 << 30
MAX_READ_SIZE = 16 << 20
_MAX_LINK = 4096
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,  # fields that are no numbers, names that are no text
    RuntimeError,  # encrypted; NotImplementedError, an unknown compression, is one too
    OverflowError,
)


class _Kind(Enum):
    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a link"
    OTHER = "a device or pipe"


@dataclass(frozen=True)
class _Member:
    name: str
    kind: _Kind
    size: int
    link: str | None
    """Where a link leads, from the top of the archive."""
    read: Callable[[], bytes]


def top_folder(archive: Path) -> str:
    """Return the one folder that everything in *archive* is below.

    Raises:
        UnsafeArchiveError: it is damaged, hostile, or has not one top folder.

    """
    with _checked_members(archive) as members:
        return _only_top({member.name.partition("/")[0] for member in members}, archive)


def read_member(archive: Path, name: str) -> bytes | None:
    """Return the bytes of the regular file *name* below the top folder, None where there is none.

    Raises:
        UnsafeArchiveError: as :func:`top_folder`, or the file is too large to be read into memory.

    """
    return read_members(archive, name.__eq__).get(name)


def read_members(archive: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return path -> bytes of the regular files whose paths below the top folder are *wanted*.

    Raises:
        UnsafeArchiveError: as :func:`top_folder`, or the files are too large to be read into memory.

    """
    found: dict[str, bytes] = {}
    tops: set[str] = set()
    total = 0
    with _checked_members(archive) as members:
        for member in members:
            top, _, below = member.name.partition("/")
            tops.add(top)
            if member.kind is _Kind.FILE and wanted(below):
                total += member.size
                if total > MAX_READ_SIZE:
                    raise _unsafe(member, f"has {member.size} bytes", archive)
                found[below] = member.read()
    _only_top(tops, archive)
    return found


def _only_top(tops: set[str], archive: Path) -> str:
    if len(tops) != 1:
        shown = ", ".join(sorted(tops)[:5]) or "nothing"
        raise UnsafeArchiveError(f"it must hold one top folder, and holds {shown}", where=str(archive))
    return tops.pop()


@contextmanager
def _checked_members(archive: Path) -> Iterator[Iterator[_Member]]:
    """Yield the members one by one, each checked; whatever is wrong becomes an UnsafeArchiveError."""
    try:
        with archive.open("rb") as stream, _opened(stream) as members:
            yield _checked(members, archive)
    except DockerbuildError:
        raise
    except _DAMAGE as error:
        raise UnsafeArchiveError(f"it is damaged: {error}", where=str(archive)) from error
    except OSError as error:
        if error.errno is not None:
            raise translate_os_error(error, archive) from error
        raise UnsafeArchiveError(f"it is damaged: {error}", where=str(archive)) from error  # gzip's and bz2's way


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as zipped:
            yield _zip_members(zipped)
    else:
        stream.seek(0)
        with tarfile.open(fileobj=stream, mode="r:*") as tarred:
            yield _tar_members(tarred)


def _tar_members(tarred: tarfile.TarFile) -> Iterator[_Member]:
    for info in tarred:
        kind = _Kind.OTHER
        if info.issym() or info.islnk():
            kind = _Kind.LINK
        elif info.isdir():
            kind = _Kind.FOLDER
        elif info.isfile():
            kind = _Kind.FILE
        link = None
        if kind is _Kind.LINK:  # a hard link starts from the top of the archive
            link = _symbolic(info.name, info.linkname) if info.issym() else info.linkname
        yield _Member(info.name, kind, info.size, link, lambda info=info: _tar_read(tarred, info))  # type: ignore[misc]


def _tar_read(tarred: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    stream = tarred.extractfile(info)
    return stream.read() if stream else b""


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zipped.infolist():
        mode = info.external_attr >> 16
        kind = _Kind.FOLDER if info.is_dir() else _Kind.FILE
        link = None
        if stat.S_ISLNK(mode):
            kind = _Kind.LINK
            link = _symbolic(info.filename, zipped.open(info).read(_MAX_LINK).decode())
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            kind = _Kind.OTHER
        yield _Member(info.filename, kind, info.file_size, link, lambda info=info: zipped.read(info))  # type: ignore[misc]


def _symbolic(name: str, target: str) -> str:
    """Return where the symbolic link *name* leads: its target starts from its own folder."""
    return target if target.startswith("/") else f"{name.rpartition('/')[0] or '.'}/{target}"


def _checked(members: Iterator[_Member], archive: Path) -> Iterator[_Member]:
    seen: set[str] = set()
    total = 0
    for count, member in enumerate(members, start=1):
        name = _plain_name(member, archive)
        if name in seen and member.kind is not _Kind.FOLDER:
            raise _unsafe(member, "comes twice", archive)
        seen.add(name)
        total += member.size
        if count > MAX_MEMBERS or total > MAX_TOTAL_SIZE:
            raise UnsafeArchiveError("it holds too much, as an archive bomb does", where=str(archive))
        if name:
            yield _Member(name, member.kind, member.size, member.link, member.read)


def _plain_name(member: _Member, archive: Path) -> str:
    """Return the member's name without ``./`` and last slash, when the member is a harmless one."""
    if not member.name.isprintable():
        raise _unsafe(member, "has a name that cannot be shown", archive)
    if member.kind is _Kind.OTHER:
        raise _unsafe(member, f"is {_Kind.OTHER.value}", archive)
    if _leads_out(member.name) or ".." in member.name.split("/"):
        raise _unsafe(member, "is outside of the archive's folder", archive)
    if member.link is not None and _leads_out(member.link):
        raise _unsafe(member, "is a link that leads out of the archive's folder", archive)
    return "/".join(part for part in member.name.split("/") if part not in ("", "."))


def _leads_out(path: str) -> bool:
    if not path or path.startswith("/") or "\\" in path or ":" in path.partition("/")[0]:
        return True
    depth = 0
    for part in path.split("/"):
        depth += {"..": -1, "": 0, ".": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def _unsafe(member: _Member, what: str, archive: Path) -> UnsafeArchiveError:
    fix = "do not use this archive: take another version, or ask its authors"
    return UnsafeArchiveError(f"its member {member.name!r} {what}", where=str(archive), fix=fix)
