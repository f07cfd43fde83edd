"""Pins of single sources as they are now: of the package index's files, and of every other type in its own file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile, SourceFile
from dockerbuild_lib.catalog.sources import (
    ArchiveSource,
    DebianSource,
    GitSource,
    LocalSource,
    SdistSource,
    Source,
)
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.archive_source import pin_archive
from dockerbuild_lib.sources.backends import HereWheel, Subject
from dockerbuild_lib.sources.build_system import declared_requires
from dockerbuild_lib.sources.cooldown import Cooldown
from dockerbuild_lib.sources.crates_source import pin_crates
from dockerbuild_lib.sources.debian_source import pin_debian
from dockerbuild_lib.sources.download import Expected, Received
from dockerbuild_lib.sources.git_source import pin_git
from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.sources.local_source import local_version, pin_local
from dockerbuild_lib.sources.outside import Outside, Wanted
from dockerbuild_lib.sources.package_index import PackageIndex
from dockerbuild_lib.sources.patching import read_member
from dockerbuild_lib.sources.resolve import Resolved, resolve
from dockerbuild_lib.sources.selection import (
    find_build_machine_wheel,
    find_platform_wheel,
    find_sdist,
    find_universal_wheel,
)
from dockerbuild_lib.sources.yanked import is_named, refuse_yanked

_YANKED_FIX = "choose another version, or write below it why it is taken all the same: 'yanked: REASON'"
_PINS: Mapping[type[Source], Callable[[Outside, Wanted[Any], Path], tuple[SourceFile, Path]]] = {
    ArchiveSource: pin_archive,
    GitSource: pin_git,
    LocalSource: pin_local,
    DebianSource: pin_debian,
}
"""How each type is pinned, but for the package index's: a function that gives the pin and the bytes in a folder."""


class Pinner:
    """Makes pins of what sources are now; *cooldown* says which of the package index's files are too young."""

    def __init__(self, outside: Outside, cooldown: Cooldown | None = None) -> None:
        self.outside = outside
        self._cooldown = cooldown
        self._resolved: dict[tuple[object, ...], tuple[IndexFile, ...]] = {}

    @property
    def _index(self) -> PackageIndex:
        return self.outside.index

    def folder_version(self, source: LocalSource) -> str:
        """Return the version that a local folder tells.

        Raises:
            LockError: there is no such folder, or it does not tell.

        """
        return local_version(self.outside, source)

    def source(self, distribution: str, version: str, source: Source, yanked: str | None = None) -> SourceFile:
        """Pin the source of a version; its bytes are interned.

        *yanked* is why it may be one that its authors took back; None: it may not.

        Raises:
            LockError: there is no source of that version, or only one that is too young or yanked.
            NetworkError, HashMismatchError, UnsafeArchiveError: it cannot be had.

        """
        with tempfile.TemporaryDirectory(prefix="dockerbuild-lock-") as folder:
            file: SourceFile
            if isinstance(source, SdistSource):
                file, place = self._sdist(distribution, version, yanked, Path(folder))
            else:
                wanted = Wanted(distribution, version, source)
                file, place = _PINS[type(source)](self.outside, wanted, Path(folder))
            self.outside.interning.keep(file, place)
            return file

    def _sdist(self, distribution: str, version: str, yanked: str | None, folder: Path) -> tuple[IndexFile, Path]:
        entry = find_sdist(self._index.files(distribution), version)
        found = self._present(entry, distribution, version, "sdist")
        self._refuse(found, None if yanked else _YANKED_FIX)
        target = folder / found.filename
        return _pin(found, distribution, version, self._download(found, target)), target

    def declared_requires(self, catalog: Catalog, subject: Subject) -> tuple[str, ...]:
        """Return what the pyproject.toml of a source asks for, as the catalogue's patches leave it; no code of it runs.

        Raises:
            LockError: it is wrong.
            UnsafeArchiveError, PatchFailedError: there is no source to read it in.

        """
        archive, patches = self.outside.interning.fetch(subject.source), subject.patches(catalog.folder)
        content = read_member(archive, "pyproject.toml", self.outside.limits, patches)
        return declared_requires(content, subject.name)

    def crates(self, name: str, version: str, source: SourceFile) -> CratesArchive:
        """Pin the crates that the Cargo.lock of *source* names; their archive is interned.

        Raises:
            LockError: there is no Cargo.lock, or it does not pin everything.
            NetworkError, HashMismatchError, UnsafeArchiveError, ToolMissingError: they cannot be had.

        """
        with tempfile.TemporaryDirectory(prefix="dockerbuild-lock-") as folder:
            file, place = pin_crates(self.outside, name, version, source, Path(folder))
            self.outside.interning.keep(file, place)
            return file

    def universal_wheel(self, distribution: str, version: str, yanked: str | None = None) -> IndexFile:
        """Pin the wheel of a version that runs everywhere; *yanked* as for :meth:`source`.

        Raises:
            LockError: the index has no such wheel of that version, or only one that is too young or yanked.

        """
        entry = find_universal_wheel(self._index.files(distribution), version)
        found = self._present(entry, distribution, version, "universal wheel (py3-none-any)")
        self._refuse(found, None if yanked else _YANKED_FIX)
        return self._complete(found, distribution, version)

    def platform_wheel(
        self, distribution: str, version: str, python: str, tags: tuple[str, ...], yanked: str | None = None
    ) -> IndexFile:
        """Pin the wheel of a version for *python* (3.11) on a platform with *tags* (PEP 425); *yanked* as above.

        Raises:
            LockError: the index has no such wheel of that version, or only one that is too young or yanked.

        """
        entry = find_platform_wheel(self._index.files(distribution), version, python, tags)
        kind = f"wheel for Python {python} on {tags[0]} or older"
        if entry is None and self._index.files(distribution):
            what, fix = (
                f"the package index has no {kind} of it",
                f"leave it out: 'skip: {{PLATFORM-py{python}: REASON}}'",
            )
            raise LockError(what, where=f"{distribution} {version}", fix=fix)
        found = self._present(entry, distribution, version, kind)
        self._refuse(found, None if yanked else _YANKED_FIX)
        return self._complete(found, distribution, version)

    def build_wheels(
        self, requirements: Iterable[str], python: str, named: Collection[str] = (), here: Sequence[HereWheel] = ()
    ) -> tuple[IndexFile, ...]:
        """Pin the wheels of all that *requirements* and *here* need under *python* on the build machine, by name.

        *named* are those of them that the catalogue itself names: what it pins (==) may be yanked. Those in *here* are
        there already; what they need comes from the package index.

        Raises:
            LockError: they cannot be fulfilled by wheels, or only by a yanked one.
            NetworkError: the package index cannot be reached.

        """
        wanted = tuple(sorted(requirements))
        key = (wanted, python, tuple(sorted(named)), tuple(here))
        if key not in self._resolved:
            newest = self._cooldown.newest if self._cooldown else None
            files = {wheel.distribution: wheel.file for wheel in here}
            resolved = resolve(wanted, python, self._index.configuration, newest=newest, here=files)
            self._resolved[key] = tuple(self._build_wheel(pin, python, named) for pin in resolved)
        return self._resolved[key]

    def _build_wheel(self, resolved: Resolved, python: str, named: Collection[str]) -> IndexFile:
        name, version = resolved.name, resolved.version
        # Only files that uv saw too: two readings of the index must agree.
        files = [file for file in self._index.files(name) if file.sha256 is None or file.sha256 in resolved.sha256s]
        kind = f"wheel for Python {python} on the build machine"
        entry = self._present(find_build_machine_wheel(files, version, python), name, version, kind)
        fix = f"change the requirement that asks for it, or name {name}=={version} in the catalogue yourself"
        self._refuse(entry, None if is_named(named, name, version) else fix)
        return self._complete(entry, name, version)

    def _refuse(self, entry: IndexEntry, yanked_fix: str | None) -> None:
        """Refuse a file that is too young, or (unless *yanked_fix* is None) yanked."""
        if self._cooldown:
            self._cooldown.refuse_young(entry)
        if yanked_fix:
            refuse_yanked(entry, yanked_fix)

    def _present(self, entry: IndexEntry | None, distribution: str, version: str, kind: str) -> IndexEntry:
        if entry is None:
            known = self._index.files(distribution)
            what = f"the package index has no {kind} of it" if known else "the package index does not know it"
            raise LockError(what, where=f"{distribution} {version}", fix="check the name and version in the catalogue")
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
