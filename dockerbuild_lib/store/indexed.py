"""What every store with an index of its own shares: the questions, and the changes that touch the index alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from dockerbuild_lib.core.errors import NotInStoreError
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.index_writer import IndexWriter
from dockerbuild_lib.store.listing import listing_of
from dockerbuild_lib.store.protocol import (
    Description,
    Instance,
    Listing,
    Metadata,
    Pin,
    PublishedWheel,
    Quarantined,
    Ref,
    TagQuery,
)


class IndexedStore(ABC):
    """The half of :class:`EmbeddedStore` that needs no package files."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[IndexReader]:
        """Yield the index to one thread."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[IndexWriter]:
        """Yield the index to one thread, to be changed; it is made if there is none."""

    @contextmanager
    def _changing(self, pin: Pin) -> Iterator[IndexWriter]:
        """Yield the index to be changed; where *pin* is missing there may be none, and none is made."""
        with self._reading() as index:
            index.instance(pin)
        with self._writing() as writer:
            yield writer

    def attach_tags(self, pin: Pin, tags: Iterable[str]) -> None:
        """Attach *tags* to an instance."""
        with self._changing(pin) as index:
            index.attach_tags(pin, tags)

    def set_refs(self, pin: Pin, refs: Iterable[str]) -> None:
        """Point *refs* to an instance."""
        with self._changing(pin) as index:
            index.set_refs(pin, refs)

    def attach_metadata(self, pin: Pin, entries: Iterable[Metadata]) -> None:
        """Attach *entries* to an instance."""
        with self._changing(pin) as index:
            index.attach_metadata(pin, entries)

    def repair_refs(self, package: str) -> None:
        """Move the computed refs to where the versions say."""
        self.refs(package)  # where there is no such package, nothing is made
        with self._writing() as index:
            index.repair_refs(package)

    def yank(self, filenames: Iterable[str], reason: str | None) -> None:
        """Ask installers to pass published wheels by."""
        with self._writing() as index:
            index.yank(filenames, reason)

    def exists(self, package: str, version: str) -> bool:
        """Tell whether *version* of *package* is there."""
        try:
            self.resolve(package, version)
        except NotInStoreError:
            return False
        return True

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

    def listing(self, prefix: str = "", *, recursive: bool = False) -> Listing:
        """Return the packages and prefixes below *prefix*."""
        return listing_of(self.packages(prefix), prefix, recursive=recursive)

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

    def sizes(self, pins: Iterable[Pin]) -> Mapping[Pin, int]:
        """Return the sizes of these package files in bytes."""
        with self._reading() as index:
            return index.sizes(pins)

    def wheels(self) -> tuple[PublishedWheel, ...]:
        """Return all wheels that were published, by file name."""
        with self._reading() as index:
            return index.wheels.all()

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the instances in quarantine, by package."""
        with self._reading() as index:
            return index.quarantine.all()

    def pins_by_tag_anywhere(self, tags: Iterable[str]) -> Mapping[str, tuple[Pin, ...]]:
        """Return, for each tag that some instance carries, these instances."""
        with self._reading() as index:
            return index.pins_by_tag_anywhere(tags)
