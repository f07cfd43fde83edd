"""Facts about processors that no catalogue decides, found by the first part of a GNU triple."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.core.errors import CatalogError


@dataclass(frozen=True)
class ArmLevel:
    """What code for a 32-bit ARM may use at most, as the build attributes of its files say it (ARM IHI 0045)."""

    cpu: frozenset[int]
    """Values of ``Tag_CPU_arch``."""
    floating_point: frozenset[int]
    """Values of ``Tag_FP_arch``."""


@dataclass(frozen=True)
class Architecture:
    """One processor family, under the names that each tool has for it."""

    gnu: str
    """First part of the GNU triple."""
    machine: str
    """As ``uname -m`` and PEP 425 platform tags say it."""
    debian: str
    """Debian's name of the port."""
    multiarch: str
    """Debian's multiarch tuple, which names folders; CPython takes it for the suffixes of extension modules."""
    cross_prefix: str
    """How the names of Debian's cross compilers and binutils begin, and what the folder of its libraries is called."""
    zig: str
    """zig's target, the glibc version left out."""
    qemu: str
    """qemu-user's name: ``qemu-<name>-static``."""
    meson: str
    """meson's name of the processor family."""
    elf_machine: str
    """``e_machine`` of its ELF files."""
    elf_bits: int
    """ELF class: 32 or 64."""
    little_endian: bool = True
    elf_float_flags: int = 0
    """Bits of ``e_flags`` that tell its float ABI and must be set (0: the ELF header does not tell)."""
    rust: str | None = None
    """Rust's target triple; None: Debian has no standard library of Rust for it."""
    zig_cpu: str | None = None
    """The oldest processor of the family, where zig's own choice is a newer one."""
    arm: ArmLevel | None = None
    """What its code may use, on a 32-bit ARM."""

    @property
    def is_build_machine(self) -> bool:
        """Whether the build machine runs its programs without an emulator."""
        return self == BUILD_MACHINE


def _gnu(  # noqa: PLR0913 - what differs is named at the call
    gnu: str,
    debian: str,
    elf_machine: str,
    *,
    machine: str | None = None,
    meson: str | None = None,
    has_rust: bool = True,
    little_endian: bool = True,
    elf_float_flags: int = 0,
) -> Architecture:
    """Return a 64-bit architecture whose names are those of its GNU triple, where no other is given."""
    triple = f"{gnu}-linux-gnu"
    return Architecture(
        gnu=gnu,
        machine=machine or gnu,
        debian=debian,
        multiarch=triple,
        cross_prefix=triple,
        zig=triple,
        qemu=machine or gnu,
        meson=meson or gnu,
        elf_machine=elf_machine,
        elf_bits=64,
        little_endian=little_endian,
        elf_float_flags=elf_float_flags,
        rust=f"{gnu}-unknown-linux-gnu" if has_rust else None,
    )


def _arm(machine: str, zig_cpu: str, level: ArmLevel, rust: str | None = None) -> Architecture:
    """Return a 32-bit ARM with the hard-float ABI: Debian has one port for all of them, made for ARMv7."""
    triple = "arm-linux-gnueabihf"
    return Architecture(
        gnu=machine,
        machine=machine,
        debian="armhf",
        multiarch=triple,
        cross_prefix=triple,
        zig=triple,
        qemu="arm",
        meson="arm",
        elf_machine="EM_ARM",
        elf_bits=32,
        elf_float_flags=0x400,
        rust=rust,
        zig_cpu=zig_cpu,
        arm=level,
    )


# Tag_CPU_arch: up to v6KZ and v6K, without v6T2's Thumb-2; and v7. Tag_FP_arch: up to VFPv2; and all of VFPv3.
_ARMV6 = ArmLevel(cpu=frozenset({*range(8), 9}), floating_point=frozenset({0, 1, 2}))
_ARMV7 = ArmLevel(cpu=frozenset(range(11)), floating_point=frozenset(range(5)))

ARCHITECTURES = (
    _gnu("x86_64", "amd64", "EM_X86_64"),
    _gnu("aarch64", "arm64", "EM_AARCH64"),
    _arm("armv7l", "cortex_a8-neon-d32", _ARMV7, rust="armv7-unknown-linux-gnueabihf"),
    _arm("armv6l", "arm1176jzf_s", _ARMV6),
    _gnu("riscv64", "riscv64", "EM_RISCV", has_rust=False, elf_float_flags=0x4),
    Architecture(
        gnu="i686",
        machine="i686",
        debian="i386",
        multiarch="i386-linux-gnu",
        cross_prefix="i686-linux-gnu",
        zig="x86-linux-gnu",
        qemu="i386",
        meson="x86",
        elf_machine="EM_386",
        elf_bits=32,
        rust="i686-unknown-linux-gnu",
    ),
    _gnu("powerpc64le", "ppc64el", "EM_PPC64", machine="ppc64le", meson="ppc64", elf_float_flags=0x2),
    _gnu("s390x", "s390x", "EM_S390", little_endian=False),
)

BUILD_MACHINE = ARCHITECTURES[0]
BUILD_TRIPLE = "x86_64-pc-linux-gnu"
"""The build machine's whole GNU triple, for configure scripts."""


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
