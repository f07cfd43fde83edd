"""What happens during a run, as typed events: the library is silent, ``report`` shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StepStarted:
    """A step begins."""

    step: str
    title: str


@dataclass(frozen=True)
class StepOutput:
    """A step's program wrote one line."""

    step: str
    line: str


@dataclass(frozen=True)
class StepProgress:
    """A step has *done* so many of *total* bytes; None: nobody knows how many there are."""

    step: str
    done: int
    total: int | None


@dataclass(frozen=True)
class StepFinished:
    """A step is done; *detail* says with what result, in a few words."""

    step: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class StepFailed:
    """A step failed, or (*cancelled*) never ran because a step it needs failed or the run was stopped."""

    step: str
    seconds: float
    error: str
    cancelled: bool = False


@dataclass(frozen=True)
class Notice:
    """Something the user should know; *warning* when they should act on it."""

    text: str
    warning: bool = False


Event = StepStarted | StepOutput | StepProgress | StepFinished | StepFailed | Notice
Emit = Callable[[Event], None]


class StepLog(Protocol):
    """Where a step's output goes, line by line."""

    def __call__(self, line: str) -> None:
        """Take one line, without its end."""


class ProgressLog(StepLog, Protocol):
    """A step's log that takes too how far the step has come."""

    def progress(self, done: int, total: int | None) -> None:
        """Take note that *done* of *total* bytes are there; None: nobody knows how many there are."""


class _Silent:
    def __call__(self, line: str) -> None:
        pass

    def progress(self, done: int, total: int | None) -> None:
        pass


silent: ProgressLog = _Silent()
"""Drops what it is told: for callers that have no step."""


def discard(_event: Event) -> None:
    """Drop an event: for callers that show nothing."""
