"""How a library is built: the commands of each build system, all for a static, position-independent library."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.libraries import BuildSystem
from dockerbuild_lib.core.command import Argument, Command, WorkPath
from dockerbuild_lib.core.errors import CatalogError
from dockerbuild_lib.images.layout import script
from dockerbuild_lib.plan.products import LibraryWork
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, LIBRARIES, SOURCE, compilers, plain_environment

BUILD_TRIPLE = "x86_64-pc-linux-gnu"
_OBJECTS = WorkPath("objects")
_OPENSSL_TARGETS = {
    "x86_64": "linux-x86_64",
    "aarch64": "linux-aarch64",
    "arm": "linux-armv4",
    "i686": "linux-elf",
    "i386": "linux-elf",
    "riscv64": "linux64-riscv64",
    "powerpc64le": "linux-ppc64le",
    "s390x": "linux64-s390x",
}
"""First part of a GNU triple -> OpenSSL's name of the system."""


def library_commands(work: LibraryWork) -> tuple[Command, ...]:
    """Return what builds and installs a library below its own prefix, in the order of use."""
    plain = plain_environment(DEFAULT_CONDITIONS)
    prefix = LIBRARIES / work.name
    return (
        Command(script("prepare_build"), plain),
        *_BUILD_SYSTEMS[work.library.build_system](work, _Shop(work)),
        Command((*script("finish_library"), prefix), plain),
    )


class _Shop:
    """Where a library is built: its folder in the source, its prefix, and the environment of its build."""

    def __init__(self, work: LibraryWork) -> None:
        self.folder = SOURCE / work.library.subfolder if work.library.subfolder else SOURCE
        self.prefix = LIBRARIES / work.name
        self.plain = plain_environment(DEFAULT_CONDITIONS)
        named = compilers(work.workshop, [library.name for library in work.libraries])
        self.environment: Mapping[str, Argument] = {**self.plain, **named, **work.library.environment}

    def run(self, *argv: Argument, folder: WorkPath | None = None) -> Command:
        """Return a command of the build."""
        return Command(argv, self.environment, folder or self.folder)


def _autotools(work: LibraryWork, shop: _Shop) -> tuple[Command, ...]:
    remade = Command(("autoreconf", "--force", "--install"), shop.plain, shop.folder)
    machines = (f"--build={BUILD_TRIPLE}", f"--host={work.workshop.platform.triple}")
    where = (("--prefix=", shop.prefix), ("--libdir=", shop.prefix / "lib"))
    kinds = ("--disable-shared", "--enable-static", "--with-pic")
    return (
        *((remade,) if work.library.autoreconf else ()),
        shop.run("./configure", *where, *machines, *kinds, *work.library.configure),
        shop.run("make", "--jobs=2"),
        shop.run("make", "install"),
    )


def _configure(work: LibraryWork, shop: _Shop) -> tuple[Command, ...]:
    return (
        shop.run("./configure", ("--prefix=", shop.prefix), *work.library.configure),
        shop.run("make", "--jobs=2"),
        shop.run("make", "install"),
    )


def _cmake(work: LibraryWork, shop: _Shop) -> tuple[Command, ...]:
    needed: list[str | WorkPath] = []
    for library in work.libraries:
        needed += [*([";"] if needed else []), LIBRARIES / library.name]
    settings: tuple[Argument, ...] = (
        ("-DCMAKE_INSTALL_PREFIX=", shop.prefix),
        "-DCMAKE_INSTALL_LIBDIR:STRING=lib",  # typed, or CMake takes it for a path from where it runs
        ("-DCMAKE_PREFIX_PATH=", *needed),
        "-DCMAKE_BUILD_TYPE=None",
        "-DBUILD_SHARED_LIBS=OFF",
        "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
        *work.library.configure,
    )
    return (
        shop.run("cmake", "-S", shop.folder, "-B", _OBJECTS, "-G", "Ninja", *settings, folder=WorkPath(".")),
        shop.run("cmake", "--build", _OBJECTS, "--parallel", "2", folder=WorkPath(".")),
        shop.run("cmake", "--install", _OBJECTS, folder=WorkPath(".")),
    )


def _make(work: LibraryWork, shop: _Shop) -> tuple[Command, ...]:
    programs: tuple[Argument, ...] = tuple(
        _joined(f"{name}=", shop.environment[name]) for name in ("CC", "AR", "RANLIB", "CFLAGS", "LDFLAGS")
    )
    options = (*programs, ("PREFIX=", shop.prefix), *work.library.configure)
    return (shop.run("make", "--jobs=2", *options),)


def _joined(start: str, value: Argument) -> Argument:
    return (start, *(value if isinstance(value, tuple) else (value,)))


def _openssl(work: LibraryWork, shop: _Shop) -> tuple[Command, ...]:
    gnu = architecture_of(work.workshop.platform.triple).gnu
    if gnu not in _OPENSSL_TARGETS:
        raise CatalogError(f"OpenSSL's name of {gnu} is not known", where=f"library {work.name}", fix="skip it there")
    where = (("--prefix=", shop.prefix), "--libdir=lib", "--openssldir=/etc/ssl")
    kinds = ("no-shared", "no-module", "no-tests", "-fPIC")
    return (
        shop.run("perl", "./Configure", _OPENSSL_TARGETS[gnu], *where, *kinds, *work.library.configure),
        shop.run("make", "--jobs=2", "build_libs"),
        shop.run("make", "install_dev"),
    )


_BUILD_SYSTEMS: Mapping[BuildSystem, Callable[[LibraryWork, _Shop], tuple[Command, ...]]] = {
    "autotools": _autotools,
    "cmake": _cmake,
    "configure": _configure,
    "make": _make,
    "openssl": _openssl,
}
