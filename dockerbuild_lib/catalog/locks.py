"""Pins: ``config/locks``, written by ``sources.lock`` and ``mirror.lock`` only.

Files of the package index and of Debian are named without the hosts that serve them: those come from the machine's own
configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dockerbuild_lib.catalog.addresses import CommitId, InnerFolder, RelativeFolder, RepositoryAddress, Revision, Url
from dockerbuild_lib.catalog.base import (
    Count,
    DistributionName,
    Flag,
    Identifier,
    Model,
    PythonName,
    Sha256,
    VersionText,
)
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


LockedFile = IndexFile | DebianFile | ArchiveFile | GitArchive | LocalArchive
_Pinned = Annotated[LockedFile, Field(discriminator="origin")]


class VersionLock(Model):
    """The pins of one version of a wheel."""

    source: _Pinned | None = Field(
        default=None, description="What it is built from, or the universal wheel; none where all wheels are prebuilt."
    )
    declared_requires: tuple[str, ...] = Field(
        default=(), description="What the source's pyproject.toml asks for; kept to say why a wheel is locked."
    )
    added_requires: tuple[str, ...] = Field(default=(), description="What the recipe adds to that.")
    build_requires: dict[PythonName, tuple[IndexFile, ...]] = Field(
        default={}, description="Python (3.11) -> the wheels of its build environment, all of them."
    )
    prebuilt: dict[Identifier, dict[PythonName, IndexFile]] = Field(
        default={}, description="Platform -> Python (3.11) -> the package index's wheel."
    )


class WheelLock(Model):
    """``locks/wheels/<distribution>.json``."""

    versions: dict[VersionText, VersionLock] = Field(default={})


class LibrariesLock(Model):
    """``locks/libraries.json``."""

    sources: dict[Identifier, _Pinned] = Field(default={})


class BasesLock(Model):
    """``locks/bases.json``, written by ``mirror.lock``: what the images that bases start from were on that day."""

    digests: dict[ImageReferenceText, ImageDigest] = Field(default={}, description="Reference, with its tag -> digest.")


class ToolsLock(Model):
    """``locks/tools.json``: the Python tools inside every image."""

    requirements: tuple[str, ...] = Field(default=(), description="What the wheels were resolved from.")
    wheels: tuple[IndexFile, ...] = ()
