"""The world outside, as this machine reaches it; each part is opened when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from dockerbuild_lib.catalog.locks import DebianFile, LockedFile
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.catalog.sources import Source
from dockerbuild_lib.core.events import Emit, discard
from dockerbuild_lib.sources.archives import DEFAULT_LIMITS
from dockerbuild_lib.sources.cargo_program import Cargo
from dockerbuild_lib.sources.debian import SourcePackage, find_upstream_archives
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.git_program import Git
from dockerbuild_lib.sources.package_index import PackageIndex, open_package_index

DebianFinder = Callable[[Iterable[SourcePackage]], Mapping[SourcePackage, DebianFile]]
"""Finds the upstream archives of source packages."""
SomeSource_co = TypeVar("SomeSource_co", bound=Source, covariant=True)


@dataclass(frozen=True)
class Wanted(Generic[SomeSource_co]):
    """A source that is to be pinned: what it is for, which version, and where it comes from."""

    name: str
    """Of the wheel or library."""
    version: str
    source: SomeSource_co

    @property
    def label(self) -> str:
        """How it is called in errors and file names."""
        return f"{self.name}-{self.version}"


class Interning(Protocol):
    """The sources that this machine has: so each is brought from outside once."""

    def fetch(self, locked: LockedFile, /) -> Path:
        """Return where a pinned file is, which is brought from outside where it is not there yet."""

    def keep(self, locked: LockedFile, file: Path) -> None:
        """Take the bytes of a pin, which are at *file* now."""


@dataclass(frozen=True)
class Origins:
    """Where sources come from (None: as this machine is configured), and what their archives may unpack to."""

    index: PackageIndex | None = None
    debian: DebianFinder | None = None
    git: Git = field(default_factory=Git)
    cargo: Cargo = field(default_factory=Cargo)
    limits: ArchiveLimits = DEFAULT_LIMITS
    interning: Callable[[], Interning] | None = None
    """Needed where sources are pinned, and where one is made from another."""


class Outside:
    """What pins and fetches sources works with. *folder* is the catalogue's; *suites* are Debian's to look into."""

    def __init__(
        self, folder: Path, origins: Origins | None = None, *, suites: tuple[str, ...] = (), emit: Emit = discard
    ) -> None:
        self.folder = folder
        self.emit = emit
        self._origins = origins or Origins()
        self.find_debian = self._origins.debian or partial(find_upstream_archives, suites=suites)
        self._opening = threading.Lock()

    @cached_property
    def _index(self) -> PackageIndex:
        return self._origins.index or open_package_index()

    @property
    def index(self) -> PackageIndex:
        """The package indexes that pip is configured for."""
        with self._opening:
            return self._index

    @property
    def limits(self) -> ArchiveLimits:
        """What archives may unpack to."""
        return self._origins.limits

    @property
    def interning(self) -> Interning:
        """The sources that this machine has."""
        assert self._origins.interning, "nobody keeps sources"  # noqa: S101 - who pins or makes sources gives it
        return self._origins.interning()

    @property
    def cargo(self) -> Cargo:
        """cargo, which has a configuration of its own."""
        return self._origins.cargo

    @property
    def downloader(self) -> Downloader:
        """Fetches over HTTP, with the proxies and certificates that pip is configured for."""
        return self.index.downloader

    @property
    def git(self) -> Git:
        """git, with the same proxies and certificates."""
        return replace(self.local_git, http=self.index.configuration.http)

    @property
    def local_git(self) -> Git:
        """Git for what is on this machine already."""
        return self._origins.git
