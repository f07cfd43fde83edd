"""What each lock becomes: old pins are kept where they still fit, and made anew where not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import (
    ArchiveFile,
    GitArchive,
    IndexFile,
    LibrariesLock,
    LockedFile,
    ToolsLock,
    VersionLock,
    WheelLock,
)
from dockerbuild_lib.catalog.machines import Library
from dockerbuild_lib.catalog.sources import ArchiveSource, DebianSource, LocalSource, Source
from dockerbuild_lib.catalog.wheels import (
    BuiltWheel,
    PrebuiltWheel,
    PureWheel,
    SourceWheel,
    UniversalWheel,
    VersionRecipe,
    Wheel,
)
from dockerbuild_lib.core.events import Notice
from dockerbuild_lib.sources.debian import SourcePackage
from dockerbuild_lib.sources.pins import PinnedSource, Pinner
from dockerbuild_lib.sources.selection import is_platform_wheel


@dataclass(frozen=True)
class Renewal:
    """How locks are renewed; with *update* nothing old is kept."""

    pinner: Pinner
    pythons: tuple[str, ...]
    update: bool

    def kept(self, source: Source, version: str, old: LockedFile | None) -> LockedFile | None:
        """Return the *old* pin where it still is what *source* means, None where it must be made anew.

        A folder of this machine is looked at every time. Other mirrors are taken at their word: what they serve must
        have the locked hash when it is fetched.
        """
        if old is None or self.update or isinstance(source, LocalSource):
            return None
        if isinstance(source, ArchiveSource) and isinstance(old, ArchiveFile) and old.version == version:
            return old.model_copy(update={"urls": source.urls_of(version)})
        return old if source.is_pinned_by(version, old) else None


def renewed_wheel(renewal: Renewal, catalog: Catalog, name: str, *, old: WheelLock) -> WheelLock:
    """Return the pins of all versions of a wheel, and of no others."""
    recipe = catalog.wheels[name]
    versions = {}
    for version in _versions(renewal, recipe):
        before = old.versions.get(version, VersionLock())
        kept = VersionLock() if renewal.update else before
        match recipe:
            case UniversalWheel():
                versions[version] = _universal(renewal, name, version, recipe, kept)
            case PrebuiltWheel():
                versions[version] = VersionLock()
            case SourceWheel() | PureWheel():
                versions[version] = _built(renewal, name, version, recipe, kept)
        if isinstance(recipe, PrebuiltWheel) or (isinstance(recipe, SourceWheel) and recipe.prebuilt):
            prebuilt = _prebuilt(renewal, catalog, name, version, kept)
            versions[version] = versions[version].model_copy(update={"prebuilt": prebuilt})
        _tell_of_moves(renewal, before.source, versions[version].source)
    return WheelLock(versions=versions)


def _versions(renewal: Renewal, recipe: Wheel) -> tuple[str, ...]:
    """Return the versions to be locked: a local folder's may have changed since it was locked."""
    if isinstance(recipe, BuiltWheel) and isinstance(recipe.source, LocalSource):
        return (renewal.pinner.folder_version(recipe.source),)
    return tuple(recipe.versions)


def _tell_of_moves(renewal: Renewal, before: LockedFile | None, after: LockedFile | None) -> None:
    """Warn of a tag or branch that is another commit than before: a moved tag may be an attack."""
    if not isinstance(before, GitArchive) or not isinstance(after, GitArchive) or before.commit == after.commit:
        return
    if (before.repository, before.revision) == (after.repository, after.revision):
        what = f"{after.revision} of {after.repository} moved from the commit {before.commit} to {after.commit}"
        renewal.pinner.outside.emit(Notice(what, warning=True))


def _universal(renewal: Renewal, name: str, version: str, recipe: UniversalWheel, kept: VersionLock) -> VersionLock:
    if isinstance(kept.source, IndexFile) and kept.source.is_wheel:
        return VersionLock(source=kept.source)
    return VersionLock(source=renewal.pinner.universal_wheel(name, version, recipe.versions[version].yanked))


def _prebuilt(
    renewal: Renewal, catalog: Catalog, name: str, version: str, kept: VersionLock
) -> dict[str, dict[str, IndexFile]]:
    yanked = catalog.version(name, version).yanked
    pins: dict[str, dict[str, IndexFile]] = {}
    for platform in catalog.prebuilt_platforms_of(name, version):
        old = kept.prebuilt.get(platform, {})
        pins[platform] = {}
        for python in renewal.pythons:
            tags, pin = catalog.tags_of(name, version, platform, python), old.get(python)
            if pin is None or not is_platform_wheel(pin.filename, version, python, tags):
                pin = renewal.pinner.platform_wheel(name, version, python, tags, yanked)
            pins[platform][python] = pin
    return pins


def _built(renewal: Renewal, name: str, version: str, recipe: BuiltWheel, kept: VersionLock) -> VersionLock:
    file = renewal.kept(recipe.source, version, kept.source)
    if file:
        source = PinnedSource(file, kept.declared_requires)
    else:
        said = recipe.versions.get(version, VersionRecipe())
        source = renewal.pinner.source(name, version, recipe.source, said.yanked)
    requires = (*source.declared_requires, *recipe.build_requires)
    old = kept.build_requires if (*kept.declared_requires, *kept.added_requires) == requires else {}
    pin = renewal.pinner.build_wheels
    return VersionLock(
        source=source.file,
        declared_requires=source.declared_requires,
        added_requires=recipe.build_requires,
        build_requires={
            # A source that needs nothing has an empty environment, which is locked all the same.
            python: old[python] if python in old else pin(requires, python, recipe.build_requires)
            for python in renewal.pythons
        },
    )


def renewed_libraries(
    renewal: Renewal, libraries: Mapping[str, Library], wanted: Collection[str], *, old: LibrariesLock
) -> LibrariesLock:
    """Return the pins of the *wanted* libraries' sources, beside the old ones of the others in the catalogue."""
    pins = {name: file for name, file in old.sources.items() if name in libraries and name not in wanted}
    missing = {}
    for name in wanted:
        library = libraries[name]
        if file := renewal.kept(library.source, library.version, old.sources.get(name)):
            pins[name] = file
        else:
            missing[name] = library
    pins |= _debian_sources(renewal, missing)
    for name, library in missing.items():
        if name not in pins:
            pins[name] = renewal.pinner.source(name, library.version, library.source).file
        _tell_of_moves(renewal, old.sources.get(name), pins[name])
    return LibrariesLock(sources=pins)


def _debian_sources(renewal: Renewal, libraries: Mapping[str, Library]) -> dict[str, LockedFile]:
    """Return the pins of those that come from Debian, whose indices are fetched once for all of them."""
    packages = {
        name: SourcePackage(library.source.package, library.version)
        for name, library in libraries.items()
        if isinstance(library.source, DebianSource)
    }
    found = renewal.pinner.outside.find_debian(tuple(packages.values())) if packages else {}
    return {name: found[package] for name, package in packages.items()}


def renewed_tools(renewal: Renewal, requirements: Collection[str], *, old: ToolsLock) -> ToolsLock:
    """Return the pins of the tools, for the first of the Pythons: the one that every image has."""
    wanted = tuple(sorted(requirements))
    if old.requirements == wanted and not renewal.update:
        return old
    wheels = renewal.pinner.build_wheels(wanted, renewal.pythons[0], wanted) if wanted else ()
    return ToolsLock(requirements=wanted, wheels=wheels)
