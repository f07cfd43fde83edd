"""The files of a store's garbage: of instances that are not needed, and those that its index does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.instance_files import InstanceFiles
from dockerbuild_lib.store.keep import Garbage, Keep, Leftover, Unreachable
from dockerbuild_lib.store.simple_index import SimpleIndex


@dataclass(frozen=True)
class Collector:
    """Looks through the folders of a store, and clears them up."""

    files: InstanceFiles
    simple: SimpleIndex

    def garbage(self, index: IndexReader, unreachable: Iterable[Unreachable], keep: Keep) -> Garbage:
        """Return all that may go, with its sizes; the index may have forgotten *unreachable* already."""
        found = tuple(unreachable)
        ids = index.instance_ids() | {each.pin.instance_id for each in found}
        wheels = {wheel.filename for wheel in index.wheels()} | {name for each in found for name in each.wheels}
        strays = (*self.files.strays(ids), *self.simple.strays(wheels))
        return Garbage(tuple(map(self._with_wheels, found)), tuple(_left_over(strays, keep)))

    def _with_wheels(self, unreachable: Unreachable) -> Unreachable:
        places = [self.simple.place_of(name) for name in unreachable.wheels]
        return replace(
            unreachable, size=unreachable.size + sum(path.stat().st_size for path in places if path.is_file())
        )

    def remove(self, index: IndexReader, garbage: Garbage) -> None:
        """Remove the files of *garbage*, which the index does not know any more. The caller holds the store's lock."""
        known, ids = index.instance_ids(), [each.pin.instance_id for each in garbage.instances]
        wheels = [self.simple.place_of(name) for each in garbage.instances for name in each.wheels]
        left = [each.path for each in garbage.leftovers]
        self.simple.remove([*wheels, *(path for path in left if path.is_relative_to(self.simple.folder))])
        packages = [self.files.place_of(instance_id) for instance_id in ids if instance_id not in known]
        self.files.remove([*packages, *(path for path in left if not path.is_relative_to(self.simple.folder))])


def _left_over(strays: Iterable[Path], keep: Keep) -> Iterator[Leftover]:
    for path in strays:
        try:
            facts = path.stat()
        except FileNotFoundError:  # it was only on its way somewhere
            continue
        if facts.st_mtime < keep.registered_since:
            yield Leftover(path, facts.st_size)
