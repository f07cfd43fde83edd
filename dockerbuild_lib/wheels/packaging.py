"""Packages of wheels, and their publication under the version that the recipe says."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.plan.steps import Goal
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
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
    """Publishes results into *store*. *git_revision* is of the catalogue, None when it is in no git work tree."""

    store: Store
    git_revision: str | None

    def publish(self, goal: Goal, result: Result) -> Published:
        """Register a result's package with its tags, refs and index entry.

        Raises:
            VersionConflictError: this version is published already, with other bytes.

        """
        tags = [*goal.names.package_tags, f"content_key:{goal.key.full}", f"recipe_key:{goal.key.recipe}"]
        if self.git_revision:
            tags.append(f"git_revision:{self.git_revision}")
        return self.store.publish(
            Publication(
                package=goal.package,
                file=result.package,
                tags=tuple(tags),
                unique_tag=goal.names.version_tag,
                wheel=result.wheel,
            )
        )
