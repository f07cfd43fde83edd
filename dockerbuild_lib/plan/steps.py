"""Steps: the units of work of a plan, each with what its room needs to carry it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dockerbuild_lib.catalog.image_references import ImageReference
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import ImageRecipe
from dockerbuild_lib.plan.image_additions import Additions
from dockerbuild_lib.plan.products import CheckedWork, Goal, LibraryWork, PythonWork, TriedWork, WheelWork


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
    added: Additions = field(default_factory=Additions)


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
class BuildWork:
    """Cross-build and repair a wheel."""

    wheel: WheelWork


@dataclass(frozen=True)
class CheckWork:
    """Hold a wheel against its target and recipe."""

    wheel: CheckedWork


@dataclass(frozen=True)
class TrialWork:
    """Install a checked wheel and use it, by the target's Python."""

    wheel: TriedWork


@dataclass(frozen=True)
class PackageWork:
    """Make the package of a wheel that passed, and keep both as this goal's result."""

    goal: Goal


@dataclass(frozen=True)
class PublishLibraryWork:
    """Register a library's package with its tags and refs."""

    library: LibraryWork


@dataclass(frozen=True)
class PublishWork:
    """Register a result's package with its tags and refs, and put its wheel into the index."""

    goal: Goal


ImageSteps = MirrorWork | BaseWork | ImageWork | PullWork | PushWork
WheelSteps = BuildWork | CheckWork | TrialWork | PackageWork | PublishWork
LibrarySteps = LibraryWork | PublishLibraryWork
Work = FetchWork | ImageSteps | LibrarySteps | PythonWork | WheelSteps


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
