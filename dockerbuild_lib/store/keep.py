"""What a collection of garbage leaves in a store, and what it takes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dockerbuild_lib.store.protocol import Pin, TagQuery


@dataclass(frozen=True)
class Keep:
    """What stays, beside every instance that a ref points to. Without anything said, nothing else does."""

    versions: frozenset[TagQuery] = frozenset()
    """Tags of packages; their instances stay."""
    tags: frozenset[str] = frozenset()
    """Tags; the instances of whichever package that carry one stay."""
    named: tuple[tuple[str, str | None], ...] = ()
    """Packages or patterns, each with a tag or an instance id, or None for all instances."""
    registered_since: float = float("inf")
    """Unix time in seconds: what is younger stays, for somebody may be about to tag it."""

    def reaches(self, pin: Pin, tags: Collection[str]) -> bool:
        """Tell whether an instance with these *tags* stays, whatever its age."""
        if any(tag in self.tags or TagQuery(pin.package, tag) in self.versions for tag in tags):
            return True
        return any(
            fnmatchcase(pin.package, pattern) and (version is None or version == pin.instance_id or version in tags)
            for pattern, version in self.named
        )


@dataclass(frozen=True)
class Unreachable:
    """An instance that nothing needs."""

    pin: Pin
    tags: tuple[str, ...]
    wheels: tuple[str, ...]
    """The file names of the wheels that were published with it."""
    size: int
    """Bytes of its package file and of these wheels."""


@dataclass(frozen=True)
class Leftover:
    """A file in the store's folder that its index does not know: of a publication, or a collection, that was cut."""

    path: Path
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Garbage:
    """What a collection took, or would take."""

    instances: tuple[Unreachable, ...]
    leftovers: tuple[Leftover, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return sum(each.size for each in self.instances) + sum(each.size for each in self.leftovers)
