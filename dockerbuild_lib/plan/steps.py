"""Steps: the units of work of a plan, each with what its room needs to carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dockerbuild_lib.catalog.image_references import ImageReference
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import ImageRecipe, Library, Platform, Toolchain
from dockerbuild_lib.catalog.platform_tags import newest_glibc
from dockerbuild_lib.catalog.wheels import BuiltWheel, PrebuiltWheel, PureWheel, VersionRecipe
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.wheel_names import WheelNames


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
class MirrorWork:
    """Copy the image with this digest from upstream into the mirror; *reference* is the tag that it was locked from."""

    reference: ImageReference
    digest: str


@dataclass(frozen=True)
class BaseWork:
    """Make a base image from Debian packages, on nothing or on the image *upstream*, which the mirror has."""

    recipe: ImageRecipe
    key: str
    upstream: MirrorWork | None = None


@dataclass(frozen=True)
class ImageWork:
    """Make a platform's image on its base. *files* are paths in the build context -> text."""

    platform_name: str
    base: str
    key: str
    files: tuple[tuple[str, str], ...]
    tools: tuple[IndexFile, ...]


@dataclass(frozen=True)
class PullWork:
    """Take a platform's image from the registry."""

    platform_name: str
    key: str


@dataclass(frozen=True)
class PushWork:
    """Upload a platform's image to the registry."""

    platform_name: str
    key: str


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


class _Named:
    """What is called by the names of its wheel."""

    names: WheelNames

    @property
    def package(self) -> str:
        """Its CIPD package."""
        return self.names.package

    @property
    def version_text(self) -> str:
        """The value of the package's ``version:`` tag."""
        return self.names.version_text


@dataclass(frozen=True)
class WheelWork(_Named):
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
    key: ContentKey
    names: WheelNames
    tags: tuple[str, ...]
    """PEP 425 platform tags that it may claim."""

    @property
    def is_universal(self) -> bool:
        """Whether the wheel is for all targets."""
        return isinstance(self.recipe, PureWheel)

    @property
    def glibc(self) -> str | None:
        """The oldest glibc (2.17) that the wheel must run with; None: the image's own."""
        return self.workshop.toolchain.glibc


@dataclass(frozen=True)
class PrebuiltWork(_Named):
    """Check, try and package a wheel that the package index has for a target."""

    distribution: str
    version: str
    recipe: PrebuiltWheel
    target: Target
    workshop: Workshop
    source: IndexFile
    key: ContentKey
    names: WheelNames
    tags: tuple[str, ...]
    """PEP 425 platform tags that it may claim."""
    is_universal = False

    @property
    def glibc(self) -> str | None:
        """The newest glibc (2.17) that its tags promise; None: they promise none."""
        return newest_glibc(self.tags)


@dataclass(frozen=True)
class UniversalWork(_Named):
    """Check and package a universal wheel."""

    distribution: str
    version: str
    source: IndexFile
    key: ContentKey
    names: WheelNames
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


ImageSteps = MirrorWork | BaseWork | ImageWork | PullWork | PushWork
WheelSteps = BuildWork | CheckWork | TrialWork | PackageWork | PublishWork
Work = FetchWork | ImageSteps | LibraryWork | WheelSteps


class Lane(StrEnum):
    """What a step is bound by. Each lane has places of its own: downloads go on beside builds, however few cores."""

    CORES = "cores"
    DOWNLOADS = "downloads"


@dataclass(frozen=True)
class Step:
    """One unit of work. *weight* is the expected time in seconds, only used to start long paths first."""

    id: str
    title: str
    key: str
    needs: tuple[str, ...]
    weight: float
    work: Work

    @property
    def lane(self) -> Lane:
        """What it is bound by."""
        return Lane.DOWNLOADS if isinstance(self.work, FetchWork | MirrorWork) else Lane.CORES
