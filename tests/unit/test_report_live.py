"""The live view, on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROWS, COLUMNS = 10, 80
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"

PRELUDE = """
import os, signal, sys, threading, time
from dataclasses import dataclass
from dockerbuild_lib.core.errors import BuildFailedError, DockerbuildError
from dockerbuild_lib.core.events import *
from dockerbuild_lib.execution.executor import ThreadExecutor
from dockerbuild_lib.execution.scheduler import run_steps
from dockerbuild_lib.report.reporter import reporter_for
from dockerbuild_lib.report.summary import ArtifactRow, print_summary

signal.signal(signal.SIGINT, signal.default_int_handler)

@dataclass(frozen=True)
class Step:
    id: str
    needs: tuple[str, ...] = ()
    title: str = "a step"
    weight: float = 1.0
    lane: str = "cores"

def show(steps, perform, jobs, cancel=lambda: None):
    try:
        with reporter_for(sys.stderr, total=len(steps)) as reporter:
            result = run_steps(
                steps, perform, places={"cores": jobs}, executor=ThreadExecutor(), emit=reporter, cancel=cancel)
        artifacts = [ArtifactRow("a", "a-1-py3-none-any.whl", 2048, "ab" * 32)]
        print_summary(sys.stderr, result.outcomes, artifacts, result.seconds, environ=os.environ)
        result.raise_for_failures()
    except DockerbuildError as error:
        sys.exit(error.exit_code)
"""


class Screen:
    """A process on a pseudo-terminal, and what it wrote so far."""

    def __init__(self, process: subprocess.Popen[bytes], controller: int) -> None:
        self.process = process
        self._controller = controller
        self.text = ""

    def read_until(self, wanted: str) -> None:
        while wanted not in self.text:
            assert self._read(), f"ended before {wanted!r} was shown:\n{self.text}"

    def read_all(self) -> int:
        while self._read():
            pass
        return self.process.wait(10)

    def type(self, keys: bytes) -> None:
        os.write(self._controller, keys)

    def _read(self) -> bool:
        try:
            found = os.read(self._controller, 65536)
        except OSError:  # EIO: the last process on the terminal ended
            return False
        self.text += found.decode()
        return bool(found)


@contextmanager
def on_terminal(script: str, **variables: str) -> Iterator[Screen]:
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    own = ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    environ = {key: value for key, value in os.environ.items() if key not in own}
    with subprocess.Popen(
        [sys.executable, "-c", "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n" + PRELUDE + script],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,  # with the line above: the terminal's Ctrl-C reaches this process, as in real life
        cwd=Path(__file__).parents[2],
        env={**environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **variables},
    ) as process:
        os.close(terminal)
        try:
            yield Screen(process, controller)
        finally:
            process.kill()
            os.close(controller)


RUN = """
def perform(step, log):
    log("\\x1b[31mcompiling\\x1b[0m [bold]src.c")
    time.sleep(0.4)
    if step.id == "bad":
        raise BuildFailedError("the compiler exited with 1")
    return "made [red]" + step.id

show([Step("good"), Step("bad"), Step("heir", ("bad",))], perform, 2)
"""


def test_running_steps_show_their_last_line_and_finished_ones_stay() -> None:
    with on_terminal(RUN) as screen:
        assert screen.read_all() == 9
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.text)
    assert "compiling [bold]src.c" in plain, "the last line of output is shown, without its own escapes"
    assert "3 steps: 2 running, 1 waiting" in plain
    assert re.search(r"done      good \(0\.[4-9] s\): made \[red\]good", plain)
    assert re.search(r"failed    bad \(0\.[4-9] s\): the compiler exited with 1", plain)
    assert "cancelled heir: needs bad, which failed" in plain
    assert re.search(r"3 steps in \d\.\d s: 1 done, 1 failed, 1 cancelled", plain)
    assert re.search(r"a-1-py3-none-any.whl +2\.0 KiB +abab", plain)
    assert "\x1b[31mcompiling" not in screen.text
    assert f"{SHOW_CURSOR}\r\x1b[1A\x1b[2K" in screen.text, "the last line of the live region is erased at the end"
    assert screen.text.count(HIDE_CURSOR) == screen.text.count(SHOW_CURSOR) == 1


PROGRESS = """
def perform(step, log):
    for done in range(101):
        log.progress(done << 20, 100 << 20)
        time.sleep(0.01)
    return ""

show([Step("a")], perform, 1)
"""


def test_a_running_step_shows_how_far_it_has_come() -> None:
    with on_terminal(PROGRESS) as screen:
        assert screen.read_all() == 0
    assert re.search(r"\d+\.0 MiB of 100\.0 MiB \(\d+ %\)", screen.text)


CROWD = """
barrier = threading.Barrier(30)
def perform(step, log):
    log("x" * 500)
    barrier.wait(10)
    time.sleep(0.5)
    return ""

show([Step(f"s{number}", title="a long title " * 20) for number in range(30)], perform, 30)
"""


def test_the_live_region_is_no_higher_than_the_terminal_however_much_runs() -> None:
    with on_terminal(CROWD) as screen:
        screen.read_until("... and 23 more")
        assert screen.read_all() == 0
    moves_up = re.findall(r"(?:\x1b\[2K\x1b\[1A|\x1b\[1A\x1b\[2K|\x1b\[1A)+", screen.text)
    assert moves_up
    assert max(move.count("\x1b[1A") for move in moves_up) < ROWS


STOPPABLE = """
killed = threading.Event()
def perform(step, log):
    log("working")
    killed.wait(20)
    raise BuildFailedError("killed")

show([Step("a"), Step("b", ("a",))], perform, 1, killed.set)
"""


def test_ctrl_c_on_the_keyboard_leaves_the_terminal_sane() -> None:
    with on_terminal(STOPPABLE) as screen:
        screen.read_until("working")
        screen.type(b"\x03")
        begun = time.monotonic()
        assert screen.read_all() == 130
        assert time.monotonic() - begun < 3
    assert "Traceback" not in screen.text
    assert screen.text.rindex(SHOW_CURSOR) > screen.text.rindex(HIDE_CURSOR)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_plain_lines(variables: dict[str, str]) -> None:
    with on_terminal(RUN, **variables) as screen:
        assert screen.read_all() == 9
    assert "\x1b" not in screen.text
    assert "start     good (a step)\r\n" in screen.text


def test_a_terminal_in_the_c_locale_can_show_everything() -> None:
    script = RUN.replace("made [red]", "made caf\xe9 ")
    with on_terminal(script, PYTHONIOENCODING="ascii", PYTHONCOERCECLOCALE="0", LC_ALL="C") as screen:
        assert screen.read_all() == 9
    assert "Traceback" not in screen.text
    assert "caf\\xe9" in screen.text
