"""A run as a live view on a terminal: finished steps scroll away above, what runs now stays below.

The region that is redrawn never exceeds the terminal's height, and is gone when the run ends.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dockerbuild_lib.core.events import Event, Notice, StepFailed, StepFinished, StepOutput, StepProgress, StepStarted
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.report.streams import QuietStream
from dockerbuild_lib.report.units import duration, progress

_MOST_ROWS = 12  # more steps than that at a time are counted, not listed
_SPARE_ROWS = 3  # the line of counts, the line of those not listed, and the cursor's own
_REFRESHES = 8  # a second: times show tenths, and more only costs the builds


@dataclass
class _Running:
    """A step that runs: since when (monotonic seconds), and its last line, or how far it has come."""

    title: str
    since: float
    last: str = ""


class LiveReporter:
    """Shows the running steps with their time and last line of output, and how many are over."""

    def __init__(self, stream: TextIO, *, total: int) -> None:
        self._console = Console(
            file=cast("TextIO", QuietStream(stream)), force_terminal=True, highlight=False, markup=False, emoji=False
        )
        self._total = total
        self._lock = threading.Lock()  # guards the three below; never held while the console is used
        self._running: dict[str, _Running] = {}
        self._counts = {"done": 0, "failed": 0, "cancelled": 0}
        self._begun = time.monotonic()
        self._live = Live(
            console=self._console,
            get_renderable=self._view,
            refresh_per_second=_REFRESHES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Show *event*: from now on in the live region, or for good above it."""
        with self._lock:
            self._follow(event)
        line = _lasting_line(event)
        if line:
            # Not wrapped by rich: a long path stays one piece that can be copied.
            self._console.print(line, soft_wrap=True)

    def _follow(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._running[event.step] = _Running(event.title, time.monotonic())
        elif isinstance(event, StepOutput):
            if event.step in self._running and event.line.strip():
                self._running[event.step].last = event.line
        elif isinstance(event, StepProgress):
            if event.step in self._running:
                self._running[event.step].last = progress(event.done, event.total)
        elif isinstance(event, (StepFinished, StepFailed)):
            self._running.pop(event.step, None)
            self._counts[_status(event)] += 1

    def _view(self) -> Group:
        with self._lock:
            running = [_Running(step.title, step.since, step.last) for step in self._running.values()]
            counts = dict(self._counts)
        shown = max(1, min(_MOST_ROWS, self._console.size.height - _SPARE_ROWS))
        parts: list[RenderableType] = [_running_table(running[:shown]), self._count_line(counts, len(running))]
        if len(running) > shown:
            parts.insert(1, Text(f"... and {len(running) - shown} more", style="dim"))
        return Group(*parts)

    def _count_line(self, counts: dict[str, int], running: int) -> Text:
        waiting = self._total - running - sum(counts.values())
        numbers = {**counts, "running": running, "waiting": max(waiting, 0)}
        parts = ", ".join(f"{number} {state}" for state, number in numbers.items() if number)
        elapsed = duration(time.monotonic() - self._begun)
        return Text(f"{elapsed}  {self._total} steps: {parts}", style="bold", no_wrap=True, overflow="ellipsis")


def _running_table(running: list[_Running]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=3, style="dim")
    now = time.monotonic()
    for step in running:
        last = displayable(step.last.rstrip("\r").rpartition("\r")[2]).expandtabs(1)
        table.add_row(Text(duration(now - step.since), style="cyan"), Text(displayable(step.title)), Text(last))
    return table


def _status(event: StepFinished | StepFailed) -> str:
    if isinstance(event, StepFinished):
        return "done"
    return "cancelled" if event.cancelled else "failed"


def _lasting_line(event: Event) -> Text | None:
    """Return what *event* leaves above the live region, if anything."""
    if isinstance(event, StepFinished):
        return _ended("done", "green", event.step, event.seconds, event.detail)
    if isinstance(event, StepFailed):
        if event.cancelled:
            return _ended("cancelled", "yellow", event.step, None, event.error)
        return _ended("failed", "bold red", event.step, event.seconds, event.error)
    if isinstance(event, Notice):
        word, style = ("warning", "yellow") if event.warning else ("notice", "blue")
        return Text.assemble((f"{word:<9} ", style), displayable(event.text))
    return None


def _ended(word: str, style: str, step: str, seconds: float | None, detail: str) -> Text:
    took = f" ({duration(seconds)})" if seconds is not None else ""
    said = f": {displayable(detail)}" if detail else ""
    return Text.assemble((f"{word:<9} ", style), displayable(step), (took, "dim"), said)
