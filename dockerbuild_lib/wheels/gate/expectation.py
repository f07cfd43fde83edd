"""What the gate is told to expect of a wheel, and what it says of one that passed."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.foreign import ForeignPlatform


@dataclass(frozen=True)
class WheelExpectation:
    """What a target and a recipe say that a wheel must be."""

    distribution: str
    """Normalised name (PEP 503)."""
    version: str
    python: str
    """The target's Python as a tag: ``cp311``."""
    triple: str | None = None
    """GNU triple of a Linux target; None: the wheel is for another system, or universal."""
    platform_tags: tuple[str, ...] = ("any",)
    """PEP 425 platform tags that it may claim."""
    extensions: tuple[str, ...] = ()
    """The extension modules that it must hold, all of them and no others; empty: at least one."""
    glibc_floor: str | None = None
    """The oldest glibc that it must run with, where that is older than its tag's: ``2.17``."""
    python_tags: str | None = None
    """The Python tags (PEP 425) that a universal wheel must bear, no others: ``py2.py3``; None: any that fit."""
    abi: str | None = None
    """The target's ABI as a tag, where it is not that of its Python: ``cp313t``."""
    foreign: ForeignPlatform | None = None
    """The Macs or Windows machines that it is for; neither this nor a triple: it is universal, without machine code."""

    @property
    def is_universal(self) -> bool:
        """Whether the wheel is for all platforms."""
        return self.triple is None and self.foreign is None

    @property
    def architecture(self) -> Architecture | None:
        """The processor that its machine code must be for, on Linux."""
        return architecture_of(self.triple) if self.triple else None

    @property
    def abi_tag(self) -> str:
        """``cp311``, or ``cp313t``."""
        return self.abi or self.python

    @property
    def python_minor(self) -> int:
        """11 for ``cp311``."""
        return int(self.python.removeprefix("cp3"))


@dataclass(frozen=True)
class WheelFacts:
    """A wheel that passed the gate."""

    tags: tuple[str, ...]
    extensions: tuple[str, ...]
    """Dotted names of its extension modules."""
    glibc: str | None
    """The newest version of glibc that its symbols ask for; None: none asks for any."""
    system: str | None
    """The oldest system that a wheel for Macs or Windows runs on, by its machine code: ``macOS 11.0``."""
    needed: tuple[str, ...]
    """Shared libraries that it takes from the system."""
    size: int
    sha256: str
