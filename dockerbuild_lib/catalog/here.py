"""Build requirements that the catalogue builds itself: each must be such a wheel, and none may need itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dockerbuild_lib.catalog.circles import way_between
from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wheels import BuiltWheel, Wheel


def check_here(recipes: Mapping[str, Wheel], documents: Mapping[str, Document], problems: Problems) -> None:
    """Note each requirement that is to be built here and cannot be.

    *documents* are the files of ``wheels/`` by distribution, *recipes* what could be read of them: nothing is said
    about those that could not.
    """
    checker = _Checker(recipes, documents, problems)
    for name, recipe in recipes.items():
        for needed in here_of(recipe):
            checker.check(name, needed)


def here_of(recipe: Wheel) -> tuple[str, ...]:
    """Return the distributions that a recipe wants to be built here."""
    return recipe.built_here if isinstance(recipe, BuiltWheel) else ()


@dataclass(frozen=True)
class _Checker:
    recipes: Mapping[str, Wheel]
    documents: Mapping[str, Document]
    problems: Problems

    def check(self, name: str, needed: str) -> None:
        if needed not in self.documents:
            fix = suggestion(
                needed, [other for other, recipe in self.recipes.items() if isinstance(recipe, BuiltWheel)]
            )
            self._note(name, needed, f"{needed!r} cannot be built here: there is no recipe of it", fix)
        elif needed in self.recipes and not isinstance(self.recipes[needed], BuiltWheel):
            kind = self.recipes[needed].kind
            what = f"{needed!r} is not built here: it is {kind}, which is taken from the package index"
            self._note(name, needed, what, "write 'any', or versions")
        elif circle := way_between(needed, name, self._needs):
            what = f"a circle: {' needs '.join((name, *circle))} to be built"
            self._note(name, needed, what, "take one of them from the package index")

    def _needs(self, name: str) -> Iterator[str]:
        if name in self.recipes:
            yield from here_of(self.recipes[name])

    def _note(self, name: str, needed: str, what: str, fix: str) -> None:
        document = self.documents[name]
        self.problems.add(document.label, document.key_position([name, "build-requires", needed]), what, fix)


def needed_first(names: Iterable[str], recipes: Mapping[str, Wheel]) -> tuple[str, ...]:
    """Return *names* in an order in which each comes after those of them that are built here for it."""
    wanted = tuple(names)
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        for needed in here_of(recipes[name]):
            add(needed)
        if name in wanted:
            ordered[name] = None

    for name in wanted:
        add(name)
    return tuple(ordered)
