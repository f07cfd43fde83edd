"""What a version is built with, for each Python: what it declares, what its backend asks for, the recipe's word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import Version

from dockerbuild_lib.catalog.build_requires import merged, own_requirements
from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import IndexFile, VersionLock, WheelLock
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.plan.keys import requirements_key
from dockerbuild_lib.plan.patches import patch_digests
from dockerbuild_lib.sources.backends import Backends, HereWheel, Subject
from dockerbuild_lib.sources.pins import Pinner
from dockerbuild_lib.sources.requirements import specifiers_of


@dataclass(frozen=True)
class _Environment:
    """What a version is built with under one Python, and what its backend asked for."""

    asked: tuple[str, ...]
    pinned: tuple[IndexFile, ...]
    here: Mapping[str, str]
    """Distribution -> version of what this catalogue builds."""


@dataclass(frozen=True)
class RequirementsLocker:
    """Finds out and pins build requirements. *backends* is called when a source must be asked, not before."""

    pinner: Pinner
    backends: Callable[[], Backends]
    pythons: tuple[str, ...]

    def lock(self, catalog: Catalog, subject: Subject, kept: VersionLock) -> VersionLock:
        """Return the pins of a version that is built; of *kept* what was found out from the same things.

        *catalog* has the pins of what is to be built here.

        Raises:
            LockError: the requirements cannot be fulfilled by wheels, or are none.
            UnsafeArchiveError, PatchFailedError: there is no source to ask.
            BuildFailedError, LimitExceededError: the backend failed, or used too much.

        """
        key = _key(catalog, subject)
        known = kept.requires_key == key
        declared = kept.declared_requires if known else self.pinner.declared_requires(catalog, subject)
        found = {
            # A source that needs nothing has an empty environment, which is locked all the same.
            python: _kept(kept, python)
            if known and python in kept.build_requires
            else self._environment(catalog, subject, declared, python)
            for python in self.pythons
        }
        return VersionLock(
            source=subject.source,
            declared_requires=declared,
            recipe_requires=subject.recipe.build_requires,
            hook_requires={python: one.asked for python, one in found.items() if one.asked},
            build_requires={python: one.pinned for python, one in found.items()},
            built_here={python: dict(one.here) for python, one in found.items() if one.here},
            requires_key=key,
        )

    def _environment(self, catalog: Catalog, subject: Subject, declared: tuple[str, ...], python: str) -> _Environment:
        """Ask the backend in an environment of all that is known before, and return the whole one."""
        before = self._resolved(catalog, subject, declared, python)
        here = self._built(catalog, before.here, python)
        asked = self.backends().wheel_requires(subject, python, before.pinned, here)
        whole = self._resolved(catalog, subject, (*declared, *asked), python) if asked else before
        return _Environment(asked, whole.pinned, whole.here)

    def _resolved(self, catalog: Catalog, subject: Subject, asked: tuple[str, ...], python: str) -> _Environment:
        own = subject.recipe.build_requires
        here = {name: _version(catalog, subject, name, asked, python) for name in subject.recipe.built_here}
        named = own_requirements(own)
        pinned = self.pinner.build_wheels(merged(asked, own), python, named, self._built(catalog, here, python))
        return _Environment((), pinned, here)

    def _built(self, catalog: Catalog, here: Mapping[str, str], python: str) -> tuple[HereWheel, ...]:
        return tuple(self.backends().build(catalog, name, version, python) for name, version in here.items())


def _kept(kept: VersionLock, python: str) -> _Environment:
    here = kept.built_here.get(python, {})
    return _Environment(kept.hook_requires.get(python, ()), kept.build_requires[python], here)


def _key(catalog: Catalog, subject: Subject) -> str:
    return requirements_key(
        subject.recipe,
        subject.version_recipe,
        source=subject.source,
        patches=patch_digests(subject.patches(catalog.folder)),
        here={name: dict(_keys(catalog, name)) for name in subject.recipe.built_here},
    )


def _keys(catalog: Catalog, distribution: str) -> Iterator[tuple[str, str | None]]:
    """Yield the versions of what is built here, each with what its own build requirements were found out from."""
    for version, lock in catalog.locks.wheels.get(distribution, WheelLock()).versions.items():
        yield version, lock.requires_key


def _version(catalog: Catalog, subject: Subject, needed: str, asked: Iterable[str], python: str) -> str:
    """Return the version of *needed* that is to be built here: the newest that fits, the catalogue's defaults first.

    Raises:
        LockError: none fits, or none is locked.

    """
    wanted = tuple(specifiers_of(asked, needed, python))
    versions = [
        version
        for version in catalog.locks.wheels.get(needed, WheelLock()).versions
        if version in catalog.wheels[needed].versions
        and catalog.build_platform in catalog.platforms_of(needed, version)
    ]
    fitting = [version for version in versions if all(one.contains(version, prereleases=True) for one in wanted)]
    if not fitting:
        told = f"{needed}{','.join(map(str, wanted))}, which is to be built here"
        what = f"no locked version of {told}, fits: there are {', '.join(versions) or 'none'}"
        fix = f"add one that does and is built for {catalog.build_platform}, or run sources.lock --name={needed}"
        raise LockError(what, where=subject.name, fix=fix)
    recipes = catalog.wheels[needed].versions
    return max(fitting, key=lambda version: (recipes[version].default, Version(version)))
