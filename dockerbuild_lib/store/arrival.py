"""A package, and perhaps its wheel, on the way into a store: copied, hashed and looked at, but not placed yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.store.folder import StoreFolder
from dockerbuild_lib.store.names import instance_id_of
from dockerbuild_lib.store.package_file import read_package
from dockerbuild_lib.store.protocol import Pin
from dockerbuild_lib.store.staging import Staged
from dockerbuild_lib.store.wheel_file import WheelFacts, wheel_facts


@dataclass(frozen=True)
class Arrival:
    """What came, and what it is."""

    pin: Pin
    package: Staged
    wheel: Staged | None
    facts: WheelFacts | None
    """Of the wheel."""

    def places(self, folder: StoreFolder) -> tuple[Path, ...]:
        """Return where its files belong."""
        wheel = folder.simple.places_of(self.facts.filename) if self.facts else ()
        return (folder.files.place_of(self.pin.instance_id), *wheel)

    def place(self, folder: StoreFolder) -> None:
        """Move its files to where they belong. The caller holds the store's lock, and has noted the places."""
        self.package.place(folder.files.place_of(self.pin.instance_id))
        if self.wheel and self.facts:
            folder.simple.place(self.wheel, self.facts)


@contextmanager
def arriving(folder: StoreFolder, package: str, file: Path, wheel: Path | None = None) -> Iterator[Arrival]:
    """Bring the package *file*, which must be of *package*, and its *wheel*; what is not placed inside is removed.

    Raises:
        StoreDamagedError: *file* is no package file.
        UsageError: there is no such file, it is of another package, or the store's folder is none.
        WheelRefusedError: *wheel* is not what its name says.

    """
    check_is_there(file)
    if wheel is not None and not wheel.is_file():
        raise UsageError("there is no such wheel", where=str(wheel))
    files = (file, wheel) if wheel else (file,)
    with folder.usable(), folder.staging.staged(files) as staged:
        check_is_package_of(staged[0].path, package, file)
        pin = Pin(package, instance_id_of(staged[0].sha256))
        if wheel is None:
            yield Arrival(pin, staged[0], None, None)
        else:
            facts = wheel_facts(staged[1].path, staged[1].sha256.hex(), wheel)
            yield Arrival(pin, staged[0], staged[1], facts)


def check_is_there(file: Path) -> None:
    """Refuse a package file that does not exist."""
    if not file.is_file():
        raise UsageError("there is no such package file", where=str(file))


def check_is_package_of(file: Path, package: str, where: Path) -> None:
    """Refuse a file that is no package, or another one's; *where* is what the user calls it.

    Raises:
        StoreDamagedError: it is no package file.
        UsageError: its manifest bears another name.

    """
    named = read_package(file).package
    if named != package:
        raise UsageError(f"the package file is of {named}, not of {package}", where=str(where))
