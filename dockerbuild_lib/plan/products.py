"""What is built: libraries, Pythons and wheels, each with all that it is made from and where."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.foreign import ForeignPlatform
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import CratesArchive, IndexFile, LockedFile
from dockerbuild_lib.catalog.machines import Platform, Toolchain
from dockerbuild_lib.catalog.platform_tags import newest_glibc
from dockerbuild_lib.catalog.wheels import BuiltWheel, PureWheel, TargetedWheel, VersionRecipe
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.naming import Target, library_package, python_package, revised
from dockerbuild_lib.plan.wheel_names import WheelNames


@dataclass(frozen=True)
class Workshop:
    """Where something is built: an image, and a toolchain inside it."""

    platform_name: str
    platform: Platform
    image: str
    toolchain_name: str
    toolchain: Toolchain
    floor: str | None = None
    """The oldest glibc that a recipe names instead of the toolchain's."""

    @property
    def glibc(self) -> str | None:
        """The oldest glibc (2.17) that what is built here must run with; None: the image's own."""
        return self.floor or self.toolchain.glibc_for(self.platform)


@dataclass(frozen=True)
class LibraryWork:
    """Build a library for a platform."""

    name: str
    library: Library
    source: LockedFile
    workshop: Workshop
    libraries: tuple[LibraryWork, ...]
    """All that it is built with, each after what needs it."""
    key: ContentKey

    @property
    def package(self) -> str:
        """Its CIPD package."""
        return library_package(self.name, self.workshop.platform)

    @property
    def version_text(self) -> str:
        """The value of the package's ``version:`` tag."""
        return revised(self.library.version, self.library.revision)


@dataclass(frozen=True)
class PythonWork:
    """Build a CPython for a platform."""

    name: str
    """Its major and minor version: 3.13."""
    version: str
    source: LockedFile
    libraries: tuple[LibraryWork, ...]
    build_python: PythonWork | None
    """The same for the build machine, which runs while this one is built; None: it comes from Debian, or it is this."""
    workshop: Workshop
    key: ContentKey

    @property
    def is_build_machine(self) -> bool:
        """Whether it runs on the build machine itself."""
        return architecture_of(self.workshop.platform.triple).is_build_machine

    @property
    def package(self) -> str:
        """Its package in the store."""
        return python_package(self.workshop.platform)


@dataclass(frozen=True)
class Pythons:
    """The Pythons of a wheel's build that are built from source; None: that one comes from Debian, with the image."""

    target: PythonWork | None = None
    """What the wheel is for."""
    build: PythonWork | None = None
    """What runs the build; the same as the target's where that is the build machine."""

    @property
    def works(self) -> tuple[PythonWork, ...]:
        """Each of them, once."""
        works = (self.target,) if self.build == self.target else (self.build, self.target)
        return tuple(work for work in works if work)


class _Named:
    """What is called by the names of its wheel."""

    names: WheelNames

    @property
    def package(self) -> str:
        """Its CIPD package."""
        return self.names.package

    @property
    def version_text(self) -> str:
        """The value of the package's ``version:`` tag."""
        return self.names.version_text


@dataclass(frozen=True)
class WheelWork(_Named):
    """Build a wheel for a target; the check, trial and packaging of the same wheel carry it too.

    A pure wheel's target is where it is built and tried; it is for all of them.
    """

    distribution: str
    version: str
    recipe: BuiltWheel
    version_recipe: VersionRecipe
    extensions: tuple[str, ...]
    """The extension modules that it must hold, all of them; empty: at least one."""
    target: Target
    workshop: Workshop
    source: LockedFile
    build_requires: tuple[IndexFile, ...]
    patches: tuple[str, ...]
    libraries: tuple[LibraryWork, ...]
    crates: CratesArchive | None
    here: tuple[WheelWork, ...]
    """Build requirements that this catalogue builds itself, for the build machine."""
    key: ContentKey
    names: WheelNames
    tags: tuple[str, ...]
    """PEP 425 platform tags that it may claim."""
    pythons: Pythons = Pythons()
    trial_requires: tuple[Goal, ...] = ()
    """The wheels that its trial uses beside it."""

    @property
    def is_universal(self) -> bool:
        """Whether the wheel is for all targets."""
        return isinstance(self.recipe, PureWheel)

    @property
    def glibc(self) -> str | None:
        """The oldest glibc (2.17) that the wheel must run with; None: the image's own."""
        return self.workshop.glibc


@dataclass(frozen=True)
class PrebuiltWork(_Named):
    """Check, try and package a wheel that the package index has for a target."""

    distribution: str
    version: str
    recipe: TargetedWheel
    extensions: tuple[str, ...]
    """The extension modules that it must hold, all of them; empty: at least one."""
    target: Target
    workshop: Workshop
    source: IndexFile
    key: ContentKey
    names: WheelNames
    tags: tuple[str, ...]
    """PEP 425 platform tags that it may claim."""
    pythons: Pythons = Pythons()
    trial_requires: tuple[Goal, ...] = ()
    """The wheels that its trial uses beside it."""
    is_universal = False

    @property
    def glibc(self) -> str | None:
        """The newest glibc (2.17) that its tags promise; None: they promise none."""
        return newest_glibc(self.tags)


@dataclass(frozen=True)
class ForeignWork(_Named):
    """Check and package a wheel that the package index has for a target whose programs cannot be run here."""

    distribution: str
    version: str
    target: Target
    platform: ForeignPlatform
    extensions: tuple[str, ...]
    """The extension modules that it must hold, all of them; empty: at least one."""
    source: IndexFile
    key: ContentKey
    names: WheelNames
    tags: tuple[str, ...]
    """PEP 425 platform tags that it may claim."""
    is_universal = False

    @property
    def untried(self) -> str:
        """Why there is no trial."""
        return f"not tried: programs for {self.target.platform} do not run here"


@dataclass(frozen=True)
class UniversalWork(_Named):
    """Check and package a universal wheel."""

    distribution: str
    version: str
    source: IndexFile
    key: ContentKey
    names: WheelNames
    is_universal = True


TriedWork = WheelWork | PrebuiltWork
"""What is tried by a target's Python."""
CheckedWork = WheelWork | PrebuiltWork | ForeignWork
"""What is held against its target."""
Goal = WheelWork | PrebuiltWork | ForeignWork | UniversalWork


def place_of(goal: Goal) -> str:
    """Return for whom a goal's wheel is: ``linux-arm64-py3.11``, or ``universal``."""
    return "universal" if goal.is_universal or isinstance(goal, UniversalWork) else goal.target.name


def sources_of(goal: Goal) -> tuple[LockedFile, ...]:
    """Return what a goal and its libraries are made from, build requirements apart."""
    libraries = goal.libraries if isinstance(goal, WheelWork) else ()
    return (goal.source, *(library.source for library in libraries))
