"""The files of a store's garbage: of instances that are not needed, and those that its index does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dockerbuild_lib.store.folder import StoreFolder
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.keep import Garbage, Keep, Leftover, Unreachable


@dataclass(frozen=True)
class Collector:
    """Looks through the folder of a store, and clears it up."""

    folder: StoreFolder

    def garbage(self, index: IndexReader, keep: Keep) -> Garbage:
        """Return all that may go, with its sizes."""
        kept = index.quarantine.all()
        ids = index.instance_ids().union(each.pin.instance_id for each in kept)
        wheels = {wheel.filename for wheel in index.wheels.all()} | index.quarantine.wheels()
        strays = (*self.folder.files.strays(ids), *self.folder.simple.strays(wheels.union(index.wheels.stale())))
        return Garbage(tuple(map(self._with_wheels, index.unreachable(keep))), tuple(_left_over(strays, keep)))

    def _with_wheels(self, unreachable: Unreachable) -> Unreachable:
        places = [self.folder.simple.place_of(name) for name in unreachable.wheels]
        return replace(
            unreachable, size=unreachable.size + sum(path.stat().st_size for path in places if path.is_file())
        )

    def collect(self, keep: Keep) -> Garbage:
        """Remove what may go, and return what went. The caller holds the store's lock.

        The index forgets first, then no page shows it any more, then the files go.
        """
        with self.folder.writing() as index:
            found = self.garbage(index, keep)
        with self.folder.changing(self._places(found)) as index:
            among = {each.pin for each in found.instances}
            gone = {each.pin for each in index.remove_unreachable(keep, among)}
            self.folder.write_pages(index)
        return replace(found, instances=tuple(each for each in found.instances if each.pin in gone))

    def _places(self, garbage: Garbage) -> Iterator[Path]:
        for each in garbage.instances:
            yield self.folder.files.place_of(each.pin.instance_id)
            for filename in each.wheels:
                yield from self.folder.simple.places_of(filename)
        yield from (each.path for each in garbage.leftovers)


def _left_over(strays: Iterable[Path], keep: Keep) -> Iterator[Leftover]:
    for path in strays:
        try:
            facts = path.stat()
        except FileNotFoundError:  # it was only on its way somewhere
            continue
        if facts.st_mtime < keep.registered_since:
            yield Leftover(path, facts.st_size)
