"""The folder of an embedded store: its files, its index, and the lock whose holder finishes what others left.

    instances/<instance id>   the package files
    index.sqlite              packages, tags, refs, metadata and wheels
    simple/                   the index that pip and uv read
    staging/                  files on their way into it
    quarantine/               package files that were found damaged
    lock                      held by the one process that places files

One lock for the whole store: SQLite lets one process write at a time in any case, and what takes long, copying and
hashing, happens before the lock is taken. Under it files are renamed into place, then one transaction records them,
then the pages are written that show them. A process may be killed between any two of these: what was placed without
a record is removed by the next holder of the lock, and pages that were not written yet, it writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import RLock

from dockerbuild_lib.core.errors import DockerbuildError, PermissionDeniedError, UsageError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.index_writer import IndexWriter
from dockerbuild_lib.store.instance_files import InstanceFiles
from dockerbuild_lib.store.locking import exclusive_lock
from dockerbuild_lib.store.protocol import Pin
from dockerbuild_lib.store.schema import connect_to_read, connect_to_write, translated_sqlite_errors
from dockerbuild_lib.store.simple_index import METADATA, SimpleIndex
from dockerbuild_lib.store.staging import Staging
from dockerbuild_lib.store.wheel_file import WheelFacts, project_of, wheel_facts
from dockerbuild_lib.store.wheel_restoring import restore_wheel


class StoreFolder:
    """The folder *path*, changed in the name of *who*. Threads may share it, and when *shared* several machines."""

    def __init__(self, path: Path, who: str, *, shared: bool) -> None:
        self.path = path
        self.staging = Staging(path)
        self.files = InstanceFiles(path)
        self.simple = SimpleIndex(path / "simple", self.staging)
        self._who = who
        self._shared = shared
        self._index_file = path / "index.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._may_write = False
        self._guard = RLock()

    def close(self) -> None:
        """Close the index's file; the next use opens it again."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._may_write = None, False

    @contextmanager
    def reading(self) -> Iterator[IndexReader]:
        """Yield the index to one thread; where there is none yet, one that knows of nothing."""
        with self._guard, translated_os_errors(self._index_file), translated_sqlite_errors(str(self._index_file)):
            if self._connection is None:
                self._connection = connect_to_read(self._index_file)
                self._finish_pages_if_free()
            if self._connection is not None:
                yield IndexReader(self._connection)
                return
            with closing(connect_to_write(":memory:")) as nothing:
                yield IndexReader(nothing)

    def _finish_pages_if_free(self) -> None:
        """Write the pages that a process was stopped at; whoever holds the lock now will have done so."""
        if self._connection is not None and IndexReader(self._connection).wheels.stale():
            with suppress(BlockingIOError, PermissionDeniedError), self.locked(wait=False):
                pass

    @contextmanager
    def writing(self) -> Iterator[IndexWriter]:
        """Yield the index to one thread, to be changed; it is made if there is none."""
        with self._guard, translated_sqlite_errors(str(self._index_file)):
            if self._connection is None or not self._may_write:
                self.close()
                self._connection, self._may_write = connect_to_write(self._index_file, shared=self._shared), True
            yield IndexWriter(self._connection, self._who)

    @contextmanager
    def usable(self) -> Iterator[None]:
        """Say in the project's own errors why the folder cannot be written, where it cannot.

        Raises:
            UsageError: it is no folder.

        """
        if any(path.exists() and not path.is_dir() for path in (self.path, *self.path.parents)):
            raise UsageError("the store must be a folder", where=str(self.path), fix="name another one in invoke.yaml")
        with translated_os_errors(self.path):
            yield

    @contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[None]:
        """Hold the store's lock, after finishing what others left.

        Raises:
            BlockingIOError: another one holds it, and *wait* is false.

        """
        with self.usable(), exclusive_lock(self.path / "lock", wait=wait):
            self._finish()
            try:
                yield
            except BaseException:
                with suppress(DockerbuildError, OSError):  # then the next holder does it
                    self._finish()
                raise

    def _finish(self) -> None:
        with self.writing() as index:
            self.staging.clear(partial(self._settle, index))
            self.write_pages(index)

    @contextmanager
    def changing(self, places: Iterable[Path]) -> Iterator[IndexWriter]:
        """Yield the index while files come to these *places*, or go; in the end those that it does not know are gone.

        The caller holds the store's lock.
        """
        with self.writing() as index, self.staging.changing(places, partial(self._settle, index)):
            yield index

    def _settle(self, index: IndexReader, place: Path) -> None:
        """Remove the file at *place* unless the index knows of it."""
        if place.parent == self.files.folder:
            if not index.has_instance_of_id(place.name):
                self.files.remove(place)
        elif not index.wheels.has(place.name.removesuffix(METADATA)):
            self.simple.remove(place)

    def write_pages(self, index: IndexWriter) -> None:
        """Write the pages of all wheels that changed since theirs were written. The caller holds the store's lock."""
        stale = index.wheels.stale()
        done = [filename for filename in stale if self._has_facts(index, filename)]
        projects = {project_of(filename) for filename in stale}
        for project in sorted(projects):
            self.simple.write_project(project, index.wheels.of_project(project))
        if not all(map(index.wheels.has_fresh_page, projects)):
            self.simple.write_root(index.wheels.projects())
        if done:
            index.pages_written(done)

    def _has_facts(self, index: IndexWriter, filename: str) -> bool:
        """Tell whether all that a page says is known of a wheel; what an older program did not record is read."""
        lacking = index.wheels.lacks_facts(filename)
        if lacking is None:
            return True
        sha256, pin = lacking
        wheel = self.restored_wheel(filename, sha256, pin)
        if wheel:
            index.learn(wheel, pin)
        return wheel is not None

    def restored_wheel(self, filename: str, sha256: str, pin: Pin) -> WheelFacts | None:
        """Return the facts of a wheel that was published with *pin*, after putting its files where they belong.

        None: they are not there, and the wheel is no member of its package. The caller holds the store's lock.
        """
        place, package = self.simple.place_of(filename), self.files.place_of(pin.instance_id)
        if not restore_wheel(place, sha256, package, self.staging):
            return None
        wheel = wheel_facts(place, sha256, place)
        self.simple.write_metadata(wheel)
        return wheel
