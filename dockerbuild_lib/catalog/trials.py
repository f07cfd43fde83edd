"""What trials need beside their wheel: other wheels of the catalogue, which must be there before."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.circles import way_between
from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.here import here_of
from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wheels import TriedWheel, Wheel


def check_trials(recipes: Mapping[str, Wheel], documents: Mapping[str, Document], problems: Problems) -> None:
    """Note each wheel that a trial needs and that is not in the catalogue, or cannot be there before it.

    *documents* are the files of ``wheels/`` by distribution, *recipes* what could be read of them: nothing is said
    about those that could not.
    """

    def needs(name: str) -> tuple[str, ...]:
        return (*here_of(recipes[name]), *trial_requires_of(recipes[name])) if name in recipes else ()

    def note(name: str, index: int, what: str, fix: str | None) -> None:
        position = documents[name].value_position([name, "trial-requires", index])
        problems.add(documents[name].label, position, what, fix)

    for name, recipe in recipes.items():
        for index, needed in enumerate(trial_requires_of(recipe)):
            if needed not in documents:
                note(name, index, f"unknown wheel {needed!r}", suggestion(needed, recipes))
            elif circle := way_between(needed, name, needs):
                what = f"a circle: {' needs '.join((name, *circle))}"
                note(name, index, what, "try one of them without another")


def trial_requires_of(recipe: Wheel) -> tuple[str, ...]:
    """Return the distributions whose wheels a recipe's trial needs."""
    return recipe.trial_requires if isinstance(recipe, TriedWheel) else ()


def version_for_trials(catalog: Catalog, name: str, platform: str, python: str) -> str | None:
    """Return the version of a wheel that trials of others use there: the newest, defaults first; None: none."""
    versions = catalog.wheels[name].versions
    made = [
        version
        for version in versions
        if platform in catalog.platforms_of(name, version) and python in catalog.pythons_of(name, version, platform)
    ]
    return max(made, key=lambda version: (versions[version].default, Version(version)), default=None)
