"""The world outside: where a locked file comes from when the store does not have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from dockerbuild_lib.catalog.locks import (
    ArchiveFile,
    CratesArchive,
    DebianFile,
    GitArchive,
    IndexFile,
    LocalArchive,
    LockedFile,
)
from dockerbuild_lib.core.errors import HashMismatchError
from dockerbuild_lib.core.events import ProgressLog, silent
from dockerbuild_lib.core.http import RefusedError
from dockerbuild_lib.sources.archive_source import fetch_archive
from dockerbuild_lib.sources.crates_source import fetch_crates
from dockerbuild_lib.sources.debian_source import fetch_debian
from dockerbuild_lib.sources.download import Expected
from dockerbuild_lib.sources.git_source import fetch_git
from dockerbuild_lib.sources.local_source import fetch_local
from dockerbuild_lib.sources.outside import Outside
from dockerbuild_lib.sources.package_index import PackageIndex


class Upstream(Protocol):
    """What fetches locked files from outside."""

    def download(self, locked: LockedFile, target: Path, log: ProgressLog = silent) -> None:
        """Fetch *locked* to *target*, verified; *log* is told how far it has come, and what went wrong on the way.

        Raises:
            NetworkError: nobody serves it, or can be reached.
            HashMismatchError: what is served is another file.
            LockError: a folder of this machine is not what was locked any more.

        """


class MachineUpstream:
    """The world outside, as this machine reaches it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def download(self, locked: LockedFile, target: Path, log: ProgressLog = silent) -> None:
        """Fetch *locked* to *target* (see :class:`Upstream`)."""
        _FETCHERS[type(locked)](self._outside, locked, target, log)


def _fetch_index_file(outside: Outside, locked: IndexFile, target: Path, log: ProgressLog) -> None:
    download_index_file(outside.index, locked, target, log)


_FETCHERS: Mapping[type[LockedFile], Callable[[Outside, Any, Path, ProgressLog], None]] = {
    IndexFile: _fetch_index_file,
    ArchiveFile: fetch_archive,
    GitArchive: fetch_git,
    LocalArchive: fetch_local,
    DebianFile: fetch_debian,
    CratesArchive: fetch_crates,
}


def download_index_file(index: PackageIndex, locked: IndexFile, target: Path, log: ProgressLog = silent) -> None:
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
                index.downloader.download(file.url, target, Expected(locked.sha256, locked.size), log.progress)
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
