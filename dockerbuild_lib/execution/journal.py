"""The record of one run on disk: every event, the full output of each step, and the summary.

``events.jsonl`` has one JSON object per line: ``time`` (ISO 8601, UTC), ``type`` (the event's class in
``core.events``) and the event's fields. Lines reach the file one write each, so that ``kill -9`` loses nothing
that was recorded, and a power cut leaves at most one partial line.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

from dockerbuild_lib.core.events import Event, StepFailed, StepFinished, StepOutput, StepStarted
from dockerbuild_lib.core.files import translated_os_errors, write_atomic
from dockerbuild_lib.core.progress import EACH_LINE_SECONDS, ProgressThinner
from dockerbuild_lib.core.text import encoded
from dockerbuild_lib.execution.logs import log_name, step_folder_name
from dockerbuild_lib.execution.run_folder import (
    EVENTS,
    KEPT_RUNS,
    STEPS,
    make_run_folder,
    new_run_id,
    point_latest,
    prune_runs,
)

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


class Journal:
    """Writes down one run; call it with each event, from any thread. Events after :meth:`close` are dropped.

    Raises NoSpaceError or PermissionDeniedError, wherever it writes.
    """

    def __init__(
        self,
        root: Path,
        *,
        run_id: str | None = None,
        keep: int = KEPT_RUNS,
        progress_every: float = EACH_LINE_SECONDS,
    ) -> None:
        self.run_id = run_id or new_run_id()
        self.folder = make_run_folder(root, self.run_id)
        self._lock = threading.Lock()
        self._closed = False
        self._thinner = ProgressThinner(progress_every)
        self._logs: dict[str, int] = {}
        self._events = _open_for_append(self.folder / EVENTS)
        fcntl.flock(self._events, fcntl.LOCK_EX)  # says that this run is alive: see prune_runs
        point_latest(self.folder)
        prune_runs(root, keep)

    def __call__(self, event: Event) -> None:
        """Record *event*."""
        line = _json_line(event)
        with self._lock:
            if self._closed or not self._thinner.passes(event):
                return
            with translated_os_errors(self.folder):
                _write_all(self._events, line)
                self._follow(event)

    def log_path(self, step: str) -> Path:
        """Return where the full output of *step* is, or will be; it exists once the step has started."""
        return self.folder / "logs" / log_name(step)

    def step_folder(self, step: str) -> Path:
        """Return where the container of *step* is kept; it exists once the step has had one."""
        return self.folder / STEPS / step_folder_name(step)

    def finish(self, document: Mapping[str, object], text: str) -> None:
        """Write the run's ``summary.json`` and ``summary.txt``."""
        write_atomic(self.folder / "summary.json", f"{json.dumps(document, indent=2)}\n")
        write_atomic(self.folder / "summary.txt", encoded(text))

    def close(self) -> None:
        """Close all files. May be called twice."""
        with self._lock:
            self._closed, already = True, self._closed
            if not already:
                for descriptor in (*self._logs.values(), self._events):
                    os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self, event: Event) -> None:
        """Keep the log of the event's step."""
        if isinstance(event, StepStarted):
            self._log(event.step)
        elif isinstance(event, StepOutput):
            _write_all(self._log(event.step), encoded(event.line) + b"\n")
        elif isinstance(event, (StepFinished, StepFailed)):
            descriptor = self._logs.pop(event.step, None)
            if descriptor is not None:
                os.close(descriptor)

    def _log(self, step: str) -> int:
        if step not in self._logs:
            self._logs[step] = _open_for_append(self.log_path(step))
        return self._logs[step]


@dataclass(frozen=True)
class Recorded:
    """An event of an earlier run, and when it happened."""

    time: datetime
    event: Event


def read_events(folder: Path) -> Iterator[Recorded]:
    """Yield the events of the run in *folder*, oldest first.

    Lines that are no event are passed over: the last one of a run that was cut off, and kinds that another
    version of this tool wrote. Raises OSError when there is no such run.
    """
    with (folder / EVENTS).open("rb") as stream:
        for line in stream:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                fields = json.loads(line)
                time, kind = datetime.fromisoformat(fields.pop("time")), _KINDS[fields.pop("type")]
                yield Recorded(time, kind(**fields))


def _json_line(event: Event) -> bytes:
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = {"time": time, "type": type(event).__name__, **vars(event)}
    # ASCII with escapes: a lone surrogate, which stands for a byte that is no UTF-8, survives as \udcXX.
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def _open_for_append(path: Path) -> int:
    with translated_os_errors(path):
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
