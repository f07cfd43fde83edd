"""A tree of files as a tar archive whose bytes tell of nothing else: not of times, owners, order, umask or machine.

It is not compressed: what a compressor makes of the same bytes changes with its version, and a lock outlives that.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from dockerbuild_lib.core.errors import LockError, UnsafeArchiveError
from dockerbuild_lib.core.files import atomic_writer, sha256_of, translated_os_errors
from dockerbuild_lib.sources.download import Received

MTIME = 315532800
"""1980-01-01, the earliest time that a zip archive, such as a wheel, can tell."""
_REFUSED_PARTS = frozenset({"", ".", "..", ".git"})


@dataclass(frozen=True)
class TreeFile:
    """A regular file at *path* below the tree's top; *open* yields a stream with its *size* bytes."""

    path: str
    size: int
    executable: bool
    open: Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class TreeLink:
    """A symbolic link at *path* to *target*, which starts from the link's own folder."""

    path: str
    target: str


TreeEntry = TreeFile | TreeLink


def write_tree_archive(target: Path, top: str, entries: Iterable[TreeEntry], where: str) -> Received:
    """Write the tree's archive, with everything below one folder *top*; *where* names the tree in errors.

    Files are 0755 when their owner may run them and 0644 otherwise. Folders have no members of their own, so empty
    ones are left out, as git leaves them out.

    Raises:
        UnsafeArchiveError: a name cannot be written everywhere, or a link leads out of the tree.
        LockError: a file changed while it was read.
        NoSpaceError, PermissionDeniedError: *target* cannot be written.

    """
    ordered = sorted(entries, key=lambda entry: entry.path.encode("utf-8", "surrogateescape"))
    _refuse_unsafe(ordered, where)
    with translated_os_errors(target), atomic_writer(target) as stream, _opened(stream) as archive:
        for entry in ordered:
            _add(archive, top, entry)
    return Received(sha256_of(target), target.stat().st_size)


def _opened(stream: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8")


def _add(archive: tarfile.TarFile, top: str, entry: TreeEntry) -> None:
    info = tarfile.TarInfo(f"{top}/{entry.path}")
    info.mtime = MTIME
    if isinstance(entry, TreeLink):
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.target, 0o777
        archive.addfile(info)
        return
    info.size, info.mode = entry.size, 0o755 if entry.executable else 0o644
    with entry.open() as content:
        try:
            archive.addfile(info, content)
        except OSError as error:
            if error.errno is not None:
                raise
            # tarfile's way of saying that the stream ended early
            raise LockError("it changed while it was read", where=entry.path, fix="run it again") from error


def _refuse_unsafe(entries: Sequence[TreeEntry], where: str) -> None:
    if not entries:
        raise UnsafeArchiveError("there is no file in it", where=where, fix="check its address, revision and folder")
    names = {entry.path for entry in entries}
    if len(names) != len(entries):
        raise UnsafeArchiveError("it holds the same name twice", where=where)
    for entry in entries:
        _refuse_name(entry.path, names, where)
        if isinstance(entry, TreeLink) and leads_out(entry.path, entry.target):
            raise _unsafe(entry.path, f"is a link that leads out of it, to {entry.target!r}", where)


def _refuse_name(path: str, names: set[str], where: str) -> None:
    if not path.isprintable() or "\\" in path:  # no UTF-8 is not printable either
        raise _unsafe(path, "has a name that cannot be written everywhere", where)
    if any(part.lower() in _REFUSED_PARTS for part in path.split("/")):
        raise _unsafe(path, "has a name that no tree of files may have", where)
    if any(str(parent) in names for parent in PurePosixPath(path).parents):
        raise _unsafe(path, "lies below a file or link", where)


def leads_out(path: str, target: str) -> bool:
    """Tell whether a link at *path* of a tree, to *target*, leads out of the tree."""
    if not target or target.startswith("/") or "\\" in target or not target.isprintable():
        return True
    depth = path.count("/")
    for part in target.split("/"):
        depth += {"..": -1, "": 0, ".": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def _unsafe(path: str, what: str, where: str) -> UnsafeArchiveError:
    return UnsafeArchiveError(f"its file {path!r} {what}", where=where, fix="rename or remove it there")
