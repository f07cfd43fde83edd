"""Logs of steps as files: their names, their ends, and errors that quote them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dockerbuild_lib.core.errors import (
    BuildFailedError,
    DockerbuildError,
    ImageFailedError,
    LimitExceededError,
    TrialFailedError,
)
from dockerbuild_lib.core.events import ProgressLog
from dockerbuild_lib.core.text import displayable

QUOTED_LINES = 30
_LONGEST_QUOTE = 1000  # characters of one line: a linker's command line can have a hundred thousand
_TAIL_BYTES = 256 * 1024  # read from the end of a log: 30 lines, however long, without reading a gigabyte
_QUOTED = (BuildFailedError, ImageFailedError, LimitExceededError, TrialFailedError)  # a program's output explains them
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9.=+@, -]{0,120}")

S = TypeVar("S")


def log_name(step: str) -> str:
    """Return a file name for the step's log: readable, safe on every file system, another one for each step.

    A space becomes an underscore. Ids with anything unusual also get a part of their sha256, so that ``a/b``
    and ``a_b``, or ``A`` and ``a`` where case does not count, stay apart.
    """
    if _PLAIN_NAME.fullmatch(step):
        return f"{step.replace(' ', '_')}.log"
    readable = re.sub(r"[^A-Za-z0-9.=+@,-]", "_", step)[:100].lstrip(".")
    digest = hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable}_{digest[:12]}.log"


def step_folder_name(step: str) -> str:
    """Return the name of the folder that a step has beside the logs."""
    return log_name(step).removesuffix(".log")


def tail(path: Path, lines: int = QUOTED_LINES) -> tuple[str, ...]:
    """Return the last lines of a log, made safe to show; none when the file does not exist or cannot be read.

    Of a line that a progress bar overwrote with carriage returns only its last state counts.
    """
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            start = max(0, size - _TAIL_BYTES)
            stream.seek(start)
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ()
    found = text.removesuffix("\n").split("\n") if text else []
    return tuple(_quotable(line) for line in found[-lines:])


def _quotable(line: str) -> str:
    shown = displayable(line.rstrip("\r").rpartition("\r")[2])
    return shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]} ..."


def quoting_logs(
    perform: Callable[[S, ProgressLog], str], log_path: Callable[[S], Path]
) -> Callable[[S, ProgressLog], str]:
    """Return *perform*, its errors naming the step's log and quoting its last lines.

    That is done for errors that a program's output explains (a failed build, trial or image, a limit that was
    exceeded), unless the message names the log already.
    """

    def quoted(step: S, log: ProgressLog) -> str:
        try:
            return perform(step, log)
        except _QUOTED as error:
            _quote(error, log_path(step))
            raise

    return quoted


def _quote(error: DockerbuildError, path: Path) -> None:
    if str(path) in str(error):
        return
    ends = tail(path)
    # The first line is whole by itself: listings of several failures show no more of each.
    reference = f"its full log is {path}" + (f"\nThe log ends with:\n{_indented(ends)}" if ends else "")
    error.fix = f"{error.fix}; {reference}" if error.fix else reference


def _indented(lines: tuple[str, ...]) -> str:
    return "\n".join(f"    {line}".rstrip() for line in lines)
