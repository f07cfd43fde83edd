"""The members of a wheel that are machine code, known by their first bytes and not by their names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import MAGIC as ELF
from dockerbuild_lib.wheels.gate.elf import Budget
from dockerbuild_lib.wheels.gate.mach_o import MAGICS as MACH_O
from dockerbuild_lib.wheels.gate.pe import MAGIC as PE
from dockerbuild_lib.wheels.wheel_file import WheelFile
from dockerbuild_lib.wheels.wheel_members import open_archive, shown

MAX_MEMBERS = 1000
"""Members of one wheel that are machine code; the largest in use have a few hundred."""
_JAVA = ".class"  # classes of Java have the magic of Mach-O files for several processors

Facts = TypeVar("Facts")


def elf_members(wheel: WheelFile) -> frozenset[str]:
    """Return the members that are ELF files, as Linux has them."""
    return frozenset(name for name, found in wheel.members.items() if found.head == ELF)


def mach_o_members(wheel: WheelFile) -> frozenset[str]:
    """Return the members that are Mach-O files, as Macs have them."""
    members = wheel.members.items()
    return frozenset(name for name, found in members if found.head in MACH_O and not name.endswith(_JAVA))


def pe_members(wheel: WheelFile) -> frozenset[str]:
    """Return the members that are PE files, as Windows has them."""
    return frozenset(name for name, found in wheel.members.items() if found.head.startswith(PE))


def read_members(
    wheel: WheelFile, wanted: Collection[str], read: Callable[[bytes, Budget], Facts]
) -> tuple[dict[str, Facts], list[str]]:
    """Return what *read* says of each of the *wanted* members, and a problem for each that is damaged."""
    if len(wanted) > MAX_MEMBERS:
        return {}, [f"it has {len(wanted)} members of machine code, more than the {MAX_MEMBERS} allowed"]
    facts: dict[str, Facts] = {}
    damage: list[str] = []
    budget = Budget()
    with open_archive(wheel.path) as archive:
        for member in archive.members:
            if member.name not in wanted:
                continue
            try:
                facts[member.name] = read(archive.read(member), budget)
            except WheelRefusedError as error:
                damage.append(f"{shown(member.name)}: {error.what}")
    return facts, damage
