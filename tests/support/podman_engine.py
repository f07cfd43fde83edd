"""A podman of the tests' own: its API, with storage, state and configuration in one folder."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dockerbuild_lib.cli.engine_probe import Answer, probe_host

_CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
exit_command_delay = 10
lock_type = "file"
runtime = "runc"
"""
"""No systemd is needed, and no lock shared with another podman; the limits are there without the right to raise any.

What watches a command of a container would stay for five minutes after its end.
"""


@contextmanager
def running_podman() -> Iterator[dict[str, str]]:
    """Run podman's API with everything it has in a folder of its own; yield the variables of who uses it."""
    # podman takes no path of more than 50 characters for its state. What watches a container may outlive the service.
    with (
        TemporaryDirectory(prefix="podman-", ignore_cleanup_errors=True) as folder,
        _running(Path(folder)) as variables,
    ):
        yield variables


@contextmanager
def _running(folder: Path) -> Iterator[dict[str, str]]:
    (folder / "containers.conf").write_text(_CONFIGURATION)
    variables = {"DOCKER_HOST": f"unix://{folder}/socket"}
    own = ("--root", f"{folder}/data", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/state")
    service = ("--storage-driver=vfs", "system", "service", "--time=0", variables["DOCKER_HOST"])
    environment = {**os.environ, "CONTAINERS_CONF": f"{folder}/containers.conf"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ("podman", *own, *service),
            cwd=folder,  # here it leaves a file "oom" when a container runs out of memory
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(process, variables, folder / "log")
        yield variables
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], variables: dict[str, str], log: Path) -> None:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        if probe_host(variables["DOCKER_HOST"], variables).answer is Answer.YES:
            return
        time.sleep(0.05)
    raise TimeoutError(log.read_text())
