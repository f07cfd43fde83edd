"""Checks of every ELF member by itself: its processor, its kind, its memory."""

from __future__ import annotations

from collections.abc import Iterator

from dockerbuild_lib.catalog.architectures import Architecture, ArmLevel
from dockerbuild_lib.wheels.gate.arm_attributes import CPU_ARCH, FP_ARCH
from dockerbuild_lib.wheels.gate.elf import ElfFacts
from dockerbuild_lib.wheels.gate.subject import Subject, is_bundled, resolve_rpath
from dockerbuild_lib.wheels.wheel_members import shown


def machine_code_problems(subject: Subject, member: str) -> Iterator[str]:
    """Yield what is wrong with an ELF member whatever else is in the wheel."""
    facts, architecture = subject.elves[member], subject.expected.architecture
    if architecture is None:
        yield "it is machine code, but the wheel is universal"
        return
    yield from _processor_problems(facts, architecture)
    if facts.kind != "ET_REL":  # an object file is not loaded as it is
        yield from _memory_problems(facts)
    yield from _rpath_problems(subject, member)


def _processor_problems(facts: ElfFacts, architecture: Architecture) -> Iterator[str]:
    if facts.machine != architecture.elf_machine:
        yield f"it is machine code of {facts.machine}, not of {architecture.elf_machine}"
    if facts.bits != architecture.elf_bits:
        yield f"it is a {facts.bits}-bit file, not a {architecture.elf_bits}-bit one"
    if facts.little_endian != architecture.little_endian:
        order = "little-endian" if facts.little_endian else "big-endian"
        yield f"it is {order}, unlike its target"
    if facts.flags & architecture.elf_float_flags != architecture.elf_float_flags:
        yield f"its float ABI is not its target's (flags {facts.flags:#x}, without {architecture.elf_float_flags:#x})"
    if architecture.arm and facts.machine == architecture.elf_machine:
        yield from _arm_problems(facts, architecture.arm, architecture.machine)


def _arm_problems(facts: ElfFacts, level: ArmLevel, machine: str) -> Iterator[str]:
    """Look for code of a newer ARM, which no tag or header tells: it ends in an illegal instruction."""
    if facts.arm is None:
        yield f"it does not say for which ARM its code is (build attributes), so it may not run on {machine}"
        return
    cpu, floating_point = facts.arm.get(CPU_ARCH, 0), facts.arm.get(FP_ARCH, 0)
    if cpu not in level.cpu:
        yield f"its code is for a newer ARM than {machine} (Tag_CPU_arch {cpu})"
    if floating_point not in level.floating_point:
        yield f"it uses more of the floating-point unit than {machine} has (Tag_FP_arch {floating_point})"


def _memory_problems(facts: ElfFacts) -> Iterator[str]:
    if facts.stack_executable is None:
        yield "it does not say that its stack needs no execution (PT_GNU_STACK), so the loader may make it executable"
    elif facts.stack_executable:
        yield "it asks for an executable stack"
    if facts.dynamic and facts.dynamic.text_relocations:
        yield "it has text relocations: compile it as position-independent code (-fPIC)"


def _rpath_problems(subject: Subject, member: str) -> Iterator[str]:
    dynamic = subject.elves[member].dynamic
    for entry in dynamic.rpath if dynamic else ():
        if resolve_rpath(entry, subject.folder(member)) is None:
            yield f"its RPATH {shown(entry)!r} leads out of the wheel; only $ORIGIN/... inside it is allowed"


def library_problems(subject: Subject, member: str) -> Iterator[str]:
    """Yield what is wrong with a member that its name says to be a shared library."""
    facts = subject.elves.get(member)
    if facts and (facts.kind != "ET_DYN" or facts.dynamic is None):
        yield f"it is not a shared library ({shown(facts.kind)})"
    elif facts is None and is_bundled(subject.folder(member)):
        yield "it is bundled as a shared library, but is no ELF file"
    elif facts is None:
        yield "its name is that of a shared library, but it is no ELF file"
