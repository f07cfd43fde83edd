"""The scheduler: order, incremental start, isolation of failures, and what a run ends with."""

from __future__ import annotations

import errno
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core import errors
from dockerbuild_lib.core.events import (
    Event,
    ProgressLog,
    StepFailed,
    StepFinished,
    StepLog,
    StepOutput,
    StepProgress,
    StepStarted,
    discard,
)
from dockerbuild_lib.execution.executor import ThreadExecutor
from dockerbuild_lib.execution.results import RunResult, StepOutcome
from dockerbuild_lib.execution.scheduler import run_steps


@dataclass(frozen=True)
class Step:
    id: str
    needs: tuple[str, ...] = ()
    weight: float = 1.0
    lane: str = "cores"
    title: str = "a step"


def nothing() -> None:
    pass


def noting(order: list[str]) -> Callable[[Step, StepLog], str]:
    def perform(step: Step, _log: StepLog) -> str:
        order.append(step.id)
        return ""

    return perform


def run(  # noqa: PLR0913 - the steps, how they are done, and what may differ
    steps: list[Step],
    perform: Callable[[Step, ProgressLog], str],
    *,
    jobs: int = 1,
    downloads: int = 1,
    emit: Callable[[Event], None] = discard,
    cancel: Callable[[], None] = nothing,
) -> RunResult:
    places = {"cores": jobs, "downloads": downloads}
    return run_steps(steps, perform, places=places, executor=ThreadExecutor(), emit=emit, cancel=cancel)


def statuses(result: RunResult) -> dict[str, str]:
    return {outcome.step: outcome.status for outcome in result.outcomes}


def test_the_step_with_the_longest_chain_behind_it_starts_first() -> None:
    order: list[str] = []
    steps = [
        Step("lone", weight=5),
        Step("short"),
        Step("a"),
        Step("b", ("a",), weight=2),
        Step("c", ("b",), weight=30),
    ]
    run(steps, noting(order))
    assert order == ["a", "b", "c", "lone", "short"]


def test_steps_of_equal_urgency_keep_the_order_of_the_plan() -> None:
    order: list[str] = []
    run([Step("z"), Step("m"), Step("a")], noting(order))
    assert order == ["z", "m", "a"]


def test_a_step_starts_as_soon_as_its_own_needs_are_done() -> None:
    follower_ran = threading.Event()

    def perform(step: Step, _log: StepLog) -> str:
        if step.id == "follower":
            follower_ran.set()
        if step.id == "slow":
            assert follower_ran.wait(5), "the follower of the quick step waited for the slow one"
        return ""

    result = run([Step("slow"), Step("quick"), Step("follower", ("quick",))], perform, jobs=2)
    assert set(statuses(result).values()) == {"done"}


def test_no_more_steps_of_a_lane_run_at_a_time_than_it_has_places() -> None:
    lock, now, most = threading.Lock(), Counter[str](), Counter[str]()

    def perform(step: Step, _log: StepLog) -> str:
        with lock:
            now[step.lane] += 1
            most[step.lane] = max(most[step.lane], now[step.lane])
        time.sleep(0.01)
        with lock:
            now[step.lane] -= 1
        return ""

    steps = [Step(f"{lane} {number}", lane=lane) for number in range(12) for lane in ("cores", "downloads")]
    run(steps, perform, jobs=2, downloads=5)
    assert most == {"cores": 2, "downloads": 5}


def test_a_full_lane_holds_no_other_up() -> None:
    fetched = threading.Event()

    def perform(step: Step, _log: StepLog) -> str:
        if step.id == "build":
            assert fetched.wait(10), "the download waited for the build"
        if step.id == "fetch last":
            fetched.set()
        return ""

    fetches = [Step(f"fetch {which}", lane="downloads") for which in ("first", "last")]
    result = run([Step("build", weight=99), *fetches, Step("other build")], perform)
    assert set(statuses(result).values()) == {"done"}


def test_a_lane_without_places_is_refused_before_anything_starts() -> None:
    started: list[str] = []
    with pytest.raises(ValueError, match="'downloads' must have at least 1 place, not 0"):
        run([Step("a"), Step("b", lane="downloads")], noting(started), downloads=0)
    assert started == []


def failing(*bad: str) -> Callable[[Step, StepLog], str]:
    def perform(step: Step, _log: StepLog) -> str:
        if step.id in bad:
            raise errors.BuildFailedError(f"{step.id} broke")
        return f"made {step.id}"

    return perform


def test_a_failure_cancels_only_what_depends_on_it_and_names_the_step_that_was_needed() -> None:
    steps = [Step("a"), Step("b", ("a",)), Step("c", ("b", "x")), Step("x"), Step("y", ("x",))]
    result = run(steps, failing("a"), jobs=2)
    assert statuses(result) == {"a": "failed", "b": "cancelled", "c": "cancelled", "x": "done", "y": "done"}
    details = {outcome.step: outcome.detail for outcome in result.outcomes}
    assert details["b"] == details["c"] == "needs a, which failed"
    assert details["y"] == "made y"


def test_events_tell_every_step_once() -> None:
    events: list[Event] = []

    def perform(step: Step, log: StepLog) -> str:
        log("working")
        return failing("bad")(step, log)

    run([Step("bad"), Step("after", ("bad",)), Step("good")], perform, emit=events.append)
    assert [type(event).__name__ for event in events if getattr(event, "step", "") == "bad"] == [
        "StepStarted", "StepOutput", "StepFailed",
    ]  # fmt: skip
    assert [event for event in events if isinstance(event, StepFailed) and event.cancelled] == [
        StepFailed("after", 0.0, "needs bad, which failed", cancelled=True)
    ]
    assert StepStarted("good", "a step") in events
    assert StepOutput("good", "working") in events
    assert [event.detail for event in events if isinstance(event, StepFinished)] == ["made good"]


def test_progress_is_told_now_and_then() -> None:
    events: list[Event] = []

    def perform(_step: Step, log: ProgressLog) -> str:
        done, deadline = 0, time.monotonic() + 10
        while time.monotonic() < deadline and not any(isinstance(event, StepProgress) for event in events):
            log.progress(done := done + 1, None)
            time.sleep(0.001)
        return str(done)

    (outcome,) = run([Step("a")], perform, emit=events.append).outcomes
    assert [event for event in events if isinstance(event, StepProgress)] == [
        StepProgress("a", int(outcome.detail), None)
    ]
    assert int(outcome.detail) > 10  # not each call became an event


def test_an_empty_plan_is_done_at_once() -> None:
    assert run([], failing()).outcomes == ()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([Step("a", ("ghost",))], "'ghost'"),
        ([Step("a"), Step("a")], "same id"),
        ([Step("a", ("b",)), Step("b", ("a",))], "circle"),
        ([Step("a", ("a",))], "circle"),
    ],
)
def test_a_malformed_plan_is_refused_before_anything_starts(steps: list[Step], message: str) -> None:
    started: list[str] = []
    with pytest.raises(ValueError, match=message):
        run([Step("first"), *steps], noting(started))
    assert started == []


def test_less_than_one_job_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 place"):
        run([Step("a")], failing(), jobs=0)


def test_a_single_failure_is_raised_itself() -> None:
    with pytest.raises(errors.BuildFailedError, match=r"^a broke$"):
        run([Step("a"), Step("b", ("a",)), Step("c")], failing("a")).raise_for_failures()


def test_a_run_without_failures_raises_nothing() -> None:
    run([Step("a")], failing()).raise_for_failures()


def test_failures_of_one_class_end_in_that_class_and_list_every_step() -> None:
    with pytest.raises(errors.BuildFailedError) as caught:
        run([Step("a"), Step("b"), Step("c")], failing("a", "c")).raise_for_failures()
    assert str(caught.value) == "2 steps failed:\n  a: a broke\n  c: c broke"
    assert isinstance(caught.value.__cause__, ExceptionGroup)


def test_failures_of_several_classes_end_in_a_class_of_their_own() -> None:
    def perform(step: Step, _log: StepLog) -> str:
        raise {"a": errors.NetworkError, "b": errors.LockError}[step.id](f"{step.id} broke")

    with pytest.raises(errors.StepsFailedError, match="a: a broke\n  b: b broke") as caught:
        run([Step("a"), Step("b")], perform).raise_for_failures()
    assert caught.value.exit_code == 20


def all_errors(root: type[errors.DockerbuildError]) -> list[type[errors.DockerbuildError]]:
    return [root, *(found for child in root.__subclasses__() for found in all_errors(child))]


@pytest.mark.parametrize("kind", all_errors(errors.DockerbuildError))
def test_every_error_class_can_stand_for_several_failures(kind: type[errors.DockerbuildError]) -> None:
    outcomes = tuple(StepOutcome(name, "failed", 1.0, "broke", kind("broke")) for name in "ab")
    with pytest.raises(kind, match="2 steps failed"):
        RunResult(outcomes, 1.0).raise_for_failures()


def test_an_unexpected_exception_is_one_line_and_keeps_its_traceback() -> None:
    def perform(_step: Step, _log: StepLog) -> str:
        raise LookupError("first\nsecond")

    outcome = run([Step("a")], perform).outcomes[0]
    assert outcome.detail == "a: unexpected LookupError: first second; --debug shows the traceback"
    assert "in perform" in outcome.traceback
    assert isinstance(outcome.error, errors.DockerbuildError)


def test_a_full_disk_in_a_step_is_told_as_such() -> None:
    def perform(_step: Step, _log: StepLog) -> str:
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/file")

    with pytest.raises(errors.NoSpaceError, match="/somewhere/file"):
        run([Step("a")], perform).raise_for_failures()


def test_a_step_that_exits_python_is_a_failed_step() -> None:
    def perform(_step: Step, _log: StepLog) -> str:
        raise SystemExit(3)

    assert statuses(run([Step("a"), Step("b")], perform)) == {"a": "failed", "b": "failed"}


def test_an_event_that_cannot_be_recorded_ends_the_run_and_stops_what_runs() -> None:
    stopped = threading.Event()

    def perform(step: Step, _log: StepLog) -> str:
        if step.id == "long":
            assert stopped.wait(5)
        return ""

    def emit(event: Event) -> None:
        if not isinstance(event, StepStarted):  # the disk stays full while the run is wound up
            raise errors.NoSpaceError("full")

    with pytest.raises(errors.NoSpaceError, match="full"):
        run([Step("long"), Step("quick"), Step("never")], perform, jobs=2, emit=emit, cancel=stopped.set)
    assert stopped.is_set()


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Step], frozenset[str]]:
    names = [f"s{number}" for number in range(draw(st.integers(0, 9)))]
    steps = []
    for position, name in enumerate(names):
        needs = draw(st.sets(st.sampled_from(names[:position]))) if position else set()
        lane = draw(st.sampled_from(["cores", "downloads"]))
        steps.append(Step(name, tuple(sorted(needs)), weight=draw(st.integers(0, 5)), lane=lane))
    bad = draw(st.frozensets(st.sampled_from(names))) if names else frozenset()
    return draw(st.permutations(steps)), bad


def ancestors(steps: dict[str, Step], step: str) -> set[str]:
    return {found for need in steps[step].needs for found in {need, *ancestors(steps, need)}}


@settings(deadline=None)
@given(plan=plans(), jobs=st.integers(1, 4), downloads=st.integers(1, 4))
def test_any_plan_runs_each_step_at_most_once_after_its_needs_and_cancels_only_heirs_of_failures(
    plan: tuple[list[Step], frozenset[str]], jobs: int, downloads: int
) -> None:
    steps, bad = plan
    done: set[str] = set()
    begun: list[str] = []

    def perform(step: Step, log: StepLog) -> str:
        begun.append(step.id)
        assert set(step.needs) <= done
        failing(*bad)(step, log)
        done.add(step.id)
        return ""

    found = statuses(run(steps, perform, jobs=jobs, downloads=downloads))
    by_id = {step.id: step for step in steps}
    for step in by_id:
        heir = bool(ancestors(by_id, step) & bad)
        assert found[step] == ("cancelled" if heir else "failed" if step in bad else "done")
        assert begun.count(step) == (0 if heir else 1)
    assert done == {step for step, status in found.items() if status == "done"}
