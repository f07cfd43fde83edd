"""Packages of wheels, and their publication under the version that the recipe says."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.products import Goal, LibraryWork
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember, scan_tree
from dockerbuild_lib.store.protocol import Publication, Published, Store
from dockerbuild_lib.wheels.results import PACKAGE, Result, WorkArea


def package_wheel(goal: Goal, wheel: Path, area: WorkArea) -> Result:
    """Make the package of a wheel that passed, and keep both as the goal's result."""
    folder = area.empty(area.folder(goal))
    kept = folder / wheel.name
    with translated_os_errors(folder):
        shutil.copyfile(wheel, kept)
    write_package(folder / PACKAGE, goal.package, [FileMember(goal.names.packaged_filename, kept)])
    return area.keep(goal, kept)


@dataclass(frozen=True)
class Publisher:
    """Publishes results and libraries into *store*. *git_revision* is of the catalogue; None: it has none."""

    store: Store
    git_revision: str | None

    def publish(self, goal: Goal, result: Result) -> Published:
        """Register a result's package with its tags, refs and index entry.

        Raises:
            VersionConflictError: this version is published already, with other bytes.

        """
        return self.store.publish(
            Publication(
                package=goal.package,
                file=result.package,
                tags=(*goal.names.package_tags, *self._tags(goal.key)),
                unique_tag=goal.names.version_tag,
                wheel=result.wheel,
            )
        )

    def publish_library(self, work: LibraryWork, tar: Path, trees: SourceTrees) -> Published:
        """Make the package of a built library from its *tar*, and register it with its tags and refs.

        Raises:
            VersionConflictError: this version is published already, with other bytes.

        """
        with tempfile.TemporaryDirectory(prefix="library.", dir=trees.scratch) as folder, translated_os_errors(tar):
            tree, package = Path(folder, "tree"), Path(folder, PACKAGE)
            trees.unpack(tar, tree)
            write_package(package, work.package, scan_tree(tree))
            tag = f"version:{work.version_text}"
            return self.store.publish(Publication(work.package, package, self._tags(work.key), unique_tag=tag))

    def _tags(self, key: ContentKey) -> tuple[str, ...]:
        revision = (f"git_revision:{self.git_revision}",) if self.git_revision else ()
        return (f"content_key:{key.full}", f"recipe_key:{key.recipe}", *revision)
