"""Where the source of a wheel or a library comes from: a model for each type, told apart by ``type``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dockerbuild_lib.catalog.addresses import (
    VERSION,
    InnerFolder,
    RelativeFolder,
    RepositoryAddress,
    Revision,
    Url,
)
from dockerbuild_lib.catalog.base import Flag, Identifier, Model
from dockerbuild_lib.catalog.locks import ArchiveFile, DebianFile, GitArchive, IndexFile, LocalArchive, LockedFile


class SdistSource(Model):
    """The sdist that the package index has."""

    type: Literal["sdist"]

    def is_pinned_by(self, version: str, file: LockedFile) -> bool:
        """Tell whether *file* is what this source means for *version*; the other types' methods tell the same."""
        return isinstance(file, IndexFile) and not file.is_wheel and file.version == version


class ArchiveSource(Model):
    """An archive at any of several addresses."""

    type: Literal["archive"]
    urls: tuple[Url, ...] = Field(
        min_length=1, description="http or https, the first that serves it is taken; {version} is filled in."
    )

    def urls_of(self, version: str) -> tuple[str, ...]:
        """Return the addresses of a version's archive."""
        return tuple(url.replace(VERSION, version) for url in self.urls)

    def is_pinned_by(self, version: str, file: LockedFile) -> bool:
        """Tell whether *file* is what this source means for *version*."""
        return isinstance(file, ArchiveFile) and (file.version, file.urls) == (version, self.urls_of(version))


class GitSource(Model):
    """A commit of a git repository."""

    type: Literal["git"]
    repository: RepositoryAddress = Field(description="https://, ssh:// or file:// address.")
    revision: Revision = Field(description="A tag, a branch, or a commit's whole id; {version} is filled in.")
    subfolder: InnerFolder | None = Field(default=None, description="The project's folder, where it is not the top.")
    submodules: Flag = Field(default=True, description="False: its submodules are left out.")

    def revision_of(self, version: str) -> str:
        """Return the revision of a version."""
        return self.revision.replace(VERSION, version)

    def is_pinned_by(self, version: str, file: LockedFile) -> bool:
        """Tell whether *file* is what this source means for *version*."""
        return isinstance(file, GitArchive) and (
            (file.version, file.repository, file.revision, file.subfolder, file.submodules)
            == (version, self.repository, self.revision_of(version), self.subfolder, self.submodules)
        )


class LocalSource(Model):
    """A folder of this machine. The version of a wheel made from it is the one that it tells itself."""

    type: Literal["local"]
    folder: RelativeFolder = Field(description="Path, from the catalogue's folder.")

    def is_pinned_by(self, version: str, file: LockedFile) -> bool:
        """Tell whether *file* is what this source means for *version*."""
        return isinstance(file, LocalArchive) and (file.version, file.folder) == (version, self.folder)


class DebianSource(Model):
    """The upstream archive of a Debian source package."""

    type: Literal["debian"]
    package: Identifier = Field(description="Name of the source package.")
    suite: Identifier | None = Field(default=None, description="Where it is looked for, instead of the images' suites.")

    def is_pinned_by(self, version: str, file: LockedFile) -> bool:
        """Tell whether *file* is what this source means for *version*."""
        return isinstance(file, DebianFile) and (file.version, file.package) == (version, self.package)


Source = SdistSource | ArchiveSource | GitSource | LocalSource | DebianSource
WheelSource = Annotated[Source, Field(discriminator="type")]
LibrarySource = Annotated[ArchiveSource | GitSource | LocalSource | DebianSource, Field(discriminator="type")]
