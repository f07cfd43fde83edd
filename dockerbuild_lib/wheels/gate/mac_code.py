"""Checks of wheels for Macs: processors, the oldest macOS, signatures and libraries of every Mach-O member."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from dockerbuild_lib.catalog.mac_tags import FIRST_ARM64, MacRelease, MacTag, parse_mac_tag
from dockerbuild_lib.wheels.gate.code_members import elf_members, mach_o_members, read_members
from dockerbuild_lib.wheels.gate.expectation import WheelExpectation
from dockerbuild_lib.wheels.gate.findings import Findings
from dockerbuild_lib.wheels.gate.foreign_extensions import ExtensionSet, Suffixes
from dockerbuild_lib.wheels.gate.mach_o import MachCode, read_mach_o
from dockerbuild_lib.wheels.wheel_file import WheelFile
from dockerbuild_lib.wheels.wheel_members import shown

_EXTENSION = re.compile(r"(?P<name>\w+)(\.(?P<tag>(cpython|abi|pypy|graalpy)[\w-]*))?\.so")
_LIBRARY = re.compile(r".+\.(so|dylib)")
_SYSTEM_LIBRARIES = ("/usr/lib/", "/System/Library/")
_PYTHON = re.compile(r"(libpython[0-9.]+t?\.dylib|Python[T3]?)")
_LOADABLE = ("MH_BUNDLE", "MH_DYLIB")


def inspect_mac_code(wheel: WheelFile, expected: WheelExpectation) -> Findings:
    """Return what is wrong with the machine code of a wheel for Macs, and the facts about it."""
    codes, damage = read_members(wheel, mach_o_members(wheel), read_mach_o)
    checks = _MacWheel(wheel, codes)
    suffixes = Suffixes(_EXTENSION, f"cpython-{expected.python.removeprefix('cp')}-darwin", "abi3")
    # What starts a module must be there for every processor.
    inits = {member: frozenset.intersection(*(code.inits for code in found)) for member, found in codes.items()}
    extensions = ExtensionSet(wheel, expected, suffixes, inits)
    oldest = max((code.macos for found in codes.values() for code in found if code.macos), default=None)
    return Findings(
        problems=(*damage, *extensions.problems(), *checks.problems()),
        extensions=tuple(sorted(extensions.modules)),
        needed=checks.system_libraries(),
        system=f"macOS {_dotted(oldest)}" if oldest else None,
    )


@dataclass(frozen=True)
class _MacWheel:
    wheel: WheelFile
    codes: Mapping[str, tuple[MachCode, ...]]

    @cached_property
    def _tags(self) -> tuple[MacTag, ...]:
        return tuple(tag for tag in (parse_mac_tag(tag.platform) for tag in self.wheel.tags) if tag)

    def problems(self) -> Iterator[str]:
        for member in sorted(elf_members(self.wheel)):
            yield f"{shown(member)}: it is machine code of Linux (ELF), in a wheel for Macs"
        code = mach_o_members(self.wheel)
        for member in self.wheel.members:
            if _LIBRARY.fullmatch(member) and member not in code:
                yield f"{shown(member)}: its name is that of a shared library of Macs, but it is no Mach-O file"
        for member, codes in self.codes.items():
            for problem in (*self._processor_problems(codes), *self._code_problems(member, codes)):
                yield f"{shown(member)}: {problem}"

    def _processor_problems(self, codes: tuple[MachCode, ...]) -> Iterator[str]:
        present = {code.machine for code in codes}
        for machine in sorted({machine for tag in self._tags for machine in tag.machines} - present):
            yield f"it has no code for {machine}, only for {', '.join(sorted(present))}"

    def _code_problems(self, member: str, codes: tuple[MachCode, ...]) -> Iterator[str]:
        for code in codes:
            yield from self._release_problems(code)
            if _LIBRARY.fullmatch(member) and code.kind not in _LOADABLE:
                yield f"its {code.machine} code is not a shared library ({code.kind})"
            if code.machine == "arm64" and not code.signed:
                yield "its arm64 code is not signed, so macOS refuses to run it"
            for library in code.libraries:
                yield from self._library_problems(member, library, code)

    def _release_problems(self, code: MachCode) -> Iterator[str]:
        floor = self._floor(code.machine)
        if floor is None:
            return
        if code.macos is None:
            yield f"its {code.machine} code does not say which macOS it needs"
        elif code.macos > floor:
            needed = f"its {code.machine} code needs macOS {_dotted(code.macos)}"
            yield f"{needed}, newer than the {_dotted(floor)} that the wheel's tag promises"

    def _floor(self, machine: str) -> MacRelease | None:
        """Return the oldest macOS that the tags promise for a processor; None: they promise none for it.

        The code for arm64 in a wheel for both processors needs 11.0 at least, whatever the tag says.
        """
        oldest = min((tag.release for tag in self._tags if machine in tag.machines), default=None)
        return max(oldest, FIRST_ARM64) if oldest and machine == "arm64" else oldest

    def _library_problems(self, member: str, library: str, code: MachCode) -> Iterator[str]:
        if library.startswith(_SYSTEM_LIBRARIES) or self._provider(member, library, code):
            return
        if _PYTHON.fullmatch(posixpath.basename(library)):
            yield f"it needs {shown(library)}: an extension module takes the interpreter that loads it"
        else:
            yield f"it needs {shown(library)}, which is neither in the wheel nor on every Mac"

    def _provider(self, member: str, library: str, code: MachCode) -> bool:
        """Tell whether the loader finds the library in the wheel, as dyld(1) says."""
        folder = str((self.wheel.installed_path(member) or PurePosixPath(member)).parent)
        first, _, rest = library.partition("/")
        bases = code.rpath if first == "@rpath" else (first,)
        places = (posixpath.join(base.replace("@loader_path", folder, 1), rest) for base in bases)
        return any(posixpath.normpath(place) in self._installed for place in places)

    @cached_property
    def _installed(self) -> frozenset[str]:
        return frozenset(str(path) for path in map(self.wheel.installed_path, self.codes) if path)

    def system_libraries(self) -> tuple[str, ...]:
        """Return the libraries that the wheel takes from the system."""
        needed = {library for found in self.codes.values() for code in found for library in code.libraries}
        return tuple(sorted(library for library in needed if library.startswith(_SYSTEM_LIBRARIES)))


def _dotted(release: MacRelease) -> str:
    return ".".join(map(str, release))
