"""The environment of a build: whole, and the same on every machine. It is what makes a build see the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.base import GLIBC_VARIABLE
from dockerbuild_lib.core.command import Argument, WorkPath
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.products import Workshop
from dockerbuild_lib.sources.tree_archive import MTIME
from dockerbuild_lib.wheels.rust import rust_environment

SOURCE = WorkPath("src")
VENV = WorkPath("venv")
"""The build environment: the locked requirements, and nothing else."""
LIBRARIES = WorkPath("libraries")
CRATES = WorkPath("crates")
PATH = "/usr/local/bin:/usr/bin:/bin"
SOURCE_DATE_EPOCH = str(MTIME)


@dataclass(frozen=True)
class Conditions:
    """What a build must not depend on; ``wheel.verify`` varies it."""

    hostname: str = "build"
    time_zone: str = "UTC"
    umask: str | None = None
    """The umask that a build is started with (``077``); None: the container's."""
    cpus: str | None = None
    """The processors to run on, as Linux lists them (``0``); None: all."""


DEFAULT_CONDITIONS = Conditions()


def plain_environment(conditions: Conditions) -> dict[str, Argument]:
    """Return the variables of every command, for the build machine and for the target alike."""
    return {
        "PATH": PATH,
        "HOME": "/tmp/home",  # noqa: S108 - the container's own
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "TZ": conditions.time_zone,
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ZIG_GLOBAL_CACHE_DIR": "/tmp/zig",  # noqa: S108
        "ZIG_LOCAL_CACHE_DIR": "/tmp/zig-local",  # noqa: S108
    }


def compilers(
    workshop: Workshop, libraries: Iterable[str], folder: WorkPath | PurePosixPath = LIBRARIES
) -> dict[str, Argument]:
    """Return the variables that name the compilers and their flags, with *libraries* to be found in *folder*."""
    name, architecture = workshop.toolchain_name, architecture_of(workshop.platform.triple)
    floor = {GLIBC_VARIABLE: workshop.floor} if workshop.floor else {}
    used = [folder / library for library in libraries]
    # The fixed path of the source stands in debug information and __FILE__; /src is what readers of a wheel see.
    prefix_map: Argument = ("-ffile-prefix-map=", SOURCE, "=/src")
    remapped: Argument = ("--remap-path-prefix=", SOURCE, "=/src --remap-path-prefix=", CRATES, "=/crates")
    cflags: tuple[Argument, ...] = (
        *workshop.toolchain.cflags,
        prefix_map,
        *(("-I", _place(library / "include")) for library in used),
    )
    ldflags: tuple[Argument, ...] = (
        *workshop.toolchain.ldflags,
        *(("-L", _place(library / "lib")) for library in used),
    )
    fortran = {"FC": layout.compiler(name, "fc"), "FFLAGS": _words(cflags), "FCFLAGS": _words(cflags)}
    return {
        "CROSS_TRIPLE": workshop.platform.triple,
        "CC": layout.compiler(name, "cc"),
        "CXX": layout.compiler(name, "c++"),
        "AR": layout.compiler(name, "ar"),
        "RANLIB": layout.compiler(name, "ranlib"),
        "LD": layout.compiler(name, "ld"),
        "NM": layout.compiler(name, "nm"),
        "STRIP": layout.compiler(name, "strip"),
        "READELF": layout.compiler(name, "readelf"),
        "CFLAGS": _words(cflags),
        "CXXFLAGS": _words(cflags),
        "LDFLAGS": _words(ldflags),
        "PKG_CONFIG_LIBDIR": _joined((_place(library / "lib" / "pkgconfig") for library in used), ":"),
        "CMAKE_TOOLCHAIN_FILE": f"{layout.toolchain_folder(name)}/cmake/toolchain.cmake",
        **(fortran if workshop.toolchain.has_fortran else {}),
        **emulation(architecture),
        **rust_environment(architecture, name, remapped),
        **floor,
    }


def emulation(architecture: Architecture) -> dict[str, Argument]:
    """Return the variable that tells QEMU where the target's programs find their libraries; none where none is used."""
    return {} if architecture.is_build_machine else {"QEMU_LD_PREFIX": str(layout.TARGET_ROOT)}


def target_environment(
    workshop: Workshop,
    libraries: Iterable[str],
    sysconfig: str,
    own: Mapping[str, Argument],
    conditions: Conditions = DEFAULT_CONDITIONS,
) -> dict[str, Argument]:
    """Return the whole environment of a wheel's build for its target; *own* are the recipe's variables.

    *sysconfig* is the module of the target Python's variables. The programs of the build requirements are found
    first, as PEP 517 asks.
    """
    plain = plain_environment(conditions)
    named = compilers(workshop, libraries)
    architecture = architecture_of(workshop.platform.triple)
    return {
        **plain,
        "PATH": (VENV / "bin", f":{PATH}"),
        **named,
        "LDSHARED": f"{named['CC']} -shared",
        "LDCXXSHARED": f"{named['CXX']} -shared",
        "_PYTHON_HOST_PLATFORM": f"linux-{architecture.machine}",
        "_PYTHON_SYSCONFIGDATA_NAME": sysconfig,
        **own,
    }


def crates_environment(architecture: Architecture, python: Argument) -> dict[str, Argument]:
    """Return the variables that make cargo take the crates of the archive, and nothing from elsewhere.

    The crate pyo3 and maturin look for the target's ``sysconfig`` variables below *python* where that is another
    machine; they would start the interpreter otherwise.
    """
    cross = {} if architecture.is_build_machine else {"PYO3_CROSS_LIB_DIR": python}
    return {"CARGO_HOME": CRATES / ".cargo", "CARGO_NET_OFFLINE": "true", **cross}


def _place(path: WorkPath | PurePosixPath) -> WorkPath | str:
    return path if isinstance(path, WorkPath) else str(path)


def _words(arguments: Iterable[Argument]) -> Argument:
    return _joined(arguments, " ")


def _joined(arguments: Iterable[Argument], separator: str) -> Argument:
    pieces: list[str | WorkPath] = []
    for argument in arguments:
        pieces += [separator] if pieces else []
        pieces += argument if isinstance(argument, tuple) else (argument,)
    return tuple(pieces)
