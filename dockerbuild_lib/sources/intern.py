"""Locked files, taken from the store or brought into it: after that the world outside is not needed again."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from dockerbuild_lib.catalog.locks import LockedFile
from dockerbuild_lib.core.errors import OfflineError, StoreDamagedError
from dockerbuild_lib.core.events import ProgressLog, silent
from dockerbuild_lib.core.files import atomic_writer, copy_stream, sha256_of, translated_os_errors
from dockerbuild_lib.plan.naming import source_name
from dockerbuild_lib.sources.partial import discard_partial
from dockerbuild_lib.sources.upstream import Upstream


class SourceStore(Protocol):
    """What this room needs of the store: sources by their sha256."""

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        """Return those of *sha256s* that the store has."""

    def fetch(self, sha256: str, target: Path) -> None:
        """Write the interned file to *target*."""

    def intern(self, name: str, version: str, filename: str, path: Path, sha256: str) -> None:
        """Keep the file *path*, which is *filename* of *version* of *name*."""


class SourceFetcher:
    """Locked files in a local folder, each fetched once however many steps, threads and processes want it."""

    def __init__(self, folder: Path, store: SourceStore, upstream: Upstream) -> None:
        self._folder = folder
        self._store = store
        self._upstream = upstream

    def fetch(self, locked: LockedFile, log: ProgressLog = silent, *, force: bool = False) -> Path:
        """Return where *locked* is: verified, under its own name, and interned in the store.

        With *force* upstream is asked all the same: what it has must be what is locked, or nothing changes; where the
        store has it damaged, it is replaced. *log* is told how far a download has come, and of mirrors that were
        passed over.

        Raises:
            HashMismatchError: upstream has another file; nothing of it stays.
            NetworkError: the store does not have it, and upstream cannot be reached or does not serve it. What came
                until then stays beside its place, for the next attempt.
            LockError: a folder of this machine is not what was locked any more.
            OfflineError: the store does not have it, and connections are forbidden.
            StoreDamagedError: what the store has under its sha256 is another file.

        """
        place = self._folder / locked.sha256 / locked.filename
        with translated_os_errors(place), _locked(self._folder / f"{locked.sha256}.lock"):
            interned = bool(self._store.interned((locked.sha256,)))
            there = _is_there(place, locked)
            if not there:
                place.unlink(missing_ok=True)  # somebody touched it
            if force or not there:
                self._bring(locked, place, log, interned=interned and not force)
            if not interned or (force and not self._is_whole_in_store(locked)):
                self._intern(locked, place)
        return place

    def keep(self, locked: LockedFile, file: Path) -> None:
        """Take the bytes of *locked*, which are at *file* now, and intern them."""
        place = self._folder / locked.sha256 / locked.filename
        with translated_os_errors(place), _locked(self._folder / f"{locked.sha256}.lock"):
            if not _is_there(place, locked):
                with file.open("rb") as source, atomic_writer(place) as target:
                    copy_stream(source, target)
            if not self._store.interned((locked.sha256,)):
                self._intern(locked, place)

    def _intern(self, locked: LockedFile, place: Path) -> None:
        self._store.intern(source_name(locked), str(locked.version), locked.filename, place, locked.sha256)

    def _bring(self, locked: LockedFile, place: Path, log: ProgressLog, *, interned: bool) -> None:
        """Put the file at *place* from the store or from upstream; a failure leaves what was there before."""
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            if interned:
                self._take_from_store(locked, place)
            else:
                self._upstream.download(locked, place, log)
        except OfflineError as error:
            what = f"it is not in the store, and {error.what}"
            fix = "run sources.fetch --all once where they are allowed, with the same store"
            raise OfflineError(what, where=locked.filename, fix=fix) from error
        finally:
            with suppress(OSError):
                place.parent.rmdir()  # where nothing is in it

    def _is_whole_in_store(self, locked: LockedFile) -> bool:
        try:
            with tempfile.TemporaryDirectory(prefix="dockerbuild-whole-") as folder:
                self._take_from_store(locked, Path(folder) / locked.filename)
        except StoreDamagedError:
            return False
        return True

    def _take_from_store(self, locked: LockedFile, place: Path) -> None:
        self._store.fetch(locked.sha256, place)
        if not _is_there(place, locked):
            place.unlink()
            raise StoreDamagedError(
                f"what the store has for sha256 {locked.sha256} is another file",
                where=locked.filename,
                fix="check the store with store.verify",
            )
        discard_partial(place)


def _is_there(place: Path, locked: LockedFile) -> bool:
    """Tell whether *place* holds the file; a local folder is not trusted, since anybody may have touched it."""
    try:
        return place.stat().st_size == locked.size and sha256_of(place) == locked.sha256
    except FileNotFoundError:
        return False


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold *file*'s lock, against other threads (each opens it anew) and other processes alike."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
