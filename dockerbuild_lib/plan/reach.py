"""What a catalogue needs of a store: the versions that it builds, and the files that its locks pin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import product

from pydantic import BaseModel

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import Locks
from dockerbuild_lib.plan import naming
from dockerbuild_lib.plan.inventory import PackageVersion
from dockerbuild_lib.plan.naming import Target


def catalog_versions(catalog: Catalog) -> frozenset[PackageVersion]:
    """Return every version of the catalogue in every package that may hold it, also where it is not built today."""
    pythons = frozenset(
        PackageVersion(naming.python_package(platform), python.upstream.version)
        for platform, python in product(catalog.image_platforms.values(), catalog.pythons.values())
        if python.upstream
    )
    wheels = frozenset(
        PackageVersion(package, naming.version_text(version, version_recipe))
        for name, recipe in catalog.wheels.items()
        for package in _packages(catalog, recipe.spelling or name)
        for version, version_recipe in recipe.versions.items()
    )
    libraries = frozenset(
        PackageVersion(naming.library_package(name, platform), naming.revised(library.version, library.revision))
        for (name, library), platform in product(catalog.libraries.items(), catalog.image_platforms.values())
    )
    return wheels | pythons | libraries


def _packages(catalog: Catalog, spelling: str) -> Iterator[str]:
    yield from naming.universal_packages(spelling)
    for (name, platform), python in product(catalog.platforms.items(), catalog.pythons):
        yield naming.wheel_package(spelling, platform, Target(name, python))


def locked_sha256s(locks: Locks) -> frozenset[str]:
    """Return the sha256 of every file that some lock pins."""
    return frozenset(_sha256s(locks))


def _sha256s(value: object) -> Iterator[str]:
    """Yield every field ``sha256``, whatever model of the locks it stands in."""
    if isinstance(value, BaseModel):
        named = {name: getattr(value, name) for name in type(value).model_fields}
    elif is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        named = {}
    for name, part in named.items():
        if name == "sha256" and isinstance(part, str):
            yield part
        yield from _sha256s(part)
    if isinstance(value, Mapping):
        yield from (sha256 for part in value.values() for sha256 in _sha256s(part))
    elif isinstance(value, tuple):
        yield from (sha256 for part in value for sha256 in _sha256s(part))
