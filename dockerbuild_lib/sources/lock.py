"""``sources.lock``: pins of everything that the catalogue needs from outside, written to ``config/locks``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Final, TypeVar

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.here import needed_first
from dockerbuild_lib.catalog.locks import LibrariesLock, SourcesLockName, ToolsLock, WheelLock
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.core.errors import OfflineError, UsageError
from dockerbuild_lib.core.events import Emit, Notice, discard
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.backends import Backends
from dockerbuild_lib.sources.cooldown import Cooldown
from dockerbuild_lib.sources.lock_changes import LockChange, changes_between
from dockerbuild_lib.sources.lock_files import LockFolder, write_lock
from dockerbuild_lib.sources.lock_parts import (
    Renewal,
    Sourced,
    renewed_libraries,
    renewed_tools,
    renewed_wheel,
)
from dockerbuild_lib.sources.lock_requires import RequirementsLocker
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.pins import Pinner

LIBRARIES: Final = "libraries"
PYTHONS: Final = "pythons"
IMAGES: Final = "images"
TOOLS = "tools"
SomeLock = TypeVar("SomeLock", WheelLock, LibrariesLock, ToolsLock)


@dataclass(frozen=True)
class Locking:
    """How pins are made."""

    backends: Callable[[Catalog], Backends]
    """Opens the sources' build backends, in an image of the catalogue that it is given, whose tools are locked."""
    origins: Origins
    update: bool = False
    """Whether everything is locked anew, also what is up to date."""
    cooldown: Cooldown | None = None
    """Says what is too young to be locked."""
    emit: Emit = discard


def update_locks(catalog: Catalog, names: Collection[str], locking: Locking) -> tuple[LockChange, ...]:
    """Lock what is not locked yet, and return what changed.

    *names* are wheels, libraries, ``pythons``, ``images`` or ``tools``; none means everything, and then the locks of
    wheels that the catalogue no longer has are removed. A lock that is up to date is not touched, and nobody outside
    is asked about it. Each lock is written as soon as it is complete, and each new source is interned.

    Raises:
        UsageError: the catalogue has no such name.
        LockError: something that the catalogue names does not exist, or not as wheels, or is too young or yanked.
        NetworkError, HashMismatchError, UnsafeArchiveError, ToolMissingError: a source cannot be had.
        BuildFailedError, LimitExceededError, EngineUnavailableError: a build backend cannot be asked.
        OfflineError: something must be asked of others, and connections are forbidden.

    """
    _check_names(catalog, names)
    return tuple(_Run(catalog, locking).changes(frozenset(names)))


def _check_names(catalog: Catalog, names: Collection[str]) -> None:
    known = {*catalog.wheels, *catalog.libraries, PYTHONS, IMAGES, TOOLS}
    for name in names:
        if name not in known:
            raise UsageError(f"unknown wheel or library {name!r}", fix=suggestion(name, known))


@dataclass
class _Run:
    catalog: Catalog
    """With the locks as they are now: each that is renewed counts for those that follow."""
    locking: Locking

    @cached_property
    def _folder(self) -> LockFolder:
        return LockFolder(self.catalog.folder / "locks")

    @cached_property
    def _renewal(self) -> Renewal:
        locking = self.locking
        outside = Outside(self.catalog.folder, locking.origins, suites=_suites(self.catalog), emit=locking.emit)
        pinner = Pinner(outside, locking.cooldown)
        locker = RequirementsLocker(pinner, lambda: self._backends, tuple(self.catalog.pythons))
        return Renewal(pinner, locker, locking.update)

    @cached_property
    def _backends(self) -> Backends:
        return self.locking.backends(self.catalog)

    def changes(self, names: frozenset[str]) -> Iterator[LockChange]:
        # Backends are asked in an image, which is made of the tools; and what is built here may need libraries.
        if TOOLS in names or not names:
            yield from self._tools()
        yield from self._libraries(names)
        if PYTHONS in names or not names:
            yield from self._sources(PYTHONS, self.catalog.python_upstreams)
        if IMAGES in names or not names:
            yield from self._sources(IMAGES, self.catalog.image_sources)
        wanted = sorted(names.intersection(self.catalog.wheels) if names else self.catalog.wheels)
        for name in needed_first(wanted, self.catalog.wheels):
            yield from self._wheel(name)
        if not names:
            yield from self._forget_wheels()

    def _tools(self) -> Iterator[LockChange]:
        old = self.catalog.locks.tools
        new = self._renewed(TOOLS, self._folder.tools, old, partial(renewed_tools, self._renewal, _tools(self.catalog)))
        self.catalog = self.catalog.with_locks(replace(self.catalog.locks, tools=new))
        yield from changes_between(TOOLS, old, new)

    def _wheel(self, name: str) -> Iterator[LockChange]:
        locks = self.catalog.locks
        old = locks.wheels.get(name, WheelLock())
        renew = partial(renewed_wheel, self._renewal, self.catalog, name)
        new = self._renewed(name, self._folder.wheel(name), old, renew)
        # Others may be built with it.
        self.catalog = self.catalog.with_locks(replace(locks, wheels={**locks.wheels, name: new}))
        yield from changes_between(name, old, new)

    def _libraries(self, names: frozenset[str]) -> Iterator[LockChange]:
        libraries = self.catalog.libraries
        wanted = names.intersection(libraries) if names else frozenset(libraries)
        if names and not wanted:
            return
        yield from self._sources(LIBRARIES, libraries, wanted)

    def _sources(
        self, name: SourcesLockName, known: Mapping[str, Sourced], wanted: frozenset[str] | None = None
    ) -> Iterator[LockChange]:
        """Renew the lock *name*, in which each of *known* has a source: those *wanted*, by default all."""
        old: LibrariesLock = getattr(self.catalog.locks, name)
        renew = partial(renewed_libraries, self._renewal, known, frozenset(known) if wanted is None else wanted)
        new = self._renewed(name, self._folder.folder / f"{name}.json", old, renew)
        self.catalog = self.catalog.with_locks(self.catalog.locks.with_sources(name, new))
        yield from changes_between(name, old, new)

    def _renewed(self, name: str, file: Path, old: SomeLock, renew: Callable[..., SomeLock]) -> SomeLock:
        try:
            new = renew(old=old)
        except OfflineError as error:
            what = f"its lock is not up to date, and {error.what}"
            raise OfflineError(what, where=name, fix="run sources.lock where they are allowed") from error
        if new != old:
            write_lock(file, new)
            self.locking.emit(Notice(f"{file} written"))
        return new

    def _forget_wheels(self) -> Iterator[LockChange]:
        for name, old in sorted(self.catalog.locks.wheels.items()):
            if name not in self.catalog.wheels:
                file = self._folder.wheel(name)
                with translated_os_errors(file):
                    file.unlink(missing_ok=True)
                yield from changes_between(name, old, WheelLock())


def _suites(catalog: Catalog) -> tuple[str, ...]:
    return tuple(dict.fromkeys(image.suite for image in catalog.images.values()))


def _tools(catalog: Catalog) -> frozenset[str]:
    return frozenset(tool for image in catalog.images.values() for tool in image.tools)
