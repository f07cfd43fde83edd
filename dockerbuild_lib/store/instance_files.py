"""The package files of the embedded store: each is named by the hash of its bytes, and never changes."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.core.errors import StoreDamagedError
from dockerbuild_lib.core.files import CHUNK, atomic_writer, sync_folder, translated_os_errors
from dockerbuild_lib.store.names import instance_id_of, instance_id_of_file, is_instance_id
from dockerbuild_lib.store.package_file import read_package

_FIX = "run store.verify, which takes it out of the store, then publish it again"


class InstanceFiles:
    """The folder ``instances``, and the folder ``quarantine`` for those that were found damaged."""

    def __init__(self, store: Path) -> None:
        self.folder = store / "instances"
        self._quarantine = store / "quarantine"

    def place_of(self, instance_id: str) -> Path:
        """Return where the instance's file belongs."""
        return self.folder / instance_id

    def path(self, instance_id: str) -> Path:
        """Return where the instance's file is.

        Raises:
            StoreDamagedError: it is not there.

        """
        path = self.place_of(instance_id)
        if not path.is_file():
            raise StoreDamagedError("the instance's file is missing", where=str(path), fix=_FIX)
        return path

    def fetch(self, instance_id: str, target: Path) -> None:
        """Copy an instance to *target*, whole or not at all, and only if its bytes are right."""
        source = self.path(instance_id)
        with translated_os_errors(target), atomic_writer(target) as copy, source.open("rb") as stream:
            if _copy_hashed(stream, copy) != instance_id:
                raise StoreDamagedError(
                    "the instance's file has other bytes than its name says", where=str(source), fix=_FIX
                )

    def problem(self, instance_id: str, package: str, size: int) -> str | None:
        """Return what is wrong with an instance's file, None when nothing is."""
        path = self.place_of(instance_id)
        try:
            if self.path(instance_id).stat().st_size != size or instance_id_of_file(path) != instance_id:
                return f"{path}: it has other bytes than its name says"
            named = read_package(path).package
        except StoreDamagedError as error:
            return str(error)
        except OSError as error:
            if error.errno != errno.EIO:  # all else may pass, or says nothing of the bytes
                raise
            return f"{path}: it cannot be read: {error.strerror}"
        return None if named == package else f"{path}: it is a package file of {named}"

    def strays(self, instance_ids: Collection[str]) -> Iterator[Path]:
        """Yield the package files that are none of these instances; files of other kinds are not the store's."""
        if self.folder.is_dir():
            names = sorted(path.name for path in self.folder.iterdir())
            yield from (self.folder / name for name in names if is_instance_id(name) and name not in instance_ids)

    def remove(self, place: Path) -> None:
        """Remove an instance's file, if it is there."""
        if place.exists():
            place.unlink()
            sync_folder(self.folder)

    def set_aside(self, instance_id: str) -> None:
        """Move a damaged file to the quarantine; one that is missing already is no matter."""
        path = self.place_of(instance_id)
        if path.exists():
            self._quarantine.mkdir(exist_ok=True)
            path.replace(self._quarantine / instance_id)
            sync_folder(self._quarantine)

    def forget_damaged(self, instance_id: str) -> None:
        """Remove what lies in quarantine of an instance that is whole again."""
        (self._quarantine / instance_id).unlink(missing_ok=True)


def _copy_hashed(source: BinaryIO, target: BinaryIO) -> str:
    """Copy all bytes, and return the instance id of what was copied."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return instance_id_of(digest.digest())
