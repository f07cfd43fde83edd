"""What each lock becomes: old pins are kept where they still fit, and made anew where not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.image_additions import ImageSource
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import (
    ArchiveFile,
    CratesArchive,
    GitArchive,
    IndexFile,
    LibrariesLock,
    SourceFile,
    ToolsLock,
    VersionLock,
    WheelLock,
)
from dockerbuild_lib.catalog.machines import PythonUpstream
from dockerbuild_lib.catalog.patch_text import parse_patch
from dockerbuild_lib.catalog.python_names import target_name
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
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.events import Notice
from dockerbuild_lib.sources.backends import Subject
from dockerbuild_lib.sources.cargo_files import CARGO_LOCK
from dockerbuild_lib.sources.debian import SourcePackage
from dockerbuild_lib.sources.lock_requires import RequirementsLocker
from dockerbuild_lib.sources.pins import Pinner
from dockerbuild_lib.sources.selection import is_platform_wheel

Sourced = Library | PythonUpstream | ImageSource
"""What is of one version, and has a source."""


@dataclass(frozen=True)
class Renewal:
    """How locks are renewed; with *update* nothing old is kept."""

    pinner: Pinner
    requirements: RequirementsLocker
    update: bool

    def kept(self, source: Source, version: str, old: SourceFile | None) -> SourceFile | None:
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
                versions[version] = _built(renewal, catalog, name, version, kept)
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


def _tell_of_moves(renewal: Renewal, before: SourceFile | None, after: SourceFile | None) -> None:
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
    said = catalog.version(name, version)
    pins: dict[str, dict[str, IndexFile]] = {}
    for platform in catalog.prebuilt_platforms_of(name, version):
        old = kept.prebuilt.get(platform, {})
        pins[platform] = {}
        for python in renewal.requirements.pythons:
            if target_name(platform, python) in said.skip:
                continue
            tags, pin = catalog.tags_of(name, version, platform, python), old.get(python)
            if pin is None or not is_platform_wheel(pin.filename, version, python, tags):
                pin = renewal.pinner.platform_wheel(name, version, python, tags, said.yanked)
            pins[platform][python] = pin
    return pins


def _built(renewal: Renewal, catalog: Catalog, name: str, version: str, kept: VersionLock) -> VersionLock:
    recipe = catalog.wheels[name]
    assert isinstance(recipe, BuiltWheel)  # noqa: S101 - so it was matched
    source = renewal.kept(recipe.source, version, kept.source)
    if source is None:
        said = recipe.versions.get(version, VersionRecipe())
        source = renewal.pinner.source(name, version, recipe.source, said.yanked)
    subject = Subject(name, version, recipe, source)
    pins = renewal.requirements.lock(catalog, subject, kept)
    return pins.model_copy(update={"crates": _crates(renewal, catalog, subject, kept.crates)})


def _crates(renewal: Renewal, catalog: Catalog, subject: Subject, old: CratesArchive | None) -> CratesArchive | None:
    if not subject.recipe.has_crates(subject.version):
        return None
    _refuse_other_crates(catalog, subject)
    if old and old.source.sha256 == subject.source.sha256:
        return old.model_copy(update={"source": subject.source})
    return renewal.pinner.crates(subject.distribution, subject.version, subject.source)


def _refuse_other_crates(catalog: Catalog, subject: Subject) -> None:
    """Refuse patches of Cargo.lock: the crates are those of the source as it was released."""
    for path in subject.patches(catalog.folder):
        if any(PurePosixPath(change.path).name == CARGO_LOCK for change in parse_patch(path.read_bytes())):
            what = "it changes Cargo.lock, but crates are locked as the source itself names them"
            raise LockError(what, where=str(path), fix="take a source that names them, or a commit of your own")


def renewed_libraries(
    renewal: Renewal, libraries: Mapping[str, Sourced], wanted: Collection[str], *, old: LibrariesLock
) -> LibrariesLock:
    """Return the pins of the sources of the *wanted*, beside the old ones of the others in the catalogue."""
    pins = {name: file for name, file in old.sources.items() if name in libraries and name not in wanted}
    missing: dict[str, Sourced] = {}
    for name in wanted:
        library = libraries[name]
        if file := renewal.kept(library.source, library.version, old.sources.get(name)):
            pins[name] = file
        else:
            missing[name] = library
    pins |= _debian_sources(renewal, missing)
    for name, library in missing.items():
        if name not in pins:
            pins[name] = renewal.pinner.source(name, library.version, library.source)
        _tell_of_moves(renewal, old.sources.get(name), pins[name])
    return LibrariesLock(sources=pins)


def _debian_sources(renewal: Renewal, libraries: Mapping[str, Sourced]) -> dict[str, SourceFile]:
    """Return the pins of those that come from Debian, whose indices are fetched once for all of them."""
    packages = {
        name: SourcePackage(library.source.package, library.version, library.source.suite)
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
    wheels = renewal.pinner.build_wheels(wanted, renewal.requirements.pythons[0], wanted) if wanted else ()
    return ToolsLock(requirements=wanted, wheels=wheels)
