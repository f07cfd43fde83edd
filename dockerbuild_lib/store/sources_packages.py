"""Sources in the store: each is a package with one file, found again by the sha256 that pins it."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dockerbuild_lib.core.errors import (
    HashMismatchError,
    NotInStoreError,
    PermissionDeniedError,
    StoreDamagedError,
)
from dockerbuild_lib.core.files import CHUNK, atomic_writer, sha256_of, translated_os_errors
from dockerbuild_lib.plan.naming import SOURCES, package_path
from dockerbuild_lib.store.package_file import open_member, read_package, write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import EmbeddedStore, Pin, Publication, Store

_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]")


class InternedSources:
    """The sources of a store, as the room that fetches them asks for them."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        """Return those of *sha256s* that the store has."""
        return frozenset(interned(self._store, sha256s))

    def fetch(self, sha256: str, target: Path) -> None:
        """Write the interned file to *target*. One that is damaged does not count as interned from then on."""
        try:
            fetch_interned(self._store, sha256, target)
        except StoreDamagedError as error:
            error.fix = error.fix or "run it again: it is fetched anew"
            with suppress(PermissionDeniedError):
                self._store.quarantine(interned(self._store, [sha256])[sha256], error.what)
            raise

    def intern(self, name: str, version: str, filename: str, path: Path, sha256: str) -> None:
        """Keep the file *path*, which is *filename* of *version* of *name*."""
        package = source_package(name)
        intern_file(self._store, package=package, filename=filename, path=path, sha256=sha256, version=version)


def source_package(name: str) -> str:
    """Return the package of the source *name*; Debian's names may have a ``+``, which packages may not."""
    return f"{SOURCES}/{_NOT_IN_NAMES.sub('_', package_path(name))}"


def intern_file(  # noqa: PLR0913  # each is a fact of the file, and named at the call
    store: EmbeddedStore, *, package: str, filename: str, path: Path, sha256: str, version: str
) -> Pin:
    """Put the file *path* into the store as the only member *filename* of *package*; repeating it changes nothing.

    Its tags are ``version:``, which files of one package may share, and ``sha256:``.

    Raises:
        HashMismatchError: the file does not have that *sha256*.
        UsageError: the package's name, or the version as a tag, is not valid.

    """
    with translated_os_errors(path):
        actual = sha256_of(path)
    if actual != sha256:
        raise HashMismatchError(f"its sha256 is {actual}, not {sha256}", where=str(path))
    with tempfile.TemporaryDirectory(prefix="dockerbuild-intern.") as folder:
        packed = Path(folder, "package")
        write_package(packed, package, [FileMember(filename, path)])
        tags = (sha256_tag(sha256), f"version:{version}")
        return store.publish(Publication(package, packed, tags)).pin


def interned(store: EmbeddedStore, sha256s: Iterable[str]) -> Mapping[str, Pin]:
    """Return sha256 -> the package that has this file, for those that the store has: one question for all."""
    carriers = store.pins_by_tag_anywhere([sha256_tag(sha256) for sha256 in sha256s])
    return {tag.partition(":")[2]: pins[0] for tag, pins in carriers.items()}


def fetch_interned(store: EmbeddedStore, sha256: str, target: Path) -> None:
    """Write the interned file with this *sha256* to *target*, whole or not at all.

    Raises:
        NotInStoreError: no package has it.
        StoreDamagedError: the package that has it is damaged.

    """
    pin = interned(store, [sha256]).get(sha256)
    if pin is None:
        raise NotInStoreError(f"no interned file has the sha256 {sha256}", fix="run sources.fetch")
    fetch_member(store, pin, sha256, target)


def fetch_member(store: Store, pin: Pin, sha256: str, target: Path) -> None:
    """Write the only file of the package *pin* to *target*, whole or not at all, and only with that *sha256*.

    Raises:
        StoreDamagedError: the package is damaged, or has another file.

    """
    with store.opened(pin) as package, translated_os_errors(target), atomic_writer(target) as copy:
        members = read_package(package).members
        if len(members) != 1:
            raise StoreDamagedError(f"an interned source has {len(members)} files, not one", where=f"{pin} ({package})")
        digest = hashlib.sha256()
        with open_member(package, members[0].name) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != sha256:
            raise StoreDamagedError("an interned source has other bytes than its tag says", where=f"{pin} ({package})")


def sha256_tag(sha256: str) -> str:
    """Return the tag that every source with this hash bears."""
    return f"sha256:{sha256}"
