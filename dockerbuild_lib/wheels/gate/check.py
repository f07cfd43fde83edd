"""The one entrance of the gate: everything that is wrong with a wheel, in one error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import MAGIC, Budget, ElfFacts, read_elf
from dockerbuild_lib.wheels.gate.expectation import WheelExpectation, WheelFacts
from dockerbuild_lib.wheels.gate.extensions import extension_modules, extension_problems
from dockerbuild_lib.wheels.gate.linkage import linkage_problems, newest_glibc, system_libraries
from dockerbuild_lib.wheels.gate.machine_code import library_problems, machine_code_problems
from dockerbuild_lib.wheels.gate.subject import Subject
from dockerbuild_lib.wheels.gate.tags import identity_problems
from dockerbuild_lib.wheels.wheel_file import WheelFile, inspect_wheel, refusal
from dockerbuild_lib.wheels.wheel_members import open_archive, shown

MAX_ELVES = 1000
"""ELF members of one wheel; the largest in use have a few hundred."""
_LIBRARY_NAME = re.compile(r".+\.so(\.[0-9]+)*")


def check_wheel(path: Path, expectation: WheelExpectation) -> WheelFacts:
    """Return the facts of the wheel at *path*, which is what its target and recipe say.

    Raises:
        WheelRefusedError: it is not; a line for every reason, naming the member.
        PermissionDeniedError: the file may not be read.

    """
    wheel, problems = inspect_wheel(path)
    elves, damage = _read_elves(wheel)
    subject = Subject(wheel, expectation, elves)
    found = (*identity_problems(wheel, expectation), *problems, *damage, *_content_problems(subject))
    if found:
        raise refusal(path, found)
    return _facts(subject)


def _read_elves(wheel: WheelFile) -> tuple[dict[str, ElfFacts], list[str]]:
    """Read every ELF member, known by its magic and not by its name; those that are damaged become problems."""
    elves: dict[str, ElfFacts] = {}
    damage: list[str] = []
    wanted = {name for name, found in wheel.members.items() if found.head == MAGIC}
    if len(wanted) > MAX_ELVES:
        return {}, [f"it has {len(wanted)} ELF members, more than the {MAX_ELVES} allowed"]
    budget = Budget()
    with open_archive(wheel.path) as archive:
        for member in archive.members:
            if member.name not in wanted:
                continue
            try:
                elves[member.name] = read_elf(archive.read(member), budget)
            except WheelRefusedError as error:
                damage.append(f"{shown(member.name)}: {error.what}")
    return elves, damage


def _content_problems(subject: Subject) -> Iterator[str]:
    yield from extension_problems(subject)
    for member, found in subject.wheel.members.items():
        if _LIBRARY_NAME.fullmatch(member) and (found.head != MAGIC or member in subject.elves):
            yield from (f"{shown(member)}: {problem}" for problem in library_problems(subject, member))
    for member in subject.elves:
        for problem in (*machine_code_problems(subject, member), *linkage_problems(subject, member)):
            yield f"{shown(member)}: {problem}"


def _facts(subject: Subject) -> WheelFacts:
    return WheelFacts(
        tags=tuple(sorted(map(str, subject.wheel.tags))),
        extensions=tuple(sorted(extension_modules(subject))),
        glibc=newest_glibc(subject),
        needed=system_libraries(subject),
        size=subject.wheel.size,
        sha256=subject.wheel.sha256,
    )
