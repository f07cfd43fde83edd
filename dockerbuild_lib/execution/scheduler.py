"""Runs steps: each as soon as its needs are done, the most urgent first, going on when some fail."""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.core.events import (
    Emit,
    Notice,
    ProgressLog,
    StepFailed,
    StepFinished,
    StepOutput,
    StepProgress,
    StepStarted,
)
from dockerbuild_lib.core.files import translate_os_error
from dockerbuild_lib.core.progress import ProgressThinner
from dockerbuild_lib.execution.executor import Executor, Pending
from dockerbuild_lib.execution.graph import Graph, Schedulable
from dockerbuild_lib.execution.results import RunResult, StepOutcome
from dockerbuild_lib.execution.signals import stop_requests

GRACE_SECONDS = 30.0
"""How long an interrupted run waits for its steps: killing a container and removing its volume takes seconds."""
_WAKE_SECONDS = 1.0  # an upper bound on how long the main thread sleeps, should a platform not wake it for a signal
_PROGRESS_SECONDS = 0.25  # as often as a live view is worth being drawn for

S = TypeVar("S", bound=Schedulable)


class EmittingLog:
    """The log of *step*: each line becomes an event, and now and then how far the step has come."""

    def __init__(self, emit: Emit, step: str) -> None:
        self._emit = emit
        self._step = step
        self._thinner = ProgressThinner(_PROGRESS_SECONDS)

    def __call__(self, line: str) -> None:
        """Take one line, without its end."""
        self._emit(StepOutput(self._step, line))

    def progress(self, done: int, total: int | None) -> None:
        """Take note that *done* of *total* bytes are there."""
        event = StepProgress(self._step, done, total)
        if self._thinner.passes(event):
            self._emit(event)


def run_steps(  # noqa: PLR0913 - each is another collaborator, and all but two are named
    steps: Sequence[S],
    perform: Callable[[S, ProgressLog], str],
    *,
    places: Mapping[str, int],
    executor: Executor,
    emit: Emit,
    cancel: Callable[[], None],
    grace: float = GRACE_SECONDS,
) -> RunResult:
    """Run all *steps*, of each lane as many at a time as it has *places*, and return what became of each.

    *perform* runs in the executor and returns the step's result in a few words. When it fails, only the steps
    that need it are cancelled. On Ctrl-C, SIGTERM or SIGHUP in the main thread no further step starts, *cancel*
    is called once to end what runs, and running steps are awaited for *grace* seconds (a second Ctrl-C ends that
    wait). Never raises for a failed or interrupted run: write the summary, then call
    ``RunResult.raise_for_failures``. Whatever *emit* raises in the calling thread ends the run and is passed on.

    Raises ValueError, before anything starts, when a step's lane has no place or the steps are no acyclic graph.
    """
    graph = Graph(steps)
    for lane in sorted(graph.lanes):
        if places.get(lane, 0) < 1:
            raise ValueError(f"the lane {lane!r} must have at least 1 place, not {places.get(lane, 0)}")
    return _Run(graph, perform, places, executor, emit, cancel, grace).run()


@dataclass(frozen=True)
class _Attempt:
    """How one step's work ended."""

    seconds: float
    detail: str = ""
    error: DockerbuildError | None = None


def _attempt(step: S, perform: Callable[[S, ProgressLog], str], emit: Emit) -> _Attempt:
    """Do the step's work, in the executor. Every error becomes a result: only that can be sent between machines."""
    begun = time.monotonic()
    try:
        emit(StepStarted(step.id, step.title))
        detail = perform(step, EmittingLog(emit, step.id))
    except BaseException as error:  # noqa: BLE001 - one step's end, whatever it is, must not end the others
        return _Attempt(time.monotonic() - begun, error=_explained(error, step.id))
    return _Attempt(time.monotonic() - begun, detail)


def _explained(error: BaseException, step: str) -> DockerbuildError:
    """Return *error* as an error of this project, with the original as its cause."""
    known = translate_os_error(error, Path(str(error.filename or step))) if isinstance(error, OSError) else error
    if isinstance(known, DockerbuildError):
        if known is not error:
            known.__cause__ = error
        return known
    summary = " ".join(f"unexpected {type(error).__name__}: {error}".split())
    unexpected = DockerbuildError(summary, where=step, fix="--debug shows the traceback")
    unexpected.__cause__ = error
    return unexpected


@dataclass
class _Run(Generic[S]):
    """The state of one run; only the calling thread touches it, everything else arrives through the inbox."""

    graph: Graph[S]
    perform: Callable[[S, ProgressLog], str]
    places: Mapping[str, int]
    executor: Executor
    emit: Emit
    cancel: Callable[[], None]
    grace: float
    # SimpleQueue.put is reentrant, so a signal handler may use it. None only wakes the loop.
    inbox: queue.SimpleQueue[tuple[str, Pending[_Attempt]] | None] = field(default_factory=queue.SimpleQueue)
    running: set[str] = field(default_factory=set)
    settled: dict[str, StepOutcome] = field(default_factory=dict)
    stopping: bool = False

    def run(self) -> RunResult:
        begun = time.monotonic()
        with stop_requests(self._request_stop):
            self._run_guarded()
            if self.stopping:
                self._wind_down()
        outcomes = tuple(self.settled[step] for step in self.graph.steps)
        return RunResult(outcomes, time.monotonic() - begun, interrupted=self.stopping)

    def _request_stop(self) -> None:
        self.stopping = True
        self.inbox.put(None)

    def _run_guarded(self) -> None:
        try:
            self._start_ready()
            while self.running and not self.stopping:
                self._receive(_WAKE_SECONDS)
                self._start_ready()
        except KeyboardInterrupt:
            self.stopping = True
        except BaseException:
            # An event could not be recorded (say, a full disk), or no thread started: nothing can be told any more.
            self.emit = _silent
            self.stopping = True
            self._wind_down()
            raise

    def _start_ready(self) -> None:
        while not self.stopping and (step := self.graph.take(self._free_lanes())):
            self.running.add(step.id)
            pending = self.executor.submit(partial(_attempt, step, self.perform, self.emit))
            pending.add_done_callback(partial(self._deliver, step.id, pending))

    def _free_lanes(self) -> list[str]:
        taken = Counter(self.graph.steps[step].lane for step in self.running)
        return [lane for lane, places in self.places.items() if taken[lane] < places]

    def _deliver(self, step: str, pending: Pending[_Attempt], _future: object) -> None:
        self.inbox.put((step, pending))

    def _receive(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for a step to end, and settle it."""
        try:
            message = self.inbox.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            return
        if message and message[0] not in self.settled:
            step, pending = message
            self.running.discard(step)
            self._settle_attempt(step, _outcome_of(step, pending))

    def _settle_attempt(self, step: str, attempt: _Attempt) -> None:
        if attempt.error is None:
            self.graph.complete(step)
            self._settle(StepOutcome(step, "done", attempt.seconds, attempt.detail))
        elif self.stopping:
            # Its container was killed under it: its own message would blame the compiler.
            self._settle(StepOutcome(step, "cancelled", attempt.seconds, "stopped while it ran"))
        else:
            self._settle(StepOutcome(step, "failed", attempt.seconds, str(attempt.error), attempt.error))
            for dependent in self.graph.descendants(step):
                if dependent not in self.settled:
                    self._settle(StepOutcome(dependent, "cancelled", 0.0, f"needs {step}, which failed"))

    def _settle(self, outcome: StepOutcome) -> None:
        self.settled[outcome.step] = outcome
        if outcome.status == "done":
            self.emit(StepFinished(outcome.step, outcome.seconds, outcome.detail))
        else:
            cancelled = outcome.status == "cancelled"
            self.emit(StepFailed(outcome.step, outcome.seconds, outcome.detail, cancelled=cancelled))

    def _wind_down(self) -> None:
        """End an interrupted run: kill what runs, wait for it with a limit, and settle the rest as cancelled."""
        try:
            if self.running:
                self.emit(Notice("stopping what runs; press Ctrl-C again to leave at once", warning=True))
                self._cancel_guarded()
                self._drain(time.monotonic() + self.grace)
        except KeyboardInterrupt:
            pass  # the user does not want to wait
        for step in self.graph.steps:
            if step not in self.settled:
                reason = "did not stop in time" if step in self.running else "the run was stopped"
                self._settle(StepOutcome(step, "cancelled", 0.0, reason))

    def _cancel_guarded(self) -> None:
        try:
            self.cancel()
        except Exception as error:  # noqa: BLE001 - the run ends anyway; what is left behind is swept by the next
            summary = " ".join(f"{type(error).__name__}: {error}".split())
            self.emit(Notice(f"what runs could not be stopped: {summary}", warning=True))

    def _drain(self, deadline: float) -> None:
        while self.running and (left := deadline - time.monotonic()) > 0:
            self._receive(min(left, _WAKE_SECONDS))


def _outcome_of(step: str, pending: Pending[_Attempt]) -> _Attempt:
    try:
        return pending.result()
    except BaseException as error:  # noqa: BLE001 - the executor itself failed: a worker died, a result was lost
        return _Attempt(0.0, error=_explained(error, step))


def _silent(_event: object) -> None:
    """Take the place of an emit that raised."""
