"""Makes the project's ``.venv`` from ``requirements.lock``; knows the standard library only.

It is made in its place, because a virtual environment cannot be moved. The copy of the lock inside is written
last: without it the launcher comes here again, so what an interrupted call left is made anew.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from dockerbuild_lib.cli.signals import signals_as_interrupts
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import (
    DockerbuildError,
    HashMismatchError,
    InterruptedRunError,
    NetworkError,
    NoSpaceError,
    PermissionDeniedError,
)
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.core.machine import Say
from dockerbuild_lib.core.text import FLAGS

LOCK = "requirements.lock"
MADE_IN = "made-in"
_HELD = "set-up.lock"
_OFFLINE_VARIABLE = "INVOKE_DOCKERBUILD_OFFLINE"

Run = Callable[[Sequence[str]], None]


def main(root: Path, arguments: list[str]) -> NoReturn:
    """Make the environment, then become the program with *arguments*; ends the process in every case."""
    try:
        with signals_as_interrupts(), CONNECTIONS.judged_by(partial(_offline_by, arguments)):
            make_environment(root, say=say)
    except DockerbuildError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        say(f".venv could not be made: {error}")
        sys.exit(DockerbuildError.exit_code)
    except KeyboardInterrupt:
        say("interrupted; the next call sets .venv up anew")
        sys.exit(InterruptedRunError.exit_code)
    python = str(root / ".venv/bin/python")
    os.execv(python, [python, "-P", str(root / "dockerbuild_lib/__main__.py"), "run", *arguments])  # noqa: S606 - no shell


def _offline_by(arguments: Sequence[str]) -> str | None:
    """Return what forbids connections; a setting in a file cannot be read without what is about to be installed."""
    if "--offline" in arguments:
        return "--offline"
    return _OFFLINE_VARIABLE if FLAGS.get(os.environ.get(_OFFLINE_VARIABLE, "")) else None


def say(line: str) -> None:
    """Tell the user one line."""
    sys.stderr.write(f"dockerbuild: {line}\n")
    sys.stderr.flush()


def make_environment(root: Path, *, say: Say, run: Run | None = None) -> None:
    """Make ``.venv`` unless another call just did.

    Raises NetworkError, HashMismatchError, NoSpaceError, PermissionDeniedError or OfflineError; *run* runs one command.
    """
    venv = root / ".venv"
    with _os_errors(venv), _held(venv, say):
        if is_current(root):
            return
        fix = "run ./dockerbuild --version once where they are allowed"
        CONNECTIONS.require(str(venv), missing=f"it must be made from {LOCK}", fix=fix)
        say(f"making .venv from {LOCK}")
        _clear(venv)
        run = run or _run
        python = getattr(sys, "_base_executable", sys.executable)  # not the .venv that is being made anew
        run([python, "-m", "venv", str(venv)])
        run([str(venv / "bin/python"), *_pip_install(root / LOCK)])
        with suppress(DockerbuildError):  # it only saves time, most of all for users who may not write here
            run([str(venv / "bin/python"), "-P", "-m", "compileall", "-q", str(root / "dockerbuild_lib")])
        (venv / MADE_IN).write_text(f"{root}\n")
        shutil.copyfile(root / LOCK, venv / f"{LOCK}.tmp")
        (venv / f"{LOCK}.tmp").replace(venv / LOCK)


@contextmanager
def _os_errors(venv: Path) -> Iterator[None]:
    try:
        with translated_os_errors(venv):
            yield
    except PermissionDeniedError as error:
        error.fix = f"let a user who may write to {venv.parent} run it once"
        raise


def is_current(root: Path) -> bool:
    """Say whether ``.venv`` is whole, was made in this place, and from this lock."""
    venv = root / ".venv"
    try:
        return (
            (venv / LOCK).read_bytes() == (root / LOCK).read_bytes()
            and (venv / MADE_IN).read_text() == f"{root}\n"
            and os.access(venv / "bin/python", os.X_OK)
        )
    except FileNotFoundError:
        return False


@contextmanager
def _held(venv: Path, say: Say) -> Iterator[None]:
    """Let one process at a time work on the folder; the kernel drops the hold when a process dies."""
    venv.mkdir(exist_ok=True)
    with (venv / _HELD).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another call is making .venv; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _clear(venv: Path) -> None:
    (venv / LOCK).unlink(missing_ok=True)
    for path in venv.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _HELD:
            path.unlink()


def _pip_install(lock: Path) -> tuple[str, ...]:
    options = ("--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:")
    return ("-m", "pip", "install", *options, "-r", str(lock))


def _run(command: Sequence[str]) -> None:
    """Run one command without this user's own choices of where pip installs to."""
    dropped = ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")
    environment = {name: value for name, value in os.environ.items() if name not in dropped} | {"PIP_USER": "0"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise _set_up_error(done.stdout)


def _set_up_error(output: str) -> DockerbuildError:
    told = [line for line in output.splitlines() if line.startswith("ERROR:")] or output.splitlines()
    what = f".venv could not be made: {' | '.join(line.strip() for line in told[-3:])}"
    if "DO NOT MATCH THE HASHES" in output:
        return HashMismatchError(what, where=LOCK, fix="the package index does not hold what the lock pins")
    if "No space left" in output:
        return NoSpaceError(what, fix="free space, then run it again")
    return NetworkError(what, fix="check the network and pip's configuration (pip config list), then run it again")
