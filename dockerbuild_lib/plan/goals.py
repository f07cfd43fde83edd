"""Goals: the wheels of a request, each with everything that it is made from and its content key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock
from dockerbuild_lib.catalog.wheels import (
    BuiltWheel,
    PrebuiltWheel,
    PureWheel,
    SourceWheel,
    UniversalWheel,
    VersionRecipe,
)
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.plan import keys
from dockerbuild_lib.plan.mirror import locked_base
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.request import Selection
from dockerbuild_lib.plan.steps import (
    BaseWork,
    Goal,
    ImageWork,
    LibraryWork,
    PrebuiltWork,
    UniversalWork,
    WheelWork,
    Workshop,
)
from dockerbuild_lib.plan.wheel_names import WheelNames, wheel_names

ImageFiles = Callable[[Catalog, str, str], Mapping[str, str]]
"""Renders the build context of a platform's image: (catalogue, platform, base key) -> path -> text."""


@dataclass(frozen=True)
class GoalMaker:
    """Turns selections into goals; what several goals share is worked out once."""

    catalog: Catalog
    image_files: ImageFiles

    @cached_property
    def _images(self) -> dict[str, ImageWork]:
        return {}

    def base(self, platform: str) -> BaseWork:
        """Return the base image of a platform.

        Raises:
            LockError: what it starts from has no pin.

        """
        recipe = self.catalog.images[self.catalog.platforms[platform].image]
        if platform not in recipe.bases:
            return BaseWork(recipe, keys.base_key(recipe))
        upstream = locked_base(self.catalog, recipe.bases[platform])
        return BaseWork(recipe, keys.base_key(recipe, upstream.digest), upstream)

    def image(self, platform: str) -> ImageWork:
        """Return the image of a platform."""
        if platform not in self._images:
            base = self.base(platform)
            files = self.image_files(self.catalog, platform, base.key)
            tools = self.catalog.locks.tools.wheels
            if base.recipe.tools and not tools:
                raise LockError("the Python tools of the images are not locked", fix="run sources.lock")
            key = keys.image_key(base.key, files, tools)
            self._images[platform] = ImageWork(platform, base.key, key, tuple(sorted(files.items())), tools)
        return self._images[platform]

    def goals(self, selection: Selection) -> tuple[Goal, ...]:
        """Return the goals of one selected version.

        Raises:
            LockError: something that it needs has no pin.

        """
        match self.catalog.wheels[selection.distribution]:
            case SourceWheel() as recipe:
                return tuple(self._wheel(selection, recipe, target) for target in selection.targets)
            case PrebuiltWheel() as recipe:
                return tuple(self._prebuilt(selection, recipe, target) for target in selection.targets)
            case PureWheel() as recipe:
                python = next(iter(self.catalog.default_pythons() or self.catalog.pythons))
                return (self._wheel(selection, recipe, Target(self.catalog.build_platform, python)),)
            case UniversalWheel():
                return (self._universal(selection),)

    def _universal(self, selection: Selection) -> UniversalWork:
        version_recipe = self.catalog.wheels[selection.distribution].versions[selection.version]
        source = self._lock(selection).source
        if not isinstance(source, IndexFile) or not source.is_wheel:
            raise _not_locked(selection, "the universal wheel")
        return UniversalWork(
            distribution=selection.distribution,
            version=selection.version,
            source=source,
            key=_taken_key(selection, version_recipe, source, self._unusual(selection, None)),
            names=self._names(selection, None),
        )

    def _prebuilt(self, selection: Selection, recipe: PrebuiltWheel, target: Target) -> PrebuiltWork:
        version_recipe = recipe.versions[selection.version]
        source = self._lock(selection).prebuilt.get(target.platform, {}).get(target.python)
        if source is None:
            raise _not_locked(selection, f"the wheel for {target.name}")
        return PrebuiltWork(
            distribution=selection.distribution,
            version=selection.version,
            recipe=recipe,
            target=target,
            workshop=self.workshop(target.platform, _toolchain_of(recipe)),
            source=source,
            key=_taken_key(selection, version_recipe, source, self._unusual(selection, target)),
            names=self._names(selection, target),
            tags=self._tags(selection, target),
        )

    def _wheel(self, selection: Selection, recipe: BuiltWheel, target: Target) -> WheelWork:
        version_recipe = recipe.versions[selection.version]
        lock = self._lock(selection)
        source = lock.source
        if source is None or not recipe.source.is_pinned_by(selection.version, source):
            raise _not_locked(selection, "the source that its recipe names")
        workshop = self.workshop(target.platform, _toolchain_of(recipe))
        names = recipe.libraries if isinstance(recipe, SourceWheel) else ()
        libraries = tuple(self.library(name, workshop) for name in names)
        build_requires = self._build_requires(selection, lock, target.python)
        recipe_key = keys.wheel_recipe_key(
            selection.distribution,
            recipe,
            version_recipe,
            source=source,
            build_requires=build_requires,
            patches=self._patches(selection, version_recipe.patches),
            libraries={library.name: library.key.recipe for library in libraries},
            unusual=self._unusual(selection, target),
        )
        return WheelWork(
            distribution=selection.distribution,
            version=selection.version,
            recipe=recipe,
            version_recipe=version_recipe,
            target=target,
            workshop=workshop,
            source=source,
            build_requires=build_requires,
            patches=version_recipe.patches,
            libraries=libraries,
            key=keys.ContentKey(recipe_key, self._environment(workshop, target.python)),
            names=self._names(selection, target),
            tags=self._tags(selection, target),
        )

    def _names(self, selection: Selection, target: Target | None) -> WheelNames:
        return wheel_names(self.catalog, selection.distribution, selection.version, target)

    def _unusual(self, selection: Selection, target: Target | None) -> Mapping[str, object]:
        distribution, version = selection.distribution, selection.version
        recipe, packaged = self.catalog.wheels[distribution], self._names(selection, target).packaged_filename
        return keys.unusual_names(distribution, recipe, version, target.platform if target else None, packaged)

    def _tags(self, selection: Selection, target: Target) -> tuple[str, ...]:
        return self.catalog.tags_of(selection.distribution, selection.version, target.platform, target.python)

    def library(self, name: str, workshop: Workshop) -> LibraryWork:
        """Return a library, built in *workshop*.

        Raises:
            LockError: its source has no pin.

        """
        library = self.catalog.libraries[name]
        source = self.catalog.locks.libraries.sources.get(name)
        if source is None or not library.source.is_pinned_by(library.version, source):
            what = f"the source that the library {name} names is not locked"
            raise LockError(what, fix=f"run sources.lock --name={name}")
        recipe_key = keys.library_recipe_key(library, source)
        key = keys.ContentKey(recipe_key, self._environment(workshop, None))
        return LibraryWork(name, library, source, workshop, key)

    def workshop(self, platform_name: str, toolchain: str | None = None) -> Workshop:
        """Return where things are built for a platform: with *toolchain*, by default its own.

        Raises:
            LockError: the Python tools of its image, or what its base starts from, have no pins.
            CatalogError: its image has no such toolchain.

        """
        platform = self.catalog.platforms[platform_name]
        toolchain = toolchain or platform.toolchain
        if not self.catalog.has_toolchain(platform_name, toolchain):
            what = f"the toolchain {toolchain!r} is that of a base, and {platform_name} has none"
            raise CatalogError(what, fix="name another toolchain, or give the platform an image with bases")
        image = self.image(platform_name).key
        return Workshop(platform_name, platform, image, toolchain, self.catalog.toolchains[toolchain])

    def _environment(self, workshop: Workshop, python: str | None) -> str:
        return keys.environment_key(workshop.image, workshop.toolchain_name, workshop.toolchain, python)

    def _lock(self, selection: Selection) -> VersionLock:
        wheel = self.catalog.locks.wheels.get(selection.distribution)
        lock = wheel.versions.get(selection.version) if wheel else None
        if lock is None:
            raise _not_locked(selection)
        return lock

    def _build_requires(self, selection: Selection, lock: VersionLock, python: str) -> tuple[IndexFile, ...]:
        if python not in lock.build_requires:
            raise _not_locked(selection, f"its build requirements for Python {python}")
        return lock.build_requires[python]

    def _patches(self, selection: Selection, names: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(name, self._patch_sha256(selection, name)) for name in names]

    def _patch_sha256(self, selection: Selection, name: str) -> str:
        path = patch_path(self.catalog.folder, selection.distribution, selection.version, name)
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise CatalogError(f"the patch cannot be read: {error.strerror}", where=str(path)) from error


def _taken_key(
    selection: Selection, version: VersionRecipe, source: IndexFile, unusual: Mapping[str, object]
) -> keys.ContentKey:
    """Return the key of a wheel that is published as the package index has it."""
    recipe_key = keys.taken_recipe_key(selection.distribution, version, source, unusual)
    return keys.ContentKey(recipe_key, keys.NO_ENVIRONMENT)


def _not_locked(selection: Selection, part: str = "this version") -> LockError:
    fix = f"run sources.lock --name={selection.distribution}"
    return LockError(f"{part} is not locked", where=f"{selection.distribution} {selection.version}", fix=fix)


def _toolchain_of(recipe: BuiltWheel | PrebuiltWheel) -> str | None:
    """Return the toolchain that a recipe names instead of the platform's."""
    return recipe.toolchain if isinstance(recipe, SourceWheel) else None


def patch_path(config_dir: Path, distribution: str, version: str, name: str) -> Path:
    """Return where a patch of the catalogue lies."""
    return config_dir / "patches" / distribution / version / name
