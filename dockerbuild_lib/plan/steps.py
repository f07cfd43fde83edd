"""Steps: the units of work of a plan, each with what its room needs to carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import ImageRecipe, Library, Platform, Toolchain
from dockerbuild_lib.catalog.platform_tags import newest_glibc
from dockerbuild_lib.catalog.wheels import BuiltWheel, PrebuiltWheel, PureWheel, VersionRecipe
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.naming import Target


class Status(StrEnum):
    """What the plan found out about a step."""

    HIT = "hit"
    TO_DO = "to do"
    OLDER = "older environment"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class FetchWork:
    """Put a pinned file into the store."""

    file: LockedFile


@dataclass(frozen=True)
class BaseWork:
    """Make a base image from Debian packages."""

    recipe: ImageRecipe
    key: str


@dataclass(frozen=True)
class ImageWork:
    """Make a platform's image on its base. *files* are paths in the build context -> text."""

    platform_name: str
    base: str
    key: str
    files: tuple[tuple[str, str], ...]
    tools: tuple[IndexFile, ...]


@dataclass(frozen=True)
class Workshop:
    """Where something is built: an image, and a toolchain inside it."""

    platform_name: str
    platform: Platform
    image: str
    toolchain_name: str
    toolchain: Toolchain


@dataclass(frozen=True)
class LibraryWork:
    """Build a library for a platform."""

    name: str
    library: Library
    source: LockedFile
    workshop: Workshop
    key: ContentKey


@dataclass(frozen=True)
class WheelWork:
    """Build a wheel for a target; the check, trial and packaging of the same wheel carry it too.

    A pure wheel's target is where it is built and tried; it is for all of them.
    """

    distribution: str
    version: str
    recipe: BuiltWheel
    version_recipe: VersionRecipe
    target: Target
    workshop: Workshop
    source: LockedFile
    build_requires: tuple[IndexFile, ...]
    patches: tuple[str, ...]
    libraries: tuple[LibraryWork, ...]
    crates: CratesArchive | None
    here: tuple[WheelWork, ...]
    """Build requirements that this catalogue builds itself, for the build machine."""
    key: ContentKey
    package: str
    version_text: str

    @property
    def is_universal(self) -> bool:
        """Whether the wheel is for all targets."""
        return isinstance(self.recipe, PureWheel)

    @property
    def glibc(self) -> str | None:
        """The oldest glibc (2.17) that the wheel must run with; None: the image's own."""
        return self.workshop.toolchain.glibc


@dataclass(frozen=True)
class PrebuiltWork:
    """Check, try and package a wheel that the package index has for a target."""

    distribution: str
    version: str
    recipe: PrebuiltWheel
    target: Target
    workshop: Workshop
    source: IndexFile
    key: ContentKey
    package: str
    version_text: str
    is_universal = False

    @property
    def glibc(self) -> str | None:
        """The newest glibc (2.17) that the platform's tags promise; None: they promise none."""
        return newest_glibc(self.workshop.platform.tags)


@dataclass(frozen=True)
class UniversalWork:
    """Check and package a universal wheel."""

    distribution: str
    version: str
    source: IndexFile
    key: ContentKey
    package: str
    version_text: str
    is_universal = True


TriedWork = WheelWork | PrebuiltWork
"""What is tried by a target's Python."""
Goal = WheelWork | PrebuiltWork | UniversalWork


def place_of(goal: Goal) -> str:
    """Return for whom a goal's wheel is: ``linux-arm64-py3.11``, or ``universal``."""
    return "universal" if goal.is_universal or isinstance(goal, UniversalWork) else goal.target.name


def sources_of(goal: Goal) -> tuple[LockedFile, ...]:
    """Return what a goal and its libraries are made from, build requirements apart."""
    libraries = goal.libraries if isinstance(goal, WheelWork) else ()
    return (goal.source, *(library.source for library in libraries))


@dataclass(frozen=True)
class BuildWork:
    """Cross-build and repair a wheel."""

    wheel: WheelWork


@dataclass(frozen=True)
class CheckWork:
    """Hold a wheel against its target and recipe."""

    wheel: TriedWork


@dataclass(frozen=True)
class TrialWork:
    """Install a checked wheel and use it, by the target's Python."""

    wheel: TriedWork


@dataclass(frozen=True)
class PackageWork:
    """Make the package of a wheel that passed, and keep both as this goal's result."""

    goal: Goal


@dataclass(frozen=True)
class PublishWork:
    """Register a result's package with its tags and refs, and put its wheel into the index."""

    goal: Goal


Work = FetchWork | BaseWork | ImageWork | LibraryWork | BuildWork | CheckWork | TrialWork | PackageWork | PublishWork


@dataclass(frozen=True)
class Step:
    """One unit of work. *weight* is the expected time in seconds, only used to start long paths first."""

    id: str
    title: str
    key: str
    needs: tuple[str, ...]
    weight: float
    work: Work
