"""The streams, terminal and signals of this process, joined to a command that runs elsewhere."""

from __future__ import annotations

import os
import queue
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from dockerbuild_lib.containers.pump import Pump

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_STDIN, _STDOUT = 0, 1


class Remote(Protocol):
    """What a console tells the command at its other end."""

    def send_signal(self, number: int) -> None:
        """Pass a signal on."""

    def resize(self, rows: int, columns: int) -> None:
        """Tell the size of the terminal."""


class Console:
    """Standard input, output and error of this process; a terminal when both input and output are one."""

    def __init__(self) -> None:
        self.is_terminal = os.isatty(_STDIN) and os.isatty(_STDOUT)

    @contextmanager
    def joined(self, remote: Remote) -> Iterator[None]:
        """Pass signals on to *remote* inside the block, and leave all keys of a terminal to it, Ctrl-C too."""
        with _forwarded_signals(remote, follow_size=self.is_terminal), _raw_terminal(only=self.is_terminal):
            yield

    def pump(self, stream: Any) -> None:  # noqa: ANN401 - the SDK gives a socket of one of several kinds
        """Carry input to *stream* and its output here, until the command closes its end."""
        sys.stdout.flush()
        if self.is_terminal:
            signal.raise_signal(signal.SIGWINCH)  # only now is there a command to be told the size
        Pump(stream, framed=not self.is_terminal).run()


@contextmanager
def _raw_terminal(*, only: bool) -> Iterator[None]:
    """Let every key through, and give the terminal back as it was; nothing unless *only* is true."""
    if not only:
        yield
        return
    before = termios.tcgetattr(_STDIN)
    try:
        tty.setraw(_STDIN)
        yield
    finally:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


@contextmanager
def _forwarded_signals(remote: Remote, *, follow_size: bool) -> Iterator[None]:
    """Hand signals to *remote* from a thread: a handler may not wait for an engine."""
    jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def pass_on(number: int, _frame: object) -> None:
        jobs.put(lambda: remote.send_signal(number))

    def tell_size(*_: object) -> None:
        size = os.get_terminal_size(_STDOUT)
        jobs.put(lambda: remote.resize(size.lines, size.columns))

    handlers: dict[signal.Signals, Callable[..., None]] = dict.fromkeys(_PASSED_ON, pass_on)
    if follow_size:
        handlers[signal.SIGWINCH] = tell_size
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    worker = threading.Thread(target=_work_off, args=(jobs,), daemon=True)
    worker.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        jobs.put(None)


def _work_off(jobs: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
