"""Every source that the catalogue needs, pinned or not yet, and who uses it for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from dockerbuild_lib.catalog.build_requires import merged
from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.image_additions import ImageSource
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import IndexFile, LibrariesLock, LockedFile, VersionLock, WheelLock
from dockerbuild_lib.catalog.machines import PythonUpstream
from dockerbuild_lib.catalog.trials import trial_requires_of, version_for_trials
from dockerbuild_lib.catalog.wheels import PrebuiltWheel, PureWheel, SourceWheel, UniversalWheel
from dockerbuild_lib.plan.naming import source_name
from dockerbuild_lib.plan.pinned_files import pinned_files

PYTHON = "python"
IMAGES = "images"
"""What the sources that are unpacked in images are called there."""
TOOLS = "tools"
"""What the Python tools of all images are called where a wheel or library could be named."""
_ROLES = {"build_requires": "build requirement"}


@dataclass(frozen=True, order=True)
class Use:
    """One part of the catalogue that uses a source, and what for."""

    kind: str
    """``wheel``, ``library``, ``python`` or ``image``."""
    name: str
    version: str
    """Empty where the user has none."""
    role: str
    detail: str = ""
    """For which Python or platform, where it is not for all."""

    @property
    def user(self) -> str:
        """Who uses it, in a few words: ``wheel cffi 2.1.1``."""
        return " ".join(filter(None, (self.kind, self.name, self.version)))

    @property
    def selectors(self) -> tuple[str, ...]:
        """The names that mean this user where sources are selected by who uses them."""
        if self.kind == "image":
            return (TOOLS if self.role == "tool" else IMAGES,)
        if self.kind == PYTHON:
            return (f"{PYTHON}{self.name}",)
        return (self.name, f"{self.name}=={self.version}") if self.version else (self.name,)


@dataclass(frozen=True)
class NeededSource:
    """A source and its uses."""

    name: str
    version: str
    """Empty where it is not known before it is locked."""
    type: str
    file: LockedFile | None
    """The pin; None: it is not locked."""
    uses: tuple[Use, ...]
    """Empty: it is pinned, but nothing uses it any more."""


def needed_sources(catalog: Catalog) -> tuple[NeededSource, ...]:
    """Return every source of every wheel, library and image, and whatever else is pinned, sorted by name."""
    uses: dict[LockedFile, set[Use]] = {}
    for file, users in _pinned(catalog):
        uses.setdefault(file, set()).update(users)
    pinned = (
        NeededSource(source_name(file), str(file.version), source_type(file), file, tuple(sorted(users)))
        for file, users in uses.items()
    )
    return tuple(sorted((*pinned, *_unlocked(catalog)), key=_order))


def source_type(file: LockedFile) -> str:
    """Return what a source is: ``sdist``, ``wheel``, or where it comes from when that is not a package index."""
    if isinstance(file, IndexFile):
        return "wheel" if file.is_wheel else "sdist"
    return file.origin


def _order(source: NeededSource) -> tuple[str, ...]:
    file = source.file
    pin = (file.filename, file.sha256) if file else ("", "")
    return (source.name, source.version, source.type, *pin, *(use.detail for use in source.uses))


_Pinned = Iterator[tuple[LockedFile, Iterable[Use]]]


def _pinned(catalog: Catalog) -> _Pinned:
    for part in (_wheels, _libraries, _pythons, _image_sources, _tools):
        yield from part(catalog)


def _wheels(catalog: Catalog) -> _Pinned:
    for name, lock in catalog.locks.wheels.items():
        recipe = catalog.wheels.get(name)
        for version, pins in lock.versions.items():
            others = tuple(_uses_of_wheel(catalog, name, version))
            for (field, *keys), file in pinned_files(pins):
                use = Use("wheel", name, version, _ROLES.get(field, field.replace("_", " ")), _detail(keys))
                yield file, [use, *others] if recipe and version in recipe.versions else ()


def _uses_of_wheel(catalog: Catalog, name: str, version: str) -> Iterator[Use]:
    """Yield the wheels that are built or tried with a version of a wheel."""
    for user, lock in catalog.locks.wheels.items():
        recipe = catalog.wheels.get(user)
        for user_version, pins in lock.versions.items():
            if recipe and user_version in recipe.versions:
                roles = tuple(_roles(catalog, name, version, user, pins))
                for role in roles:
                    yield Use("wheel", user, user_version, f"{name} {version}, {role}")
                if roles:
                    yield from _uses_of_wheel(catalog, user, user_version)


def _roles(catalog: Catalog, name: str, version: str, user: str, pins: VersionLock) -> Iterator[str]:
    """Yield what a version of a wheel does for *user*, which has these *pins*."""
    if any(here.get(name) == version for here in pins.built_here.values()):
        yield "built here"
    if name in trial_requires_of(catalog.wheels[user]):
        targets = product(catalog.platforms, catalog.pythons)
        if any(version_for_trials(catalog, name, *target) == version for target in targets):
            yield "for its trial"


def _detail(keys: Iterable[str]) -> str:
    """Return for what of a version something is pinned, from the keys of its lock: ``mac-arm64, Python 3.11``."""
    return ", ".join(f"Python {key}" if key.startswith("3.") else key for key in keys)


def _libraries(catalog: Catalog) -> _Pinned:
    for name, file in catalog.locks.libraries.sources.items():
        yield file, _library_uses(catalog, name) if name in catalog.libraries else ()


def _library_uses(catalog: Catalog, library: str) -> Iterator[Use]:
    yield Use("library", library, "", "source")
    for name, recipe in catalog.wheels.items():
        if isinstance(recipe, SourceWheel) and library in recipe.libraries:
            for version in recipe.versions:
                yield Use("wheel", name, version, f"library {library}")
                yield from _uses_of_wheel(catalog, name, version)


def _pythons(catalog: Catalog) -> _Pinned:
    for name, file in catalog.locks.pythons.sources.items():
        python = catalog.pythons.get(name)
        yield file, (Use(PYTHON, name, "", "source"),) if python and python.upstream else ()


def _image_sources(catalog: Catalog) -> _Pinned:
    for name, file in catalog.locks.images.sources.items():
        yield file, _image_uses(catalog, name)


def _image_uses(catalog: Catalog, source: str) -> list[Use]:
    return [Use("image", name, "", "source") for name, recipe in catalog.images.items() if source in recipe.sources]


def _tools(catalog: Catalog) -> _Pinned:
    uses = [Use("image", name, "", "tool") for name, recipe in catalog.images.items() if recipe.tools]
    for _, file in pinned_files(catalog.locks.tools):
        yield file, uses


def _unlocked(catalog: Catalog) -> Iterator[NeededSource]:
    for name, recipe in catalog.wheels.items():
        locks = catalog.locks.wheels.get(name, WheelLock())
        for version in recipe.versions or ("",):  # a local folder that is not locked has not told its version yet
            yield from _unlocked_version(catalog, name, version, locks.versions.get(version, VersionLock()))
    yield from _unlocked_sources(catalog)
    for name, image in catalog.images.items():
        for tool in sorted(set(image.tools) - set(catalog.locks.tools.requirements)):
            yield NeededSource(tool, "", "wheel", None, (Use("image", name, "", "tool"),))


def _unlocked_sources(catalog: Catalog) -> Iterator[NeededSource]:
    locks = catalog.locks
    for name, library in _not_pinned(catalog.libraries, locks.libraries):
        uses = tuple(sorted(_library_uses(catalog, name)))
        yield NeededSource(name, library.version, library.source.type, None, uses)
    for name, python in _not_pinned(catalog.python_upstreams, locks.pythons):
        use = Use(PYTHON, name, "", "source")
        yield NeededSource(f"{PYTHON}{name}", python.version, python.source.type, None, (use,))
    for name, added in _not_pinned(catalog.image_sources, locks.images):
        yield NeededSource(name, added.version, added.source.type, None, tuple(_image_uses(catalog, name)))


_Sourced = TypeVar("_Sourced", Library, PythonUpstream, ImageSource)


def _not_pinned(known: Mapping[str, _Sourced], lock: LibrariesLock) -> Iterator[tuple[str, _Sourced]]:
    for name, one in known.items():
        pin = lock.sources.get(name)
        if pin is None or not one.source.is_pinned_by(one.version, pin):
            yield name, one


def _unlocked_version(catalog: Catalog, name: str, version: str, lock: VersionLock) -> Iterator[NeededSource]:
    match catalog.wheels[name]:
        case UniversalWheel():
            if not isinstance(lock.source, IndexFile) or not lock.source.is_wheel:
                yield NeededSource(name, version, "wheel", None, (Use("wheel", name, version, "source"),))
        case PrebuiltWheel():
            yield from _unlocked_prebuilt(catalog, name, version, lock)
        case SourceWheel() | PureWheel() as recipe:
            if lock.source is None or not recipe.source.is_pinned_by(version, lock.source):
                yield NeededSource(name, version, recipe.source.type, None, (Use("wheel", name, version, "source"),))
            if recipe.has_crates(version) and lock.crates is None:
                yield NeededSource(name, version, "crates", None, (Use("wheel", name, version, "crates"),))
            for python in catalog.pythons.keys() - lock.build_requires.keys():
                asked = (*lock.declared_requires, *lock.hook_requires.get(python, ()))
                use = Use("wheel", name, version, _ROLES["build_requires"], _detail([python]))
                for requirement in merged(asked, recipe.build_requires):
                    yield NeededSource(requirement, "", "wheel", None, (use,))
            if isinstance(recipe, SourceWheel) and recipe.prebuilt:
                yield from _unlocked_prebuilt(catalog, name, version, lock)


def _unlocked_prebuilt(catalog: Catalog, name: str, version: str, lock: VersionLock) -> Iterator[NeededSource]:
    for platform in catalog.prebuilt_platforms_of(name, version):
        for python in set(catalog.pythons_of(name, version, platform)) - lock.prebuilt.get(platform, {}).keys():
            use = Use("wheel", name, version, "prebuilt", _detail([platform, python]))
            yield NeededSource(name, version, "wheel", None, (use,))
