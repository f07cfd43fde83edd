"""Where things are inside every image."""

from __future__ import annotations

from pathlib import PurePosixPath

from dockerbuild_lib.catalog.architectures import Architecture

ADDED = "added"
"""Where the build context has the files and sources of a recipe, each at its path in the image."""
HOME = PurePosixPath("/opt/dockerbuild")
TOOLS = HOME / "tools"
"""Python tools of the build machine: auditwheel, build, uv, zig."""
TOOLCHAINS = HOME / "toolchains"
BASE_TOOLCHAIN = HOME / "base"
"""Programs of the toolchain that a base image of others brings."""
INCLUDE = HOME / "include"
"""The target's headers that a compiler without Debian's include folders must still find."""
WORK_INCLUDE = PurePosixPath("/work/build-machine/include")
"""Headers of a target's Python that a build brings along, as Debian's headers ask for them."""
SCRIPTS = HOME / "scripts"
"""Programs of this project that run inside containers."""
ZIG_CACHE = HOME / "zig-cache"
"""zig's C libraries for the target, compiled when the image was made; never written to afterwards."""
TARGET_PYTHON = HOME / "python"
"""Folder of the target's interpreter; run it under QEMU."""
EMULATOR = HOME / "qemu"
"""QEMU's user-mode emulator of the target's processor; absent where the build machine is the target."""
TARGET_ROOT = HOME / "target-root"
"""Where the target's programs find their loader and C library, QEMU's ``QEMU_LD_PREFIX``: a link to the root where
Debian's port is installed, else to the cross packages' folder. The loader of one with the C library of the other never
starts a thread."""
SOURCES = HOME / "sources.txt"
"""The sources that were unpacked in the image: name, version and sha256 of each; absent where there are none."""
LIBRARIES = HOME / "libraries"
"""Where a command of the user's finds the libraries that it asked for; in no image."""
ENTRYPOINT = SCRIPTS / "entrypoint.sh"
"""What a container without a command prints."""
BUILD_PYTHON = PurePosixPath("/usr/bin")
PACKAGES = HOME / "packages.txt"
"""The Debian packages of the image with their versions, as dpkg-query lists them."""


def sysroot(architecture: Architecture) -> str:
    """Return the folder of the target's C library as Debian's cross packages have it."""
    return f"/usr/{architecture.cross_prefix}"


def toolchain_folder(toolchain: str) -> PurePosixPath:
    """Return the folder of a toolchain's programs and files."""
    return TOOLCHAINS / toolchain


def rust_linker(toolchain: str) -> str:
    """Return the path of what cargo links with: the toolchain's compiler with its flags for linking."""
    return compiler(toolchain, "rust-linker")


def compiler(toolchain: str, program: str) -> str:
    """Return the path of a toolchain's program: cc, c++, ar, ranlib, ld, nm, strip."""
    return str(toolchain_folder(toolchain) / "bin" / program)


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of one of the image's own programs."""
    return (f"{BUILD_PYTHON}/python3.11", "-I", "-B", f"{SCRIPTS}/{name}.py", *arguments)
