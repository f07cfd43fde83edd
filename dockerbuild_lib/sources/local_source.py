"""Folders of this machine as sources: made into an archive when they are locked, and made again as they were."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dockerbuild_lib.catalog.locks import LocalArchive
from dockerbuild_lib.catalog.sources import LocalSource
from dockerbuild_lib.core.errors import LockError, UnsafeArchiveError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.sources.download import Received
from dockerbuild_lib.sources.local_tree import local_tree
from dockerbuild_lib.sources.outside import Outside, Wanted
from dockerbuild_lib.sources.project_version import project_version
from dockerbuild_lib.sources.tree_archive import write_tree_archive


def local_version(outside: Outside, source: LocalSource) -> str:
    """Return the version that the folder's project tells.

    Raises:
        LockError: there is no such folder, or it does not tell.

    """
    folder = outside.folder / source.folder
    if not folder.is_dir():
        raise LockError("there is no such folder", where=str(folder), fix="correct 'folder' in the recipe")
    return project_version(folder)


def pin_local(outside: Outside, wanted: Wanted[LocalSource], folder: Path) -> tuple[LocalArchive, Path]:
    """Return the pin of the folder's files as they are now, and their archive in *folder*.

    Raises:
        LockError: there is no such folder, or no file in it.
        UnsafeArchiveError: its files cannot be an archive.

    """
    place = folder / f"{wanted.label}.tar"
    received = _make(outside, wanted.source.folder, wanted.label, place)
    pin = LocalArchive(
        name=wanted.name,
        version=wanted.version,
        filename=place.name,
        sha256=received.sha256,
        size=received.size,
        folder=wanted.source.folder,
    )
    return pin, place


def fetch_local(outside: Outside, locked: LocalArchive, target: Path, _log: StepLog) -> None:
    """Make the archive of the folder again.

    Raises:
        LockError: the folder is gone, or its files are not those that were locked.

    """
    with tempfile.TemporaryDirectory(prefix=".local-", dir=target.parent) as folder:
        made = Path(folder) / "archive"
        if _make(outside, locked.folder, f"{locked.name}-{locked.version}", made).sha256 != locked.sha256:
            where, fix = str(outside.folder / locked.folder), f"run sources.lock --name={locked.name}"
            raise LockError("the folder has changed since it was locked", where=where, fix=fix)
        made.replace(target)


def has_changed(outside: Outside, locked: LocalArchive) -> bool:
    """Tell whether a folder's files are others than those that were locked, or cannot be an archive any more."""
    with tempfile.TemporaryDirectory(prefix="dockerbuild-local-") as folder:
        try:
            made = _make(outside, locked.folder, f"{locked.name}-{locked.version}", Path(folder) / "archive")
        except (LockError, UnsafeArchiveError):
            return True
    return made.sha256 != locked.sha256


def _make(outside: Outside, folder: str, top: str, target: Path) -> Received:
    place = outside.folder / folder
    return write_tree_archive(target, top, local_tree(place, outside.local_git), str(place))
