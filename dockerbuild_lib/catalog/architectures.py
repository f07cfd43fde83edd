"""Facts about processors that no catalogue decides, found by the first part of a GNU triple."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.core.errors import CatalogError


@dataclass(frozen=True)
class Architecture:
    """One processor family, under the names that each tool has for it."""

    gnu: str
    """First part of the GNU triple."""
    machine: str
    """As ``uname -m`` and PEP 425 platform tags say it."""
    debian: str
    """Debian's name of the port."""
    qemu: str
    """qemu-user's name: ``qemu-<name>-static``."""
    elf_machine: str
    """``e_machine`` of its ELF files."""
    elf_bits: int
    """ELF class: 32 or 64."""
    little_endian: bool = True
    elf_float_flags: int = 0
    """Bits of ``e_flags`` that tell its float ABI and must be set (0: the ELF header does not tell)."""

    @property
    def is_build_machine(self) -> bool:
        """Whether the build machine runs its programs without an emulator."""
        return self == BUILD_MACHINE


ARCHITECTURES = (
    Architecture("x86_64", "x86_64", "amd64", "x86_64", "EM_X86_64", 64),
    Architecture("aarch64", "aarch64", "arm64", "aarch64", "EM_AARCH64", 64),
)

BUILD_MACHINE = ARCHITECTURES[0]


def architecture_of(triple: str) -> Architecture:
    """Return the architecture of a GNU triple.

    Raises:
        CatalogError: no architecture of this project has that first part.

    """
    gnu = triple.partition("-")[0]
    for architecture in ARCHITECTURES:
        if architecture.gnu == gnu:
            return architecture
    known = ", ".join(architecture.gnu for architecture in ARCHITECTURES)
    raise CatalogError(f"the triple {triple!r} is of an unknown processor", fix=f"known are: {known}")
