"""The difference between two locks, pin by pin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockerbuild_lib.catalog.locks import LibrariesLock, LockedFile, ToolsLock, WheelLock


@dataclass(frozen=True)
class LockChange:
    """One pin that came, went or moved; a file is shown as its name and the first digits of its sha256."""

    lock: str
    """The wheel's distribution, ``libraries`` or ``tools``."""
    pin: str
    """What is pinned: ``3.0.4 source``, ``3.0.4 python 3.11: setuptools``, ``libffi``, ``auditwheel``."""
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.lock}: {self.pin}: {self.before or 'nothing'} -> {self.after or 'nothing'}"


AnyLock = WheelLock | LibrariesLock | ToolsLock


def changes_between(name: str, before: AnyLock, after: AnyLock) -> Iterator[LockChange]:
    """Yield what differs between two states of the lock *name*, in the order of the pins' names."""
    old, new = _pins(before), _pins(after)
    for pin in sorted({*old, *new}):
        if old.get(pin) != new.get(pin):
            yield LockChange(name, pin, _shown(old.get(pin)), _shown(new.get(pin)))


def _pins(lock: AnyLock) -> Mapping[str, LockedFile | str]:
    if isinstance(lock, LibrariesLock):
        return lock.sources
    if isinstance(lock, ToolsLock):
        return {wheel.distribution: wheel for wheel in lock.wheels}
    return dict(_wheel_pins(lock))


def _wheel_pins(lock: WheelLock) -> Iterator[tuple[str, LockedFile | str]]:
    for version, pins in lock.versions.items():
        if pins.source:
            yield f"{version} source", pins.source
        if pins.crates:
            yield f"{version} crates", pins.crates
        for platform, prebuilt in pins.prebuilt.items():
            yield from ((f"{version} {platform} python {python}", wheel) for python, wheel in prebuilt.items())
        for python, asked in pins.hook_requires.items():
            yield f"{version} python {python}, asked for by its backend", ", ".join(asked)
        for python, here in pins.built_here.items():
            yield from ((f"{version} python {python}: {name}", f"{built}, built here") for name, built in here.items())
        for python, wheels in pins.build_requires.items():
            for wheel in wheels:
                yield f"{version} python {python}: {wheel.distribution}", wheel


def _shown(pin: LockedFile | str | None) -> str | None:
    return pin if pin is None or isinstance(pin, str) else f"{pin.filename} ({pin.sha256[:12]})"
