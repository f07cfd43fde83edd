"""The wheel that the gate looks at, with all that the checks share."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from dockerbuild_lib.wheels.gate.elf import ElfFacts
from dockerbuild_lib.wheels.gate.expectation import WheelExpectation
from dockerbuild_lib.wheels.gate.policy import Release, glibc_of_tag, parse_release
from dockerbuild_lib.wheels.wheel_file import WheelFile

_ORIGIN = re.compile(r"\$(ORIGIN|\{ORIGIN\})(?P<rest>(/[^$]*)?)")


@dataclass(frozen=True)
class Subject:
    """A wheel, what is expected of it, and its ELF members."""

    wheel: WheelFile
    expected: WheelExpectation
    elves: Mapping[str, ElfFacts]
    """By member name: the ELF members that could be read."""

    @cached_property
    def glibc(self) -> Release | None:
        """The oldest glibc that the wheel claims to run with; None: it claims nothing.

        An installer takes a wheel for any one of its tags, so the oldest of them counts.
        """
        floors = {glibc_of_tag(tag.platform) for tag in self.wheel.tags} - {None}
        floors |= {parse_release(self.expected.glibc_floor)} if self.expected.glibc_floor else set()
        return min((floor for floor in floors if floor), default=None)

    def folder(self, member: str) -> PurePosixPath:
        """Return the folder that *member* is installed to, below site-packages."""
        return (self.wheel.installed_path(member) or PurePosixPath(member)).parent

    @cached_property
    def _installed(self) -> dict[str, str]:
        return {str(self.folder(member) / PurePosixPath(member).name): member for member in self.elves}

    def provider(self, member: str, library: str) -> str | None:
        """Return the member that the loader takes for *library* when it loads *member*; None: the system's.

        Libraries beside each other in a ``.libs`` folder find each other: whoever loaded the one leads to the other.
        """
        return self._providers[member].get(library)

    @cached_property
    def _providers(self) -> dict[str, dict[str, str]]:
        """For each member: its needed libraries that are in the wheel, and where."""
        return {member: dict(self._provided(member)) for member in self.elves}

    def _provided(self, member: str) -> Iterator[tuple[str, str]]:
        dynamic, own = self.elves[member].dynamic, self.folder(member)
        if dynamic is None:
            return
        folders = [resolve_rpath(entry, own) for entry in dynamic.rpath] + [own if is_bundled(own) else None]
        for library in dynamic.needed:
            found = (self._installed.get(str(folder / library)) for folder in folders if folder is not None)
            if provider := next(filter(None, found), None):
                yield library, provider

    def closure(self, member: str) -> frozenset[str]:
        """Return *member* and every member that the loader loads with it."""
        group, waiting = {member}, [member]
        while waiting:
            new = set(self._providers[waiting.pop()].values()) - group
            group |= new
            waiting += new
        return frozenset(group)

    @cached_property
    def _closures(self) -> tuple[frozenset[str], ...]:
        return tuple(map(self.closure, self.elves))

    def scope(self, member: str) -> frozenset[str]:
        """Return the members that are loaded together with *member*, whoever is loaded first."""
        return frozenset().union(*(group for group in self._closures if member in group))


def is_bundled(folder: PurePosixPath) -> bool:
    """Tell whether the folder is one that repair tools put shared libraries into: ``<distribution>.libs``."""
    return folder.name.endswith(".libs")


def resolve_rpath(entry: str, folder: PurePosixPath) -> PurePosixPath | None:
    """Return the folder below site-packages that an RPATH entry names; None when it names one elsewhere."""
    match = _ORIGIN.fullmatch(entry)
    if match is None:
        return None
    target = posixpath.normpath(posixpath.join(str(folder), match["rest"].lstrip("/")))
    return None if target.startswith(("../", "/")) or target == ".." else PurePosixPath(target)
