"""The world outside, as this machine reaches it; each part is opened when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Generic, TypeVar

from dockerbuild_lib.catalog.locks import DebianFile, LockedFile
from dockerbuild_lib.catalog.sources import Source
from dockerbuild_lib.core.events import Emit, discard
from dockerbuild_lib.sources.cargo_program import Cargo
from dockerbuild_lib.sources.debian import SourcePackage, find_upstream_archives
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.git_program import Git
from dockerbuild_lib.sources.package_index import PackageIndex, open_package_index

DebianFinder = Callable[[Iterable[SourcePackage]], Mapping[SourcePackage, DebianFile]]
"""Finds the upstream archives of source packages."""
Fetch = Callable[[LockedFile], Path]
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


@dataclass(frozen=True)
class Origins:
    """Where sources come from; None: as this machine is configured."""

    index: PackageIndex | None = None
    debian: DebianFinder | None = None
    git: Git = field(default_factory=Git)
    cargo: Cargo = field(default_factory=Cargo)
    fetch: Fetch | None = None
    """Returns where a pinned file is, from the store first; needed where one source is made from another."""


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
    def downloader(self) -> Downloader:
        """Fetches over HTTP, with the proxies and certificates that pip is configured for."""
        return self.index.downloader

    @property
    def cargo(self) -> Cargo:
        """cargo, which has a configuration of its own."""
        return self._origins.cargo

    def fetch(self, locked: LockedFile) -> Path:
        """Return where a pinned file is, that another source is made from."""
        assert self._origins.fetch, locked  # noqa: S101 - whoever pins or fetches such sources gives it
        return self._origins.fetch(locked)

    @property
    def git(self) -> Git:
        """git, with the same proxies and certificates."""
        return replace(self.local_git, http=self.index.configuration.http)

    @property
    def local_git(self) -> Git:
        """Git for what is on this machine already."""
        return self._origins.git
