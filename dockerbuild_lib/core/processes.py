"""Programs of this machine that a step runs: their output line by line, and an end when the run is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from dockerbuild_lib.core.errors import BuildFailedError, InterruptedRunError
from dockerbuild_lib.core.events import StepLog


class Processes:
    """The programs that one run has started. Each is a group of its own, so that all of it can be ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, argv: Sequence[str], log: StepLog, environment: Mapping[str, str] | None = None) -> None:
        """Run a program to its end; each line of its output goes to *log*.

        Raises:
            BuildFailedError: it ended with another code than 0.
            InterruptedRunError: `stop_all` ended it.

        """
        process = self._start(argv, environment)
        try:
            for line in process.stdout or ():
                log(line.rstrip("\n"))
            code = process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise InterruptedRunError(f"{argv[0]} was stopped")
        if code:
            raise BuildFailedError(f"{argv[0]} ended with exit code {code}")

    def _start(self, argv: Sequence[str], environment: Mapping[str, str] | None) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise InterruptedRunError(f"{argv[0]} was not started: the run was stopped")
            process = subprocess.Popen(
                argv,
                env=environment if environment is None else {**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="backslashreplace",
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def stop_all(self) -> None:
        """End every program that still runs, and let no new one start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
