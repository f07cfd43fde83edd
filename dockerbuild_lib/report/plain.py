"""A run as plain lines, for pipes, logs of CI systems and dumb terminals.

The wording is stable: the first word of a line says what happened, continuation lines begin with spaces.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self, TextIO

from dockerbuild_lib.core.events import Event, Notice, StepFailed, StepFinished, StepOutput, StepProgress, StepStarted
from dockerbuild_lib.core.progress import EACH_LINE_SECONDS, ProgressThinner
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.report.streams import QuietStream
from dockerbuild_lib.report.units import duration, progress


class PlainReporter:
    """Writes one line for each step that starts, ends, fails or is cancelled, and for each notice.

    A step that takes long tells now and then how far it has come. What its program writes is not shown: it is in the
    step's log.
    """

    def __init__(self, stream: TextIO, *, total: int, progress_every: float = EACH_LINE_SECONDS) -> None:
        self._stream = QuietStream(stream)
        self._total = total
        self._ended = 0
        self._lock = threading.Lock()
        self._thinner = ProgressThinner(progress_every)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def __call__(self, event: Event) -> None:
        """Write the line for *event*, if it has one."""
        with self._lock:
            if isinstance(event, (StepFinished, StepFailed)):
                self._ended += 1
            line = plain_line(event, f"[{self._ended}/{self._total}]")
            if line and self._thinner.passes(event):
                self._stream.write(f"{line}\n")
                self._stream.flush()


def plain_line(event: Event, count: str) -> str:
    """Return the line for *event*, where *count* stands for how much of the run is over; empty for output."""
    match event:
        case StepStarted(step, title):
            line = _line("start", step, "" if title == step else f"({title})")
        case StepProgress(step, done, total):
            line = _line("progress", f"{step}: {progress(done, total)}")
        case StepFinished(step, seconds, detail):
            line = _ended("done", count, f"{step} ({duration(seconds)})", detail)
        case StepFailed(step, _, error, cancelled=True):
            line = _ended("cancelled", count, step, error)
        case StepFailed(step, seconds, error):
            line = _ended("failed", count, f"{step} ({duration(seconds)})", error)
        case Notice(text, warning):
            line = _line("warning" if warning else "notice", text)
        case StepOutput():
            line = ""
    return line


def _ended(word: str, count: str, step: str, detail: str) -> str:
    return _line(word, count, f"{step}: {detail}" if detail else step)


def _line(word: str, *parts: str) -> str:
    text = displayable(" ".join(part for part in parts if part))
    return f"{word:<9} {text}".rstrip().replace("\n", "\n" + " " * 10)
