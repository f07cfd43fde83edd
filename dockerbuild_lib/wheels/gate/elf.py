"""What the gate wants to know of one ELF file, read as the dynamic loader reads it: by its program headers.

Section headers are not used where the loader does not use them: they may be stripped, or say something else. Only
they lead to the build attributes of 32-bit ARM code, which the loader does not read.
Every table is bounded before it is walked, because the file may have been made to mislead.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.arm_attributes import arm_attributes
from dockerbuild_lib.wheels.wheel_members import shown

MAGIC = b"\x7fELF"
_MAX_SEGMENTS = 512
_MAX_SECTIONS = 512
_ARM_ATTRIBUTES = "SHT_ARM_ATTRIBUTES"
_EXECUTABLE = 1  # PF_X


class Budget:
    """How much work all the machine code of one wheel may cost together; counted in table entries."""

    def __init__(self, steps: int = 5_000_000) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take *steps* from the budget.

        Raises:
            WheelRefusedError: there are not so many left; no real wheel comes near.

        """
        self._left -= steps
        if self._left < 0:
            raise WheelRefusedError("its tables are longer, or more tangled, than those of any real wheel")


@dataclass(frozen=True)
class NeededVersion:
    """A symbol version that a library must have."""

    library: str
    version: str


@dataclass(frozen=True)
class UndefinedSymbol:
    """A symbol that the loader must find elsewhere."""

    name: str
    weak: bool
    needs: NeededVersion | None
    """Where it comes from, when the linker knew."""


@dataclass(frozen=True)
class Dynamic:
    """What the dynamic section of a shared library or program says."""

    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    """Folders of DT_RPATH and DT_RUNPATH."""
    text_relocations: bool = False
    versions: tuple[NeededVersion, ...] = ()
    undefined: tuple[UndefinedSymbol, ...] = ()
    defined: frozenset[str] = frozenset()
    """Symbols that other files can use."""


@dataclass(frozen=True)
class ElfFacts:
    """One ELF file."""

    kind: str
    """``ET_DYN``, ``ET_EXEC``, ``ET_REL``."""
    machine: str
    """``EM_AARCH64``."""
    bits: int
    little_endian: bool
    flags: int
    stack_executable: bool | None
    """None: the file does not say, and the loader may make the stack executable."""
    dynamic: Dynamic | None
    """None: it is not dynamically linked."""
    arm: Mapping[int, int] | None = None
    """The build attributes of 32-bit ARM code, as :mod:`arm_attributes` gives them; None: it has none."""


@dataclass(frozen=True)
class Segment:
    """One program header, as far as it matters."""

    kind: str
    flags: int
    offset: int
    address: int
    size: int
    """Bytes in the file."""


def read_elf(content: bytes, budget: Budget) -> ElfFacts:
    """Return the facts of the ELF file with that *content*.

    Raises:
        WheelRefusedError: it is damaged, or the *budget* is spent.

    """
    try:
        return _read_elf(content, budget)
    except WheelRefusedError:
        raise
    except Exception as error:  # pyelftools raises whatever its structures meet in a damaged file
        reason = shown(str(error)) or type(error).__name__
        raise WheelRefusedError(f"it is a damaged ELF file ({reason})") from error


def _read_elf(content: bytes, budget: Budget) -> ElfFacts:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - slow to import, and most tasks need no ELF

    from dockerbuild_lib.wheels.gate.elf_dynamic import DynamicReader  # noqa: PLC0415 - as above

    elf = ELFFile(io.BytesIO(content))
    segments = _segments(elf)
    stack = [segment.flags for segment in segments if segment.kind == "PT_GNU_STACK"]
    dynamic = [segment for segment in segments if segment.kind == "PT_DYNAMIC"]
    return ElfFacts(
        kind=str(elf["e_type"]),
        machine=str(elf["e_machine"]),
        bits=elf.elfclass,
        little_endian=elf.little_endian,
        flags=elf["e_flags"],
        stack_executable=any(flags & _EXECUTABLE for flags in stack) if stack else None,
        dynamic=DynamicReader(elf, content, segments, budget).read(dynamic[0]) if dynamic else None,
        arm=_arm(elf, content) if elf["e_machine"] == "EM_ARM" else None,
    )


def _segments(elf: Any) -> tuple[Segment, ...]:  # noqa: ANN401 - pyelftools has no useful types
    count, size = elf["e_phnum"], elf.structs.Elf_Phdr.sizeof()
    if count > _MAX_SEGMENTS or (count and elf["e_phentsize"] != size):
        raise WheelRefusedError(f"it is a damaged ELF file (it claims {count} segments)")
    return tuple(
        Segment(str(header.p_type), header.p_flags, header.p_offset, header.p_vaddr, header.p_filesz)
        for header in _headers(elf, elf.structs.Elf_Phdr, elf["e_phoff"], count)
    )


def _arm(elf: Any, content: bytes) -> Mapping[int, int] | None:  # noqa: ANN401 - see above
    count, size = elf["e_shnum"], elf.structs.Elf_Shdr.sizeof()
    if count > _MAX_SECTIONS or (count and elf["e_shentsize"] != size):
        raise WheelRefusedError(f"it is a damaged ELF file (it claims {count} sections)")
    sections = _headers(elf, elf.structs.Elf_Shdr, elf["e_shoff"], count)
    for header in sections:
        if header.sh_type == _ARM_ATTRIBUTES:
            section = content[header.sh_offset : header.sh_offset + header.sh_size]
            return arm_attributes(section, little_endian=elf.little_endian)
    return None


def _headers(elf: Any, structure: Any, start: int, count: int) -> list[Any]:  # noqa: ANN401 - see above
    from elftools.common.utils import struct_parse  # noqa: PLC0415 - see above

    places = (start + index * structure.sizeof() for index in range(count))
    return [struct_parse(structure, elf.stream, place) for place in places]
