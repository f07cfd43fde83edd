"""Engines that are reached in other ways than by the default socket, and what is told when they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.containers.connection import OLDEST_API
from tests.support.projects import Project, containers_of
from tests.support.ssh_server import SshServer, running_sshd

ARM = ("run", "--platform=linux-arm64")
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 5; }\n'


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with running_sshd(tmp_path_factory.mktemp("ssh") / "server") as server:
        yield server


def run(
    project: Project, folder: Path, variables: dict[str, str], *arguments: str, given: bytes = b""
) -> tuple[int, bytes]:
    """Run a task in *folder*; return its exit code and what it printed."""
    command = (sys.executable, "-P", str(project.folder / "dockerbuild_lib/__main__.py"), "run", *arguments)
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, input=given, stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout


def test_input_and_output_travel_byte_for_byte(with_images: Project, sshd: SshServer, tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    assert run(with_images, tmp_path, sshd.variables(), *ARM, "--", "sh", "-c", "cat; exit 3", given=data) == (3, data)


def test_a_folder_goes_there_and_comes_back_with_what_was_made(
    with_images: Project, sshd: SshServer, tmp_path: Path
) -> None:
    below = tmp_path / "deep"
    below.mkdir()
    (below / "hello.c").write_text(HELLO)
    (below / "gone").touch()
    script = (
        "$CC hello.c -o hello && rm gone && mkdir new && echo text > new/file && $CMAKE_CROSSCOMPILING_EMULATOR ./hello"
    )
    arguments = (*ARM, f"--workdir={tmp_path}", "--", "sh", "-c", script)
    assert run(with_images, below, sshd.variables(), *arguments) == (5, b"hello\n")
    assert (below / "hello").read_bytes()[18] == 0xB7  # EM_AARCH64
    assert os.access(below / "hello", os.X_OK)
    assert (below / "new/file").read_text() == "text\n"
    assert not (below / "gone").exists()


def test_a_wheel_is_built_over_ssh(fresh: Project, sshd: SshServer) -> None:
    done = fresh.succeed("wheel.build", "--name=markupsafe", "--platform=linux-arm64", **sshd.variables())
    assert [wheel.name.partition("-cp311-cp311-")[0] for wheel in fresh.built("markupsafe")] == ["markupsafe-3.0.4"]
    assert containers_of(done.pid) == []


def test_a_host_that_is_not_known_is_not_talked_to(with_images: Project, tmp_path: Path) -> None:
    with running_sshd(tmp_path / "server") as server:
        server.known_hosts.write_text("")
        done = with_images.run("doctor", **server.variables())
    assert done.code == 4
    assert "Host key verification failed" in done.stdout
    assert f"`ssh -p {server.port} {server.user}@127.0.0.1 true` must work without a question" in done.stdout


def test_no_engine_behind_ssh_is_told(with_images: Project, sshd: SshServer) -> None:
    done = with_images.run("doctor", **sshd.variables("/nowhere/docker.sock"))
    assert done.code == 4
    assert "problem  engine" in done.stdout
    assert "nowhere/docker.sock" in done.stdout


def test_nothing_newer_than_the_api_of_docker_20_10_is_used(fresh: Project) -> None:
    oldest = {"DOCKER_API_VERSION": OLDEST_API}
    assert f"API {OLDEST_API}" in fresh.succeed("doctor", **oldest).stdout
    fresh.succeed("wheel.build", "--name=markupsafe", "--platform=linux-amd64", **oldest)
    assert fresh.succeed(*ARM, "--", "echo", "hello", **oldest).stdout == "hello\n"
