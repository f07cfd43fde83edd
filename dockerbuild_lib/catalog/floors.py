"""The oldest glibc that a recipe names: its toolchain must link for it, and its tags must promise no older one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dockerbuild_lib.catalog.documents import Document, Steps
from dockerbuild_lib.catalog.foreign import AnyPlatform
from dockerbuild_lib.catalog.machines import Platform, Toolchain
from dockerbuild_lib.catalog.platform_tags import glibc_minor, promised_glibc
from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.wheels import SourceWheel, VersionRecipe, Wheel


def check_floors(
    recipes: Mapping[str, Wheel],
    documents: Mapping[str, Document],
    platforms: Mapping[str, AnyPlatform],
    toolchains: Mapping[str, Toolchain],
    problems: Problems,
) -> None:
    """Note each glibc of a recipe that cannot be kept.

    *documents* are the files of ``wheels/`` by distribution; the rest is what could be read of the catalogue, and
    nothing is said about what could not.
    """
    images = {name: platform for name, platform in platforms.items() if isinstance(platform, Platform)}
    checker = _Checker(documents, images, toolchains, problems)
    for name, recipe in recipes.items():
        if isinstance(recipe, SourceWheel):
            checker.check(name, recipe)
        else:
            checker.refuse(name, recipe)


@dataclass(frozen=True)
class _Checker:
    documents: Mapping[str, Document]
    platforms: Mapping[str, Platform]
    toolchains: Mapping[str, Toolchain]
    problems: Problems

    def refuse(self, name: str, recipe: Wheel) -> None:
        for version, own in recipe.versions.items():
            if own.glibc:
                what = f"nothing of a {recipe.kind} wheel is linked here"
                self._note(name, ("versions", version, "glibc"), what, "remove 'glibc'")

    def check(self, name: str, recipe: SourceWheel) -> None:
        for version in recipe.versions or ("",):  # a local folder tells its own
            own = recipe.versions.get(version, VersionRecipe())
            if floor := recipe.glibc_of(version):
                steps = ("versions", version, "glibc") if own.glibc else ("glibc",)
                self._check_toolchain(name, recipe, own, floor, steps)
                self._check_tags(name, version, recipe, own, floor)

    def _check_toolchain(
        self, name: str, recipe: SourceWheel, own: VersionRecipe, floor: str, steps: tuple[str, ...]
    ) -> None:
        toolchain = self.toolchains.get(recipe.toolchain or "")
        if toolchain and not toolchain.glibc:
            what = f"the toolchain {recipe.toolchain!r} links for the glibc of its image, whatever the recipe says"
            self._note(name, steps, what, "name a toolchain that has a glibc, or remove 'glibc'")
            return
        oldest = dict(self._oldest(recipe, own))
        place = max(oldest, key=lambda platform: glibc_minor(oldest[platform]), default=None)
        if place and glibc_minor(floor) < glibc_minor(oldest[place]):
            what = f"glibc {floor} is older than {oldest[place]}, the oldest that is linked for on {place}"
            self._note(name, steps, what, f'write "{oldest[place]}" or a newer one')

    def _oldest(self, recipe: SourceWheel, own: VersionRecipe) -> Iterator[tuple[str, str]]:
        """Yield where it is built, with the oldest glibc there; not where the platform's own toolchain has none."""
        for name in self._built_for(recipe, own):
            platform = self.platforms[name]
            toolchain = self.toolchains.get(recipe.toolchain or platform.toolchain)
            if toolchain and name not in toolchain.skip and (oldest := toolchain.glibc_for(platform)):
                yield name, oldest

    def _built_for(self, recipe: SourceWheel, own: VersionRecipe) -> Iterator[str]:
        for name in self.platforms:
            is_asked = any(fnmatchcase(name, pattern) for pattern in recipe.platforms)
            if is_asked and name not in own.skip and not any(fnmatchcase(name, each) for each in recipe.prebuilt):
                yield name

    def _check_tags(self, name: str, version: str, recipe: SourceWheel, own: VersionRecipe, floor: str) -> None:
        for platform in self._built_for(recipe, own):
            for index, tag in enumerate(own.tags.get(platform, ())):
                promised = promised_glibc(tag)
                if promised and glibc_minor(promised) < glibc_minor(floor):
                    what = f"{tag} promises glibc {promised}, but the wheel is linked for {floor}"
                    fix = f"write manylinux_2_{glibc_minor(floor)}_..., or remove the tags: they follow 'glibc'"
                    self._note(name, ("versions", version, "tags", platform, index), what, fix)

    def _note(self, name: str, steps: Steps, what: str, fix: str) -> None:
        document = self.documents[name]
        position = document.value_position((name, *steps))
        if not self.problems.noted_at(document.label, position):
            self.problems.add(document.label, position, what, fix)
