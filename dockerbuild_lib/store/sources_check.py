"""Interned sources read again: whether each package is still the one of its id, each file the one of its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.plan.naming import SOURCES
from dockerbuild_lib.store.names import instance_id_of_file
from dockerbuild_lib.store.package_file import open_member, read_package
from dockerbuild_lib.store.protocol import Pin, Store

PACKAGE_FILE = "the package file"
"""Stands for the file's name where the package cannot be read any more."""
_TAG = "sha256:"


@dataclass(frozen=True)
class SourceDamage:
    """An interned source that is not what it must be."""

    pin: Pin
    file: str
    """The file in the package."""
    expected: str
    """The instance id, or where the package file has it, the sha256 of the file in it."""
    actual: str
    """What was found instead; in words where nothing could be."""


@dataclass(frozen=True)
class SourcesCheck:
    """How many interned sources were read, the bytes of their package files, and which are damaged."""

    sources: int
    size: int
    damages: tuple[SourceDamage, ...]


def check_sources(store: Store) -> SourcesCheck:
    """Read all interned sources of *store*: each package file and the file in it must have the hash that names it."""
    pins = [instance.pin for package in store.packages(SOURCES) for instance in store.instances(package)]
    tags = store.tags_of(pins)
    size = 0
    damages = []
    for pin in pins:
        try:
            with store.opened(pin) as package:
                size += package.stat().st_size
                damage = _damage(pin, package, tags.get(pin, ()))
        except DockerbuildError as error:
            damage = SourceDamage(pin, PACKAGE_FILE, pin.instance_id, str(error))
        if damage:
            damages.append(damage)
    return SourcesCheck(len(pins), size, tuple(damages))


def _damage(pin: Pin, package: Path, tags: Collection[str]) -> SourceDamage | None:
    actual = instance_id_of_file(package)
    if actual != pin.instance_id:
        return SourceDamage(pin, _file_in(package), pin.instance_id, actual)
    members = read_package(package).members
    if len(members) != 1:
        return SourceDamage(pin, PACKAGE_FILE, "one file", f"{len(members)} files")
    expected = [tag.removeprefix(_TAG) for tag in tags if tag.startswith(_TAG)]
    with open_member(package, members[0].name) as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    if expected == [sha256]:
        return None
    return SourceDamage(pin, members[0].name, ", ".join(expected) or "a tag sha256:", sha256)


def _file_in(package: Path) -> str:
    try:
        return ", ".join(member.name for member in read_package(package).members)
    except DockerbuildError:
        return PACKAGE_FILE
