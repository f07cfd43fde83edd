"""What the checks of one system's machine code say of a wheel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Findings:
    """All that is wrong, and the facts for who is told that nothing is."""

    problems: tuple[str, ...]
    extensions: tuple[str, ...]
    """Dotted names of the extension modules."""
    needed: tuple[str, ...] = ()
    """Libraries that are taken from the system."""
    glibc: str | None = None
    """The newest glibc that a symbol asks for."""
    system: str | None = None
    """The oldest system that a wheel for Macs or Windows runs on: ``macOS 11.0``."""
