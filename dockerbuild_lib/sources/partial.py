"""The beginning of a download, kept beside its target: the next attempt, or the next run, goes on where it ends."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerbuild_lib.core.errors import HashMismatchError, NoSpaceError
from dockerbuild_lib.core.files import CHUNK, sync_folder, translated_os_errors


def partial_path(target: Path) -> Path:
    """Return where the beginning of *target* is kept: ``<name>.part`` beside it."""
    return target.with_name(f"{target.name}.part")


class PartialFile:
    """The first *size* bytes of a file with their hash; not verified, so never under the file's own name."""

    def __init__(self, path: Path, stream: io.FileIO) -> None:
        """*stream* is that file, open to be read and written; what it holds is hashed, and counted as *kept*."""
        self._path = path
        self._stream = stream
        self._digest = hashlib.sha256()
        while chunk := stream.read(CHUNK):
            self._digest.update(chunk)
        self.size = self.kept = stream.tell()

    @property
    def sha256(self) -> str:
        """The hash of its bytes, in hexadecimal."""
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Begin anew, without a byte."""
        self._stream.seek(0)
        self._stream.truncate()
        self._digest = hashlib.sha256()
        self.size = self.kept = 0

    def append(self, chunk: bytes) -> None:
        """Write *chunk* at the end."""
        left = memoryview(chunk)
        while left:
            left = left[self._stream.write(left) :]
        self._digest.update(chunk)
        self.size += len(chunk)

    def start(self, length: int) -> bytes:
        """Return the first *length* bytes, or all where there are fewer."""
        return os.pread(self._stream.fileno(), length, 0)

    def publish(self, target: Path) -> None:
        """Let it be the file *target* from now on."""
        os.fsync(self._stream.fileno())
        self._path.replace(target)
        sync_folder(target.parent)


@contextmanager
def partial_file(target: Path) -> Iterator[PartialFile]:
    """Yield what there is of *target*, for one process and thread at a time; the block publishes it when it is whole.

    After an error it stays for the next attempt, but for bytes that are known to be wrong and for a full disk, which
    they would keep full.

    Raises:
        NoSpaceError, PermissionDeniedError: it cannot be written.

    """
    path = partial_path(target)
    with translated_os_errors(target):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("r+b" if path.exists() else "x+b", buffering=0) as stream:
                partial = PartialFile(path, stream)
                with translated_os_errors(target):
                    yield partial
        except (HashMismatchError, NoSpaceError):
            path.unlink(missing_ok=True)
            raise
        except BaseException:
            _remove_empty(path)
            raise


def discard_partial(target: Path) -> None:
    """Remove what there is of *target*, if anything."""
    partial_path(target).unlink(missing_ok=True)


def _remove_empty(path: Path) -> None:
    if path.exists() and not path.stat().st_size:
        path.unlink()
