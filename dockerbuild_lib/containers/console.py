"""The streams, terminal and signals of this process, joined to a command that runs elsewhere."""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_READ_SIZE = 1 << 16
_STDIN, _STDOUT, _STDERR = 0, 1, 2


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
        from docker.utils.socket import frames_iter  # noqa: PLC0415 - the SDK takes 0.3 s to import

        threading.Thread(target=_send_input, args=(getattr(stream, "_sock", stream),), daemon=True).start()
        sys.stdout.flush()
        if self.is_terminal:
            signal.raise_signal(signal.SIGWINCH)  # only now is there a command to be told the size
        for source, chunk in frames_iter(stream, self.is_terminal):  # type: ignore[no-untyped-call]
            _write(_STDERR if source == _STDERR else _STDOUT, chunk)
        stream.close()


def _send_input(connection: socket.socket) -> None:
    """Send what this process is given until its end, and then that end; a command that is gone takes no more."""
    with suppress(OSError):
        while chunk := os.read(_STDIN, _READ_SIZE):
            connection.sendall(chunk)
        connection.shutdown(socket.SHUT_WR)


def _write(descriptor: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(descriptor, chunk) :]


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
