"""Problems of the catalogue: collected from every file, then reported together in one error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dockerbuild_lib.core.errors import CatalogError
from dockerbuild_lib.core.text import displayable


class Position(NamedTuple):
    """A place in a file: line and column, both counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: in which file (or variable), where, what, and how to put it right."""

    label: str
    position: Position | None
    what: str
    fix: str | None = None

    @property
    def where(self) -> str:
        """``file:line:column``, or the file alone where the problem is in no line of it."""
        return f"{self.label}:{self.position.line}:{self.position.column}" if self.position else self.label

    def __str__(self) -> str:
        """One line: ``file:line:column: what; fix``."""
        return str(self.error())

    def error(self) -> CatalogError:
        """Return the error that reports this problem alone."""
        return CatalogError(self.what, where=self.where, fix=self.fix)


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: set[Problem] = set()
        self._places: set[tuple[str, Position | None]] = set()

    def __iter__(self) -> Iterator[Problem]:
        """Go through the problems by file, then by position."""
        return iter(sorted(self._found, key=_order))

    def __len__(self) -> int:
        return len(self._found)

    def add(self, label: str, position: Position | None, what: str, fix: str | None = None) -> None:
        """Note a problem; names from files that it holds are made safe to show."""
        self._found.add(Problem(_one_line(label), position, _one_line(what), fix and _one_line(fix)))
        self._places.add((label, position))

    def noted_at(self, label: str, position: Position) -> bool:
        """Say whether a problem is noted there already: another view of the same mistake need not be."""
        return (label, position) in self._places

    def raise_any(self) -> None:
        """Raise one error for all problems, when there are any.

        Raises:
            CatalogError: its message has a line for every problem, sorted by file and position.

        """
        match list(self):
            case []:
                return
            case [problem]:
                raise problem.error()
            case several:
                raise CatalogError("\n".join(map(str, several)))


def _one_line(text: str) -> str:
    return displayable(text).replace("\n", " ")


def _order(problem: Problem) -> tuple[str, Position, str]:
    return problem.label, problem.position or Position(0, 0), problem.what


def shown(path: Path) -> str:
    """Return *path* as a user calls it: from the current folder when it lies below, else as it is."""
    try:
        here = Path.cwd()
    except OSError:  # the current folder was removed
        return str(path)
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)
