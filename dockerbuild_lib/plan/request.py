"""What the user asked for, resolved against the catalogue: wheels, versions, targets."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.foreign import ForeignPlatform
from dockerbuild_lib.catalog.python_names import target_name
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wheels import TargetedWheel
from dockerbuild_lib.core.errors import LockError, UsageError
from dockerbuild_lib.plan.naming import Target


@dataclass(frozen=True)
class Request:
    """The options of ``wheel.build`` and ``wheel.plan``. Empty names, platforms or pythons: all that are default.

    A name is a distribution, a pattern (``py*``), or one version: ``markupsafe==3.0.4``.
    """

    names: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    rebuild: bool = False
    upload: bool = False


@dataclass(frozen=True)
class ImageRequest:
    """The options of ``image.generate``: platforms by their names; *rebuild* also images that the engine holds."""

    platforms: tuple[str, ...]
    rebuild: bool = False
    upload: bool = False
    """They are wanted in the registry too."""


@dataclass(frozen=True)
class LibraryRequest:
    """The options of ``library.build``. Empty names or platforms: all there are; both may be patterns."""

    names: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    rebuild: bool = False
    upload: bool = False


@dataclass(frozen=True)
class Selection:
    """One version of one distribution, on the targets where it is to be built; a wheel for all of them has none."""

    distribution: str
    version: str
    targets: tuple[Target, ...]


def select(request: Request, catalog: Catalog) -> tuple[Selection, ...]:
    """Return what the request means, in the catalogue's order.

    Raises:
        UsageError: a name, platform or Python is unknown, or nothing at all is left to build.
        LockError: the version of a local folder is not locked yet.

    """
    platforms = tuple(_chosen("platform", request.platforms, catalog.platforms))
    if not request.platforms:
        platforms = tuple(platform for platform in platforms if catalog.platforms[platform].default)
    pythons = tuple(_chosen("python", request.pythons, catalog.pythons))
    if not request.pythons:
        pythons = tuple(python for python in pythons if catalog.pythons[python].default)
    selections = tuple(
        Selection(distribution, version, _targets(catalog, distribution, version, platforms, pythons))
        for distribution, version in _versions(request.names, catalog)
    )
    _refuse_skipped(request, catalog, selections)
    return tuple(s for s in selections if s.targets or not isinstance(catalog.wheels[s.distribution], TargetedWheel))


def select_libraries(request: LibraryRequest, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """Return which libraries are to be built for which platforms, in the catalogue's order.

    Raises:
        UsageError: a name or platform is unknown.

    """
    for name in request.names:
        if not fnmatch.filter(catalog.libraries, name):
            raise UsageError(f"unknown library {name!r}", where="--name", fix=suggestion(name, catalog.libraries))
    names = [name for name in catalog.libraries if not request.names or _is_meant(name, request.names)]
    for name in catalog.platforms.keys() & set(request.platforms):
        catalog.image_platform(name)  # raises where nothing is built
    platforms = tuple(_chosen("platform", request.platforms, catalog.image_platforms))
    return tuple(product(names, platforms if request.platforms else catalog.default_platforms(platforms)))


def _chosen(what: str, wanted: tuple[str, ...], known: Mapping[str, object]) -> Iterable[str]:
    for name in wanted:
        if not any(fnmatch.fnmatchcase(key, name) for key in known):
            raise UsageError(f"unknown {what} {name!r}", where=f"--{what}", fix=suggestion(name, known))
    return (key for key in known if not wanted or _is_meant(key, wanted))


def _is_meant(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _versions(names: tuple[str, ...], catalog: Catalog) -> Iterator[tuple[str, str]]:
    wanted = [name.partition("==")[::2] for name in names] or [("*", "")]
    for pattern, version in wanted:
        _refuse_unknown(pattern, version, catalog)
    for distribution, recipe in catalog.wheels.items():
        versions = [version for pattern, version in wanted if fnmatch.fnmatchcase(distribution, pattern)]
        for version, version_recipe in recipe.versions.items():
            if version in versions or ("" in versions and version_recipe.default):
                yield distribution, version


def _refuse_unknown(pattern: str, version: str, catalog: Catalog) -> None:
    matching = [name for name in catalog.wheels if fnmatch.fnmatchcase(name, pattern)]
    if not matching:
        raise UsageError(f"unknown wheel {pattern!r}", where="--name", fix=suggestion(pattern, catalog.wheels))
    for name in matching:
        if not catalog.wheels[name].versions:
            fix = f"run sources.lock --name={name}"
            raise LockError("the version of its folder is not locked", where=name, fix=fix)
    known = {known for name in matching for known in catalog.wheels[name].versions}
    if version and version not in known:
        raise UsageError(f"{pattern} has no version {version!r}", where="--name", fix=suggestion(version, known))


def _targets(
    catalog: Catalog, distribution: str, version: str, platforms: tuple[str, ...], pythons: tuple[str, ...]
) -> tuple[Target, ...]:
    recipe = catalog.wheels[distribution]
    if not isinstance(recipe, TargetedWheel):
        return ()
    made_for = catalog.platforms_of(distribution, version)
    return tuple(
        Target(platform, python)
        for platform in platforms
        if platform in made_for
        for python in catalog.pythons_of(distribution, version, platform)
        if python in pythons
    )


def _refuse_skipped(request: Request, catalog: Catalog, selections: tuple[Selection, ...]) -> None:
    """Refuse a wheel that was asked for by name and has no target left: never a silent skip."""
    for selection in selections:
        recipe = catalog.wheels[selection.distribution]
        if selection.targets or not isinstance(recipe, TargetedWheel) or not request.names:
            continue
        told = [
            f"{name}: {why}"
            for name in request.platforms or catalog.platforms
            if (why := _why_not(catalog, selection, name))
        ]
        skips = catalog.version(selection.distribution, selection.version).skip
        asked = product(request.platforms or catalog.platforms, request.pythons or catalog.pythons)
        told += [f"{name}: {skips[name]}" for pair in asked if (name := target_name(*pair)) in skips]
        known = ", ".join(catalog.platforms_of(selection.distribution, selection.version)) or "none"
        raise UsageError(
            f"{selection.distribution} {selection.version} is not built for {', '.join(request.platforms) or 'any'}",
            where="--platform",
            fix="; ".join(told) or f"its platforms are: {known}",
        )
    if not selections:
        raise UsageError("nothing is left to build", fix="name a version that is not built by default: NAME==VERSION")


def _why_not(catalog: Catalog, selection: Selection, platform: str) -> str | None:
    """Return why a wheel is not made for a platform, where there is more to say than that."""
    distribution, version = selection.distribution, selection.version
    if reason := catalog.version(distribution, version).skip.get(platform):
        return reason
    if isinstance(catalog.platforms.get(platform), ForeignPlatform) and not catalog.is_prebuilt(distribution, platform):
        return "it has no image to build in; name it under 'prebuilt' to take the package index's wheel"
    return None
