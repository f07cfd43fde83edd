"""Ctrl-C and SIGTERM as a message instead of an exception at an arbitrary place."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP: the terminal was closed. Its default would end the process and leave the containers running.
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_requests(on_stop: Callable[[], None]) -> Iterator[None]:
    """Call *on_stop* in the main thread at the first stopping signal; a further one raises KeyboardInterrupt.

    *on_stop* runs inside the signal handler, so it may only do what is reentrant, such as ``SimpleQueue.put``.
    SIGHUP stays ignored where it is (``nohup``). SIGINT does not: a script that started this as a background job
    had it ignored by the shell (POSIX 2.11), but whoever sends it nevertheless wants the run to stop. Outside the
    main thread, where Python delivers no signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _STOPPING}
    replaced = {number: handler for number, handler in before.items() if _may_replace(number, handler)}
    handle = _handler(on_stop)
    try:
        for number in replaced:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _may_replace(number: signal.Signals, handler: object) -> bool:
    # None: a handler that was not installed from Python, so that it could not be put back.
    return handler is not None and not (number == signal.SIGHUP and handler == signal.SIG_IGN)


def _handler(on_stop: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    received = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received > 1:
            raise KeyboardInterrupt
        on_stop()

    return handle
