"""Makes sure that a Docker engine answers: the one that DOCKER_HOST names, the machine's own, or one started here.

An engine that was not started here is never stopped or reconfigured, and one that DOCKER_HOST names is never replaced.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.cli.engine_probe import DEFAULT_SOCKET, Answer, Probe, probe_host, probe_socket
from dockerbuild_lib.core.errors import EnginePermissionError, EngineUnavailableError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.core.machine import Say, can_install_packages, find_program, install_packages, system_path

LOG = "dockerd.log"
PID = "dockerd.pid"
START_LIMIT = 60.0  # seconds until an engine that is being started must answer
_STOP_LIMIT = 15.0  # seconds
_LOG_LINES = 10
_ENGINE_PID = Path("/var/run/docker.pid")
_SYSTEMD = Path("/run/systemd/system")


def ensure_engine(environ: Mapping[str, str], work_area: Callable[[], Path], *, say: Say) -> None:
    """Return when an engine answers, starting one (its log in the work area) where that is this program's place.

    Raises EngineUnavailableError or EnginePermissionError with the fix.
    """
    host = environ.get("DOCKER_HOST")
    if host:
        _require(probe_host(host, environ), f"DOCKER_HOST={host}", "start that engine, or unset DOCKER_HOST")
        return
    probe = probe_socket()
    if probe.answer is Answer.ABSENT and can_install_packages():
        _provide_engine(work_area(), say)
        return
    _require(
        probe,
        DEFAULT_SOCKET,
        "start Docker, or install it (Debian, Ubuntu: sudo apt-get install docker.io), or set DOCKER_HOST",
    )


def _require(probe: Probe, where: str, fix: str) -> None:
    if probe.answer is Answer.YES:
        return
    if probe.answer is Answer.DENIED:
        raise EnginePermissionError(
            "this user may not open the Docker engine's socket",
            where=where,
            fix="join the docker group (sudo usermod -aG docker $USER) and log in again",
        )
    raise EngineUnavailableError(f"no Docker engine answers ({probe.seen})", where=where, fix=fix)


def _provide_engine(work_area: Path, say: Say) -> None:
    """Install an engine if need be, then start it: as the machine's service where systemd runs, else detached."""
    with translated_os_errors(work_area):
        work_area.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(work_area):
            if probe_socket().answer is Answer.YES:
                return
            if find_program("dockerd") is None:
                install_packages(["docker.io", "iptables"], say=say)
            if _is_starting():
                wait_for_engine(probe_socket, lambda: True, "the log of the Docker service tells why")
            elif _SYSTEMD.is_dir():
                _start_service(say)
            else:
                start_engine([find_program("dockerd") or "dockerd"], work_area, probe_socket, say=say)


@contextmanager
def _one_at_a_time(work_area: Path) -> Iterator[None]:
    with (work_area / "dockerd.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _is_starting() -> bool:
    """Say whether an engine already runs, though it does not answer yet: its package may have started it."""
    return is_program(_ENGINE_PID, "dockerd")


def is_program(pid_file: Path, name: str) -> bool:
    """Say whether the process whose number is in *pid_file* lives and runs the program *name*."""
    try:
        pid = int(pid_file.read_text())
        return Path(f"/proc/{pid}/comm").read_text().strip() == name
    except (OSError, ValueError):
        return False


def _start_service(say: Say) -> None:
    say("starting the service docker (systemctl start docker)")
    with_log = "journalctl -u docker tells why"
    done = subprocess.run(
        ["systemctl", "start", "docker"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EngineUnavailableError(f"the service docker did not start: {done.stderr.strip()}", fix=with_log)
    wait_for_engine(probe_socket, lambda: True, with_log)


@dataclass(frozen=True)
class Detached:
    """A program that goes on without this process, and where its output goes."""

    process: subprocess.Popen[bytes]
    log: Path

    def lives(self) -> bool:
        """Say whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End it, at the latest after the time that an engine takes for its containers."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_engine(
    command: Sequence[str], work_area: Path, probe: Callable[[], Probe], *, say: Say, limit: float = START_LIMIT
) -> None:
    """Start *command* detached, its log and process number in the work area, and wait until *probe* says yes."""
    engine = start_detached(command, work_area / LOG)
    say(f"starting dockerd (log: {engine.log})")
    (work_area / PID).write_text(f"{engine.process.pid}\n")
    try:
        wait_for_engine(probe, engine.lives, "it runs only where root may mount and set up networks", engine.log, limit)
    except BaseException:
        engine.stop()  # it is ours, and serves nobody
        (work_area / PID).unlink(missing_ok=True)
        raise
    if not engine.lives():  # another one was quicker
        (work_area / PID).unlink(missing_ok=True)


def start_detached(command: Sequence[str], log: Path) -> Detached:
    """Start a program in a session of its own that holds none of this process's descriptors, so that pipes close."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**os.environ, "PATH": system_path()},
            start_new_session=True,
        )
    return Detached(process, log)


def wait_for_engine(
    probe: Callable[[], Probe], lives: Callable[[], bool], fix: str, log: Path | None = None, limit: float = START_LIMIT
) -> None:
    """Wait until *probe* says yes; raises EngineUnavailableError, with the log's last lines, when it will not."""
    deadline = time.monotonic() + limit
    while (last := probe()).answer is not Answer.YES:
        if not lives() or time.monotonic() > deadline:
            why = f"does not answer within {limit:g} s ({last.seen})" if lives() else "ended at once"
            raise EngineUnavailableError(f"the Docker engine {why}{_tail(log)}", fix=fix)
        time.sleep(0.05)


def _tail(log: Path | None) -> str:
    if log is None:
        return ""
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "".join(f"\n    {line}" for line in [f"{log}:", *lines]) + "\n"
