"""What is added to an image from the catalogue: the bytes of files, and the pins of sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import LockedFile
from dockerbuild_lib.catalog.machines import ImageRecipe
from dockerbuild_lib.core.errors import CatalogError, LockError


@dataclass(frozen=True)
class AddedFile:
    """A file of the catalogue at an absolute *path* in an image."""

    path: str
    content: bytes
    executable: bool


@dataclass(frozen=True)
class AddedSource:
    """A source that is unpacked in an image, at the absolute path *folder*."""

    name: str
    version: str
    folder: str
    file: LockedFile


@dataclass(frozen=True)
class Additions:
    """All that is added to an image."""

    files: tuple[AddedFile, ...] = ()
    sources: tuple[AddedSource, ...] = ()

    @property
    def identity(self) -> dict[str, list[str]]:
        """What of them enters the image's content key: path -> what lies there."""
        files = {
            file.path: [hashlib.sha256(file.content).hexdigest(), "x" if file.executable else ""] for file in self.files
        }
        return {**files, **{source.folder: [source.file.sha256] for source in self.sources}}


def additions(catalog: Catalog, recipe: ImageRecipe) -> Additions:
    """Return what a recipe adds to its images.

    Raises:
        CatalogError: a file cannot be read.
        LockError: a source has no pin.

    """
    return Additions(tuple(_files(catalog, recipe)), tuple(_sources(catalog, recipe)))


def _files(catalog: Catalog, recipe: ImageRecipe) -> Iterable[AddedFile]:
    for path, name in sorted(recipe.files.items()):
        file = catalog.folder / name
        try:
            yield AddedFile(path, file.read_bytes(), executable=bool(file.stat().st_mode & 0o100))
        except OSError as error:
            raise CatalogError(f"the file cannot be read: {error.strerror}", where=str(file)) from error


def _sources(catalog: Catalog, recipe: ImageRecipe) -> Iterable[AddedSource]:
    for name, source in sorted(recipe.sources.items()):
        file = catalog.locks.images.sources.get(name)
        if file is None or not source.source.is_pinned_by(source.version, file):
            raise LockError(f"the source {name} of an image is not locked", fix="run sources.lock --name=images")
        yield AddedSource(name, source.version, source.folder, file)
