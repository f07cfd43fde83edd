"""Pins: ``config/locks``, written by ``sources.lock`` and ``mirror.lock`` only.

Files of the package index and of Debian are named without the hosts that serve them: those come from the machine's own
configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dockerbuild_lib.catalog.addresses import CommitId, InnerFolder, RelativeFolder, RepositoryAddress, Revision, Url
from dockerbuild_lib.catalog.base import (
    Count,
    DistributionName,
    Flag,
    Identifier,
    Model,
    PythonName,
    RequirementText,
    Sha256,
    VersionText,
)
from dockerbuild_lib.catalog.build_requires import BuildRequires
from dockerbuild_lib.catalog.image_references import ImageReferenceText

ImageDigest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""Of a manifest of a container registry."""
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+~!-]*$")]


class IndexFile(Model):
    """A file of the package index: an sdist or a wheel."""

    origin: Literal["index"] = "index"
    distribution: DistributionName
    version: VersionText
    filename: FileName
    sha256: Sha256
    size: Count

    @property
    def is_wheel(self) -> bool:
        """Tell a wheel from an sdist."""
        return self.filename.endswith(".whl")


class DebianFile(Model):
    """A file of a Debian archive, at *path* below whichever mirror the machine uses."""

    origin: Literal["debian"] = "debian"
    path: str = Field(pattern=r"^pool/[A-Za-z0-9+._~/-]+$")
    version: VersionText
    filename: FileName
    sha256: Sha256
    size: Count

    @property
    def package(self) -> str:
        """The source package (Debian Policy, 5.6.1)."""
        return self.filename.partition("_")[0]


class ArchiveFile(Model):
    """An archive that each of *urls* serves; which of them does not matter, the sha256 decides."""

    origin: Literal["archive"] = "archive"
    name: Identifier = Field(description="The wheel or library whose source it is.")
    version: VersionText
    filename: FileName
    sha256: Sha256
    size: Count
    urls: tuple[Url, ...] = Field(min_length=1)


class GitArchive(Model):
    """A commit of a git repository, as the archive that is made of it: the same commit gives the same bytes."""

    origin: Literal["git"] = "git"
    name: Identifier = Field(description="The wheel or library whose source it is.")
    version: VersionText
    filename: FileName
    sha256: Sha256 = Field(description="Of the archive.")
    size: Count
    repository: RepositoryAddress
    revision: Revision = Field(description="What was asked for.")
    commit: CommitId = Field(description="What it was when it was locked.")
    subfolder: InnerFolder | None = None
    submodules: Flag = True


class LocalArchive(Model):
    """A folder of this machine, as the archive that is made of it: the same files give the same bytes."""

    origin: Literal["local"] = "local"
    name: Identifier = Field(description="The wheel or library whose source it is.")
    version: VersionText
    filename: FileName
    sha256: Sha256 = Field(description="Of the archive.")
    size: Count
    folder: RelativeFolder


SourceFile = IndexFile | DebianFile | ArchiveFile | GitArchive | LocalArchive
_Pinned = Annotated[SourceFile, Field(discriminator="origin")]


class CratesArchive(Model):
    """The crates that the Cargo.lock of a source names, as the archive that is made of them."""

    origin: Literal["crates"] = "crates"
    name: Identifier = Field(description="The wheel whose crates they are.")
    version: VersionText
    filename: FileName
    sha256: Sha256 = Field(description="Of the archive.")
    size: Count
    source: _Pinned = Field(description="Whose Cargo.lock names them.")


LockedFile = SourceFile | CratesArchive


class VersionLock(Model):
    """The pins of one version of a wheel."""

    source: _Pinned | None = Field(
        default=None, description="What it is built from, or the universal wheel; none where all wheels are prebuilt."
    )
    declared_requires: tuple[RequirementText, ...] = Field(
        default=(), description="What the patched pyproject.toml asks for; kept to say why a wheel is locked."
    )
    recipe_requires: BuildRequires = Field(
        default={}, description="What the recipe asks for, in the place of that or beside it."
    )
    hook_requires: dict[PythonName, tuple[RequirementText, ...]] = Field(
        default={}, description="Python (3.11) -> what the backend's get_requires_for_build_wheel asks for."
    )
    requires_key: Sha256 | None = Field(
        default=None, description="What the build requirements were found out from: source, patches, recipe."
    )
    build_requires: dict[PythonName, tuple[IndexFile, ...]] = Field(
        default={}, description="Python (3.11) -> the wheels of its build environment that the package index has."
    )
    built_here: dict[PythonName, dict[DistributionName, VersionText]] = Field(
        default={}, description="Python (3.11) -> those that this catalogue builds, in that version."
    )
    crates: CratesArchive | None = Field(default=None, description="The crates that the source's Rust code needs.")
    prebuilt: dict[Identifier, dict[PythonName, IndexFile]] = Field(
        default={}, description="Platform -> Python (3.11) -> the package index's wheel."
    )

    @model_validator(mode="after")
    def _has_crates_of_its_own_source(self) -> Self:
        if self.crates and self.crates.source != self.source:
            raise ValueError("its crates are of another source than its own; run sources.lock")
        return self


class WheelLock(Model):
    """``locks/wheels/<distribution>.json``."""

    versions: dict[VersionText, VersionLock] = Field(default={})


class LibrariesLock(Model):
    """Sources by name: ``locks/libraries.json``, ``locks/pythons.json``, ``locks/images.json``."""

    sources: dict[Identifier, _Pinned] = Field(default={})


class BasesLock(Model):
    """``locks/bases.json``, written by ``mirror.lock``: what the images that bases start from were on that day."""

    digests: dict[ImageReferenceText, ImageDigest] = Field(default={}, description="Reference, with its tag -> digest.")


class ToolsLock(Model):
    """``locks/tools.json``: the Python tools inside every image."""

    requirements: tuple[str, ...] = Field(default=(), description="What the wheels were resolved from.")
    wheels: tuple[IndexFile, ...] = ()


SourcesLockName = Literal["libraries", "pythons", "images"]


@dataclass(frozen=True)
class Locks:
    """The pins; what has none is missing here."""

    wheels: Mapping[str, WheelLock] = field(default_factory=dict)
    libraries: LibrariesLock = field(default_factory=LibrariesLock)
    pythons: LibrariesLock = field(default_factory=LibrariesLock)
    images: LibrariesLock = field(default_factory=LibrariesLock)
    tools: ToolsLock = field(default_factory=ToolsLock)
    bases: BasesLock = field(default_factory=BasesLock)

    def with_sources(self, name: SourcesLockName, lock: LibrariesLock) -> Locks:
        """Return them with another lock of this name."""
        match name:
            case "libraries":
                return replace(self, libraries=lock)
            case "pythons":
                return replace(self, pythons=lock)
            case "images":
                return replace(self, images=lock)
