"""What a package store does, whichever one it is: the operations, and the plain records that they take and give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, order=True)
class Pin:
    """One instance of one package."""

    package: str
    instance_id: str

    def __str__(self) -> str:
        return f"{self.package}:{self.instance_id}"


@dataclass(frozen=True)
class Instance:
    """A registered instance."""

    pin: Pin
    size: int
    """Bytes of the package file."""
    registered_by: str
    registered_ts: int
    """Unix time in seconds."""


@dataclass(frozen=True)
class Tag:
    """A tag of an instance: ``key:value``."""

    tag: str
    registered_by: str
    registered_ts: int
    """Unix time in seconds, of the first time that it was attached."""


@dataclass(frozen=True)
class Ref:
    """A name that moves from instance to instance."""

    ref: str
    instance_id: str
    modified_by: str
    modified_ts: int
    """Unix time in seconds, of its last move."""


@dataclass(frozen=True)
class Description:
    """All that the store knows of an instance."""

    instance: Instance
    refs: tuple[Ref, ...]
    """Those that point here, the last moved first."""
    tags: tuple[Tag, ...]
    """By key; of one key the newest first."""


@dataclass(frozen=True, order=True)
class TagQuery:
    """The question which instances of *package* carry *tag*."""

    package: str
    tag: str


@dataclass(frozen=True)
class PublishedWheel:
    """A wheel that was published with an instance, under its true name."""

    filename: str
    sha256: str
    pin: Pin


@dataclass(frozen=True)
class Publication:
    """A package file on its way into a store."""

    package: str
    file: Path
    """The package file; it stays where it is."""
    tags: tuple[str, ...] = ()
    unique_tag: str | None = None
    """The ``version:`` tag, which one instance only may own. With it come the refs; it need not be in *tags*."""
    wheel: Path | None = None
    """The wheel under its true name, for the index that pip and uv read."""

    @property
    def all_tags(self) -> tuple[str, ...]:
        """All tags to attach, each once."""
        unique = (self.unique_tag,) if self.unique_tag else ()
        return tuple(dict.fromkeys((*unique, *self.tags)))


@dataclass(frozen=True)
class Published:
    """What a publication did."""

    pin: Pin
    is_new: bool
    """False: the very same instance was there already."""
    moved_refs: tuple[str, ...]
    """The refs of the package that were made or moved."""


@dataclass(frozen=True)
class Damage:
    """An instance, or a part of the index, that is not what it must be."""

    problem: str
    pins: tuple[Pin, ...] = ()
    """The packages that it concerns; none: the store as a whole."""


class Store(Protocol):
    """A store of packages.

    Names, tags and versions are checked (:class:`UsageError`). A package or version that is not there is a
    :class:`NotInStoreError`, a tag of several instances a :class:`StoreAmbiguousError`; a full disk, a
    forbidden folder and damage have errors of their own, and are never taken for "not there".
    """

    def resolve(self, package: str, version: str) -> Pin:
        """Return the instance that *version* means: an instance id, else a ref, else a tag."""
        ...

    def describe(self, package: str, version: str) -> Description:
        """Return all that is known of the instance that *version* means."""
        ...

    def packages(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names of all packages below *prefix*, sorted; the package *prefix* itself is not below it."""
        ...

    def instances(self, package: str) -> tuple[Instance, ...]:
        """Return the instances of *package*, the newest first."""
        ...

    def refs(self, package: str) -> tuple[Ref, ...]:
        """Return the refs of *package*, the last moved first."""
        ...

    def tags(self, pin: Pin) -> tuple[str, ...]:
        """Return the tags of an instance, as :meth:`describe` orders them."""
        ...

    def tags_of(self, pins: Iterable[Pin]) -> Mapping[Pin, tuple[str, ...]]:
        """Return the tags of many instances in one call, in the order of their attaching."""
        ...

    def search(self, package: str, tags: Iterable[str]) -> tuple[Pin, ...]:
        """Return the instances of *package* that carry all *tags*, the last tagged first; no such package: none."""
        ...

    def pins_by_tags(self, queries: Iterable[TagQuery]) -> Mapping[TagQuery, tuple[Pin, ...]]:
        """Return, for each query that has an answer, the instances that carry the tag, the first tagged first.

        One call for any number of queries: this is how a run learns what is up to date.
        """
        ...

    def pins_by_tag_anywhere(self, tags: Iterable[str]) -> Mapping[str, tuple[Pin, ...]]:
        """Return, for each tag that some instance of any package carries, these instances."""
        ...

    def opened(self, pin: Pin) -> AbstractContextManager[Path]:
        """Yield a package file to read inside the block, without checking its hash."""
        ...

    def fetch(self, pin: Pin, target: Path) -> None:
        """Write the package file to *target*, whole or not at all, after checking its hash."""
        ...

    def verify(self) -> tuple[Damage, ...]:
        """Read everything, and return what is damaged."""
        ...

    def publish(self, publication: Publication) -> Published:
        """Register the instance, attach its tags, move the package's refs: all or nothing, and safe to repeat.

        Raises:
            VersionConflictError: another instance owns the unique tag, or the wheel's name has other bytes.
            StoreDamagedError: the package file is damaged.
            UsageError: the package file bears another name.

        """
        ...

    def close(self) -> None:
        """Let go of the files that the store holds open; it may be used again."""
        ...
