"""What each lock becomes: old pins are kept where they still fit, and made anew where not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from dockerbuild_lib.catalog.locks import DebianFile, IndexFile, LibrariesLock, ToolsLock, VersionLock, WheelLock
from dockerbuild_lib.catalog.machines import Library
from dockerbuild_lib.catalog.sources import DebianSource
from dockerbuild_lib.catalog.wheels import SourceWheel, UniversalWheel
from dockerbuild_lib.sources.debian import SourcePackage
from dockerbuild_lib.sources.pins import PinnedSource, Pinner

AnyWheel = SourceWheel | UniversalWheel
DebianFinder = Callable[[Iterable[SourcePackage]], Mapping[SourcePackage, DebianFile]]
"""Finds the upstream archives of source packages."""


@dataclass(frozen=True)
class Renewal:
    """How locks are renewed; with *update* nothing old is kept."""

    pinner: Pinner
    pythons: tuple[str, ...]
    update: bool


def renewed_wheel(renewal: Renewal, name: str, recipe: AnyWheel, *, old: WheelLock) -> WheelLock:
    """Return the pins of all versions of a recipe, and of no others."""
    versions = {}
    for version in recipe.versions:
        kept = None if renewal.update else old.versions.get(version)
        if isinstance(recipe, UniversalWheel):
            versions[version] = _universal(renewal, name, version, kept)
        else:
            versions[version] = _built(renewal, name, version, recipe, kept)
    return WheelLock(versions=versions)


def _universal(renewal: Renewal, name: str, version: str, kept: VersionLock | None) -> VersionLock:
    if kept and isinstance(kept.source, IndexFile) and kept.source.is_wheel:
        return VersionLock(source=kept.source)
    return VersionLock(source=renewal.pinner.universal_wheel(name, version))


def _built(renewal: Renewal, name: str, version: str, recipe: SourceWheel, kept: VersionLock | None) -> VersionLock:
    if kept and kept.source and recipe.source.is_pinned_by(version, kept.source):
        source = PinnedSource(kept.source, kept.declared_requires)
    else:
        source = renewal.pinner.source(name, version, recipe.source)
    requires = (*source.declared_requires, *recipe.build_requires)
    old = kept.build_requires if kept and (*kept.declared_requires, *kept.added_requires) == requires else {}
    return VersionLock(
        source=source.file,
        declared_requires=source.declared_requires,
        added_requires=recipe.build_requires,
        build_requires={
            # A source that needs nothing has an empty environment, which is locked all the same.
            python: old[python] if python in old else renewal.pinner.build_wheels(requires, python)
            for python in renewal.pythons
        },
    )


def renewed_libraries(
    libraries: Mapping[str, Library],
    wanted: Collection[str],
    *,
    old: LibrariesLock,
    find: DebianFinder,
    update: bool,
) -> LibrariesLock:
    """Return the pins of the *wanted* libraries' sources, beside the old ones of the others in the catalogue."""
    kept = {
        name: file
        for name, file in old.sources.items()
        if name in libraries
        and (name not in wanted or (not update and libraries[name].source.is_pinned_by(libraries[name].version, file)))
    }
    missing = {name: _package(libraries[name]) for name in wanted if name not in kept}
    found = find(tuple(missing.values())) if missing else {}
    return LibrariesLock(sources={**kept, **{name: found[package] for name, package in missing.items()}})


def _package(library: Library) -> SourcePackage:
    assert isinstance(library.source, DebianSource)  # noqa: S101
    return SourcePackage(library.source.package, library.version)


def renewed_tools(renewal: Renewal, requirements: Collection[str], *, old: ToolsLock) -> ToolsLock:
    """Return the pins of the tools, for the first of the Pythons: the one that every image has."""
    wanted = tuple(sorted(requirements))
    if old.requirements == wanted and not renewal.update:
        return old
    wheels = renewal.pinner.build_wheels(wanted, renewal.pythons[0]) if wanted else ()
    return ToolsLock(requirements=wanted, wheels=wheels)
