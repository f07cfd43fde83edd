"""The one entrance of the gate: everything that is wrong with a wheel, in one error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dockerbuild_lib.catalog.foreign import MacPlatform, WindowsPlatform
from dockerbuild_lib.wheels.gate.code_members import elf_members, mach_o_members, pe_members, read_members
from dockerbuild_lib.wheels.gate.elf import MAGIC, read_elf
from dockerbuild_lib.wheels.gate.expectation import WheelExpectation, WheelFacts
from dockerbuild_lib.wheels.gate.extensions import extension_modules, extension_problems
from dockerbuild_lib.wheels.gate.findings import Findings
from dockerbuild_lib.wheels.gate.linkage import linkage_problems, newest_glibc, system_libraries
from dockerbuild_lib.wheels.gate.mac_code import inspect_mac_code
from dockerbuild_lib.wheels.gate.machine_code import library_problems, machine_code_problems
from dockerbuild_lib.wheels.gate.subject import Subject
from dockerbuild_lib.wheels.gate.tags import identity_problems
from dockerbuild_lib.wheels.gate.windows_code import inspect_windows_code
from dockerbuild_lib.wheels.wheel_file import WheelFile, inspect_wheel, refusal
from dockerbuild_lib.wheels.wheel_members import shown

_LIBRARY_NAME = re.compile(r".+\.so(\.[0-9]+)*")
_WINDOWS_EXTENSION = ".pyd"


def check_wheel(path: Path, expectation: WheelExpectation) -> WheelFacts:
    """Return the facts of the wheel at *path*, which is what its target and recipe say.

    Raises:
        WheelRefusedError: it is not; a line for every reason, naming the member.
        PermissionDeniedError: the file may not be read.

    """
    wheel, problems = inspect_wheel(path)
    found = _inspect_code(wheel, expectation)
    every = (*identity_problems(wheel, expectation), *problems, *found.problems)
    if every:
        raise refusal(path, every)
    return WheelFacts(
        tags=tuple(sorted(map(str, wheel.tags))),
        extensions=found.extensions,
        glibc=found.glibc,
        system=found.system,
        needed=found.needed,
        size=wheel.size,
        sha256=wheel.sha256,
    )


def _inspect_code(wheel: WheelFile, expectation: WheelExpectation) -> Findings:
    match expectation.foreign:
        case MacPlatform():
            return inspect_mac_code(wheel, expectation)
        case WindowsPlatform() as platform:
            return inspect_windows_code(wheel, expectation, platform)
        case None:
            return _inspect_elf_code(wheel, expectation)


def _inspect_elf_code(wheel: WheelFile, expectation: WheelExpectation) -> Findings:
    elves, damage = read_members(wheel, elf_members(wheel), read_elf)
    subject = Subject(wheel, expectation, elves)
    strange = _foreign_code(wheel) if expectation.is_universal else ()
    return Findings(
        problems=(*damage, *strange, *_elf_problems(subject)),
        extensions=tuple(sorted(extension_modules(subject))),
        needed=system_libraries(subject),
        glibc=newest_glibc(subject),
    )


def _foreign_code(wheel: WheelFile) -> Iterator[str]:
    """Find code of Macs and Windows in a universal wheel. Programs are allowed: pip carries launchers for Windows."""
    extensions = {name for name in pe_members(wheel) if name.endswith(_WINDOWS_EXTENSION)}
    for member in sorted(extensions | mach_o_members(wheel)):
        yield f"{shown(member)}: it is machine code, but the wheel is universal"


def _elf_problems(subject: Subject) -> Iterator[str]:
    yield from extension_problems(subject)
    for member, found in subject.wheel.members.items():
        if _LIBRARY_NAME.fullmatch(member) and (found.head != MAGIC or member in subject.elves):
            yield from (f"{shown(member)}: {problem}" for problem in library_problems(subject, member))
    for member in subject.elves:
        for problem in (*machine_code_problems(subject, member), *linkage_problems(subject, member)):
            yield f"{shown(member)}: {problem}"
