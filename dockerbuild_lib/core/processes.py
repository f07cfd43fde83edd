"""Programs of this machine that a step runs: their output line by line, and an end when the run is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerbuild_lib.core.errors import BuildFailedError, InterruptedRunError
from dockerbuild_lib.core.events import StepLog


@dataclass(frozen=True)
class Finished:
    """How a program ended."""

    code: int
    stdout: bytes
    stderr: str


class Processes:
    """The programs that one run has started. Each is a group of its own, so that all of it can be ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[Any]] = set()
        self._stopped = False

    def run(self, argv: Sequence[str], log: StepLog, environment: Mapping[str, str] | None = None) -> None:
        """Run a program to its end; each line of its output goes to *log*.

        Raises:
            BuildFailedError: it ended with another code than 0.
            InterruptedRunError: `stop_all` ended it.

        """
        whole = None if environment is None else {**os.environ, **environment}
        with self._started(argv, env=whole, stderr=subprocess.STDOUT, text=True, errors="backslashreplace") as process:
            for line in process.stdout or ():
                log(line.rstrip("\n"))
            code = process.wait()
        if code:
            raise BuildFailedError(f"{argv[0]} ended with exit code {code}")

    def output(self, argv: Sequence[str], *, environment: Mapping[str, str], folder: Path, limit: float) -> Finished:
        """Run a program to its end in *folder*, with that *environment* and no other, and return what it wrote.

        Raises:
            TimeoutError: it ran longer than *limit* seconds, and was ended.
            InterruptedRunError: `stop_all` ended it.

        """
        with self._started(argv, env=environment, stderr=subprocess.PIPE, cwd=folder) as process:
            try:
                stdout, stderr = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(f"no end after {limit:.0f} s") from error
        return Finished(process.returncode, stdout, stderr.decode(errors="replace"))

    @contextmanager
    def _started(self, argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:  # noqa: ANN401 - Popen's
        """Yield a running program, and wait for its end; an error in the block ends it, with all that it started."""
        with self._lock:
            if self._stopped:
                raise InterruptedRunError(f"{argv[0]} was not started: the run was stopped")
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True, **options
            )
            self._running.add(process)
        try:
            with process:  # closes its pipes and waits
                try:
                    yield process
                except BaseException:
                    _end(process, signal.SIGKILL)
                    raise
        finally:
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise InterruptedRunError(f"{argv[0]} was stopped")

    def stop_all(self) -> None:
        """End every program that still runs, and let no new one start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end(process, signal.SIGTERM)


def _end(process: subprocess.Popen[Any], how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
