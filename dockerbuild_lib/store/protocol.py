"""What a package store does, whichever one it is: the operations, and the plain records that they take and give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dockerbuild_lib.store.keep import Garbage, Keep


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
    registered_by: str
    registered_ts: int
    """Unix time in seconds."""


@dataclass(frozen=True)
class Registered:
    """What a registration did."""

    pin: Pin
    is_new: bool
    """False: the very same instance was there already, and stays as it was."""


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
class Metadata:
    """A key and a value to attach to an instance: a log, a bill of materials, an attestation."""

    key: str
    value: bytes
    content_type: str = ""
    """A MIME type; of none given, stores take text/plain for short printable ASCII, else application/octet-stream."""


@dataclass(frozen=True)
class AttachedMetadata:
    """Metadata of an instance. What has the same key and value is the same, and stays as it was first attached."""

    metadata: Metadata
    fingerprint: str
    """32 hexadecimal digits, of the key and the value."""
    attached_by: str
    attached_ts: int
    """Unix time in seconds."""


@dataclass(frozen=True)
class Description:
    """All that the store knows of an instance."""

    instance: Instance
    refs: tuple[Ref, ...]
    """Those that point here, the last moved first."""
    tags: tuple[Tag, ...]
    """By key; of one key the newest first."""
    metadata: tuple[AttachedMetadata, ...]
    """The newest first."""


@dataclass(frozen=True)
class Listing:
    """What is below a prefix: package names, and the prefixes of more packages. Both sorted."""

    packages: tuple[str, ...]
    prefixes: tuple[str, ...]


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
    project: str
    """The distribution's normalised name (PEP 503)."""
    size: int
    """Bytes."""
    requires_python: str | None
    metadata_sha256: str
    published_us: int
    """Unix time in microseconds."""
    yanked: str | None = None
    """Why installers are to pass it by (PEP 592), perhaps ""; None: they are not."""


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

    def __str__(self) -> str:
        """Say what it did, also that somebody else was quicker."""
        there = "" if self.is_new else " was there already"
        return f"{self.pin}{there}, refs moved: {', '.join(self.moved_refs) or 'none'}"


class Part(Enum):
    """What of a store is damaged."""

    INSTANCE = "instance"
    """The package file of an instance."""
    WHEEL = "wheel"
    """A published wheel in the simple index, or its metadata."""
    PAGE = "page"
    """A page of the simple index."""
    INDEX = "index"
    """The store's own index, or the folder as a whole."""
    STRAY = "stray"
    """A file that the store knows nothing of."""


@dataclass(frozen=True)
class Damage:
    """A part of a store that is not what it must be."""

    problem: str
    pins: tuple[Pin, ...] = ()
    """The instances that it concerns; none: the store as a whole."""
    part: Part = Part.INSTANCE


@dataclass(frozen=True)
class Quarantined:
    """An instance that was found damaged, and does not count as published until its bytes are published again."""

    pin: Pin
    problem: str
    quarantined_by: str
    quarantined_ts: int
    """Unix time in seconds."""


class Store(Protocol):
    """A store of packages, whichever one: what the ``cipd`` client can do over any service.

    Names, tags and versions are checked (:class:`UsageError`). A package, version or instance that is not there
    is a :class:`NotInStoreError`, a tag of several instances a :class:`StoreAmbiguousError`; a full disk, a
    forbidden folder and damage have errors of their own, and are never taken for "not there".
    """

    def exists(self, package: str, version: str) -> bool:
        """Tell whether *version* of *package* is there.

        Raises:
            StoreAmbiguousError: it is there more than once.

        """
        ...

    def resolve(self, package: str, version: str) -> Pin:
        """Return the instance that *version* means: an instance id, else a ref, else a tag."""
        ...

    def describe(self, package: str, version: str) -> Description:
        """Return all that is known of the instance that *version* means."""
        ...

    def packages(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names of all packages below *prefix*, sorted; the package *prefix* itself is not below it."""
        ...

    def listing(self, prefix: str = "", *, recursive: bool = False) -> Listing:
        """Return the packages and prefixes right below *prefix*, or with *recursive* all that are below it."""
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
        """Return the tags of many instances in one call, ordered likewise; an instance without tags is left out."""
        ...

    def search(self, package: str, tags: Iterable[str]) -> tuple[Pin, ...]:
        """Return the instances of *package* that carry all *tags*, the last that got the first tag first.

        No tags, or no such package: none.
        """
        ...

    def pins_by_tags(self, queries: Iterable[TagQuery]) -> Mapping[TagQuery, tuple[Pin, ...]]:
        """Return, for each query that has an answer, the instances that carry the tag, the first tagged first.

        One call for any number of queries: this is how a run learns what is up to date.
        """
        ...

    def opened(self, pin: Pin) -> AbstractContextManager[Path]:
        """Yield a package file to read inside the block, without checking its hash."""
        ...

    def fetch(self, pin: Pin, target: Path) -> None:
        """Write the package file to *target*, whole or not at all, after checking its hash."""
        ...

    def verify(self, prefix: str = "") -> tuple[Damage, ...]:
        """Read every instance of every package below *prefix*, and return what is damaged."""
        ...

    def register(self, package: str, file: Path) -> Registered:
        """Add the package *file* as an instance of *package*, whole or not at all, and nothing else.

        Raises:
            StoreDamagedError: the package file is damaged.
            UsageError: the package file bears another name.

        """
        ...

    def attach_tags(self, pin: Pin, tags: Iterable[str]) -> None:
        """Attach *tags* to an instance: all or none. Those that it has keep who attached them, and when."""
        ...

    def set_refs(self, pin: Pin, refs: Iterable[str]) -> None:
        """Point *refs* to an instance: all or none. Those that do already keep who moved them, and when."""
        ...

    def attach_metadata(self, pin: Pin, entries: Iterable[Metadata]) -> None:
        """Attach *entries* to an instance: all or none. What it has already stays as it was first attached."""
        ...

    def publish(self, publication: Publication) -> Published:
        """Register the instance, attach its tags, move the package's refs: one operation, and safe to repeat.

        Raises:
            VersionConflictError: another instance owns the unique tag, or the wheel's name has other bytes.
            StoreDamagedError: the package file is damaged.
            UsageError: the package file bears another name.

        """
        ...

    def close(self) -> None:
        """Let go of the files that the store holds open; it may be used again."""
        ...


class EmbeddedStore(Store, Protocol):
    """A store that has an index of its own, and can be asked what no service answers."""

    def sizes(self, pins: Iterable[Pin]) -> Mapping[Pin, int]:
        """Return the size of each instance's package file in bytes; what is not there is left out."""
        ...

    def pins_by_tag_anywhere(self, tags: Iterable[str]) -> Mapping[str, tuple[Pin, ...]]:
        """Return, for each tag that some instance of any package carries, these instances."""
        ...

    def wheels(self) -> tuple[PublishedWheel, ...]:
        """Return all wheels that were published, by file name."""
        ...

    def gc(self, keep: Keep, *, delete: bool) -> Garbage:
        """Return what neither a ref nor *keep* reaches; with *delete* remove it, and what was left over."""
        ...

    def yank(self, filenames: Iterable[str], reason: str | None) -> None:
        """Ask installers to pass published wheels by (PEP 592), for *reason*, perhaps ""; None takes it back.

        Raises:
            NotInStoreError: one of them is not published; none is changed then.

        """
        ...

    def repair_refs(self, package: str) -> None:
        """Move the refs that are computed from the versions of *package*, and remove those without a version."""
        ...

    def quarantine(self, pin: Pin, problem: str) -> None:
        """Take a damaged instance out of the store, with its tags, refs, metadata and wheels.

        It does not count as published from then on, and is never served. All that it had is kept; it comes back
        when the same bytes are published or registered again.
        """
        ...

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the instances in quarantine, by package."""
        ...
