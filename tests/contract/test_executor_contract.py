"""What every executor promises. A new one is one more line in EXECUTORS."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from dockerbuild_lib.execution.executor import Executor, ThreadExecutor

EXECUTORS: dict[str, Callable[[], Executor]] = {"threads": ThreadExecutor}


@pytest.fixture(params=sorted(EXECUTORS))
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = EXECUTORS[request.param]()
    yield made
    made.close()


def answer() -> int:
    return 42


def refuse() -> int:
    raise LookupError("no")


def leave() -> int:
    raise SystemExit(3)


COMPANY = 8
MEETING = threading.Barrier(COMPANY + 1)
"""Where tasks wait for each other, and the test for them."""


def meet() -> int:
    MEETING.wait(timeout=60)
    return 1


def test_the_result_of_a_task_arrives(executor: Executor) -> None:
    assert executor.submit(answer).result() == 42


def test_an_exception_of_a_task_arrives(executor: Executor) -> None:
    with pytest.raises(LookupError, match="no"):
        executor.submit(refuse).result()


def test_not_even_an_exit_of_a_task_is_lost(executor: Executor) -> None:
    with pytest.raises(SystemExit):
        executor.submit(leave).result()


def test_submitting_does_not_wait_and_tasks_run_side_by_side(executor: Executor) -> None:
    pending = [executor.submit(meet) for _ in range(COMPANY)]
    meet()  # comes to an end only when all of them run, and none before
    assert [one.result() for one in pending] == [1] * COMPANY


@pytest.mark.parametrize("task", [answer, refuse])
def test_the_callback_comes_once_whether_the_task_succeeds_or_not(executor: Executor, task: Callable[[], int]) -> None:
    calls: queue.SimpleQueue[object] = queue.SimpleQueue()
    executor.submit(task).add_done_callback(calls.put)
    calls.get(timeout=5)
    time.sleep(0.05)
    assert calls.empty()


def test_a_callback_that_is_added_after_the_end_is_called_too(executor: Executor) -> None:
    pending = executor.submit(answer)
    pending.result()
    called = threading.Event()
    pending.add_done_callback(lambda _pending: called.set())
    assert called.wait(5)


def test_a_closed_executor_takes_nothing_more(executor: Executor) -> None:
    executor.close()
    executor.close()
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(answer)


def test_closing_does_not_wait_for_what_runs(executor: Executor) -> None:
    pending = [executor.submit(meet) for _ in range(COMPANY)]
    executor.close()
    meet()  # no task ends before this
    assert [one.result() for one in pending] == [1] * COMPANY
