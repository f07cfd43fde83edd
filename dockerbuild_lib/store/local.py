"""The embedded store: a folder that needs no service, in the shape of a ``cipd`` client's cache.

    instances/<instance id>   the package files
    index.sqlite              packages, tags and refs
    simple/                   the index that pip and uv read
    lock                      held by the one process that writes

An instance's file is there before the index says so, and the index changes in one transaction. So a process may
be killed at any moment: at most a file that nobody refers to is left, and the same publication completes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.store.collector import Collector
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.index_writer import IndexWriter, check_publication
from dockerbuild_lib.store.indexed import IndexedStore
from dockerbuild_lib.store.instance_files import InstanceFiles, Staged
from dockerbuild_lib.store.keep import Garbage, Keep
from dockerbuild_lib.store.locking import exclusive_lock
from dockerbuild_lib.store.names import check_package
from dockerbuild_lib.store.package_file import read_package
from dockerbuild_lib.store.principals import current_principal
from dockerbuild_lib.store.protocol import Damage, Pin, Publication, Published, Registered
from dockerbuild_lib.store.schema import connect_to_read, connect_to_write, translated_sqlite_errors
from dockerbuild_lib.store.simple_index import SimpleIndex
from dockerbuild_lib.store.wheel_file import read_wheel


class LocalStore(IndexedStore):
    """The embedded store in *folder*, which is made by the first publication and never by a question.

    Threads may share it, and any number of processes may use the folder; where it is to be *shared* by several
    machines, the first publication says so. What is changed is changed in the name of *who*, an identity of CIPD's
    form; by default this process's user.
    """

    def __init__(self, folder: Path, who: str | None = None, *, shared: bool = False) -> None:
        self.folder = folder
        self._who = who or current_principal()
        self._shared = shared
        self.simple_index = SimpleIndex(folder / "simple")
        self._files = InstanceFiles(folder / "instances")
        self._index_file = folder / "index.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._may_write = False
        self._guard = RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the index's file; the next use opens it again."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._may_write = None, False

    @contextmanager
    def opened(self, pin: Pin) -> Iterator[Path]:
        """Yield the store's own copy of the package file, to be read only."""
        with self._reading() as index:
            index.instance(pin)
        yield self._files.path(pin.instance_id)

    def fetch(self, pin: Pin, target: Path) -> None:
        """Write the package file to *target*, whole or not at all, after checking its hash."""
        with self._reading() as index:
            index.instance(pin)
        self._files.fetch(pin.instance_id, target)

    def verify(self, prefix: str = "") -> tuple[Damage, ...]:
        """Read every instance and wheel of the packages below *prefix*, and the whole index."""
        with self._reading() as index:
            damages = [Damage(problem) for problem in index.problems()]
            sizes, wheels = index.sizes_below(prefix), index.wheels()
        damages += (
            Damage(problem, (wheel.pin,))
            for wheel in wheels
            if wheel.pin in sizes and (problem := self.simple_index.problem(wheel.filename, wheel.sha256))
        )
        damages += (
            Damage(problem, (pin,))
            for pin, size in sizes.items()
            if (problem := self._files.problem(pin.instance_id, pin.package, size))
        )
        return tuple(damages)

    def register(self, package: str, file: Path) -> Registered:
        """Add the package *file* as an instance of *package*."""
        check_package(package)
        with self._staged(package, file) as staged:
            self._files.place(staged)
            pin = Pin(package, staged.instance_id)
            with self._writing() as index:
                return Registered(pin, is_new=index.register(pin, staged.size))

    def publish(self, publication: Publication) -> Published:
        """Register the instance, attach its tags, move the package's refs, and list its wheel."""
        check_publication(publication)
        wheel = read_wheel(publication.wheel) if publication.wheel else None
        with self._staged(publication.package, publication.file) as staged:
            with self._writing() as index:
                index.check_free(publication, staged.instance_id, wheel)
            if publication.wheel and wheel:
                self.simple_index.add_wheel(publication.wheel, wheel)
            self._files.place(staged)
            with self._writing() as index:
                return index.record(publication, Pin(publication.package, staged.instance_id), staged.size, wheel)

    def gc(self, keep: Keep, *, delete: bool) -> Garbage:
        """Return what neither a ref nor *keep* reaches; with *delete* remove it.

        The index forgets first: files that a process which is killed then leaves are left over, for the next time.
        """
        collector = Collector(self._files, self.simple_index)
        if not delete or not self._index_file.exists():
            with self._reading() as index:
                return collector.garbage(index, index.unreachable(keep), keep)
        with translated_os_errors(self.folder), self._locked(), self._writing() as writer:
            garbage = collector.garbage(writer, writer.remove_unreachable(keep), keep)
            collector.remove(writer, garbage)
            return garbage

    @contextmanager
    def _staged(self, package: str, file: Path) -> Iterator[Staged]:
        """Hold the store's lock, and yield a copy of the package *file*, which must be of *package*."""
        check_is_there(file)
        with translated_os_errors(self.folder), self._locked(), self._files.staged(file) as staged:
            check_is_package_of(staged.path, package, file)
            yield staged

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if any(path.exists() and not path.is_dir() for path in (self.folder, *self.folder.parents)):
            raise UsageError(
                "the store must be a folder", where=str(self.folder), fix="name another one in invoke.yaml"
            )
        with exclusive_lock(self.folder / "lock"):
            yield

    @contextmanager
    def _reading(self) -> Iterator[IndexReader]:
        """Yield the index; where there is none yet, one that knows of nothing."""
        with self._guard, translated_os_errors(self._index_file), translated_sqlite_errors(str(self._index_file)):
            if self._connection is None:
                self._connection = connect_to_read(self._index_file)
            if self._connection is not None:
                yield IndexReader(self._connection)
                return
            with closing(connect_to_write(":memory:")) as nothing:
                yield IndexReader(nothing)

    @contextmanager
    def _writing(self) -> Iterator[IndexWriter]:
        with self._guard, translated_sqlite_errors(str(self._index_file)):
            if self._connection is None or not self._may_write:
                self.close()
                self._connection, self._may_write = connect_to_write(self._index_file, shared=self._shared), True
            yield IndexWriter(self._connection, self._who)


def check_is_there(file: Path) -> None:
    """Refuse a package file that does not exist."""
    if not file.is_file():
        raise UsageError("there is no such package file", where=str(file))


def check_is_package_of(file: Path, package: str, where: Path) -> None:
    """Refuse a file that is no package, or another one's; *where* is what the user calls it.

    Raises:
        StoreDamagedError: it is no package file.
        UsageError: its manifest bears another name.

    """
    named = read_package(file).package
    if named != package:
        raise UsageError(f"the package file is of {named}, not of {package}", where=str(where))
