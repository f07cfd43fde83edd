"""The embedded store: a folder that needs no service, in the shape of a ``cipd`` client's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from dockerbuild_lib.store.arrival import Arrival, arriving
from dockerbuild_lib.store.collector import Collector
from dockerbuild_lib.store.folder import StoreFolder
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.index_writer import IndexWriter, check_publication
from dockerbuild_lib.store.indexed import IndexedStore
from dockerbuild_lib.store.keep import Garbage, Keep
from dockerbuild_lib.store.names import check_package, instance_id_of_file
from dockerbuild_lib.store.ownership import check_free
from dockerbuild_lib.store.principals import current_principal
from dockerbuild_lib.store.protocol import Damage, Pin, Publication, Published, Registered
from dockerbuild_lib.store.verification import Verification

_Recorded = TypeVar("_Recorded")


class LocalStore(IndexedStore):
    """The embedded store in *folder*, which is made by the first publication and never by a question.

    Threads may share it, and any number of processes may use the folder; where it is to be *shared* by several
    machines, the first publication says so. What is changed is changed in the name of *who*, an identity of CIPD's
    form; by default this process's user.
    """

    def __init__(self, folder: Path, who: str | None = None, *, shared: bool = False) -> None:
        self.folder = folder
        self._folder = StoreFolder(folder, who or current_principal(), shared=shared)
        self.simple_index = self._folder.simple

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the index's file; the next use opens it again."""
        self._folder.close()

    @contextmanager
    def opened(self, pin: Pin) -> Iterator[Path]:
        """Yield the store's own copy of the package file, to be read only."""
        with self._reading() as index:
            index.instance(pin)
        yield self._folder.files.path(pin.instance_id)

    def fetch(self, pin: Pin, target: Path) -> None:
        """Write the package file to *target*, whole or not at all, after checking its hash."""
        with self._reading() as index:
            index.instance(pin)
        self._folder.files.fetch(pin.instance_id, target)

    def verify(self, prefix: str = "") -> tuple[Damage, ...]:
        """Read every instance and wheel of the packages below *prefix*, and the whole index.

        Without a *prefix* pages and files that nobody knows of are found, too.
        """
        return Verification(self._folder, prefix).damages()

    def register(self, package: str, file: Path) -> Registered:
        """Add the package *file* as an instance of *package*."""
        check_package(package)
        with arriving(self._folder, package, file) as arrival, self._folder.locked():
            is_new = self._take_in(arrival, lambda index: index.register(arrival.pin, arrival.package.size))
            return Registered(arrival.pin, is_new=is_new)

    def publish(self, publication: Publication) -> Published:
        """Register the instance, attach its tags, move the package's refs, and list its wheel."""
        check_publication(publication)
        with (
            arriving(self._folder, publication.package, publication.file, publication.wheel) as arrival,
            self._folder.locked(),
        ):
            pin, size, wheel = arrival.pin, arrival.package.size, arrival.facts
            with self._reading() as index:
                check_free(index, publication, pin.instance_id, wheel)
            return self._take_in(arrival, lambda index: index.record(publication, pin, size, wheel))

    def _take_in(self, arrival: Arrival, record: Callable[[IndexWriter], _Recorded]) -> _Recorded:
        """Place what came, record it, and write the pages that show it. The caller holds the store's lock."""
        folder = self._folder
        with folder.changing(arrival.places(folder)) as index:
            arrival.place(folder)
            recorded = record(index)
            folder.files.forget_damaged(arrival.pin.instance_id)
            folder.write_pages(index)
        return recorded

    def gc(self, keep: Keep, *, delete: bool) -> Garbage:
        """Return what neither a ref nor *keep* reaches; with *delete* remove it."""
        collector = Collector(self._folder)
        if not delete or not self.folder.exists():
            with self._reading() as index:
                return collector.garbage(index, keep)
        with self._folder.locked():
            return collector.collect(keep)

    def yank(self, filenames: Iterable[str], reason: str | None) -> None:
        """Ask installers to pass published wheels by, and write the pages that say so."""
        with self._folder.locked(), self._writing() as index:
            index.yank(filenames, reason)
            self._folder.write_pages(index)

    def quarantine(self, pin: Pin, problem: str) -> None:
        """Take a damaged instance out of the store; its file, if there is one, is moved to ``quarantine``."""
        with self._reading() as index:
            index.instance(pin)
        folder, place = self._folder, self._folder.files.place_of(pin.instance_id)
        with folder.locked(), folder.changing((place,)) as index:
            index.put_in_quarantine(pin, problem)
            if not index.has_instance_of_id(pin.instance_id):
                folder.files.set_aside(pin.instance_id)
            folder.write_pages(index)

    def reinstate(self) -> tuple[Pin, ...]:
        """Take instances back from quarantine whose files were put back whole, and return them."""
        back = []
        for pin in (each.pin for each in self.quarantined()):
            file = self._folder.files.place_of(pin.instance_id)
            if file.is_file() and instance_id_of_file(file) == pin.instance_id:
                back.append(self.register(pin.package, file).pin)
        return tuple(back)

    def rebuild_simple_index(self) -> tuple[str, ...]:
        """Make the simple index again, and return the file names of wheels that lie in no package any more."""
        folder = self._folder
        with folder.locked(), self._writing() as index:
            wheels = index.wheels.all()
            index.pages_are_stale(wheel.filename for wheel in wheels)
            restored = {
                wheel.filename: folder.restored_wheel(wheel.filename, wheel.sha256, wheel.pin) for wheel in wheels
            }
            folder.write_pages(index)
        return tuple(filename for filename, facts in restored.items() if facts is None)

    def _reading(self) -> AbstractContextManager[IndexReader]:
        return self._folder.reading()

    def _writing(self) -> AbstractContextManager[IndexWriter]:
        return self._folder.writing()
