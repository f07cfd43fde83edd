"""Podman in Docker's place: images, commands and builds through its API."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.containers.engine import KEY_LABEL, Engine
from dockerbuild_lib.containers.worker import Limits, WorkerOptions
from dockerbuild_lib.core.command import Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError, ImageFailedError, LimitExceededError
from dockerbuild_lib.images.context import image_tag
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.wheels.entrypoint import image_files
from tests.support.podman_engine import running_podman
from tests.support.projects import TREE, Project
from tests.support.tls_engine import small_root

# The SDK's streams of output hold sockets that nobody but the garbage collector closes.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
PLATFORM = "linux-arm64"
PATH = {"PATH": "/bin"}


class Lines(list[str]):
    """What was logged."""

    def __call__(self, line: str) -> None:
        self.append(line)


@pytest.fixture(scope="module")
def podman() -> Iterator[dict[str, str]]:
    with running_podman() as variables:
        yield variables


@pytest.fixture
def engine(podman: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    for name, value in podman.items():
        monkeypatch.setenv(name, value)
    engine = Engine("tests")
    with closing(engine.connection):
        yield engine
    gc.collect()  # here, where what it says is not heeded


@pytest.fixture
def image(engine: Engine, tmp_path: Path) -> str:
    """A small image that stands for a platform's, by its name and content key."""
    key = GoalMaker(load_catalog(TREE / "config"), image_files).workshop(PLATFORM, None).image
    tag = image_tag(PLATFORM, key)
    if engine.find_image(key) is None:
        engine.import_base(small_root(tmp_path / "root.tar"), tag, {KEY_LABEL: key})
    return tag


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.checked_out(tmp_path / "project")


def run(
    project: Project, podman: dict[str, str], folder: Path, *argv: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in the small image's "toolchain", gcc: zig's wants more of an image."""
    program = (sys.executable, "-P", str(project.folder / "dockerbuild_lib/__main__.py"), "run")
    command = (*program, "run", f"--platform={PLATFORM}", "--toolchain=gcc", "--", *argv)
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **podman}, input=given, capture_output=True, check=False
    )


def test_doctor_names_it_and_finds_nothing_in_the_way(project: Project, podman: dict[str, str]) -> None:
    version = subprocess.run(("podman", "--version"), capture_output=True, text=True, check=True).stdout.split()[-1]
    done = project.run("doctor", **podman)
    assert done.code == 0, done.stdout + done.stderr
    assert f"ok       engine: podman {version}, API " in done.stdout
    assert "ok       limits: memory, swap and processes of builds can be limited\n" in done.stdout
    assert "ok       confinement: system calls of builds are filtered (seccomp)\n" in done.stdout
    assert done.stdout.endswith("nothing is in the way\n")


def context(dockerfile: str) -> io.BytesIO:
    """Return the tar of a build's context."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile.encode()))
    stream.seek(0)
    return stream


def test_an_image_is_built_and_found_by_its_key(engine: Engine, image: str) -> None:
    lines = Lines()
    engine.build_image(context(f"FROM {image}\nRUN echo made > /made\n"), "tests/built:1", {KEY_LABEL: "k"}, lines)
    found = engine.find_image("k")
    assert found is not None
    assert any(tag.endswith("tests/built:1") for tag in found.tags)
    assert any("RUN echo made" in line for line in lines)
    with pytest.raises(ImageFailedError, match="exit status 3"):
        engine.build_image(context(f"FROM {image}\nRUN sh -c 'exit 3'\n"), "tests/built:2", {}, lines)


def test_arguments_and_input_arrive_word_for_word_and_the_exit_code_is_the_command_s(
    project: Project, podman: dict[str, str], image: str, tmp_path: Path
) -> None:
    assert image
    words = ["a b", "", "q'\"$HOME", "--", "*", "-x", "näme"]
    script = 'for word in "$@"; do echo "[$word]"; done; cat; echo error >&2; exit 42'
    data = os.urandom(1 << 20)
    done = run(project, podman, tmp_path, "sh", "-c", script, "sh", *words, given=data)
    assert (done.returncode, done.stderr) == (42, b"error\n")
    assert done.stdout == "".join(f"[{word}]\n" for word in words).encode() + data


def test_a_command_works_in_the_user_s_folder_and_nowhere_else(
    project: Project, podman: dict[str, str], image: str, tmp_path: Path
) -> None:
    assert image
    (tmp_path / "file").write_text("text")
    script = "cat file && echo made > made && echo x > /x"
    done = run(project, podman, tmp_path, "sh", "-c", script)
    assert (done.returncode, done.stdout) == (1, b"text")
    assert b"Read-only file system" in done.stderr
    assert (tmp_path / "made").read_text() == "made\n"


def test_a_program_that_is_not_there_is_exit_code_127(
    project: Project, podman: dict[str, str], image: str, tmp_path: Path
) -> None:
    assert image
    done = run(project, podman, tmp_path, "no-such-program")
    assert done.returncode == 127
    assert b"no-such-program" in done.stderr


def test_a_build_is_confined(engine: Engine, image: str, tmp_path: Path) -> None:
    lines = Lines()
    limits = Limits(memory=1 << 28, processes=64, seconds=60)
    script = "cat /proc/net/dev /proc/self/status; mkdir out && cat in/file > out/file"
    memory, processes = ("memory.max", "memory/memory.limit_in_bytes"), ("pids.max", "pids/pids.max")  # cgroup v2, v1
    with engine.worker(WorkerOptions(image, limits)) as worker:
        worker.put({WorkPath("in/file"): b"text"})
        worker.run(Command(("sh", "-c", script), PATH), lines)
        [file] = worker.get(WorkPath("out"), tmp_path)
        assert file.read_text() == "text"
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        assert {name.strip() for name, value in facts.items() if "|" not in name and len(value.split()) == 16} == {"lo"}
        wanted = {"Uid": "1234", "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
        assert {name: facts[name].split()[0] for name in wanted} == wanted
        for (new, old), expected in ((memory, limits.memory), (processes, limits.processes)):
            script = f"cd /sys/fs/cgroup; if test -e {new}; then cat {new}; else cat {old}; fi"
            worker.run(Command(("sh", "-c", script), PATH), lines)
            assert lines[-1] == str(expected)
        with pytest.raises(BuildFailedError, match="exit code 1"):
            worker.run(Command(("sh", "-c", "echo x > /x"), PATH), lines)
        assert "Read-only file system" in lines[-1]
    assert engine.client.api.containers(all=True) == []


def test_a_build_that_takes_too_much_memory_is_told(engine: Engine, image: str) -> None:
    options = WorkerOptions(image, Limits(memory=1 << 26, processes=64, seconds=60))
    with engine.worker(options) as worker, pytest.raises(LimitExceededError, match=r"used more than 0\.0625 GiB"):
        worker.run(Command(("busybox", "tail", "/dev/zero"), PATH), Lines())
