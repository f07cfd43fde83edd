"""What a plan asks about the world: which results are there already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.products import Goal, LibraryWork, PythonWork


@dataclass(frozen=True)
class PackageVersion:
    """A package, and the value of its ``version:`` tag."""

    package: str
    version: str


@dataclass(frozen=True)
class Published:
    """An instance in the store that bears a version."""

    instance_id: str
    content_keys: frozenset[str]
    recipe_keys: frozenset[str]


class Inventory(Protocol):
    """The results that exist, in the store, the work area and the engine. Asked in bulk where that is cheap."""

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        """Return those files, by sha256, that the store holds."""

    def published(self, wanted: Collection[PackageVersion]) -> Mapping[PackageVersion, Published]:
        """Return what the store has of these."""

    def built(self, goal: Goal) -> tuple[ContentKey, ...]:
        """Return the keys of the goal's results in the work area, whatever they were made from."""

    def library(self, work: LibraryWork) -> bool:
        """Tell whether the work area holds this library."""

    def python(self, work: PythonWork) -> bool:
        """Tell whether the store has this Python."""

    def image(self, key: str) -> bool:
        """Tell whether the engine holds the image with this key."""

    def in_registry(self, platform: str, key: str) -> bool:
        """Tell whether the registry, where there is one, has a platform's image with this key."""
