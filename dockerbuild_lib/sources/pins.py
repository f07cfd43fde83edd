"""Pins of single sources as they are now: of the package index's files, and of every other type in its own file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile, LockedFile, SourceFile
from dockerbuild_lib.catalog.sources import (
    ArchiveSource,
    DebianSource,
    GitSource,
    LocalSource,
    SdistSource,
    Source,
)
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.events import Notice
from dockerbuild_lib.sources.archive_source import pin_archive
from dockerbuild_lib.sources.backends import HereWheel
from dockerbuild_lib.sources.crates_source import pin_crates
from dockerbuild_lib.sources.debian_source import pin_debian
from dockerbuild_lib.sources.download import Expected, Received
from dockerbuild_lib.sources.git_source import pin_git
from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.sources.local_source import local_version, pin_local
from dockerbuild_lib.sources.outside import Outside, Wanted
from dockerbuild_lib.sources.package_index import PackageIndex
from dockerbuild_lib.sources.resolve import Resolved, resolve
from dockerbuild_lib.sources.selection import (
    find_build_machine_wheel,
    find_platform_wheel,
    find_sdist,
    find_universal_wheel,
)

_PINS: Mapping[type[Source], Callable[[Outside, Wanted[Any], Path], tuple[SourceFile, Path]]] = {
    ArchiveSource: pin_archive,
    GitSource: pin_git,
    LocalSource: pin_local,
    DebianSource: pin_debian,
}
"""How each type is pinned, but for the package index's: a function that gives the pin and the bytes in a folder."""


Keep = Callable[[LockedFile, Path], None]
"""Takes the bytes of a pin, so that they need not come from outside again."""


class Pinner:
    """Makes pins of what sources are now."""

    def __init__(self, outside: Outside, keep: Keep) -> None:
        self.outside = outside
        self._keep = keep
        self._resolved: dict[tuple[tuple[str, ...], str, tuple[HereWheel, ...]], tuple[IndexFile, ...]] = {}

    @property
    def _index(self) -> PackageIndex:
        return self.outside.index

    def folder_version(self, source: LocalSource) -> str:
        """Return the version that a local folder tells.

        Raises:
            LockError: there is no such folder, or it does not tell.

        """
        return local_version(self.outside, source)

    def source(self, distribution: str, version: str, source: Source) -> SourceFile:
        """Pin the source of a version; its bytes are handed on to be kept.

        Raises:
            LockError: there is no source of that version.
            NetworkError, HashMismatchError, UnsafeArchiveError: it cannot be had.

        """
        with tempfile.TemporaryDirectory(prefix="dockerbuild-lock-") as folder:
            file: SourceFile
            if isinstance(source, SdistSource):
                file, place = self._sdist(distribution, version, Path(folder))
            else:
                wanted = Wanted(distribution, version, source)
                file, place = _PINS[type(source)](self.outside, wanted, Path(folder))
            self._keep(file, place)
            return file

    def _sdist(self, distribution: str, version: str, folder: Path) -> tuple[IndexFile, Path]:
        entry = find_sdist(self._index.files(distribution), version)
        found = self._present(entry, distribution, version, "sdist")
        target = folder / found.filename
        return _pin(found, distribution, version, self._download(found, target)), target

    def crates(self, name: str, version: str, source: SourceFile) -> CratesArchive:
        """Pin the crates that the Cargo.lock of *source* names; the archive's bytes are handed on to be kept.

        Raises:
            LockError: there is no Cargo.lock, or it does not pin everything.
            NetworkError, HashMismatchError, UnsafeArchiveError, ToolMissingError: they cannot be had.

        """
        with tempfile.TemporaryDirectory(prefix="dockerbuild-lock-") as folder:
            file, place = pin_crates(self.outside, name, version, source, Path(folder))
            self._keep(file, place)
            return file

    def universal_wheel(self, distribution: str, version: str) -> IndexFile:
        """Pin the wheel of a version that runs everywhere.

        Raises:
            LockError: the index has no such wheel of that version.

        """
        entry = find_universal_wheel(self._index.files(distribution), version)
        return self._complete(
            self._present(entry, distribution, version, "universal wheel (py3-none-any)"), distribution, version
        )

    def platform_wheel(self, distribution: str, version: str, python: str, tags: tuple[str, ...]) -> IndexFile:
        """Pin the wheel of a version for *python* (3.11) on a platform with *tags* (PEP 425).

        Raises:
            LockError: the index has no such wheel of that version.

        """
        entry = find_platform_wheel(self._index.files(distribution), version, python, tags)
        kind = f"wheel for Python {python} on {tags[0]} or older"
        return self._complete(self._present(entry, distribution, version, kind), distribution, version)

    def build_wheels(
        self, requirements: Iterable[str], python: str, here: Sequence[HereWheel] = ()
    ) -> tuple[IndexFile, ...]:
        """Pin the wheels of all that *requirements* and *here* need under *python* on the build machine, by name.

        Those in *here* are there already; what they need comes from the package index.

        Raises:
            LockError: they cannot be fulfilled by wheels.
            NetworkError: the package index cannot be reached.

        """
        key = (tuple(sorted(requirements)), python, tuple(here))
        if key not in self._resolved:
            files = {wheel.distribution: wheel.file for wheel in here}
            resolved = resolve(key[0], python, self._index.configuration, files)
            self._resolved[key] = tuple(self._build_wheel(pin, python) for pin in resolved)
        return self._resolved[key]

    def _build_wheel(self, resolved: Resolved, python: str) -> IndexFile:
        name, version = resolved.name, resolved.version
        # Only files that uv saw too: two readings of the index must agree.
        files = [file for file in self._index.files(name) if file.sha256 is None or file.sha256 in resolved.sha256s]
        kind = f"wheel for Python {python} on the build machine"
        entry = self._present(find_build_machine_wheel(files, version, python), name, version, kind)
        return self._complete(entry, name, version)

    def _present(self, entry: IndexEntry | None, distribution: str, version: str, kind: str) -> IndexEntry:
        if entry is None:
            known = self._index.files(distribution)
            what = f"the package index has no {kind} of it" if known else "the package index does not know it"
            raise LockError(what, where=f"{distribution} {version}", fix="check the name and version in the catalogue")
        if entry.yanked:
            text = f"{entry.filename} was yanked by its authors; choose another version where you can"
            self.outside.emit(Notice(text, warning=True))
        return entry

    def _complete(self, entry: IndexEntry, distribution: str, version: str) -> IndexFile:
        if entry.sha256 is not None and entry.size is not None:
            return _pin(entry, distribution, version, Received(entry.sha256, entry.size))
        with tempfile.TemporaryDirectory(prefix="dockerbuild-lock-") as folder:
            return _pin(entry, distribution, version, self._download(entry, Path(folder) / "file"))

    def _download(self, entry: IndexEntry, target: Path) -> Received:
        return self._index.downloader.download(entry.url, target, Expected(entry.sha256, entry.size))


def _pin(entry: IndexEntry, distribution: str, version: str, received: Received) -> IndexFile:
    return IndexFile(
        distribution=distribution,
        version=version,
        filename=entry.filename,
        sha256=received.sha256,
        size=received.size,
    )
