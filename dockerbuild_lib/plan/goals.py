"""Goals: the wheels of a request, each with everything that it is made from and its content key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockerbuild_lib.catalog.foreign import ForeignPlatform
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock
from dockerbuild_lib.catalog.trials import trial_requires_of, version_for_trials
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
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.patches import patch_digests
from dockerbuild_lib.plan.products import (
    ForeignWork,
    Goal,
    PrebuiltWork,
    UniversalWork,
    WheelWork,
    Workshop,
)
from dockerbuild_lib.plan.request import Selection
from dockerbuild_lib.plan.wheel_names import WheelNames, wheel_names
from dockerbuild_lib.plan.workshops import WorkshopMaker


@dataclass(frozen=True)
class GoalMaker(WorkshopMaker):
    """Turns selections into goals."""

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
            trial_requires=self._trial_requires(selection, target),
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
        plain = self.workshop(target.platform, _toolchain_of(recipe))
        workshop = self._with_floor(selection, plain)
        libraries = self.libraries(recipe.libraries if isinstance(recipe, SourceWheel) else (), plain)
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
            glibc=workshop.floor,
        )
        environment = self.environment_key(workshop, target.python, [wheel.key.environment for wheel in here], pythons)
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
            trial_requires=self._trial_requires(selection, target),
            names=self._names(selection, target),
            tags=self._tags(selection, target),
        )

    def _with_floor(self, selection: Selection, workshop: Workshop) -> Workshop:
        """Return the workshop as it links for the glibc that the recipe names.

        Raises:
            CatalogError: its toolchain links for no other than that of its image.

        """
        floor = self.catalog.floor_of(selection.distribution, selection.version, workshop.platform_name)
        if floor and not workshop.toolchain.glibc:
            platform, file = workshop.platform_name, self.catalog.folder / "wheels" / f"{selection.distribution}.yaml"
            toolchain = f"{workshop.toolchain_name}, the toolchain of {platform},"
            what = f"the recipe names glibc {floor}, but {toolchain} links for that of its image"
            fix = f"name a toolchain that has a glibc, or skip {platform} in the version {selection.version}"
            raise CatalogError(what, where=str(file), fix=fix)
        return replace(workshop, floor=floor)

    def _trial_requires(self, selection: Selection, target: Target) -> tuple[Goal, ...]:
        """Return the wheels for *target* that a wheel's trial uses beside it.

        Raises:
            CatalogError: one of them is not made for its platform.

        """
        needed = trial_requires_of(self.catalog.wheels[selection.distribution])
        return tuple(goal for name in needed for goal in self.goals(self._for_trial(selection, name, target)))

    def _for_trial(self, selection: Selection, needed: str, target: Target) -> Selection:
        version = version_for_trials(self.catalog, needed, target.platform, target.python)
        if version is None:
            file = self.catalog.folder / "wheels" / f"{selection.distribution}.yaml"
            what = f"the trial needs {needed}, which is not made for {target.name}"
            fix = f"have {needed} made for it, or skip it in {selection.version}"
            raise CatalogError(what, where=str(file), fix=fix)
        return Selection(needed, version, (target,))

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
