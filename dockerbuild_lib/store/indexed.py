"""What every store with an index of its own shares: all the questions, answered by the index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.protocol import Description, Instance, Pin, Ref, TagQuery


class IndexedStore(ABC):
    """The questions of :class:`Store`, put to an index."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[IndexReader]:
        """Yield the index to one thread."""

    def resolve(self, package: str, version: str) -> Pin:
        """Return the instance that *version* means."""
        with self._reading() as index:
            return index.resolve(package, version)

    def describe(self, package: str, version: str) -> Description:
        """Return all that is known of the instance that *version* means."""
        with self._reading() as index:
            return index.describe(package, version)

    def packages(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names of all packages below *prefix*, sorted."""
        with self._reading() as index:
            return index.packages(prefix)

    def instances(self, package: str) -> tuple[Instance, ...]:
        """Return the instances of *package*, the newest first."""
        with self._reading() as index:
            return index.instances(package)

    def refs(self, package: str) -> tuple[Ref, ...]:
        """Return the refs of *package*, the last moved first."""
        with self._reading() as index:
            return index.refs(package)

    def tags(self, pin: Pin) -> tuple[str, ...]:
        """Return the tags of an instance."""
        with self._reading() as index:
            return index.tags(pin)

    def tags_of(self, pins: Iterable[Pin]) -> Mapping[Pin, tuple[str, ...]]:
        """Return the tags of many instances in one call."""
        with self._reading() as index:
            return index.tags_of(pins)

    def search(self, package: str, tags: Iterable[str]) -> tuple[Pin, ...]:
        """Return the instances of *package* that carry all *tags*."""
        with self._reading() as index:
            return index.search(package, tags)

    def pins_by_tags(self, queries: Iterable[TagQuery]) -> Mapping[TagQuery, tuple[Pin, ...]]:
        """Return, for each query that has an answer, the instances that carry the tag."""
        with self._reading() as index:
            return index.pins_by_tags(queries)

    def pins_by_tag_anywhere(self, tags: Iterable[str]) -> Mapping[str, tuple[Pin, ...]]:
        """Return, for each tag that some instance carries, these instances."""
        with self._reading() as index:
            return index.pins_by_tag_anywhere(tags)
