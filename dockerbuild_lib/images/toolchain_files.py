"""The files that make compilers and build systems see the target: wrappers, CMake and meson files."""

from __future__ import annotations

from collections.abc import Mapping

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.machines import Platform, Toolchain
from dockerbuild_lib.images import layout

BINUTILS = ("nm", "strip", "objcopy", "objdump", "readelf")


def toolchain_files(name: str, toolchain: Toolchain, platform: Platform) -> dict[str, str]:
    """Return the files of one toolchain for one platform: absolute path in the image -> text."""
    folder = layout.toolchain_folder(name)
    files = {f"{folder}/bin/{program}": text for program, text in _programs(toolchain, platform.triple).items()}
    files[f"{folder}/cmake/toolchain.cmake"] = _cmake(name, platform)
    files[f"{folder}/meson/cross.ini"] = _meson(name, platform)
    return files


def _programs(toolchain: Toolchain, triple: str) -> Mapping[str, str]:
    if toolchain.compiler == "base":
        return _base()
    programs = _zig(toolchain, triple) if toolchain.compiler == "zig" else _gcc(triple)
    return programs | {program: _script(f"{triple}-{program}") for program in BINUTILS}


def _zig(toolchain: Toolchain, triple: str) -> dict[str, str]:
    zig = f"{layout.TOOLS}/ziglang/zig"
    target = f"{triple}.{toolchain.glibc}" if toolchain.glibc else triple
    # Without -O zig turns its undefined-behaviour sanitizer on, whose runtime then is missing on import.
    # zig knows none of Debian's include folders: the target's Python headers have a folder of their own.
    options = f"-target {target} -fno-sanitize=undefined -isystem {layout.INCLUDE}"
    return {
        "cc": _script(f"{zig} cc {options}"),
        "c++": _script(f"{zig} c++ {options}"),
        "ar": _script(f"{zig} ar"),
        "ranlib": _script(f"{zig} ranlib"),
        "ld": _script(f"{zig} ld.lld"),
    }


def _gcc(triple: str) -> dict[str, str]:
    return {
        "cc": _script(f"{triple}-gcc"),
        "c++": _script(f"{triple}-g++"),
        "ar": _script(f"{triple}-ar"),
        "ranlib": _script(f"{triple}-ranlib"),
        "ld": _script(f"{triple}-ld"),
    }


def _base() -> dict[str, str]:
    """Return the programs that the base image brought; like zig's, its compilers know none of Debian's headers."""
    programs = {name: f"{layout.BASE_TOOLCHAIN}/{name}" for name in ("ar", "ranlib", "ld", *BINUTILS)}
    compilers = {name: f"{layout.BASE_TOOLCHAIN}/{name} -isystem {layout.INCLUDE}" for name in ("cc", "c++")}
    return {name: _script(command) for name, command in (programs | compilers).items()}


def _script(command: str) -> str:
    return f'#!/bin/sh\nexec {command} "$@"\n'


def _cmake(name: str, platform: Platform) -> str:
    architecture = architecture_of(platform.triple)
    return f"""\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {architecture.machine})
set(CMAKE_C_COMPILER {layout.compiler(name, "cc")})
set(CMAKE_CXX_COMPILER {layout.compiler(name, "c++")})
set(CMAKE_AR {layout.compiler(name, "ar")} CACHE FILEPATH "")
set(CMAKE_RANLIB {layout.compiler(name, "ranlib")} CACHE FILEPATH "")
set(CMAKE_STRIP {layout.compiler(name, "strip")} CACHE FILEPATH "")
set(CMAKE_LIBRARY_ARCHITECTURE {platform.triple})
set(CMAKE_FIND_ROOT_PATH /usr/{platform.triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_CROSSCOMPILING_EMULATOR "{_emulator(architecture)}")
"""


def _meson(name: str, platform: Platform) -> str:
    architecture = architecture_of(platform.triple)
    programs = {"c": "cc", "cpp": "c++", "ar": "ar", "strip": "strip", "ld": "ld"}
    binaries = "".join(f"{key} = '{layout.compiler(name, value)}'\n" for key, value in programs.items())
    wrapper = f"exe_wrapper = '{emulator}'\n" if (emulator := _emulator(architecture)) else ""
    return f"""\
[binaries]
{binaries}pkg-config = '/usr/bin/pkg-config'
{wrapper}
[host_machine]
system = 'linux'
cpu_family = '{architecture.machine}'
cpu = '{architecture.machine}'
endian = '{"little" if architecture.little_endian else "big"}'

[properties]
needs_exe_wrapper = {"true" if wrapper else "false"}
"""


def _emulator(architecture: Architecture) -> str:
    return "" if architecture.is_build_machine else str(layout.EMULATOR)
