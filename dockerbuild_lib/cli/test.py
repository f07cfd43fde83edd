"""The task ``test``: this project's own tests, on all cores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.tasks_base import PROJECT, task
from dockerbuild_lib.core.machine import ensure_programs

TEST_PROGRAMS = {
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",  # unlike gcc's package, it needs the C library's headers
    "busybox": "busybox-static",
    "catatonit": "catatonit",
    "docker-registry": "docker-registry",
    "dockerd": "docker.io",
    "gcc": "gcc",
    "git": "git",
    "ip": "iproute2",
    "openssl": "openssl",
    "podman": "podman",
    "skopeo": "skopeo",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
}
"""Programs that the tests call, and the Debian packages that bring them."""


@task(
    name="test",
    help={
        "select": "only tests whose names match this pytest expression (-k)",
        "every_platform": "also make the images and Pythons of all platforms, and try them: an hour and more",
    },
)
def run_tests(_context: Context, select: str = "", every_platform: bool = False) -> None:  # noqa: FBT001, FBT002
    """Run the tests of this project with pytest; its exit code is this task's."""
    ensure_programs(TEST_PROGRAMS, say=say)
    cores = len(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "pytest", "-n", str(cores), "--dist", "worksteal"]
    options = [*(["-k", select] if select else []), *(["--every-platform"] if every_platform else [])]
    code = run_in_foreground([*command, *options, "tests"])
    if code != 0:
        raise Exit(code=code)


def run_in_foreground(command: Sequence[str]) -> int:
    """Run a program in the project's folder with its output on ours, and return its exit code.

    It has a process group of its own, so that a terminal's Ctrl-C reaches it once, from here, and it can clean up.
    """
    sys.stdout.flush()
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, process_group=0) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
