"""Pythons that were built from source, in the store: the tar of each is a package, found by its content key."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import NotInStoreError
from dockerbuild_lib.core.files import CHUNK, atomic_writer, translated_os_errors
from dockerbuild_lib.plan.products import PythonWork
from dockerbuild_lib.store.package_file import open_member, write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import EmbeddedStore, Pin, Publication, TagQuery

MEMBER = "python.tar"


@dataclass(frozen=True)
class KeptPythons:
    """The Pythons in *store*."""

    store: EmbeddedStore

    def holds(self, work: PythonWork) -> bool:
        """Tell whether the store has the Python with this content key."""
        return self._pin(work) is not None

    def keep(self, work: PythonWork, tar: Path) -> Pin:
        """Put a Python into the store; of a version there may be several, each with its content key."""
        tags = (f"content_key:{work.key.full}", f"recipe_key:{work.key.recipe}", f"version:{work.version}")
        with tempfile.TemporaryDirectory(prefix="dockerbuild-python.") as folder:
            packed = Path(folder, "package")
            write_package(packed, work.package, [FileMember(MEMBER, tar)])
            return self.store.publish(Publication(work.package, packed, tags)).pin

    def fetch(self, work: PythonWork, target: Path) -> None:
        """Write the tar of a Python to *target*, whole or not at all.

        Raises:
            NotInStoreError: the store does not have it.
            StoreDamagedError: its package is damaged.

        """
        pin = self._pin(work)
        if pin is None:
            what = f"the store does not have Python {work.version} for {work.workshop.platform_name}"
            raise NotInStoreError(what, fix="run the task again: it is built anew")
        with (
            self.store.opened(pin) as package,
            open_member(package, MEMBER) as stream,
            translated_os_errors(target),
            atomic_writer(target) as copy,
        ):
            shutil.copyfileobj(stream, copy, CHUNK)

    def _pin(self, work: PythonWork) -> Pin | None:
        query = TagQuery(work.package, f"content_key:{work.key.full}")
        found = self.store.pins_by_tags([query]).get(query, ())
        return found[0] if found else None
