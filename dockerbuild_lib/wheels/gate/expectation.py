"""What the gate is told to expect of a wheel, and what it says of one that passed."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of


@dataclass(frozen=True)
class WheelExpectation:
    """What a target and a recipe say that a wheel must be."""

    distribution: str
    """Normalised name (PEP 503)."""
    version: str
    python: str
    """The target's Python as a tag: ``cp311``."""
    triple: str | None = None
    """GNU triple of the target; None: the wheel is universal and holds no machine code."""
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

    @property
    def architecture(self) -> Architecture | None:
        """The processor that its machine code must be for."""
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
    needed: tuple[str, ...]
    """Shared libraries that it takes from the system."""
    size: int
    sha256: str
