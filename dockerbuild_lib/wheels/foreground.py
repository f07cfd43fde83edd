"""The environment of a user's own command in a toolchain: what a build sees, and the user's changes to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.containers.worker import WORK_FOLDER
from dockerbuild_lib.core.command import resolve
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.products import Workshop
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, compilers, plain_environment

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
Assignments = tuple[tuple[str, str], ...]
_WITH_ZIG_CACHE = (
    f'/bin/cp -rs {layout.ZIG_CACHE}/. "$ZIG_GLOBAL_CACHE_DIR" && '
    '/bin/rm -rf "$ZIG_GLOBAL_CACHE_DIR/h" "$ZIG_GLOBAL_CACHE_DIR/z" && '
    f'/bin/cp -r {layout.ZIG_CACHE}/h "$ZIG_GLOBAL_CACHE_DIR"; exec "$@"'
)


@dataclass(frozen=True)
class Changes:
    """Variables to set, and values to put before or after what variables have; in the order of the options."""

    values: Assignments = ()
    prefixes: Assignments = ()
    suffixes: Assignments = ()

    @classmethod
    def parsed(cls, values: Iterable[str], prefixes: Iterable[str], suffixes: Iterable[str]) -> Changes:
        """Read ``NAME=VALUE`` texts.

        Raises:
            UsageError: one is none; the message names the option.

        """
        return cls(
            tuple(_assignment("--env", text) for text in values),
            tuple(_assignment("--env-prefix", text) for text in prefixes),
            tuple(_assignment("--env-suffix", text) for text in suffixes),
        )

    def applied(self, environment: dict[str, str]) -> dict[str, str]:
        """Return *environment* with the changes; a variable that is empty or missing gets no stray colon."""
        changed = {**environment, **dict(self.values)}
        for name, value in self.prefixes:
            changed[name] = ":".join(filter(None, (value, changed.get(name))))
        for name, value in self.suffixes:
            changed[name] = ":".join(filter(None, (changed.get(name), value)))
        return changed


def foreground_command(compiler: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return what runs *argv*: with zig, after its cache was given what the image's has, else all would be made anew.

    As in a build, large results are links, and what zig writes to is copied.
    """
    return ("/bin/sh", "-c", _WITH_ZIG_CACHE, "sh", *argv) if compiler == "zig" else argv


def _assignment(option: str, text: str) -> tuple[str, str]:
    match = _ASSIGNMENT.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no assignment", where=option, fix="write NAME=VALUE")
    return match["name"], match["value"]


def foreground_environment(workshop: Workshop, changes: Changes) -> dict[str, str]:
    """Return the whole environment of a command of the user's.

    Beside what every build sees, it names the files that build systems do not find by themselves: meson's cross
    file, and the emulator (``CMAKE_CROSSCOMPILING_EMULATOR``, as CMake calls it).
    """
    toolchain = layout.toolchain_folder(workshop.toolchain_name)
    named = {**plain_environment(DEFAULT_CONDITIONS), **compilers(workshop, ())}
    own = {
        "HOME": "/tmp",  # noqa: S108 - the container's own; the one folder that every user may write to
        "MESON_CROSS_FILE": f"{toolchain}/meson/cross.ini",
    }
    if not architecture_of(workshop.platform.triple).is_build_machine:
        own["CMAKE_CROSSCOMPILING_EMULATOR"] = str(layout.EMULATOR)
    return changes.applied({name: resolve(value, WORK_FOLDER) for name, value in named.items()} | own)
