"""The files that make compilers and build systems see the target: wrappers, CMake and meson files."""

from __future__ import annotations

from collections.abc import Mapping

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.base import GLIBC_VARIABLE
from dockerbuild_lib.catalog.machines import Platform, Toolchain
from dockerbuild_lib.images import layout

COMPILERS = {"C": "cc", "CXX": "c++", "Fortran": "fc"}
"""By language, as CMake calls it: the programs that a toolchain has them under, Fortran's only gcc."""
MESON_LANGUAGES = {"C": "c", "CXX": "cpp", "Fortran": "fortran"}
BINUTILS = ("nm", "strip", "objcopy", "objdump", "readelf")


def toolchain_files(name: str, toolchain: Toolchain, platform: Platform) -> dict[str, str]:
    """Return the files of one toolchain for one platform: absolute path in the image -> text."""
    folder, architecture = layout.toolchain_folder(name), architecture_of(platform.triple)
    programs = _programs(toolchain, platform, architecture)
    files = {f"{folder}/bin/{program}": text for program, text in programs.items()}
    # cargo gives build scripts no flags: this has the toolchain's own. Without them zig would want another runtime.
    files[layout.rust_linker(name)] = _script(" ".join((layout.compiler(name, "cc"), *toolchain.ldflags)))
    compilers = {language: program for language, program in COMPILERS.items() if program in programs}
    files[f"{folder}/cmake/toolchain.cmake"] = _cmake(name, compilers, architecture)
    files[f"{folder}/meson/cross.ini"] = _meson(name, compilers, architecture)
    return files


def _programs(toolchain: Toolchain, platform: Platform, architecture: Architecture) -> Mapping[str, str]:
    if toolchain.compiler == "base":
        return _base()
    compilers = _zig(toolchain, platform, architecture) if toolchain.compiler == "zig" else _gcc(architecture)
    return {**compilers, **{program: _script(f"{architecture.cross_prefix}-{program}") for program in BINUTILS}}


def _zig(toolchain: Toolchain, platform: Platform, architecture: Architecture) -> Mapping[str, str]:
    zig = f"{layout.TOOLS}/ziglang/zig"
    glibc = toolchain.glibc_for(platform)
    target = f"{architecture.zig}.${{{GLIBC_VARIABLE}:-{glibc}}}" if glibc else architecture.zig
    cpu = f" -mcpu={architecture.zig_cpu}" if architecture.zig_cpu else ""
    # Without -O zig turns its undefined-behaviour sanitizer on, whose runtime then is missing on import.
    # zig knows none of Debian's include folders: the target's Python headers have a folder of their own.
    options = f"-target {target}{cpu} -fno-sanitize=undefined -isystem {layout.INCLUDE} -isystem {layout.WORK_INCLUDE}"
    return {
        "cc": _script(f"{zig} cc {options}"),
        "c++": _script(f"{zig} c++ {options}"),
        "ar": _script(f"{zig} ar"),
        "ranlib": _script(f"{zig} ranlib"),
        "ld": _script(f"{zig} ld.lld"),
    }


def _gcc(architecture: Architecture) -> Mapping[str, str]:
    programs = {"cc": "gcc", "c++": "g++", "fc": "gfortran", "ar": "ar", "ranlib": "ranlib", "ld": "ld"}
    options = {"cc": f" -isystem {layout.WORK_INCLUDE}", "c++": f" -isystem {layout.WORK_INCLUDE}"}
    return {
        name: _script(f"{architecture.cross_prefix}-{program}{options.get(name, '')}")
        for name, program in programs.items()
    }


def _base() -> dict[str, str]:
    """Return the programs that the base image brought; like zig's, its compilers know none of Debian's headers."""
    headers = f"-isystem {layout.INCLUDE} -isystem {layout.WORK_INCLUDE}"
    programs = {name: f"{layout.BASE_TOOLCHAIN}/{name}" for name in ("ar", "ranlib", "ld", *BINUTILS)}
    compilers = {name: f"{layout.BASE_TOOLCHAIN}/{name} {headers}" for name in ("cc", "c++")}
    return {name: _script(command) for name, command in (programs | compilers).items()}


def _script(command: str) -> str:
    return f'#!/bin/sh\nexec {command} "$@"\n'


def _cmake(name: str, compilers: Mapping[str, str], architecture: Architecture) -> str:
    named = "".join(
        f"set(CMAKE_{language}_COMPILER {layout.compiler(name, program)})\n" for language, program in compilers.items()
    )
    return f"""\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {architecture.machine})
{named}set(CMAKE_AR {layout.compiler(name, "ar")} CACHE FILEPATH "")
set(CMAKE_RANLIB {layout.compiler(name, "ranlib")} CACHE FILEPATH "")
set(CMAKE_STRIP {layout.compiler(name, "strip")} CACHE FILEPATH "")
set(CMAKE_LIBRARY_ARCHITECTURE {architecture.multiarch})
set(CMAKE_FIND_ROOT_PATH {layout.sysroot(architecture)})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_CROSSCOMPILING_EMULATOR "{_emulator(architecture)}")
"""


def _meson(name: str, compilers: Mapping[str, str], architecture: Architecture) -> str:
    languages = {MESON_LANGUAGES[language]: program for language, program in compilers.items()}
    programs = {**languages, "ar": "ar", "strip": "strip", "ld": "ld"}
    binaries = "".join(f"{key} = '{layout.compiler(name, value)}'\n" for key, value in programs.items())
    wrapper = f"exe_wrapper = '{emulator}'\n" if (emulator := _emulator(architecture)) else ""
    return f"""\
[binaries]
{binaries}pkg-config = '/usr/bin/pkg-config'
{wrapper}
[host_machine]
system = 'linux'
cpu_family = '{architecture.meson}'
cpu = '{architecture.machine}'
endian = '{"little" if architecture.little_endian else "big"}'

[properties]
needs_exe_wrapper = {"true" if wrapper else "false"}
"""


def _emulator(architecture: Architecture) -> str:
    return "" if architecture.is_build_machine else str(layout.EMULATOR)
