"""Checks of extension modules of Macs and Windows: that they are there, and that this Python finds and starts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockerbuild_lib.wheels.gate.expectation import WheelExpectation
from dockerbuild_lib.wheels.gate.extensions import init_symbol, set_problems
from dockerbuild_lib.wheels.wheel_file import WheelFile
from dockerbuild_lib.wheels.wheel_members import shown


@dataclass(frozen=True)
class Suffixes:
    """How the files of extension modules are called on a system."""

    file: re.Pattern[str]
    """With the groups ``name`` and ``tag``; the tag may be missing."""
    own: str
    """The tag that binds a module to the target's Python: ``cpython-311-darwin``."""
    stable: str | None
    """The tag of the stable ABI (PEP 384), where the system has one."""


@dataclass(frozen=True)
class ExtensionSet:
    """The extension modules of a wheel. *inits* are the functions that each member of machine code exports."""

    wheel: WheelFile
    expected: WheelExpectation
    suffixes: Suffixes
    inits: Mapping[str, frozenset[str]]

    @property
    def modules(self) -> dict[str, str]:
        """Dotted name of each module -> its member."""
        found = ((self._module(member), member) for member in self.inits)
        return {module: member for module, member in found if module}

    def _module(self, member: str) -> str | None:
        path = self.wheel.installed_path(member)
        match = self.suffixes.file.fullmatch(PurePosixPath(member).name)
        if match is None or path is None:
            return None
        module = ".".join((*path.parent.parts, match["name"]))
        if match["tag"] or not match["name"].startswith("lib") or module in self.expected.extensions:
            return module
        # A plain libfoo.so is a library that the package opens itself, unless it can be imported.
        return module if init_symbol(match["name"]) in self.inits[member] else None

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the set of them, and with each."""
        present = self.modules
        yield from set_problems(self.expected, set(present))
        for module, member in present.items():
            for problem in (*self._suffix_problems(member), *self._init_problems(module, member)):
                yield f"{shown(member)}: {problem}"

    def _suffix_problems(self, member: str) -> Iterator[str]:
        match = self.suffixes.file.fullmatch(PurePosixPath(member).name)
        tag, own, stable = match["tag"] if match else None, self.suffixes.own, self.suffixes.stable
        if tag not in (None, own, stable):
            allowed = ", or ".join(filter(None, (own, stable)))
            yield f"its suffix .{shown(tag)} is not that of {self.expected.python} ({allowed})"
        elif tag == own and any(wheel_tag.abi == "abi3" for wheel_tag in self.wheel.tags):
            yield f"its suffix .{tag} binds it to one Python, but the wheel's tag says abi3"

    def _init_problems(self, module: str, member: str) -> Iterator[str]:
        symbol = init_symbol(module.rpartition(".")[2])
        if symbol not in self.inits[member]:
            yield f"it does not export {shown(symbol)}, so it cannot be imported"
