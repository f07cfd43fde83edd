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


Event = StepStarted | StepOutput | StepFinished | StepFailed | Notice
Emit = Callable[[Event], None]


class StepLog(Protocol):
    """Where a step's output goes, line by line."""

    def __call__(self, line: str) -> None:
        """Take one line, without its end."""


def silent(line: str) -> None:
    """Drop a line: for steps that nobody watches."""


def discard(_event: Event) -> None:
    """Drop an event: for callers that show nothing."""
