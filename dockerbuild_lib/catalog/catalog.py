"""The catalogue as it is used: frozen models, and the questions that every room asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from dockerbuild_lib.catalog.architectures import BUILD_MACHINE, architecture_of
from dockerbuild_lib.catalog.locks import BasesLock, LibrariesLock, ToolsLock, WheelLock
from dockerbuild_lib.catalog.machines import ImageRecipe, Library, Platform, Python, Toolchain
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wheels import BuiltWheel, SourceWheel, TargetedWheel, VersionRecipe, Wheel
from dockerbuild_lib.core.errors import CatalogError, UsageError

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Locks:
    """The pins; what has none is missing here."""

    wheels: Mapping[str, WheelLock] = field(default_factory=dict)
    libraries: LibrariesLock = field(default_factory=LibrariesLock)
    tools: ToolsLock = field(default_factory=ToolsLock)
    bases: BasesLock = field(default_factory=BasesLock)


@dataclass(frozen=True)
class Catalog:
    """All that can be built, for what, and with what. Every name inside it is defined in it."""

    folder: Path
    platforms: Mapping[str, Platform]
    pythons: Mapping[str, Python]
    toolchains: Mapping[str, Toolchain]
    images: Mapping[str, ImageRecipe]
    libraries: Mapping[str, Library]
    wheels: Mapping[str, Wheel]
    locks: Locks

    def wheel(self, name: str) -> Wheel:
        """Return the recipe of a wheel.

        Raises:
            UsageError: there is none of that name.

        """
        return _entry("wheel", name, self.wheels)

    def version(self, name: str, version: str) -> VersionRecipe:
        """Return what one version adds to its wheel's recipe.

        Raises:
            UsageError: there is no such wheel or version.

        """
        return _entry(f"version of {name}", version, self.wheel(name).versions)

    def platform(self, name: str) -> Platform:
        """Return a platform.

        Raises:
            UsageError: there is none of that name.

        """
        return _entry("platform", name, self.platforms)

    def python(self, name: str) -> Python:
        """Return a Python.

        Raises:
            UsageError: there is none of that name.

        """
        return _entry("Python", name, self.pythons)

    @property
    def build_platform(self) -> str:
        """The platform that is the build machine itself.

        Raises:
            CatalogError: there is none.

        """
        for name, platform in self.platforms.items():
            if architecture_of(platform.triple).is_build_machine:
                return name
        fix = f"add one with the triple {BUILD_MACHINE.gnu}-linux-gnu: build requirements are found out in its image"
        where = str(self.folder / "platforms.yaml")
        raise CatalogError("no platform is that of the build machine", where=where, fix=fix)

    def default_versions(self, name: str) -> list[str]:
        """Return the versions of a wheel that are built when none is named."""
        return [version for version, recipe in self.wheel(name).versions.items() if recipe.default]

    def default_pythons(self) -> list[str]:
        """Return the Pythons that are built for when none is named."""
        return [name for name, python in self.pythons.items() if python.default]

    def platforms_of(self, name: str, version: str) -> list[str]:
        """Return the platforms that a version of a wheel is made for, its skips left out."""
        wheel = self.wheel(name)
        skip = self.version(name, version).skip
        patterns = wheel.platforms if isinstance(wheel, TargetedWheel) else ("*",)
        return [platform for platform in _matching(self.platforms, patterns) if platform not in skip]

    def tags_of(self, name: str, version: str, platform: str, python: str) -> tuple[str, ...]:
        """Return the platform tags that the wheel of a version may claim: the version's own, else the platform's."""
        return self.version(name, version).tags.get(platform) or self.platform(platform).tags_for(python)

    def toolchain_of(self, name: str, platform: str) -> Toolchain:
        """Return the toolchain that a wheel is built with for a platform: its own, else the platform's."""
        wheel = self.wheel(name)
        own = wheel.toolchain if isinstance(wheel, SourceWheel) else None
        return self.toolchains[own or self.platform(platform).toolchain]

    def has_toolchain(self, platform: str, toolchain: str) -> bool:
        """Tell whether a platform's image has a toolchain: one that a base brings is where there is such a base."""
        is_of_base = self.toolchains[toolchain].compiler == "base"
        return not is_of_base or platform in self.images[self.platform(platform).image].bases

    def environment_of(self, name: str, version: str) -> dict[str, str]:
        """Return the variables of a version's build: the wheel's, overridden by the version's."""
        wheel = self.wheel(name)
        common = wheel.environment if isinstance(wheel, BuiltWheel) else {}
        return {**common, **self.version(name, version).environment}

    def patches_of(self, name: str, version: str) -> list[Path]:
        """Return the patch files of a version, in the order of use."""
        folder = self.folder / "patches" / name / version
        return [folder / patch for patch in self.version(name, version).patches]


def _matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    wanted = tuple(patterns)
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in wanted)]


def _entry(noun: str, name: str, entries: Mapping[str, _Entry]) -> _Entry:
    try:
        return entries[name]
    except KeyError:
        raise UsageError(f"unknown {noun} {name!r}", fix=suggestion(name, entries)) from None
