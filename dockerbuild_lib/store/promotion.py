"""Packages copied from one store to another, byte for byte, with all that they bear."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.plan.refs import is_computed_ref
from dockerbuild_lib.store.export import matching
from dockerbuild_lib.store.names import version_of
from dockerbuild_lib.store.protocol import Description, EmbeddedStore, Pin, Publication, Published, Store
from dockerbuild_lib.store.ref_check import WITH_REFS
from dockerbuild_lib.store.simple_index import SimpleIndex


@dataclass(frozen=True)
class Promotion:
    """What became of one package: published there, or the error that kept it back."""

    pin: Pin
    published: Published | None = None
    error: DockerbuildError | None = None


def select_pins(store: Store, wanted: Iterable[tuple[str, str]]) -> tuple[Pin, ...]:
    """Return the instances that pairs of a package, or a pattern, and a version mean, each once.

    Raises:
        NotInStoreError: a package, or its version, is not there.

    """
    known = store.packages()
    found = (each.pin for pattern, version in wanted for each in matching(store, known, pattern, version))
    return tuple(dict.fromkeys(found))


def promote(source: EmbeddedStore, pages: SimpleIndex, target: Store, pins: Sequence[Pin]) -> Iterator[Promotion]:
    """Copy *pins* of *source* to *target*, one after the other, and yield what became of each; safe to repeat.

    The wheels that *pages* show are copied along, for a target that has an index too. Computed refs (``latest``,
    ``3.x``) become what the versions of the target say; others are set as they are.
    """
    wheels = {wheel.pin: pages.place_of(wheel.filename) for wheel in source.wheels()}
    for pin in pins:
        try:
            yield Promotion(pin, _copy(source, target, pin, wheels.get(pin)))
        except DockerbuildError as error:
            yield Promotion(pin, error=error)


def _copy(source: Store, target: Store, pin: Pin, wheel: Path | None) -> Published:
    described = source.describe(pin.package, pin.instance_id)
    with tempfile.TemporaryDirectory(prefix="dockerbuild-promote.") as folder, translated_os_errors(Path(folder)):
        file = Path(folder, "package")
        source.fetch(pin, file)
        published = target.publish(_publication(described, file, wheel))
    own = [ref.ref for ref in described.refs if not _is_computed(pin, ref.ref)]
    if own:
        target.set_refs(pin, own)
    if described.metadata:
        target.attach_metadata(pin, [each.metadata for each in described.metadata])
    return published


def _publication(described: Description, file: Path, wheel: Path | None) -> Publication:
    package = described.instance.pin.package
    tags = tuple(tag.tag for tag in described.tags)
    versions = [tag for tag in tags if version_of(tag) is not None] if _has_refs(package) else []
    return Publication(package, file, tags, versions[0] if versions else None, wheel)


def _is_computed(pin: Pin, ref: str) -> bool:
    return _has_refs(pin.package) and is_computed_ref(ref)


def _has_refs(package: str) -> bool:
    return package.startswith(f"{WITH_REFS}/")
