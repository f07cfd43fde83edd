"""Sources in a store that a team shares: taken from there before the world outside is asked, and published to it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.store.protocol import Pin, Publication, Store, TagQuery
from dockerbuild_lib.store.sources_packages import fetch_member, sha256_tag, source_package


class SharedSources:
    """The sources of a store, found by package and sha256: no service looks for a tag across packages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pins(self, packages: Mapping[str, str]) -> Mapping[str, Pin]:
        """Return sha256 -> where it is, for those sources that the store has, of *packages* by sha256."""
        queries = {TagQuery(package, sha256_tag(sha256)): sha256 for sha256, package in packages.items()}
        return {queries[query]: pins[0] for query, pins in self._store.pins_by_tags(queries).items()}

    def fetch(self, name: str, sha256: str, target: Path) -> bool:
        """Write the source to *target*, whole and verified, and tell whether the store has it.

        Raises:
            StoreDamagedError: what the store has is another file.

        """
        pin = self.pins({sha256: source_package(name)}).get(sha256)
        if pin is not None:
            fetch_member(self._store, pin, sha256, target)
        return pin is not None

    def publish(self, store: Store, pin: Pin) -> None:
        """Copy the package *pin* of *store*, byte for byte, with its tags; safe to repeat.

        Raises:
            StoreDamagedError: the package is damaged; nothing of it is published.

        """
        with tempfile.TemporaryDirectory(prefix="dockerbuild-share.") as folder, translated_os_errors(Path(folder)):
            file = Path(folder, "package")
            store.fetch(pin, file)
            self._store.publish(Publication(pin.package, file, store.tags(pin)))
