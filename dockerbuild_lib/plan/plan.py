"""A plan as it is used: steps, whether each must run, and why."""

from __future__ import annotations

from dataclasses import dataclass

from dockerbuild_lib.core.errors import VersionConflictError
from dockerbuild_lib.plan import step_names as names
from dockerbuild_lib.plan.judge import PlannedGoal
from dockerbuild_lib.plan.steps import Status, Step


@dataclass(frozen=True)
class PlannedStep:
    """A step, whether it must run, and why (not)."""

    step: Step
    status: Status
    why: str


@dataclass(frozen=True)
class Plan:
    """Everything that a request comes to."""

    goals: tuple[PlannedGoal, ...]
    steps: tuple[PlannedStep, ...]

    @property
    def to_do(self) -> tuple[Step, ...]:
        """The steps that must run, with only those needs that must run too."""
        pending = {planned.step.id for planned in self.steps if planned.status is Status.TO_DO}
        return tuple(
            Step(s.id, s.title, s.key, tuple(n for n in s.needs if n in pending), s.weight, s.work)
            for s in (planned.step for planned in self.steps)
            if s.id in pending
        )

    def refuse_conflicts(self) -> None:
        """Raise VersionConflictError when a goal's version is published from another recipe."""
        lines = [
            f"{names.goal(planned.goal)} is {planned.why}"
            for planned in self.goals
            if planned.status is Status.CONFLICT
        ]
        if lines:
            fix = "raise revision in its recipe (of a local folder: its version) to publish it again"
            raise VersionConflictError("; ".join(lines), fix=fix)
