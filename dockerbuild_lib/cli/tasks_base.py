"""What every task stands on: an engine where it needs one, errors as exit codes, signals as an orderly end.

It works under this project's own program and under plain ``invoke`` alike.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, overload

from invoke.parser.argument import Argument
from invoke.tasks import Task

from dockerbuild_lib.cli.engine_setup import ensure_engine
from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.exits import errors_as_exits
from dockerbuild_lib.cli.signals import signals_as_interrupts
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import UsageError

PROJECT = Path(__file__).resolve().parent.parent.parent
"""The folder of ``tasks.py`` and ``invoke.yaml``."""

UPLOAD_SOURCES_HELP = "publish the sources to the remote store too"


OFFLINE = "offline"


class GuardedTask(Task[Callable[..., Any]]):
    """A task that lets no traceback reach the user, and is sure of a Docker engine unless told otherwise.

    Each has the option ``--offline``, beside those that its body's parameters make.
    """

    def __init__(self, body: Callable[..., Any], *, engine: bool = True, **options: Any) -> None:  # noqa: ANN401 - invoke's
        super().__init__(body, **options)
        self.needs_engine = engine

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:  # noqa: FBT001 - invoke's
        """Return the task's options."""
        told = "connect to nothing but the Docker engine; what is missing then is an error"
        return [*super().get_arguments(ignore_unknown_help), Argument(OFFLINE, kind=bool, default=False, help=told)]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the task takes
        """Run the task; what it raises becomes Exit."""
        offline = partial(_offline_by, option=kwargs.pop(OFFLINE, False))
        with errors_as_exits(), signals_as_interrupts(), CONNECTIONS.judged_by(offline):
            if self.needs_engine:
                ensure_engine(os.environ, _work_area, say=say)
            result = super().__call__(*args, **kwargs)
            sys.stdout.flush()  # so that a closed pipe is noticed here, not at the interpreter's end
            return result


@overload
def task(body: Callable[..., Any], /) -> GuardedTask: ...


@overload
def task(**options: Any) -> Callable[[Callable[..., Any]], GuardedTask]: ...  # noqa: ANN401 - invoke's


def task(body: Callable[..., Any] | None = None, /, **options: Any) -> Any:  # the overloads say which
    """Mark a function as a task, with invoke's options, and ``engine=False`` for one that needs no Docker engine."""
    if body is not None:
        return GuardedTask(body)
    return partial(GuardedTask, **options)


def _work_area() -> Path:
    """Return the work area; the settings are read only where an engine has to be started, for they take a while."""
    from dockerbuild_lib.catalog.settings import load_settings  # noqa: PLC0415 - pydantic would slow every start

    return load_settings(PROJECT, os.environ).root


def _offline_by(*, option: bool) -> str | None:
    """Return what forbids connections. Settings take a while to read, so only whoever wants to connect pays for it."""
    from dockerbuild_lib.catalog.settings import load_settings  # noqa: PLC0415 - pydantic would slow every start

    if option:
        return f"--{OFFLINE}"
    return "the setting offline" if load_settings(PROJECT, os.environ).offline else None


def integer_option(name: str, text: str, minimum: int = 1) -> int:
    """Parse an option's value; raises UsageError when it is no whole number, or less than *minimum*."""
    fix = f"give a whole number from {minimum} up"
    try:
        value = int(text)
    except ValueError:
        raise UsageError(f"--{name}={text} is not a whole number", fix=fix) from None
    if value < minimum:
        raise UsageError(f"--{name}={text} is too small", fix=fix)
    return value
