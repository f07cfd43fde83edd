"""Packages as a tree: what is below a prefix, as CIPD's ListPrefix shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockerbuild_lib.store.names import check_prefix
from dockerbuild_lib.store.protocol import Listing


def listing_of(packages: Iterable[str], prefix: str, *, recursive: bool) -> Listing:
    """Arrange *packages*, all of which are below *prefix*, and sorted.

    Of "a/b", "a/c/d" and "a/c/e/f" below "a", the package "a/b" and the prefix "a/c" are right below it; with
    *recursive* all three are listed, and the prefixes "a/c" and "a/c/e".
    """
    base = len(folder) + 1 if (folder := check_prefix(prefix)) else 0
    listed, prefixes = [], set()
    for package in packages:
        above = list(_prefixes(package, base))
        if recursive or not above:
            listed.append(package)
        prefixes.update(above if recursive else above[:1])
    return Listing(tuple(listed), tuple(sorted(prefixes)))


def _prefixes(package: str, base: int) -> Iterator[str]:
    """Yield the prefixes of *package* that are longer than its first *base* characters, the shortest first."""
    slash = package.find("/", base)
    while slash != -1:
        yield package[:slash]
        slash = package.find("/", slash + 1)
