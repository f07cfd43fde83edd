"""The launcher as a user meets it: a copy of the tree, an empty HOME, real processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("dockerbuild", "requirements.lock", "tasks.py", "pyproject.toml", "invoke.yaml", "dockerbuild_lib", "config")

TASKS = '''
import os, sys, time
from pathlib import Path
from invoke.collection import Collection
from dockerbuild_lib.cli.tasks_base import PROJECT, integer_option, task
from dockerbuild_lib.catalog.settings import load_settings
from dockerbuild_lib.core.errors import HashMismatchError

@task(engine=False)
def quiet(c):
    """Needs no engine."""
    print("quiet", Path.cwd(), load_settings(PROJECT, os.environ).root)

@task
def hello(c, name="you"):
    """Needs an engine."""
    print("hello", name)

@task(engine=False)
def fail(c, how):
    if how == "known":
        raise HashMismatchError("is wrong", where="a.whl", fix="get another")
    if how == "disk":
        raise OSError(28, "No space left on device", "/some/file")
    if how == "denied":
        raise PermissionError(13, "Permission denied", "/some/file")
    raise RuntimeError("the unforeseen\\nsecond line")

@task(engine=False)
def jobs(c, count="1"):
    print(integer_option("count", count) + 1)

@task(engine=False)
def wait(c, folder):
    Path(folder, "waiting").touch()
    try:
        time.sleep(60)
    finally:
        Path(folder, "cleaned").touch()

@task(engine=False)
def much(c):
    for number in range(100000):
        print(number)

ns = Collection(quiet, hello, fail, jobs, wait, much)
'''


class Copy:
    """A copy of the project, and how to call its launcher."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home
        root.mkdir()
        home.mkdir()
        for part in PARTS:
            source = PROJECT / part
            if source.is_dir():
                shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, root / part)

    def environment(self, **settings: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "INVOKE_"))}
        return kept | {"HOME": str(self.home)} | settings

    @property
    def launcher(self) -> str:
        return str(self.root / "dockerbuild")

    def start(self, *command: str, cwd: Path | None = None, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=cwd or self.root,
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *command: str, cwd: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        with self.start(*command, cwd=cwd, **settings) as process:
            out, err = process.communicate(timeout=120)
            return subprocess.CompletedProcess(command, process.returncode, out, err)

    def lend_environment(self) -> None:
        """Let the environment that runs these tests stand for one made from this copy's lock."""
        (self.root / ".venv/bin").mkdir(parents=True)
        python = self.root / ".venv/bin/python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        (self.root / ".venv/made-in").write_text(f"{self.root}\n")
        shutil.copy(self.root / "requirements.lock", self.root / ".venv/requirements.lock")


@pytest.fixture
def fresh(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "clone", tmp_path / "home")


@pytest.fixture
def ready(fresh: Copy) -> Copy:
    fresh.lend_environment()
    return fresh


@pytest.fixture
def sample(ready: Copy) -> Copy:
    """A copy with tasks that do what these tests need."""
    (ready.root / "tasks.py").write_text(TASKS)
    return ready


def launcher(copy: Copy) -> tuple[str, ...]:
    return (copy.launcher,)


def plain_invoke(_copy: Copy) -> tuple[str, ...]:
    return (sys.executable, "-m", "invoke")


both_ways = pytest.mark.parametrize("way", [launcher, plain_invoke])
Way = Callable[[Copy], tuple[str, ...]]


def wait_for(path: Path, limit: float = 60.0) -> None:
    deadline = time.monotonic() + limit
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_a_fresh_clone_sets_itself_up_once_however_often_it_is_called(fresh: Copy) -> None:
    interrupted = fresh.start(fresh.launcher, "--list")
    wait_for(fresh.root / ".venv/bin/pip")
    interrupted.send_signal(signal.SIGTERM)
    _, told = interrupted.communicate(timeout=30)
    assert interrupted.returncode == 130, told
    assert told.splitlines()[-1] == "dockerbuild: interrupted; the next call sets .venv up anew"

    two = [fresh.start(fresh.launcher, "--list") for _ in range(2)]
    results = [process.communicate(timeout=300) for process in two]
    assert [process.returncode for process in two] == [0, 0], results
    assert all("Available tasks:" in out for out, _ in results)
    told = "".join(err for _, err in results)
    assert told.count("dockerbuild: making .venv from requirements.lock") == 1

    third = fresh.call(fresh.launcher, "--version")
    assert (third.returncode, third.stdout, third.stderr) == (0, "dockerbuild 0.1.0\n", "")
    activated = fresh.call(str(fresh.root / ".venv/bin/invoke"), "--list")
    assert activated.stdout == results[0][0]


def test_without_a_usable_python_the_fix_is_said(fresh: Copy, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cmp", "readlink"):
        (programs / name).symlink_to(str(shutil.which(name)))
    (programs / "id").write_text("#!/bin/sh\necho 1000\n")
    (programs / "id").chmod(0o755)
    told = fresh.call(fresh.launcher, "--list", PATH=str(programs))
    assert told.returncode == 19
    assert "no Python 3.11 or newer" in told.stderr
    assert "apt-get install python3-venv" in told.stderr


@pytest.mark.parametrize(("options", "variable"), [(("--offline",), "false"), ((), "true")])
def test_offline_nothing_is_installed(fresh: Copy, tmp_path: Path, options: tuple[str, ...], variable: str) -> None:
    call = (fresh.launcher, "wheel.list", *options)
    told = fresh.call(*call, INVOKE_DOCKERBUILD_OFFLINE=variable)
    assert told.returncode == 29, told.stderr
    assert ".venv: it must be made from requirements.lock, and connections are forbidden (" in told.stderr
    assert not (fresh.root / ".venv/bin").exists()

    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cmp", "readlink"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, script in (("id", "echo 0"), ("apt-get", f": >{tmp_path}/called")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    without_python = fresh.call(*call, INVOKE_DOCKERBUILD_OFFLINE=variable, PATH=str(programs))
    assert without_python.returncode == 19
    assert not (tmp_path / "called").exists()


def test_it_works_from_any_folder_and_through_a_link(sample: Copy, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    link = elsewhere / "db"
    link.symlink_to(sample.launcher)
    for command in (sample.launcher, str(link), "../clone/dockerbuild", "./db"):
        done = sample.call(command, "quiet", cwd=elsewhere)
        assert done.stdout == f"quiet {elsewhere} {sample.root}/.dockerbuild\n", done.stderr


def test_a_module_in_the_current_folder_is_not_imported(sample: Copy, tmp_path: Path) -> None:
    (tmp_path / "invoke.py").write_text("raise SystemExit('taken from the current folder')")
    assert sample.call(sample.launcher, "quiet", cwd=tmp_path).returncode == 0


def test_the_work_area_is_set_by_the_environment(sample: Copy, tmp_path: Path) -> None:
    done = sample.call(sample.launcher, "quiet", INVOKE_DOCKERBUILD_ROOT=str(tmp_path / "other"))
    assert done.stdout.split()[-1] == str(tmp_path / "other")


def test_a_call_that_finds_everything_ready_is_one_comparison_and_one_program(ready: Copy) -> None:
    done = ready.call("sh", "-x", ready.launcher, "--version")  # what it costs in time: bench/launcher.py
    shown = [line.removeprefix("+ ").split()[0] for line in done.stderr.splitlines() if line.startswith("+ ")]
    assert [word for word in shown if "=" not in word and word not in {"set", "[", "pwd"}] == ["cmp", "exec"]


def test_listing_the_tasks_imports_nothing_heavy(ready: Copy) -> None:
    heavy = "{'docker', 'requests', 'pydantic', 'rich', 'elftools', 'tenacity', 'jinja2'}"
    script = (
        "import atexit, sys; sys.path.insert(0, '.');"
        f"atexit.register(lambda: sys.stderr.write(repr(sorted({heavy} & set(sys.modules)))));"
        "from dockerbuild_lib.cli.program import main; main(['--list'])"
    )
    done = ready.call(sys.executable, "-c", script)
    assert (done.returncode, done.stderr) == (0, "[]")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["helo"], "dockerbuild: unknown task helo; did you mean hello?"),
        (["nothing-like-it"], "dockerbuild: unknown task nothing-like-it; ./dockerbuild --list shows the tasks"),
        (["hello", "--nmae=x"], "dockerbuild: unknown option --nmae; did you mean --name?"),
        (["hello", "--zzz"], "dockerbuild: unknown option --zzz; ./dockerbuild --help hello lists the options"),
        (["--lisst"], "dockerbuild: unknown option --lisst; did you mean --list?"),
        (["fail"], "'fail' did not receive required positional arguments: 'how'"),
        (["--list-depth=x"], "dockerbuild: an option has a wrong value: "),
        (["jobs", "--count=abc"], "dockerbuild: --count=abc is not a whole number; give a whole number from 1 up"),
        (["jobs", "--count=0"], "dockerbuild: --count=0 is too small; give a whole number from 1 up"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(sample: Copy, arguments: Sequence[str], message: str) -> None:
    done = sample.call(sample.launcher, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"dockerbuild: [1,\n", "invoke.yaml:2:1: "),
        (b"- a list\n", "invoke.yaml: settings are a mapping"),
        (b"\xff\xfe: 1\n", "invoke.yaml: is not UTF-8"),
        (b"dockerbuild: 5\n", "invoke.yaml:1:14: "),
        (b"run: 5\n", "one of invoke's own settings is of the wrong kind"),
    ],
)
def test_broken_settings_are_one_line_and_exit_code_3(sample: Copy, content: bytes, message: str) -> None:
    (sample.root / "invoke.yaml").write_bytes(content)
    done = sample.call(sample.launcher, "quiet")
    assert done.returncode == 3, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_of_the_environment_that_is_no_number_is_exit_code_3(sample: Copy) -> None:
    (sample.root / "invoke.yaml").write_text("dockerbuild: {jobs: 2}\n")
    done = sample.call(sample.launcher, "quiet", INVOKE_DOCKERBUILD_JOBS="many")
    assert done.returncode == 3
    assert done.stderr.startswith("dockerbuild: INVOKE_DOCKERBUILD_JOBS: "), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_variable_that_does_not_fit_invoke_s_own_settings_is_exit_code_3(sample: Copy) -> None:
    done = sample.call(sample.launcher, "quiet", INVOKE_RUN_WATCHERS="x")
    assert done.returncode == 3
    assert "one of invoke's own settings is of the wrong kind" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@both_ways
@pytest.mark.parametrize("content", ["# nothing yet\n", "dockerbuild:\n  # jobs: 2\n"])
def test_empty_settings_are_no_problem(sample: Copy, way: Way, content: str) -> None:
    (sample.root / "invoke.yaml").write_text(content)
    assert sample.call(*way(sample), "quiet").returncode == 0


@both_ways
@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("known", 7, "dockerbuild: a.whl: is wrong; get another\n"),
        ("disk", 15, "dockerbuild: /some/file: no space left on the device; free space, then run it again\n"),
        ("denied", 23, "dockerbuild: /some/file: Permission denied; "),
        (
            "else",
            1,
            "dockerbuild: unexpected RuntimeError: the unforeseen; run it again with --debug for the traceback\n",
        ),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(sample: Copy, way: Way, how: str, code: int, message: str) -> None:
    done = sample.call(*way(sample), "fail", how)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


@both_ways
def test_debug_shows_the_traceback(sample: Copy, way: Way) -> None:
    done = sample.call(*way(sample), "fail", "else", "--debug")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("dockerbuild: unexpected RuntimeError")


@both_ways
def test_a_dead_docker_host_stops_the_task_that_needs_it_only(sample: Copy, way: Way, tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/none"
    done = sample.call(*way(sample), "hello", DOCKER_HOST=host)
    assert done.returncode == 4
    assert done.stderr.startswith(f"dockerbuild: DOCKER_HOST={host}: no Docker engine answers")
    assert len(done.stderr.splitlines()) == 1
    assert sample.call(*way(sample), "quiet", DOCKER_HOST=host).returncode == 0
    for option in ("--list", "--help", "--version"):
        assert sample.call(*way(sample), option, DOCKER_HOST=host).returncode == 0


@both_ways
def test_the_machine_s_engine_is_used_in_silence(sample: Copy, way: Way) -> None:
    done = sample.call(*way(sample), "hello", "--name=engine")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello engine\n", "")


def test_a_socket_that_may_not_be_opened_is_exit_code_5_with_the_docker_group(
    sample: Copy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("s") / "e"
    # Root opens everything, unless it lays down the capability that lets it.
    as_user = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0)
        done = sample.call(*as_user, sample.launcher, "hello", DOCKER_HOST=f"unix://{path}")
    assert done.returncode == 5, done.stderr
    assert "sudo usermod -aG docker $USER" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@both_ways
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_task_in_order(sample: Copy, way: Way, number: signal.Signals, tmp_path: Path) -> None:
    # As a shell's "&" does: SIGINT is ignored when the program starts.
    in_background = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    process = sample.start(*in_background, *way(sample), "wait", str(tmp_path))
    wait_for(tmp_path / "waiting")
    process.send_signal(number)
    _, told = process.communicate(timeout=10)
    assert (process.returncode, told) == (130, "dockerbuild: interrupted\n")
    assert (tmp_path / "cleaned").exists()


@both_ways
def test_a_reader_that_goes_away_is_no_error_message(sample: Copy, way: Way) -> None:
    process = sample.start(*way(sample), "much")
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(10) == 141
    process.stderr.close()


def test_completion_names_tasks(sample: Copy) -> None:
    done = sample.call(sample.launcher, "--complete", "--", "dockerbuild h")
    assert "hello" in done.stdout.splitlines()


def test_the_test_task_runs_pytest_and_gives_its_exit_code(ready: Copy) -> None:
    tests = ready.root / "tests"
    tests.mkdir()
    (tests / "test_sample.py").write_text("def test_good(): pass\ndef test_bad(): assert False\n")
    good = ready.call(ready.launcher, "test", "--select=good")
    assert good.returncode == 0, good.stderr
    assert "1 passed" in good.stdout
    assert ready.call(ready.launcher, "test").returncode == 1
    assert ready.call(ready.launcher, "test", "--select", "nothing").returncode == 5
