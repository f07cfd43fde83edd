"""A run that is stopped or killed while a compiler runs leaves nothing behind that the next run minds."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from dockerbuild_lib.containers.owners import RUN_LABEL
from tests.support.projects import Project, containers_of, finished

BROTLI = ("--name=brotli", "--platform=linux-arm64")
LOG = "logs/build_brotli_1.2.1_linux-arm64-py3.11.log"
_PATIENCE = 60  # seconds


def start_and_await_compiler(project: Project) -> subprocess.Popen[str]:
    """Start to build brotli anew, and return when its extension is being compiled."""
    before = project.latest_run()
    process = project.start("wheel.build", *BROTLI, "--rebuild")
    deadline = time.monotonic() + _PATIENCE
    while project.latest_run() == before or not _compiles(project):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def _compiles(project: Project) -> bool:
    log = project.latest_run() / LOG
    return log.exists() and "building '_brotli' extension" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_in_order(built: Project, number: signal.Signals) -> None:
    published = built.packages()
    with start_and_await_compiler(built) as process:
        (container,) = containers_of(process.pid)
        begun = time.time()
        process.send_signal(number)
        done = finished(process, begun)
    assert done.code == 130, done.stderr
    assert done.seconds < 20
    assert "dockerbuild: the run was stopped: 0 of 4 steps are done; run it again" in done.stderr
    assert "Traceback" not in done.stderr
    assert container not in containers_of(process.pid)
    statuses = {step["status"] for step in json.loads((built.latest_run() / "summary.json").read_text())["steps"]}
    assert statuses == {"cancelled"}
    assert built.packages() == published
    built.succeed("store.verify")
    built.succeed("wheel.build", *BROTLI, "--rebuild")


def test_a_container_bears_the_name_of_its_run(built: Project) -> None:
    import docker  # noqa: PLC0415 - takes 0.3 s

    with start_and_await_compiler(built) as process:
        client = docker.from_env()
        (container,) = containers_of(process.pid)
        assert client.containers.get(container).labels[RUN_LABEL] == built.latest_run().name
        client.close()
        process.send_signal(signal.SIGINT)
        finished(process, time.time())


def test_the_run_after_a_killed_one_sweeps_its_container_and_completes(built: Project) -> None:
    with start_and_await_compiler(built) as process:
        assert len(containers_of(process.pid)) == 1
        process.kill()
        process.communicate()
    built.succeed("wheel.build", *BROTLI, "--rebuild")
    assert containers_of(process.pid) == []
    built.succeed("store.verify")
