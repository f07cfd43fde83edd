"""Checks of wheels for Windows: processor, the oldest Windows and the Python of every PE member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dockerbuild_lib.catalog.foreign import WindowsPlatform
from dockerbuild_lib.wheels.gate.code_members import elf_members, mach_o_members, pe_members, read_members
from dockerbuild_lib.wheels.gate.expectation import WheelExpectation
from dockerbuild_lib.wheels.gate.findings import Findings
from dockerbuild_lib.wheels.gate.foreign_extensions import ExtensionSet, Suffixes
from dockerbuild_lib.wheels.gate.pe import PeFacts, Release, read_pe
from dockerbuild_lib.wheels.wheel_file import WheelFile
from dockerbuild_lib.wheels.wheel_members import shown

_EXTENSION = re.compile(r"(?P<name>\w+)(\.(?P<tag>[\w-]+))?\.pyd")
_LIBRARY = re.compile(r".+\.(pyd|dll)", re.IGNORECASE)
_PYTHON = re.compile(r"python[0-9]+t?(_d)?\.dll")
_STABLE = "python3.dll"  # PEP 384: it passes calls on to whichever Python is running
_EVERYWHERE = "386"  # programs for it run on every Windows


def inspect_windows_code(wheel: WheelFile, expected: WheelExpectation, platform: WindowsPlatform) -> Findings:
    """Return what is wrong with the machine code of a wheel for Windows, and the facts about it."""
    facts, damage = read_members(wheel, pe_members(wheel), read_pe)
    checks = _WindowsWheel(wheel, expected, platform, facts)
    suffixes = Suffixes(_EXTENSION, f"{expected.python}-{platform.tags[0]}", None)
    extensions = ExtensionSet(wheel, expected, suffixes, {member: found.inits for member, found in facts.items()})
    oldest = max((found.windows for found in facts.values()), default=None)
    return Findings(
        problems=(*damage, *extensions.problems(), *checks.problems()),
        extensions=tuple(sorted(extensions.modules)),
        needed=checks.libraries_elsewhere(),
        system=f"Windows {_dotted(oldest)}" if oldest else None,
    )


@dataclass(frozen=True)
class _WindowsWheel:
    wheel: WheelFile
    expected: WheelExpectation
    platform: WindowsPlatform
    facts: dict[str, PeFacts]

    def problems(self) -> Iterator[str]:
        for member in sorted(elf_members(self.wheel) | mach_o_members(self.wheel)):
            yield f"{shown(member)}: it is machine code of another system, in a wheel for Windows"
        code = pe_members(self.wheel)
        for member in self.wheel.members:
            if _LIBRARY.fullmatch(member) and member not in code:
                yield f"{shown(member)}: its name is that of a library of Windows, but it is no PE file"
        for member, found in self.facts.items():
            for problem in (*self._header_problems(member, found), *self._python_problems(found)):
                yield f"{shown(member)}: {problem}"

    def _header_problems(self, member: str, found: PeFacts) -> Iterator[str]:
        if found.machine != self.platform.machine and (found.is_dll or found.machine != _EVERYWHERE):
            yield f"it is machine code for {found.machine}, not for {self.platform.machine}"
        if _LIBRARY.fullmatch(member) and not found.is_dll:
            yield "its header does not say that it is a library (IMAGE_FILE_DLL)"
        if found.windows > _release(self.platform.windows):
            yield f"it needs Windows {_dotted(found.windows)}, newer than the platform's {self.platform.windows}"

    def _python_problems(self, found: PeFacts) -> Iterator[str]:
        own = f"python{self.expected.python.removeprefix('cp')}.dll"
        is_stable = any(tag.abi == "abi3" for tag in self.wheel.tags)
        allowed = {_STABLE} if is_stable else {own, _STABLE}
        for library in found.libraries:
            if _PYTHON.fullmatch(library.lower()) and library.lower() not in allowed:
                takers = f"wheels with an abi3 tag take {_STABLE}" if is_stable else f"{self.expected.python} has {own}"
                yield f"it needs {shown(library)}, but {takers}"

    def libraries_elsewhere(self) -> tuple[str, ...]:
        """Return the libraries that the wheel takes from the system, or from Python."""
        own = {member.rpartition("/")[2].lower() for member in self.facts}
        needed = {library.lower() for found in self.facts.values() for library in found.libraries}
        return tuple(sorted(needed - own))


def _release(version: str) -> Release:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _dotted(release: Release) -> str:
    return ".".join(map(str, release))
