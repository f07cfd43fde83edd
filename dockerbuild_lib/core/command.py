"""A program to run, as data: the worker that runs it decides where its work folder lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

WORK_FOLDER = PurePosixPath("/work")
"""The work folder of workers that are containers."""


@dataclass(frozen=True)
class WorkPath:
    """A path below the work folder of whichever worker runs the command."""

    relative: str

    def __truediv__(self, name: str) -> WorkPath:
        return WorkPath(str(PurePosixPath(self.relative) / name))

    def below(self, work_folder: PurePosixPath) -> str:
        """Return the path as the worker's programs see it."""
        return str(work_folder / self.relative)


Piece = str | WorkPath
Argument = Piece | tuple[Piece, ...]
"""One argument or value; a tuple's pieces are joined without a space: ``("-I", include)``."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments, its whole environment (nothing is inherited), and its folder."""

    argv: tuple[Argument, ...]
    environment: Mapping[str, Argument] = field(default_factory=dict)
    folder: WorkPath = WorkPath(".")

    def resolved_argv(self, work_folder: PurePosixPath) -> list[str]:
        """Return the arguments as strings, for a worker with this work folder."""
        return [resolve(argument, work_folder) for argument in self.argv]

    def resolved_environment(self, work_folder: PurePosixPath) -> dict[str, str]:
        """Return the environment as strings, for a worker with this work folder."""
        return {name: resolve(value, work_folder) for name, value in self.environment.items()}


def resolve(argument: Argument, work_folder: PurePosixPath) -> str:
    """Return *argument* as one string."""
    pieces = argument if isinstance(argument, tuple) else (argument,)
    return "".join(piece if isinstance(piece, str) else piece.below(work_folder) for piece in pieces)
