"""Pins of single files: found in the package index, measured where the index does not tell."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.sources import SdistSource, Source
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.events import Emit, Notice
from dockerbuild_lib.sources.build_system import declared_requires
from dockerbuild_lib.sources.download import Expected, Received
from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.sources.package_index import PackageIndex, open_package_index
from dockerbuild_lib.sources.resolve import Resolved, resolve
from dockerbuild_lib.sources.selection import find_build_machine_wheel, find_sdist, find_universal_wheel


@dataclass(frozen=True)
class PinnedSource:
    """A source's pin, and what it declares that it needs to be built."""

    file: LockedFile
    declared_requires: tuple[str, ...]


class Pinner:
    """Makes pins from what the package index of this machine has now."""

    def __init__(self, index: PackageIndex | None, emit: Emit) -> None:
        """*index* is this machine's when it is None, opened when it is first needed."""
        self._given = index
        self._emit = emit
        self._resolved: dict[tuple[tuple[str, ...], str], tuple[IndexFile, ...]] = {}

    @cached_property
    def _index(self) -> PackageIndex:
        return self._given or open_package_index()

    def source(self, distribution: str, version: str, source: Source) -> PinnedSource:
        """Pin the source of a version, and read what it declares; none of its code runs.

        Raises:
            LockError: there is no source of that version.
            NetworkError, HashMismatchError, UnsafeArchiveError: it cannot be had.

        """
        if isinstance(source, SdistSource):
            return self._sdist(distribution, version)
        raise LockError(f"sources of the type {source.type} cannot be locked", where=f"{distribution} {version}")

    def _sdist(self, distribution: str, version: str) -> PinnedSource:
        entry = find_sdist(self._index.files(distribution), version)
        found = self._present(entry, distribution, version, "sdist")
        with tempfile.TemporaryDirectory(prefix="dockerbuild-lock-") as folder:
            target = Path(folder) / found.filename
            received = self._download(found, target)
            return PinnedSource(_pin(found, distribution, version, received), declared_requires(target))

    def universal_wheel(self, distribution: str, version: str) -> IndexFile:
        """Pin the wheel of a version that runs everywhere.

        Raises:
            LockError: the index has no such wheel of that version.

        """
        entry = find_universal_wheel(self._index.files(distribution), version)
        return self._complete(
            self._present(entry, distribution, version, "universal wheel (py3-none-any)"), distribution, version
        )

    def build_wheels(self, requirements: Iterable[str], python: str) -> tuple[IndexFile, ...]:
        """Pin the wheels of all that *requirements* need under *python* on the build machine, by name.

        Raises:
            LockError: they cannot be fulfilled by wheels.
            NetworkError: the package index cannot be reached.

        """
        key = (tuple(sorted(requirements)), python)
        if key not in self._resolved:
            resolved = resolve(key[0], python, self._index.configuration)
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
            self._emit(Notice(text, warning=True))
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
