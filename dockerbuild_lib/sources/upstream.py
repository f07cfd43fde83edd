"""The world outside: where a locked file comes from when the store does not have it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

from dockerbuild_lib.catalog.locks import DebianFile, IndexFile, LockedFile
from dockerbuild_lib.core.errors import HashMismatchError
from dockerbuild_lib.sources.debian import download_debian_file
from dockerbuild_lib.sources.download import Expected
from dockerbuild_lib.sources.http import RefusedError
from dockerbuild_lib.sources.package_index import PackageIndex, open_package_index


class Upstream(Protocol):
    """What fetches locked files from outside."""

    def download(self, locked: LockedFile, target: Path) -> None:
        """Fetch *locked* to *target*, verified.

        Raises:
            NetworkError: nobody serves it, or can be reached.
            HashMismatchError: what is served is another file.

        """


class MachineUpstream:
    """The package indexes and Debian mirrors that this machine's pip and apt are configured for."""

    def __init__(self, index: PackageIndex | None = None) -> None:
        self._index = index
        self._opening = threading.Lock()

    def download(self, locked: LockedFile, target: Path) -> None:
        """Fetch *locked* to *target* (see :class:`Upstream`)."""
        if isinstance(locked, DebianFile):
            download_debian_file(locked, target)
            return
        if not isinstance(locked, IndexFile):
            raise RefusedError(f"sources of the origin {locked.origin} cannot be fetched", where=locked.filename)
        with self._opening:
            self._index = self._index or open_package_index()
        download_index_file(self._index, locked, target)


def download_index_file(index: PackageIndex, locked: IndexFile, target: Path) -> None:
    """Fetch *locked* from the first index that has a file of this name and hash.

    An index that does not tell hashes is tried too: the download is verified.

    Raises:
        NetworkError: no index has a file of this name.
        HashMismatchError: all that have it have another one.

    """
    other: str | None = None
    for _, files in index.listings(locked.distribution):
        for file in files:
            if file.filename != locked.filename:
                continue
            if file.sha256 in (None, locked.sha256):
                index.downloader.download(file.url, target, Expected(locked.sha256, locked.size))
                return
            other = f"the package index has it with the sha256 {file.sha256}, but {locked.sha256} is locked"
    raise _not_served(locked, other)


def _not_served(locked: IndexFile, other: str | None) -> HashMismatchError | RefusedError:
    if other:
        fix = "find out who changed the file, or lock it anew with sources.lock --update"
        return HashMismatchError(other, where=locked.filename, fix=fix)
    return RefusedError(
        "the package index does not have it any more",
        where=locked.filename,
        fix="choose another version and lock it with sources.lock, or put the file into the store",
    )
