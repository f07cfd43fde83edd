"""An engine that the launcher starts outlives it and holds nothing of it; a stand-in for dockerd shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.cli.engine_probe import Answer, probe_socket
from dockerbuild_lib.cli.engine_setup import LOG, PID, is_program, start_engine
from dockerbuild_lib.core.errors import EngineUnavailableError

PROJECT = Path(__file__).resolve().parents[2]

ENGINE = """#!{python}
import os, socket, sys, time
print("engine: up, in a session of its own:", os.getsid(0) == os.getpid(), flush=True)
time.sleep(0.3)
server = socket.socket(socket.AF_UNIX)
server.bind({socket!r})
server.listen()
while True:
    connection, _ = server.accept()
    connection.recv(1000)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nOK")
    connection.close()
"""

LAUNCHER = """
import sys
from pathlib import Path
from dockerbuild_lib.cli.engine_probe import probe_socket
from dockerbuild_lib.cli.engine_setup import start_engine
work = Path(sys.argv[1])
start_engine([str(work / "dockerd")], work, lambda: probe_socket(sys.argv[2]), say=print)
"""


@pytest.fixture
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A work area; an engine that was started in it is stopped at the end."""
    folder = tmp_path_factory.mktemp("w")
    yield folder
    if is_program(folder / PID, "dockerd"):
        os.kill(int((folder / PID).read_text()), signal.SIGTERM)


def write_program(path: Path, content: str) -> str:
    path.write_text(content)
    path.chmod(0o755)
    return str(path)


def test_a_started_engine_holds_no_pipe_of_its_caller_and_outlives_it(work: Path) -> None:
    address = str(work / "e")
    write_program(work / "dockerd", ENGINE.format(python=sys.executable, socket=address))
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)  # noqa: FBT003 - as a shell's extra descriptor would be
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(work), address],
        cwd=PROJECT,
        capture_output=True,  # ends when all holders of the pipes are gone
        text=True,
        timeout=20,
        check=True,
        pass_fds=[write_end],
    )
    os.close(write_end)
    assert os.read(read_end, 1) == b""  # nobody holds the other end
    os.close(read_end)
    assert time.monotonic() - started < 10
    assert done.stdout == f"starting dockerd (log: {work / LOG})\n"
    assert probe_socket(address).answer is Answer.YES
    assert is_program(work / PID, "dockerd")
    assert (work / LOG).read_text() == "engine: up, in a session of its own: True\n"


def test_an_engine_that_fails_is_told_with_the_end_of_its_log(work: Path) -> None:
    command = write_program(work / "dockerd", "#!/bin/sh\nseq 100\necho 'failed to mount' >&2\nexit 1\n")
    with pytest.raises(EngineUnavailableError, match="ended at once") as caught:
        start_engine([command], work, lambda: probe_socket(str(work / "e")), say=lambda _line: None)
    assert f"{work / LOG}:" in str(caught.value)
    assert "    failed to mount" in str(caught.value)
    assert "    50" not in str(caught.value)
    assert not (work / PID).exists()


def test_an_engine_that_never_answers_is_given_up_and_ended(work: Path) -> None:
    command = write_program(work / "dockerd", f"#!/bin/sh\necho $$ >{work}/number\nexec sleep 60\n")
    with pytest.raises(EngineUnavailableError, match=r"does not answer within 0.3 s"):
        start_engine([command], work, lambda: probe_socket(str(work / "e")), say=lambda _line: None, limit=0.3)
    number = int((work / "number").read_text())
    assert not Path(f"/proc/{number}").exists()
