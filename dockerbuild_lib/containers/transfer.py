"""Files to and from a container, as tar streams through the engine's API: nothing is mounted."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from dockerbuild_lib.core.command import WorkPath
from dockerbuild_lib.core.errors import BuildFailedError
from dockerbuild_lib.core.files import CHUNK, atomic_writer, copy_stream, translated_os_errors

IN_MEMORY = 64 << 20
MAX_NAME = 200
"""Bytes; room is left below the 255 of Linux for the name that a file has while it is written."""


class _ChunkReader(io.RawIOBase):
    """A readable stream over the chunks that the engine sends."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                size = len(self._rest)
                break
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


@contextmanager
def pack_files(files: Mapping[WorkPath, Path | bytes], owner: int) -> Iterator[BinaryIO]:
    """Yield a tar of *files*, owned by *owner* (user and group), with the folders that they need."""
    with (
        tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as archive,
        translated_os_errors(Path(tempfile.gettempdir())),
    ):
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for folder in sorted({parent for path in files for parent in _parents(path)}):
                tar.addfile(_member(folder, owner, tarfile.DIRTYPE))
            for path, content in files.items():
                _add(tar, path.relative, content, owner)
        archive.seek(0)
        yield archive  # type: ignore[misc]  # it is a BinaryIO in all but name


def _parents(path: WorkPath) -> set[str]:
    return {str(parent) for parent in PurePosixPath(path.relative).parents} - {"."}


def _member(name: str, owner: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    member.uid = member.gid = owner
    return member


def _add(tar: tarfile.TarFile, name: str, content: Path | bytes, owner: int) -> None:
    member = _member(name, owner)
    if isinstance(content, bytes):
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
        return
    with translated_os_errors(content), content.open("rb") as stream:
        member.size = content.stat().st_size
        tar.addfile(member, stream)


def extract_files(chunks: Iterable[bytes], target: Path) -> tuple[Path, ...]:
    """Write the regular files directly in an archived folder to *target*; return their paths, sorted.

    What a build left there is not trusted: links, devices and sub-folders are passed over, and only the last
    part of a name is used.

    Raises:
        BuildFailedError: a file has a name that cannot be used here, or the archive is damaged.

    """
    try:
        with tarfile.open(fileobj=_ChunkReader(chunks), mode="r|", bufsize=CHUNK) as tar:
            return tuple(sorted({_extract(tar, member, target) for member in tar if _is_wanted(member)}))
    except tarfile.TarError as error:
        raise BuildFailedError(f"what the build left cannot be read: {error}") from error


def _is_wanted(member: tarfile.TarInfo) -> bool:
    return member.isreg() and len(PurePosixPath(member.name).parts) == len(("folder", "file"))


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> Path:
    name = PurePosixPath(member.name).name
    if name == ".." or "\0" in name or len(os.fsencode(name)) > MAX_NAME:
        raise BuildFailedError(f"the build left a file with the name {name!r}")
    path, stream = target / name, tar.extractfile(member)
    with translated_os_errors(target), atomic_writer(path) as output:
        copy_stream(cast("IO[bytes]", stream), output)  # a regular file always has one
    return path


def read_file(chunks: Iterable[bytes], limit: int) -> bytes:
    """Return the bytes of the one file that is archived.

    Raises:
        BuildFailedError: it is no regular file, or has more than *limit* bytes, or the archive is damaged.

    """
    try:
        with tarfile.open(fileobj=_ChunkReader(chunks), mode="r|", bufsize=CHUNK) as tar:
            member = tar.next()
            if member is None or not member.isreg():
                raise BuildFailedError(f"the build left no regular file as {member.name if member else 'its answer'}")
            if member.size > limit:
                raise BuildFailedError(f"the build left {member.name} with {member.size} bytes, more than {limit}")
            content = cast("IO[bytes]", tar.extractfile(member)).read()  # a regular file always has one
            deque(tar, maxlen=0)  # to the end, so that the engine's connection is free again
            return content
    except tarfile.TarError as error:
        raise BuildFailedError(f"what the build left cannot be read: {error}") from error
