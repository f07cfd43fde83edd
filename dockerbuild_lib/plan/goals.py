"""Goals: the wheels of a request, each with everything that it is made from and its content key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.foreign import ForeignPlatform
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock
from dockerbuild_lib.catalog.wheels import (
    BuiltWheel,
    PrebuiltWheel,
    PureWheel,
    SourceWheel,
    TargetedWheel,
    UniversalWheel,
    VersionRecipe,
)
from dockerbuild_lib.core.errors import CatalogError, LockError
from dockerbuild_lib.plan import keys
from dockerbuild_lib.plan.mirror import locked_base
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.patches import patch_digests
from dockerbuild_lib.plan.products import (
    ForeignWork,
    Goal,
    LibraryWork,
    PrebuiltWork,
    Pythons,
    PythonWork,
    UniversalWork,
    WheelWork,
    Workshop,
)
from dockerbuild_lib.plan.request import Selection
from dockerbuild_lib.plan.steps import BaseWork, ImageWork
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
        recipe = self.catalog.images[self.catalog.image_platform(platform).image]
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
            case SourceWheel() | PrebuiltWheel() as recipe:
                return tuple(self._targeted(selection, recipe, target) for target in selection.targets)
            case PureWheel() as recipe:
                return (self._wheel(selection, recipe, self._pure_target),)
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

    def _targeted(self, selection: Selection, recipe: TargetedWheel, target: Target) -> Goal:
        if isinstance(recipe, SourceWheel) and not self.catalog.is_prebuilt(selection.distribution, target.platform):
            return self._wheel(selection, recipe, target)
        return self._prebuilt(selection, recipe, target)

    def _prebuilt(self, selection: Selection, recipe: TargetedWheel, target: Target) -> PrebuiltWork | ForeignWork:
        version_recipe = recipe.versions[selection.version]
        source = self._lock(selection).prebuilt.get(target.platform, {}).get(target.python)
        if source is None:
            raise _not_locked(selection, f"the wheel for {target.name}")
        platform = self.catalog.platform(target.platform)
        if isinstance(platform, ForeignPlatform):
            return ForeignWork(
                distribution=selection.distribution,
                version=selection.version,
                target=target,
                platform=platform,
                extensions=self.catalog.extensions_of(selection.distribution, target.platform),
                source=source,
                key=_taken_key(selection, version_recipe, source, self._unusual(selection, target)),
                names=self._names(selection, target),
                tags=self._tags(selection, target),
            )
        return PrebuiltWork(
            distribution=selection.distribution,
            version=selection.version,
            recipe=recipe,
            extensions=self.catalog.extensions_of(selection.distribution, target.platform),
            target=target,
            workshop=self.workshop(target.platform, _toolchain_of(recipe)),
            pythons=self.pythons(target),
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
        libraries = self._libraries(recipe.libraries if isinstance(recipe, SourceWheel) else (), workshop)
        build_requires = self._build_requires(selection, lock, target.python)
        if recipe.has_crates(selection.version) != bool(lock.crates):
            raise _not_locked(selection, "the archive of its crates")
        asked_here = lock.built_here.get(target.python, {})
        here = tuple(self.here(name, version, target.python) for name, version in asked_here.items())
        pythons = self.pythons(target)
        recipe_key = keys.wheel_recipe_key(
            selection.distribution,
            recipe,
            version_recipe,
            source=source,
            build_requires=build_requires,
            patches=patch_digests(self.catalog.patches_of(selection.distribution, selection.version)),
            libraries={library.name: library.key.recipe for library in libraries},
            unusual=self._unusual(selection, target),
            here={wheel.distribution: wheel.key.recipe for wheel in here},
            crates=lock.crates,
        )
        environment = self._environment(workshop, target.python, [wheel.key.environment for wheel in here], pythons)
        return WheelWork(
            distribution=selection.distribution,
            version=selection.version,
            recipe=recipe,
            version_recipe=version_recipe,
            extensions=self.catalog.extensions_of(selection.distribution, target.platform),
            target=target,
            workshop=workshop,
            source=source,
            build_requires=build_requires,
            patches=version_recipe.patches,
            libraries=libraries,
            crates=lock.crates,
            here=here,
            key=keys.ContentKey(recipe_key, environment),
            pythons=pythons,
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

    @property
    def _pure_target(self) -> Target:
        """Where wheels for all targets are built."""
        return Target(self.catalog.build_platform, next(iter(self.catalog.default_pythons() or self.catalog.pythons)))

    def here(self, distribution: str, version: str, python: str) -> WheelWork:
        """Return a wheel of the catalogue, built for the build machine so as to build others under *python*.

        Raises:
            LockError: it is not in the catalogue, or something that it needs has no pin.

        """
        recipe, selection = self.catalog.wheels.get(distribution), Selection(distribution, version, ())
        if not isinstance(recipe, BuiltWheel) or version not in recipe.versions:
            raise _not_locked(selection)
        on_build_machine = Target(self.catalog.build_platform, python)
        return self._wheel(selection, recipe, self._pure_target if isinstance(recipe, PureWheel) else on_build_machine)

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
        libraries = self._libraries(library.libraries, workshop)
        recipe_key = keys.library_recipe_key(library, source, {needed.name: needed.key.recipe for needed in libraries})
        key = keys.ContentKey(recipe_key, self._environment(workshop, None))
        return LibraryWork(name, library, source, workshop, libraries, key)

    def _libraries(self, names: Iterable[str], workshop: Workshop) -> tuple[LibraryWork, ...]:
        return tuple(self.library(name, workshop) for name in self.catalog.libraries_behind(names))

    def pythons(self, target: Target) -> Pythons:
        """Return the Pythons that a target takes from source."""
        of_target = self.python(target.python, target.platform)
        return Pythons(of_target, self.python(target.python, self.catalog.build_platform))

    def python(self, name: str, platform: str) -> PythonWork | None:
        """Return a Python for a platform; None: its image has Debian's.

        Raises:
            CatalogError: it comes from Debian only, which has no such port.
            LockError: its source, or that of a library in it, has no pin.

        """
        if self.catalog.takes_debian(name, platform):
            return None
        upstream = self.catalog.python(name).upstream
        if upstream is None:
            what = f"Python {name} for {platform} comes from Debian, whose suite has no such port"
            raise CatalogError(what, where=str(self.catalog.folder / "pythons.yaml"), fix="write an upstream for it")
        source = self.catalog.locks.pythons.sources.get(name)
        if source is None or not upstream.source.is_pinned_by(upstream.version, source):
            raise LockError(f"the source of Python {name} is not locked", fix="run sources.lock --name=pythons")
        workshop = self.workshop(platform)
        is_own = platform == self.catalog.build_platform
        build = None if is_own else self.python(name, self.catalog.build_platform)
        libraries = self._libraries(upstream.libraries, workshop)
        recipe = keys.python_recipe_key(upstream, source, {library.name: library.key.recipe for library in libraries})
        environment = self._environment(workshop, None, pythons=Pythons(build=build))
        key = keys.ContentKey(recipe, environment)
        return PythonWork(name, upstream.version, source, libraries, build, workshop, key)

    def workshop(self, platform_name: str, toolchain: str | None = None) -> Workshop:
        """Return where things are built for a platform: with *toolchain*, by default its own.

        Raises:
            LockError: the Python tools of its image, or what its base starts from, have no pins.
            CatalogError: its image has no such toolchain.

        """
        platform = self.catalog.image_platform(platform_name)
        toolchain = toolchain or platform.toolchain
        if platform_name in self.catalog.toolchains[toolchain].skip:
            reason = self.catalog.toolchains[toolchain].skip[platform_name]
            raise CatalogError(f"the toolchain {toolchain} cannot build for {platform_name}: {reason}")
        if not self.catalog.has_toolchain(platform_name, toolchain):
            what = f"the toolchain {toolchain!r} is that of a base, and {platform_name} has none"
            raise CatalogError(what, fix="name another toolchain, or give the platform an image with bases")
        image = self.image(platform_name).key
        return Workshop(platform_name, platform, image, toolchain, self.catalog.toolchains[toolchain])

    def _environment(
        self, workshop: Workshop, python: str | None, here: Iterable[str] = (), pythons: Pythons | None = None
    ) -> str:
        built = [work.key.full for work in pythons.works] if pythons else []
        name, toolchain = workshop.toolchain_name, workshop.toolchain
        return keys.environment_key(workshop.image, name, toolchain, python, here=here, pythons=built)

    def _lock(self, selection: Selection) -> VersionLock:
        wheel = self.catalog.locks.wheels.get(selection.distribution)
        lock = wheel.versions.get(selection.version) if wheel else None
        if lock is None:
            raise _not_locked(selection)
        return lock

    def _build_requires(self, selection: Selection, lock: VersionLock, python: str) -> tuple[IndexFile, ...]:
        recipe = self.catalog.wheels[selection.distribution]
        asked = recipe.build_requires if isinstance(recipe, BuiltWheel) else {}
        if python not in lock.build_requires or lock.recipe_requires != asked:
            raise _not_locked(selection, f"its build environment for Python {python}")
        return lock.build_requires[python]


def _taken_key(
    selection: Selection, version: VersionRecipe, source: IndexFile, unusual: Mapping[str, object]
) -> keys.ContentKey:
    """Return the key of a wheel that is published as the package index has it."""
    recipe_key = keys.taken_recipe_key(selection.distribution, version, source, unusual)
    return keys.ContentKey(recipe_key, keys.NO_ENVIRONMENT)


def _not_locked(selection: Selection, part: str = "this version") -> LockError:
    fix = f"run sources.lock --name={selection.distribution}"
    return LockError(f"{part} is not locked", where=f"{selection.distribution} {selection.version}", fix=fix)


def _toolchain_of(recipe: BuiltWheel | TargetedWheel) -> str | None:
    """Return the toolchain that a recipe names instead of the platform's."""
    return recipe.toolchain if isinstance(recipe, SourceWheel) else None
