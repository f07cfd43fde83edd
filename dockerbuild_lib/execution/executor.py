"""Where steps run: the small seam behind which stand threads, and other machines.

An executor starts whatever it is given, at once; how many steps run at a time is the scheduler's decision.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Pending(Protocol[T_co]):
    """A result that comes later; the part of ``concurrent.futures.Future`` that the scheduler needs."""

    def result(self) -> T_co:
        """Return the task's result, or raise what it raised; waits for its end."""

    def add_done_callback(self, callback: Callable[[object], object], /) -> None:
        """Call *callback* when the task has ended; at once if it already has."""


class Executor(Protocol):
    """Runs tasks beside the caller."""

    def submit(self, task: Callable[[], T], /) -> Pending[T]:
        """Start *task*, without waiting for it.

        Raises RuntimeError after :meth:`close`.
        """

    def close(self) -> None:
        """Take no more tasks. Does not wait for those that run; may be called twice."""


class ThreadExecutor:
    """One thread per task: builds are blocking calls to the Docker engine, so threads serve.

    The threads are daemons, unlike those of ``ThreadPoolExecutor``, which Python joins when it exits: a step that
    hangs must not keep an interrupted run from ending.
    """

    def __init__(self) -> None:
        self._closed = False

    def submit(self, task: Callable[[], T], /) -> Future[T]:
        """Start *task* in a thread of its own. Raises RuntimeError after :meth:`close`."""
        if self._closed:
            raise RuntimeError("the executor is closed")
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        threading.Thread(target=_fulfil, args=(future, task), name="step", daemon=True).start()
        return future

    def close(self) -> None:
        """Take no more tasks."""
        self._closed = True


def _fulfil(future: Future[T], task: Callable[[], T]) -> None:
    try:
        result = task()
    except BaseException as error:  # noqa: BLE001 - whatever ends the task belongs to whoever waits for it
        future.set_exception(error)
    else:
        future.set_result(result)
