"""A store in memory, with the real index in SQLite's memory: for tests of what stands on a store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from dockerbuild_lib.core.errors import StoreDamagedError
from dockerbuild_lib.core.files import translated_os_errors, write_atomic
from dockerbuild_lib.store.arrival import check_is_package_of, check_is_there
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.index_writer import IndexWriter, check_publication
from dockerbuild_lib.store.indexed import IndexedStore
from dockerbuild_lib.store.keep import Garbage, Keep
from dockerbuild_lib.store.names import check_package, instance_id_of_file
from dockerbuild_lib.store.ownership import check_free
from dockerbuild_lib.store.principals import current_principal
from dockerbuild_lib.store.protocol import Damage, Pin, Publication, Published, Registered
from dockerbuild_lib.store.schema import connect_to_write
from dockerbuild_lib.store.wheel_file import read_wheel


class MemoryStore(IndexedStore):
    """A store that ends with its object. Threads may share it."""

    def __init__(self, who: str | None = None) -> None:
        self._who = who or current_principal()
        self.instances_by_id: dict[str, bytes] = {}
        """Package files by instance id; a test may damage them."""
        self._connection = connect_to_write(":memory:")
        self._guard = RLock()

    def close(self) -> None:
        """Do nothing: what was stored must outlive it."""

    def __del__(self) -> None:
        self._connection.close()

    @contextmanager
    def opened(self, pin: Pin) -> Iterator[Path]:
        """Yield a copy of the package file."""
        content = self._content(pin)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, pin.instance_id)
            file.write_bytes(content)
            yield file

    def fetch(self, pin: Pin, target: Path) -> None:
        """Write the package file to *target* after checking its hash."""
        with self.opened(pin) as file:
            if instance_id_of_file(file) != pin.instance_id:
                raise StoreDamagedError(f"the instance {pin} has other bytes than its name says")
            write_atomic(target, file.read_bytes())

    def _content(self, pin: Pin) -> bytes:
        with self._reading() as index:
            index.instance(pin)
            content = self.instances_by_id.get(pin.instance_id)
        if content is None:
            raise StoreDamagedError(f"the instance {pin} is missing")
        return content

    def verify(self, prefix: str = "") -> tuple[Damage, ...]:
        """Check every instance below *prefix*, and return what is damaged."""
        with self._reading() as index:
            pins = index.sizes_below(prefix)
        return tuple(damage for pin in pins if (damage := self._damage(pin)))

    def _damage(self, pin: Pin) -> Damage | None:
        try:
            with self.opened(pin) as file:
                return None if instance_id_of_file(file) == pin.instance_id else Damage("it has other bytes", (pin,))
        except StoreDamagedError as error:
            return Damage(str(error), (pin,))

    def register(self, package: str, file: Path) -> Registered:
        """Add the package *file* as an instance of *package*."""
        check_package(package)
        pin, content = _read(package, file)
        with self._writing() as index:
            self.instances_by_id[pin.instance_id] = content
            return Registered(pin, is_new=index.register(pin, len(content)))

    def publish(self, publication: Publication) -> Published:
        """Register the instance, attach its tags, move the package's refs, and note its wheel."""
        check_publication(publication)
        wheel = read_wheel(publication.wheel) if publication.wheel else None
        pin, content = _read(publication.package, publication.file)
        with self._writing() as index:
            check_free(index, publication, pin.instance_id, wheel)
            self.instances_by_id[pin.instance_id] = content
            return index.record(publication, pin, len(content), wheel)

    def gc(self, keep: Keep, *, delete: bool) -> Garbage:
        """Return the instances that neither a ref nor *keep* reaches; with *delete* remove them."""
        with self._writing() as index:
            if not delete:
                return Garbage(index.unreachable(keep))
            garbage, known = Garbage(index.remove_unreachable(keep)), index.instance_ids()
            self.instances_by_id = {each: content for each, content in self.instances_by_id.items() if each in known}
            return garbage

    def quarantine(self, pin: Pin, problem: str) -> None:
        """Take a damaged instance out of the store."""
        with self._writing() as index:
            index.put_in_quarantine(pin, problem)
            self.instances_by_id.pop(pin.instance_id, None)

    @contextmanager
    def _reading(self) -> Iterator[IndexReader]:
        with self._guard:
            yield IndexReader(self._connection)

    @contextmanager
    def _writing(self) -> Iterator[IndexWriter]:
        with self._guard:
            yield IndexWriter(self._connection, self._who)


def _read(package: str, file: Path) -> tuple[Pin, bytes]:
    check_is_there(file)
    check_is_package_of(file, package, file)
    with translated_os_errors(file):
        return Pin(package, instance_id_of_file(file)), file.read_bytes()
