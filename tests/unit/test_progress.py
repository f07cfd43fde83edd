"""How far steps have come is passed on at a bearable pace."""

from __future__ import annotations

from dockerbuild_lib.core.events import StepOutput, StepProgress
from dockerbuild_lib.core.progress import ProgressThinner


class Clock:
    """Tells the time that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def times_passed(step: str, thinner: ProgressThinner, clock: Clock, *times: float) -> list[float]:
    passed = []
    for clock.now in times:
        if thinner.passes(StepProgress(step, 1, 2)):
            passed.append(clock.now)
    return passed


def test_progress_passes_once_in_its_time() -> None:
    clock = Clock()
    assert times_passed("a", ProgressThinner(10, clock), clock, 0, 5, 9, 10, 11, 19, 21, 30, 31) == [10, 21, 31]


def test_each_step_has_its_own_time() -> None:
    clock = Clock()
    thinner = ProgressThinner(10, clock)
    assert times_passed("a", thinner, clock, 0, 10) == [10]
    assert times_passed("b", thinner, clock, 11, 12, 21) == [21]


def test_other_events_always_pass() -> None:
    thinner = ProgressThinner(10, Clock())
    assert all(thinner.passes(StepOutput("a", "line")) for _ in range(3))
