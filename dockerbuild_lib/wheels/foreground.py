"""A user's own command in a toolchain: how it is started, and the user's changes to its environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.images import layout

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

    def applied(self, environment: Mapping[str, str]) -> dict[str, str]:
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
