"""What a user changes of the environment of their command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dockerbuild_lib.core.errors import UsageError

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
Assignments = tuple[tuple[str, str], ...]


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


def _assignment(option: str, text: str) -> tuple[str, str]:
    match = _ASSIGNMENT.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no assignment", where=option, fix="write NAME=VALUE")
    return match["name"], match["value"]
