"""What is asked of a source before it is built: the seam to the containers, where alone its code may run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dockerbuild_lib.catalog.catalog import Catalog, patch_path
from dockerbuild_lib.catalog.locks import IndexFile, SourceFile
from dockerbuild_lib.catalog.wheels import BuiltWheel, VersionRecipe


@dataclass(frozen=True)
class Subject:
    """One version of a wheel that is built from source."""

    distribution: str
    version: str
    recipe: BuiltWheel
    source: SourceFile

    @property
    def version_recipe(self) -> VersionRecipe:
        """What the version adds to the recipe; that of a local folder is in no recipe before it is locked."""
        return self.recipe.versions.get(self.version, VersionRecipe())

    @property
    def environment(self) -> dict[str, str]:
        """The recipe's variables."""
        return {**self.recipe.environment, **self.version_recipe.environment}

    def patches(self, config_dir: Path) -> tuple[Path, ...]:
        """Return the files of its patches, in the order of use."""
        names = self.version_recipe.patches
        return tuple(patch_path(config_dir, self.distribution, self.version, name) for name in names)

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class HereWheel:
    """A wheel that this catalogue built for the build machine."""

    distribution: str
    version: str
    file: Path
    sha256: str


class Backends(Protocol):
    """The sources' build backends (PEP 517)."""

    def wheel_requires(
        self, subject: Subject, python: str, build_requires: Sequence[IndexFile], here: Sequence[HereWheel]
    ) -> tuple[str, ...]:
        """Return what ``get_requires_for_build_wheel`` asks for, in an environment of *build_requires* and *here*.

        The environment is one of *python* (3.11), as the build's will be.

        Raises:
            PatchFailedError, UnsafeArchiveError: there is no source to ask.
            BuildFailedError, LimitExceededError: the backend failed, or used too much.
            LockError: its answer is no list of requirements.

        """

    def build(self, catalog: Catalog, distribution: str, version: str, python: str) -> HereWheel:
        """Return a wheel of the catalogue for the build machine and *python*, built now where it is not there.

        Raises:
            LockError: it is not locked.
            DockerbuildError: it cannot be built.

        """
