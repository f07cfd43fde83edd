"""What became of a run's steps."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Literal

from dockerbuild_lib.core.errors import DockerbuildError, InterruptedRunError, StepsFailedError

Status = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True)
class StepOutcome:
    """The end of one step; *seconds* is wall time, *detail* what the step said, or why it did not succeed."""

    step: str
    status: Status
    seconds: float
    detail: str
    error: DockerbuildError | None = None

    @property
    def traceback(self) -> str:
        """The error with its causes, as Python prints them (for ``--debug``); empty without an error."""
        return "".join(traceback.format_exception(self.error)) if self.error else ""


@dataclass(frozen=True)
class RunResult:
    """The outcomes in the order of the plan, the run's wall time in *seconds*, and whether the user stopped it."""

    outcomes: tuple[StepOutcome, ...]
    seconds: float
    interrupted: bool = False

    @property
    def failures(self) -> tuple[StepOutcome, ...]:
        """The steps that failed themselves, without those that were cancelled."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    def raise_for_failures(self) -> None:
        """Raise what the run must end with; return when every step is done.

        Raises InterruptedRunError when the user stopped the run; a single step's own error; for several
        failures one error of their common class, or StepsFailedError when their classes differ. The errors
        behind a joint one are its cause, as an ExceptionGroup.
        """
        if self.interrupted:
            raise InterruptedRunError(_interruption(self), fix="run it again: steps that are done are not repeated")
        errors = [outcome.error for outcome in self.failures if outcome.error]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise _joint_class(errors)(_joint_message(self.failures)) from ExceptionGroup("failed steps", errors)


def _interruption(result: RunResult) -> str:
    done = sum(outcome.status == "done" for outcome in result.outcomes)
    return f"the run was stopped: {done} of {len(result.outcomes)} steps are done"


def _joint_class(errors: list[DockerbuildError]) -> type[DockerbuildError]:
    classes = {type(error) for error in errors}
    return classes.pop() if len(classes) == 1 else StepsFailedError


def _joint_message(failures: tuple[StepOutcome, ...]) -> str:
    # Only first lines: the whole message, with the log's end, was reported when the step failed.
    lines = [f"  {failure.step}: {failure.detail.partition(chr(10))[0]}" for failure in failures]
    return "\n".join([f"{len(failures)} steps failed:", *lines])
