"""Ctrl-C and SIGTERM: real signals to a real process that runs a scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PRELUDE = """
import signal, sys, threading, time
from dataclasses import dataclass
from dockerbuild_lib.core.errors import BuildFailedError, DockerbuildError
from dockerbuild_lib.core.events import Notice, StepFailed
from dockerbuild_lib.execution.executor import ThreadExecutor
from dockerbuild_lib.execution.scheduler import run_steps

@dataclass(frozen=True)
class Step:
    id: str
    needs: tuple[str, ...] = ()
    title: str = "a step"
    weight: float = 1.0
    lane: str = "cores"

killed = threading.Event()
cancels = []

def say(*words):  # print writes the end of the line apart, which two threads would mix
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

def cancel():
    cancels.append(1)
    say("cancel", len(cancels))
    killed.set()

def emit(event):
    if isinstance(event, StepFailed):
        say(event.step, "cancelled" if event.cancelled else "failed", event.error)
    elif isinstance(event, Notice):
        say("notice", event.text)

def main(steps, perform, cancel=cancel, grace=10.0):
    try:
        result = run_steps(
            steps, perform, places={"cores": 2}, executor=ThreadExecutor(), emit=emit, cancel=cancel, grace=grace)
        result.raise_for_failures()
    except DockerbuildError as error:
        say("error", error)
        sys.exit(error.exit_code)
"""

STOPPABLE = """
def perform(step, log):
    say("begun", step.id)
    if not killed.wait(20):
        raise AssertionError("nobody cancelled")
    raise BuildFailedError("killed under its feet")

main([Step("a"), Step("b"), Step("c"), Step("d", ("a",))], perform)
"""

STUBBORN = """
def perform(step, log):
    say("begun", step.id)
    time.sleep(60)
    return ""

main([Step("a"), Step("b")], perform, grace=GRACE)
"""


# pytest itself may have been started with SIGINT ignored, which children inherit.
LISTENING = "signal.signal(signal.SIGINT, signal.default_int_handler)"


@contextmanager
def started(script: str, preparation: str = LISTENING) -> Iterator[subprocess.Popen[str]]:
    """Yield a process whose first two steps have begun."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{PRELUDE}\n{preparation}\n{script}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout is not None
            assert {process.stdout.readline(), process.stdout.readline()} == {"begun a\n", "begun b\n"}
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_once_tells_every_step_and_ends_with_130_without_a_traceback(number: int) -> None:
    with started(STOPPABLE) as process:
        begun = time.monotonic()
        os.kill(process.pid, number)
        output, noise = process.communicate(timeout=10)
        assert process.returncode == 130
        assert time.monotonic() - begun < 2
        assert noise == ""
        lines = output.splitlines()
        assert lines[0].startswith("notice stopping")
        assert lines.count("cancel 1") == 1
        assert "a cancelled stopped while it ran" in lines
        assert "b cancelled stopped while it ran" in lines
        assert "c cancelled the run was stopped" in lines
        assert "d cancelled the run was stopped" in lines
        assert "cancel 2" not in lines
        assert "begun c" not in lines
        assert lines[-1].startswith("error the run was stopped: 0 of 4 steps are done; ")


def test_a_job_in_the_background_whose_shell_ignored_sigint_still_stops() -> None:
    with started(STOPPABLE, "signal.signal(signal.SIGINT, signal.SIG_IGN)") as process:
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=10)
        assert process.returncode == 130


def test_steps_that_do_not_stop_are_awaited_only_for_the_grace_time() -> None:
    with started(STUBBORN.replace("GRACE", "0.3")) as process:
        os.kill(process.pid, signal.SIGINT)
        output, noise = process.communicate(timeout=10)
        assert process.returncode == 130
        assert noise == ""
        assert "a cancelled did not stop in time" in output


def test_a_second_ctrl_c_ends_the_wait() -> None:
    with started(STUBBORN.replace("GRACE", "60")) as process:
        assert process.stdout is not None
        os.kill(process.pid, signal.SIGINT)
        while process.stdout.readline() != "cancel 1\n":
            pass
        os.kill(process.pid, signal.SIGINT)
        _output, noise = process.communicate(timeout=10)
        assert process.returncode == 130
        assert noise == ""


def test_a_cancel_that_fails_is_told_and_the_run_still_ends() -> None:
    script = STUBBORN.replace("GRACE", "0.1, cancel=broken").replace(
        "\nmain", "\ndef broken():\n    raise OSError('engine gone')\nmain"
    )
    with started(script) as process:
        os.kill(process.pid, signal.SIGTERM)
        output, noise = process.communicate(timeout=10)
        assert process.returncode == 130
        assert noise == ""
        assert "notice what runs could not be stopped: OSError: engine gone" in output
