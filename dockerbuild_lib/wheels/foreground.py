"""A user's own command in a toolchain: what starts it, and its environment, which is what a build sees."""

from __future__ import annotations

from collections.abc import Sequence

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.core.command import WORK_FOLDER, resolve
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.products import Workshop
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, compilers, plain_environment


def foreground_prefix(compiler: str) -> tuple[str, ...]:
    """Return what stands before a command: with zig, what fills its cache from the image's."""
    return layout.script("zig_cache") if compiler == "zig" else ()


def foreground_environment(workshop: Workshop, libraries: Sequence[str] = ()) -> dict[str, str]:
    """Return the whole environment of a command of the user's, before they change it; *libraries* are to be found.

    Beside what every build sees, it names the files that build systems do not find by themselves: meson's cross
    file, and the emulator (``CMAKE_CROSSCOMPILING_EMULATOR``, as CMake calls it).
    """
    toolchain = layout.toolchain_folder(workshop.toolchain_name)
    named = {**plain_environment(DEFAULT_CONDITIONS), **compilers(workshop, libraries, layout.LIBRARIES)}
    own = {
        "HOME": "/tmp",  # noqa: S108 - the container's own; the one folder that every user may write to
        "MESON_CROSS_FILE": f"{toolchain}/meson/cross.ini",
    }
    if not architecture_of(workshop.platform.triple).is_build_machine:
        own["CMAKE_CROSSCOMPILING_EMULATOR"] = str(layout.EMULATOR)
    if libraries:
        own["CMAKE_PREFIX_PATH"] = ":".join(str(layout.LIBRARIES / library) for library in libraries)
    return {name: resolve(value, WORK_FOLDER) for name, value in named.items()} | own
