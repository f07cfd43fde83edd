"""Making .venv: whole or made anew, one process at a time, and clear about what went wrong."""

from __future__ import annotations

import fcntl
import threading
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dockerbuild_lib import __version__
from dockerbuild_lib.cli import environment
from dockerbuild_lib.cli.environment import is_current, make_environment
from dockerbuild_lib.core.errors import (
    DockerbuildError,
    HashMismatchError,
    NetworkError,
    NoSpaceError,
    PermissionDeniedError,
)

PROJECT = Path(__file__).resolve().parents[2]


class StandIn:
    """Instead of venv and pip: makes the one file that counts."""

    def __init__(self, root: Path, failure: BaseException | None = None, fails: str = "pip") -> None:
        self.root = root
        self.failure = failure
        self.fails = fails
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, command: Sequence[str]) -> None:
        self.commands.append(tuple(command))
        python = self.root / ".venv/bin/python"
        python.parent.mkdir(exist_ok=True)
        python.touch(mode=0o755)
        if self.failure is not None and self.fails in command:
            raise self.failure


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text("invoke==2.2.1 --hash=sha256:00\n")
    return tmp_path


def test_an_environment_is_made_from_the_lock_with_hashes_and_wheels_only(root: Path) -> None:
    said: list[str] = []
    run = StandIn(root)
    make_environment(root, say=said.append, run=run)
    assert said == ["making .venv from requirements.lock"]
    assert {"--require-hashes", "--only-binary=:all:"} < set(run.commands[1])
    assert is_current(root)


@pytest.mark.parametrize("failure", [None, DockerbuildError("no space left")])
def test_the_program_is_compiled_too_where_that_can_be_done(root: Path, failure: DockerbuildError | None) -> None:
    run = StandIn(root, failure, "compileall")
    make_environment(root, say=lambda _line: None, run=run)
    assert run.commands[-1][2:] == ("-m", "compileall", "-q", str(root / "dockerbuild_lib"))
    assert is_current(root)


def test_a_second_call_makes_nothing(root: Path) -> None:
    make_environment(root, say=lambda _line: None, run=StandIn(root))
    run = StandIn(root)
    make_environment(root, say=pytest.fail, run=run)
    assert not run.commands


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), NetworkError("no route")])
def test_what_was_interrupted_is_made_anew(root: Path, failure: BaseException) -> None:
    with pytest.raises(type(failure)):
        make_environment(root, say=lambda _line: None, run=StandIn(root, failure))
    assert not is_current(root)
    (root / ".venv/half-made").mkdir()
    make_environment(root, say=lambda _line: None, run=StandIn(root))
    assert is_current(root)
    assert not (root / ".venv/half-made").exists()


def test_another_lock_makes_it_anew(root: Path) -> None:
    make_environment(root, say=lambda _line: None, run=StandIn(root))
    (root / "requirements.lock").write_text("invoke==2.2.0 --hash=sha256:00\n")
    assert not is_current(root)
    run = StandIn(root)
    make_environment(root, say=lambda _line: None, run=run)
    assert run.commands


def test_a_folder_that_was_moved_needs_another_one(root: Path, tmp_path: Path) -> None:
    make_environment(root, say=lambda _line: None, run=StandIn(root))
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    root.rename(moved)
    assert not is_current(moved)


def test_a_python_that_was_uninstalled_needs_another_one(root: Path) -> None:
    make_environment(root, say=lambda _line: None, run=StandIn(root))
    (root / ".venv/bin/python").unlink()
    (root / ".venv/bin/python").symlink_to("/nonexistent/python3")
    assert not is_current(root)


def test_the_second_of_two_waits_and_finds_it_made(root: Path) -> None:
    (root / ".venv").mkdir()
    said: list[str] = []
    with (root / ".venv/set-up.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Event()

        def say(line: str) -> None:
            said.append(line)
            waiting.set()

        second = threading.Thread(target=make_environment, args=(root,), kwargs={"say": say, "run": pytest.fail})
        second.start()
        assert waiting.wait(5)
        StandIn(root)(())
        (root / ".venv/made-in").write_text(f"{root}\n")
        (root / ".venv/requirements.lock").write_bytes((root / "requirements.lock").read_bytes())
    second.join(5)
    assert said == ["another call is making .venv; waiting for it"]


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", HashMismatchError),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", NoSpaceError),
        ("WARNING: Retrying\nERROR: No matching distribution found for invoke==2.2.1", NetworkError),
    ],
)
def test_what_pip_says_becomes_the_fitting_error(output: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="ERROR: "):
        environment._run(["sh", "-c", f"echo '{output}'; exit 1"])  # noqa: SLF001 - pip's own failures need a broken index


def test_a_place_that_may_not_be_written_is_said(root: Path) -> None:
    def denied(_command: Sequence[str]) -> None:
        raise PermissionError(13, "Permission denied", str(root / ".venv/bin"))

    with pytest.raises(PermissionDeniedError, match="Permission denied; let a user who may write to"):
        make_environment(root, say=lambda _line: None, run=denied)


def test_the_lock_fits_the_dependencies_and_pins_each_with_hashes() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    text = (PROJECT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pins = {}
    for line in lines:
        requirement = Requirement(line.split(" --hash=")[0].strip())
        pins[canonicalize_name(requirement.name)] = next(iter(requirement.specifier)).version
        assert "--hash=sha256:" in line, line
    for wanted in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"]):
        requirement = Requirement(wanted)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), wanted


def test_the_lock_names_no_index() -> None:
    assert "://" not in (PROJECT / "requirements.lock").read_text()


def test_the_version_is_the_project_s() -> None:
    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"] == __version__
