"""The package files of the embedded store: each is named by the hash of its bytes, and never changes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.core.errors import DockerbuildError, StoreDamagedError
from dockerbuild_lib.core.files import CHUNK, atomic_writer, sync_folder, translated_os_errors
from dockerbuild_lib.store.names import instance_id_of, instance_id_of_file, is_instance_id
from dockerbuild_lib.store.package_file import read_package

_STAGED = ".staged.*.tmp"


@dataclass(frozen=True)
class Staged:
    """A package file that lies in the store's folder, but is not yet an instance."""

    path: Path
    instance_id: str
    size: int


class InstanceFiles:
    """The folder ``instances``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place_of(self, instance_id: str) -> Path:
        """Return where the instance's file belongs."""
        return self._folder / instance_id

    def path(self, instance_id: str) -> Path:
        """Return where the instance's file is.

        Raises:
            StoreDamagedError: it is not there.

        """
        path = self.place_of(instance_id)
        if not path.is_file():
            raise StoreDamagedError("the instance's file is missing", where=str(path), fix="publish it again")
        return path

    @contextmanager
    def staged(self, file: Path) -> Iterator[Staged]:
        """Copy *file* beside the instances, synced; what is not placed inside the block is removed.

        The caller holds the store's lock, so whatever else is staged was left by a process that was killed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for leftover in self._folder.glob(_STAGED):
            leftover.unlink()
        prefix, suffix = _STAGED.split("*")
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as target, file.open("rb") as source:
                instance_id = _copy_hashed(source, target)
                target.flush()
                os.fsync(target.fileno())
                yield Staged(Path(name), instance_id, target.tell())
        finally:
            Path(name).unlink(missing_ok=True)

    def place(self, staged: Staged) -> None:
        """Make the staged file an instance; one of that name that was there, perhaps damaged, is replaced."""
        staged.path.chmod(0o444)
        staged.path.replace(self.place_of(staged.instance_id))
        sync_folder(self._folder)

    def strays(self, known: Collection[str]) -> tuple[Path, ...]:
        """Return the package files, whole or half copied, that are none of the *known* instances."""
        if not self._folder.is_dir():
            return ()
        ours = (path for path in self._folder.iterdir() if is_instance_id(path.name) or path.match(_STAGED))
        return tuple(sorted(path for path in ours if path.name not in known))

    def remove(self, paths: Iterable[Path]) -> None:
        """Remove package files; repeating it removes what is left."""
        for path in paths:
            path.unlink(missing_ok=True)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def fetch(self, instance_id: str, target: Path) -> None:
        """Copy an instance to *target*, whole or not at all, and only if its bytes are right."""
        source = self.path(instance_id)
        with translated_os_errors(target), atomic_writer(target) as copy, source.open("rb") as stream:
            if _copy_hashed(stream, copy) != instance_id:
                raise StoreDamagedError(
                    "the instance's file has other bytes than its name says", where=str(source), fix="publish it again"
                )

    def problem(self, instance_id: str, package: str, size: int) -> str | None:
        """Return what is wrong with an instance's file, None when nothing is."""
        try:
            path = self.path(instance_id)
            if path.stat().st_size != size or instance_id_of_file(path) != instance_id:
                return f"{path}: it has other bytes than its name says"
            named = read_package(path).package
        except DockerbuildError as error:
            return str(error)
        return None if named == package else f"{path}: it is a package file of {named}"


def _copy_hashed(source: BinaryIO, target: BinaryIO) -> str:
    """Copy all bytes, and return the instance id of what was copied."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return instance_id_of(digest.digest())
