"""``sources.lock``: pins of everything that the catalogue needs from outside, written to ``config/locks``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import LibrariesLock, ToolsLock, WheelLock
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.core.errors import OfflineError, UsageError
from dockerbuild_lib.core.events import Emit, Notice
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.cooldown import Cooldown
from dockerbuild_lib.sources.lock_changes import LockChange, changes_between
from dockerbuild_lib.sources.lock_files import LockFolder, write_lock
from dockerbuild_lib.sources.lock_parts import (
    Renewal,
    renewed_libraries,
    renewed_tools,
    renewed_wheel,
)
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.pins import Pinner

LIBRARIES = "libraries"
PYTHONS = "pythons"
TOOLS = "tools"
SomeLock = TypeVar("SomeLock", WheelLock, LibrariesLock, ToolsLock)


def update_locks(  # noqa: PLR0913 - all but the catalogue and the names are named at the call
    catalog: Catalog,
    names: Collection[str] = (),
    *,
    update: bool,
    emit: Emit,
    origins: Origins | None = None,
    cooldown: Cooldown | None = None,
) -> tuple[LockChange, ...]:
    """Lock what is not locked yet, and return what changed; with *update* lock all of it anew.

    *names* are wheels, libraries, ``pythons`` or ``tools``; none means everything, and
    then the locks of wheels that the catalogue no longer has are removed. A lock that is up to date is not
    touched, and nobody outside is asked about it. Each lock is written as soon as it is complete. What *cooldown* finds
    too young is not locked.

    Raises:
        UsageError: the catalogue has no such name.
        LockError: something that the catalogue names does not exist, or not as wheels, or is too young or yanked.
        NetworkError, HashMismatchError, UnsafeArchiveError, ToolMissingError: a source cannot be had.
        OfflineError: something must be asked of others, and connections are forbidden.

    """
    _check_names(catalog, names)
    pythons = tuple(catalog.pythons)
    outside = Outside(catalog.folder, origins, suites=_suites(catalog), emit=emit)
    renewal = Renewal(Pinner(outside, cooldown), pythons, update)
    return tuple(_Run(catalog, LockFolder(catalog.folder / "locks"), renewal, emit).changes(frozenset(names)))


def _check_names(catalog: Catalog, names: Collection[str]) -> None:
    known = {*catalog.wheels, *catalog.libraries, PYTHONS, TOOLS}
    for name in names:
        if name not in known:
            raise UsageError(f"unknown wheel or library {name!r}", fix=suggestion(name, known))


@dataclass(frozen=True)
class _Run:
    catalog: Catalog
    folder: LockFolder
    renewal: Renewal
    emit: Emit

    def changes(self, names: frozenset[str]) -> Iterator[LockChange]:
        for name in sorted(names.intersection(self.catalog.wheels) if names else self.catalog.wheels):
            renew = partial(renewed_wheel, self.renewal, self.catalog, name)
            old = self.catalog.locks.wheels.get(name, WheelLock())
            yield from self._renew(name, self.folder.wheel(name), old, renew)
        yield from self._libraries(names)
        if PYTHONS in names or not names:
            yield from self._pythons()
        if TOOLS in names or not names:
            renew_tools = partial(renewed_tools, self.renewal, _tools(self.catalog))
            yield from self._renew(TOOLS, self.folder.tools, self.catalog.locks.tools, renew_tools)
        if not names:
            yield from self._forget_wheels()

    def _libraries(self, names: frozenset[str]) -> Iterator[LockChange]:
        libraries = self.catalog.libraries
        wanted = names.intersection(libraries) if names else frozenset(libraries)
        if names and not wanted:
            return
        renew = partial(renewed_libraries, self.renewal, libraries, wanted)
        yield from self._renew(LIBRARIES, self.folder.libraries, self.catalog.locks.libraries, renew)

    def _pythons(self) -> Iterator[LockChange]:
        pythons = {name: python.upstream for name, python in self.catalog.pythons.items() if python.upstream}
        renew = partial(renewed_libraries, self.renewal, pythons, frozenset(pythons))
        yield from self._renew(PYTHONS, self.folder.pythons, self.catalog.locks.pythons, renew)

    def _renew(self, name: str, file: Path, old: SomeLock, renew: Callable[..., SomeLock]) -> Iterator[LockChange]:
        try:
            new = renew(old=old)
        except OfflineError as error:
            what = f"its lock is not up to date, and {error.what}"
            raise OfflineError(what, where=name, fix="run sources.lock where they are allowed") from error
        if new != old:
            write_lock(file, new)
            self.emit(Notice(f"{file} written"))
        yield from changes_between(name, old, new)

    def _forget_wheels(self) -> Iterator[LockChange]:
        for name, old in sorted(self.catalog.locks.wheels.items()):
            if name not in self.catalog.wheels:
                file = self.folder.wheel(name)
                with translated_os_errors(file):
                    file.unlink(missing_ok=True)
                yield from changes_between(name, old, WheelLock())


def _suites(catalog: Catalog) -> tuple[str, ...]:
    return tuple(dict.fromkeys(image.suite for image in catalog.images.values()))


def _tools(catalog: Catalog) -> frozenset[str]:
    return frozenset(tool for image in catalog.images.values() for tool in image.tools)
