"""Files on their way into the store's folder: copied and hashed outside of the store's lock, then placed under it.

    staging/<random>.tmp   a file being copied, or waiting for the lock; locked by the process that needs it
    staging/changes        files that are placed before the index knows of them, or removed after it has forgotten them

Whatever lies there under nobody's lock was left by a process that was killed. Whoever holds the store's lock clears
it away, and settles the files that are noted: those that the index does not know are removed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedRandom, BufferedReader
from pathlib import Path

from dockerbuild_lib.core.files import copy_stream, sync_folder

_TEMPORARY = ".tmp"
_AT_ONCE = 1 << 30
_READ_ONLY = (errno.EROFS, errno.EACCES)
_NOT_IN_THE_KERNEL = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@dataclass(frozen=True)
class Staged:
    """A file that lies in the store's folder, but has no place there yet."""

    path: Path
    sha256: bytes
    """The raw digest."""
    size: int
    """Bytes."""

    def place(self, target: Path) -> None:
        """Move the file to *target*, to be read by anybody; what was there, perhaps damaged, is replaced."""
        _place(self.path, target)


class Staging:
    """The folder ``staging`` of the store in *store*."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._folder = store / "staging"
        self._note = self._folder / "changes"

    @contextmanager
    def staged(self, files: Sequence[Path]) -> Iterator[tuple[Staged, ...]]:
        """Copy *files*, hashed and synced; those that are not placed inside the block are removed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            copies = [stack.enter_context(self._temporary()) for _ in files]
            yield _copy_all(files, copies)

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, BufferedRandom]]:
        """Yield a new file, locked so that nobody takes it for a leftover."""
        path, stream = self._locked_file()
        try:
            with stream:
                yield path, stream
        finally:
            path.unlink(missing_ok=True)

    def _locked_file(self) -> tuple[Path, BufferedRandom]:
        while True:
            handle, name = tempfile.mkstemp(suffix=_TEMPORARY, dir=self._folder)
            stream = os.fdopen(handle, "w+b")
            fcntl.flock(stream, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return Path(name), stream
            stream.close()  # somebody cleared it away before it was locked

    def write(self, place: Path, content: Iterable[bytes]) -> None:
        """Write *content* to *place*, whole or not at all."""
        with self._temporary() as (path, stream):
            stream.writelines(content)
            stream.flush()
            os.fsync(stream.fileno())
            _place(path, place)

    @contextmanager
    def changing(self, places: Iterable[Path], settle: Callable[[Path], None]) -> Iterator[None]:
        """Note the *places* of files that come or go inside the block, and *settle* each when the index is changed.

        When the block is cut, the note stays, and :meth:`clear` goes by it. The caller holds the store's lock.
        """
        self._note.write_text("".join(f"{place.relative_to(self._store)}\n" for place in places))
        yield
        self._settle(settle)

    def clear(self, settle: Callable[[Path], None]) -> None:
        """Remove what was left here, and *settle* the files that a process was stopped at.

        The caller holds the store's lock.
        """
        self._folder.mkdir(exist_ok=True)
        self._settle(settle)
        for temporary in self._folder.glob(f"*{_TEMPORARY}"):
            with _unneeded(temporary) as is_unneeded:
                if is_unneeded:
                    temporary.unlink()

    def _settle(self, settle: Callable[[Path], None]) -> None:
        """Go by the note, if there is one; when it was cut, nothing was changed yet for the line that is not whole."""
        if self._note.exists():
            lines = self._note.read_text().splitlines(keepends=True)
            for place in (line.removesuffix("\n") for line in lines if line.endswith("\n")):
                settle(self._store / place)
            self._note.unlink()

    def leftovers(self) -> Iterator[Path]:
        """Yield the files here that no process needs, unless it is just changing some under the store's lock."""
        for path in self._folder.glob("*"):
            with _unneeded(path) as is_unneeded:
                if is_unneeded:
                    yield path


def _place(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.chmod(0o444)
    path.replace(target)
    sync_folder(target.parent)


def _copy_all(files: Sequence[Path], copies: Sequence[tuple[Path, BufferedRandom]]) -> tuple[Staged, ...]:
    staged, syncs = [], []
    with ThreadPoolExecutor() as pool:
        for file, (path, copy) in zip(files, copies, strict=True):
            with file.open("rb") as source:
                _copy(source, copy)
            syncs.append(pool.submit(os.fsync, copy.fileno()))  # the disk writes while the processor hashes
            copy.seek(0)
            staged.append(Staged(path, hashlib.file_digest(copy, "sha256").digest(), copy.tell()))
        for sync in syncs:
            sync.result()
    return tuple(staged)


def _copy(source: BufferedReader, copy: BufferedRandom) -> None:
    """Copy in the kernel, which shares the blocks where the file system can, else through this process."""
    try:
        while os.copy_file_range(source.fileno(), copy.fileno(), _AT_ONCE):
            pass
    except OSError as error:
        if error.errno not in _NOT_IN_THE_KERNEL:
            raise
        source.seek(0)
        copy.seek(0)
        copy_stream(source, copy)
        copy.flush()


@contextmanager
def _unneeded(path: Path) -> Iterator[bool]:
    """Tell whether no process holds the lock of a file; inside the block none can take it."""
    try:
        stream = path.open("r+b")
    except FileNotFoundError:  # its process has just placed or removed it
        yield False
        return
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        yield True  # where nothing can be written, nobody is writing
        return
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
