"""The catalogue as it is used: frozen models, and the questions that every room asks of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from dockerbuild_lib.catalog.architectures import BUILD_MACHINE, architecture_of
from dockerbuild_lib.catalog.foreign import AnyPlatform
from dockerbuild_lib.catalog.image_additions import ImageSource
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import Locks, WheelLock
from dockerbuild_lib.catalog.machines import ImageRecipe, Platform, Python, PythonUpstream, Toolchain
from dockerbuild_lib.catalog.platform_tags import raised_tags
from dockerbuild_lib.catalog.python_names import target_name
from dockerbuild_lib.catalog.sources import LocalSource
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wheels import BuiltWheel, PrebuiltWheel, SourceWheel, TargetedWheel, VersionRecipe, Wheel
from dockerbuild_lib.core.errors import CatalogError, UsageError

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Catalog:
    """All that can be built, for what, and with what. Every name inside it is defined in it."""

    folder: Path
    platforms: Mapping[str, AnyPlatform]
    pythons: Mapping[str, Python]
    toolchains: Mapping[str, Toolchain]
    images: Mapping[str, ImageRecipe]
    libraries: Mapping[str, Library]
    wheels: Mapping[str, Wheel]
    locks: Locks

    def with_locks(self, locks: Locks) -> Catalog:
        """Return the catalogue with other pins.

        The version of a wheel from a local folder is the one that the folder told when it was locked; none, where it is
        not locked yet.
        """
        wheels = dict(self.wheels)
        for name, recipe in wheels.items():
            if isinstance(recipe, BuiltWheel) and isinstance(recipe.source, LocalSource):
                versions = dict.fromkeys(locks.wheels.get(name, WheelLock()).versions, VersionRecipe())
                wheels[name] = recipe.model_copy(update={"versions": versions})
        return replace(self, wheels=MappingProxyType(wheels), locks=locks)

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

    def library(self, name: str) -> Library:
        """Return a library.

        Raises:
            UsageError: there is none of that name.

        """
        return _entry("library", name, self.libraries)

    def libraries_behind(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return these libraries and all that they are built with, each after what needs it: as linkers want them."""
        behind: dict[str, None] = {}
        for name in names:
            for needed in (name, *self.libraries_behind(self.libraries[name].libraries)):
                behind.pop(needed, None)
                behind[needed] = None
        return tuple(behind)

    def platform(self, name: str) -> AnyPlatform:
        """Return a platform.

        Raises:
            UsageError: there is none of that name.

        """
        return _entry("platform", name, self.platforms)

    @property
    def image_platforms(self) -> dict[str, Platform]:
        """The platforms that have an image: those that things are built and run for."""
        return {name: platform for name, platform in self.platforms.items() if isinstance(platform, Platform)}

    def image_platform(self, name: str) -> Platform:
        """Return a platform that has an image.

        Raises:
            UsageError: there is none of that name, or it has no image.

        """
        platform = self.platform(name)
        if not isinstance(platform, Platform):
            what = f"{name} has no image: nothing is built or run for it, the package index has its wheels"
            raise UsageError(what, fix=f"platforms with an image are: {', '.join(self.image_platforms)}")
        return platform

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
        for name, platform in self.image_platforms.items():
            if architecture_of(platform.triple).is_build_machine:
                return name
        fix = f"add one with the triple {BUILD_MACHINE.gnu}-linux-gnu: build requirements are found out in its image"
        where = str(self.folder / "platforms.yaml")
        raise CatalogError("no platform is that of the build machine", where=where, fix=fix)

    def default_versions(self, name: str) -> list[str]:
        """Return the versions of a wheel that are built when none is named."""
        return [version for version, recipe in self.wheel(name).versions.items() if recipe.default]

    def default_platforms(self, among: Collection[str] | None = None) -> list[str]:
        """Return the platforms that are built for when none is named, only those *among* these where they are given."""
        defaults = [name for name, platform in self.platforms.items() if platform.default]
        return [name for name in defaults if among is None or name in among]

    def takes_debian(self, python: str, platform: str) -> bool:
        """Tell whether a Python for a platform comes in Debian's packages; else it is built from source."""
        named = self.image_platform(platform)
        has_port = self.images[named.image].has_port(architecture_of(named.triple))
        return has_port and self.python(python).source == "debian"

    @property
    def python_upstreams(self) -> dict[str, PythonUpstream]:
        """What Pythons are built from, of those that may be built from source."""
        return {name: python.upstream for name, python in self.pythons.items() if python.upstream}

    @property
    def image_sources(self) -> dict[str, ImageSource]:
        """The sources that are unpacked in images, by name; images that share one name it alike."""
        return {name: source for image in self.images.values() for name, source in image.sources.items()}

    def default_pythons(self) -> list[str]:
        """Return the Pythons that are built for when none is named."""
        return [name for name, python in self.pythons.items() if python.default]

    def platforms_of(self, name: str, version: str) -> list[str]:
        """Return the platforms that a version of a wheel is made for, its skips left out."""
        match self.wheel(name):
            case SourceWheel() as wheel:
                known = {*_matching(self.image_platforms, wheel.platforms), *_matching(self.platforms, wheel.prebuilt)}
            case PrebuiltWheel() as wheel:
                known = {*_matching(self.platforms, wheel.platforms)}
            case _:
                known = {*self.platforms}
        known -= self.version(name, version).skip.keys()
        return [platform for platform in self.platforms if platform in known]

    def pythons_of(self, name: str, version: str, platform: str) -> list[str]:
        """Return the Pythons that a version of a wheel is made for on a platform, its skips left out."""
        skipped = self.version(name, version).skip
        return [python for python in self.pythons if target_name(platform, python) not in skipped]

    def is_prebuilt(self, name: str, platform: str) -> bool:
        """Tell whether a wheel for a platform is that of the package index."""
        wheel = self.wheel(name)
        if isinstance(wheel, SourceWheel):
            return bool(_matching((platform,), wheel.prebuilt))
        return isinstance(wheel, PrebuiltWheel)

    def prebuilt_platforms_of(self, name: str, version: str) -> list[str]:
        """Return the platforms for which the package index's wheel of a version is taken."""
        return [platform for platform in self.platforms_of(name, version) if self.is_prebuilt(name, platform)]

    def extensions_of(self, name: str, platform: str) -> tuple[str, ...]:
        """Return the extension modules that a wheel must hold on a platform: the first pattern's, else the wheel's."""
        wheel = self.wheel(name)
        if not isinstance(wheel, TargetedWheel):
            return ()
        for pattern, extensions in wheel.platform_extensions.items():
            if _matching((platform,), (pattern,)):
                return extensions
        return wheel.extensions

    def tags_of(self, name: str, version: str, platform: str, python: str) -> tuple[str, ...]:
        """Return the platform tags that the wheel of a version may claim.

        They are the version's own, else the platform's, without those of an older glibc than the recipe names.
        """
        if own := self.version(name, version).tags.get(platform):
            return own
        tags, floor = self.platform(platform).tags_for(python), self.floor_of(name, version, platform)
        return raised_tags(tags, floor) if floor else tags

    def floor_of(self, name: str, version: str, platform: str) -> str | None:
        """Return the oldest glibc that a recipe names for a wheel that is built; None: the toolchain's counts."""
        wheel = self.wheel(name)
        if isinstance(wheel, SourceWheel) and not self.is_prebuilt(name, platform):
            return wheel.glibc_of(version)
        return None

    def toolchain_of(self, name: str, platform: str) -> Toolchain:
        """Return the toolchain that a wheel is built with for a platform: its own, else the platform's."""
        wheel = self.wheel(name)
        own = wheel.toolchain if isinstance(wheel, SourceWheel) else None
        return self.toolchains[own or self.image_platform(platform).toolchain]

    def has_toolchain(self, platform: str, toolchain: str) -> bool:
        """Tell whether a platform's image has a toolchain: one that a base brings is where there is such a base."""
        recipe = self.toolchains[toolchain]
        is_there = recipe.compiler != "base" or platform in self.images[self.image_platform(platform).image].bases
        return is_there and platform not in recipe.skip

    def environment_of(self, name: str, version: str) -> dict[str, str]:
        """Return the variables of a version's build: the wheel's, overridden by the version's."""
        wheel = self.wheel(name)
        common = wheel.environment if isinstance(wheel, BuiltWheel) else {}
        return {**common, **self.version(name, version).environment}

    def patches_of(self, name: str, version: str) -> list[Path]:
        """Return the patch files of a version, in the order of use."""
        return [patch_path(self.folder, name, version, patch) for patch in self.version(name, version).patches]


def patch_path(config_dir: Path, distribution: str, version: str, name: str) -> Path:
    """Return where a patch lies."""
    return config_dir / "patches" / distribution / version / name


def _matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    wanted = tuple(patterns)
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in wanted)]


def _entry(noun: str, name: str, entries: Mapping[str, _Entry]) -> _Entry:
    try:
        return entries[name]
    except KeyError:
        raise UsageError(f"unknown {noun} {name!r}", fix=suggestion(name, entries)) from None
