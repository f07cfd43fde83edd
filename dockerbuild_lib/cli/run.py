"""The task ``run``: any command in a platform's toolchain."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

from invoke.context import Context
from invoke.exceptions import Exit

from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from dockerbuild_lib.containers.engine import Engine
    from dockerbuild_lib.containers.work_places import WorkPlace
    from dockerbuild_lib.wheels.variables import Changes

REMAINDER = "--"
SHELL = ("/bin/bash",)


@task(
    help={
        "platform": "platform whose toolchain to use",
        "workdir": "folder to see inside as /work; default: the current folder",
        "env": "NAME=VALUE to set; repeatable",
        "env-prefix": "NAME=VALUE to put before what NAME has, with a colon between; repeatable",
        "env-suffix": "NAME=VALUE to put after what NAME has, with a colon between; repeatable",
        "toolchain": "toolchain of the image; default: the platform's",
        "library": "library of libraries.yaml to find too, built where it is not there; repeatable",
        "network": "let the command reach the network",
        "shell": "start a shell instead of a command",
        "step": "open the container of a past step again instead: RUN/STEP, or latest/STEP",
    },
    iterable=["env", "env_prefix", "env_suffix", "library"],
)
def run(  # noqa: PLR0913, PLR0917 - invoke makes each an option
    _context: Context,
    env: list[str],
    env_prefix: list[str],
    env_suffix: list[str],
    library: list[str],
    platform: str = "",
    workdir: str = "",
    toolchain: str = "",
    network: bool = False,  # noqa: FBT001, FBT002
    shell: bool = False,  # noqa: FBT001, FBT002
    step: str = "",
) -> None:
    """Run a command in a platform's toolchain: run --platform=linux-arm64 -- make CC=cc."""
    from dockerbuild_lib.containers.foreground import ForegroundOptions  # noqa: PLC0415
    from dockerbuild_lib.wheels.variables import Changes  # noqa: PLC0415

    argv = _command(sys.argv, shell=shell)
    changes = Changes.parsed(env, env_prefix, env_suffix)
    _refuse_what_excludes(platform, step, bool(workdir or toolchain or library))
    if step:
        engine, place = _kept_place(step, argv, changes)
    else:
        engine, place = _toolchain_place((platform, toolchain, tuple(library)), Path(workdir or "."), argv, changes)
    raise Exit(code=engine.run_in_foreground(ForegroundOptions(network=network, **place)))


class _Place(TypedDict):
    """Where a command runs, in the words of ForegroundOptions."""

    image: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    work: WorkPlace
    folder: PurePosixPath
    user: tuple[int, int]
    memory: int
    processes: int
    trees: NotRequired[Mapping[PurePosixPath, Sequence[Path]]]


def _refuse_what_excludes(platform: str, step: str, of_a_platform: bool) -> None:  # noqa: FBT001 - not an option
    """Raise UsageError unless there is one place to run the command in."""
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    if bool(platform) == bool(step):
        raise UsageError("a command runs for one --platform, or in one --step", fix="give one of them")
    if step and of_a_platform:
        fix = "leave --workdir, --toolchain and --library out"
        raise UsageError("a step has its own folder and toolchain", where="--step", fix=fix)


def _toolchain_place(
    wanted: tuple[str, str, tuple[str, ...]], workdir: Path, argv: tuple[str, ...], changes: Changes
) -> tuple[Engine, _Place]:
    """Return a platform's image with its toolchain and libraries (*wanted*), and a folder of the user's."""
    from dockerbuild_lib.cli.usable_toolchain import usable_toolchain  # noqa: PLC0415
    from dockerbuild_lib.containers.work_places import MountedFolder, SentFolder  # noqa: PLC0415
    from dockerbuild_lib.images.layout import LIBRARIES  # noqa: PLC0415

    mounted, folder = _place(workdir, Path.cwd())
    usable, engine = usable_toolchain(*wanted)
    return engine, {
        "image": usable.image,
        "argv": (*usable.prefix, *argv),
        "environment": changes.applied(usable.environment),
        "work": SentFolder(mounted) if engine.connection.is_remote else MountedFolder(mounted),
        "folder": folder,
        "user": (os.getuid(), os.getgid()),
        "memory": usable.memory,
        "processes": usable.processes,
        "trees": {LIBRARIES: tuple(map(Path, usable.libraries))} if usable.libraries else {},
    }


def _kept_place(step: str, argv: tuple[str, ...], changes: Changes) -> tuple[Engine, _Place]:
    """Return the container of a past step, as it was left, with the variables of its build."""
    from pathlib import PurePosixPath  # noqa: PLC0415

    from dockerbuild_lib.cli.environment import say  # noqa: PLC0415
    from dockerbuild_lib.cli.kept_steps import kept_step  # noqa: PLC0415
    from dockerbuild_lib.containers.keeping import TREE, kept  # noqa: PLC0415
    from dockerbuild_lib.containers.work_places import KeptTree  # noqa: PLC0415
    from dockerbuild_lib.containers.worker import WORKER_ID  # noqa: PLC0415
    from dockerbuild_lib.wheels.foreground import foreground_prefix  # noqa: PLC0415

    session = open_session()
    kept_folder = kept_step(session.settings.root, step)
    container = kept(kept_folder)
    if container.missing:
        say(f"warning: {kept_folder}: its files were not kept ({container.missing}); /work is empty")
    command = container.main_command
    limits = session.settings.limits
    return session.engine, {
        "image": container.image,
        "argv": (*foreground_prefix("zig"), *argv),
        "environment": changes.applied(command.environment),
        "work": KeptTree(None if container.missing else kept_folder / TREE),
        "folder": PurePosixPath(command.folder),
        "user": (WORKER_ID, WORKER_ID),
        "memory": limits.memory,
        "processes": limits.processes,
    }


def _command(arguments: list[str], *, shell: bool) -> tuple[str, ...]:
    """Return what stands after ``--``, word for word; invoke gives its tasks nothing of it.

    Raises:
        UsageError: there is no command, or one beside ``--shell``.

    """
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    _, *command = arguments[arguments.index(REMAINDER) :] if REMAINDER in arguments else (REMAINDER,)
    if shell and command:
        raise UsageError("a shell takes no command", where="--shell", fix="leave one of them out")
    if not shell and not command:
        raise UsageError("there is no command", fix="write it after --, or give --shell")
    return SHELL if shell else tuple(command)


def _place(workdir: Path, current: Path) -> tuple[Path, PurePosixPath]:
    """Return the folder to mount, and where the command starts inside: where the user is, when that is below it.

    Raises:
        UsageError: there is no such folder.

    """
    from dockerbuild_lib.core.command import WORK_FOLDER  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    mounted = workdir.resolve()
    if not mounted.is_dir():
        raise UsageError(f"{workdir} is no folder", where="--workdir", fix="name one that exists")
    below = current.resolve()
    return mounted, WORK_FOLDER / below.relative_to(mounted) if below.is_relative_to(mounted) else WORK_FOLDER
