"""Upstream archives of Debian source packages as sources."""

from __future__ import annotations

from pathlib import Path

from dockerbuild_lib.catalog.locks import DebianFile
from dockerbuild_lib.catalog.sources import DebianSource
from dockerbuild_lib.core.events import ProgressLog
from dockerbuild_lib.sources.debian import SourcePackage, download_debian_file
from dockerbuild_lib.sources.outside import Outside, Wanted


def pin_debian(outside: Outside, wanted: Wanted[DebianSource], folder: Path) -> tuple[DebianFile, Path]:
    """Return the pin of a package's upstream archive, and the archive in *folder*.

    Raises:
        LockError: Debian does not have the package, or not in that version.
        NetworkError, HashMismatchError, ToolMissingError: it cannot be had.

    """
    package = SourcePackage(wanted.source.package, wanted.version, wanted.source.suite)
    pin = outside.find_debian([package])[package]
    download_debian_file(pin, folder / pin.filename)
    return pin, folder / pin.filename


def fetch_debian(_outside: Outside, locked: DebianFile, target: Path, log: ProgressLog) -> None:
    """Fetch the locked archive from the first of apt's repositories that has it; errors as its own room says them."""
    download_debian_file(locked, target, log=log)
