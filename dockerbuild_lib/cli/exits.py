"""Every exception becomes one message and an exit code; the traceback is for ``--debug``."""

from __future__ import annotations

import logging
import os
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke.exceptions import Exit, ParseError, UnexpectedExit

from dockerbuild_lib.core.errors import DockerbuildError, InterruptedRunError
from dockerbuild_lib.core.files import translate_os_error

_READER_GONE = 141  # what a shell reports for a program that SIGPIPE ended


@contextmanager
def errors_as_exits() -> Iterator[None]:
    """Turn whatever is raised inside into Exit; invoke's own exceptions pass."""
    try:
        yield
    except (Exit, UnexpectedExit, ParseError):
        raise
    except KeyboardInterrupt:
        raise Exit("dockerbuild: interrupted", InterruptedRunError.exit_code) from None
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _stdout_is_closed():
            raise Exit(code=_READER_GONE) from None
        if _debug_wanted():
            traceback.print_exc()
        raise _exit_for(error) from error


def _exit_for(error: Exception) -> Exit:
    known = translate_os_error(error, Path(error.filename or ".")) if isinstance(error, OSError) else error
    if isinstance(known, DockerbuildError):
        return Exit(f"dockerbuild: {known}", known.exit_code)
    first_line = next(iter(str(error).splitlines()), "")
    advice = "run it again with --debug for the traceback"
    message = f"dockerbuild: unexpected {type(error).__name__}: {first_line}; {advice}"
    return Exit(message, DockerbuildError.exit_code)


def _debug_wanted() -> bool:
    """Say whether the user asked for tracebacks; invoke tells its tasks nothing of ``--debug``."""
    return "--debug" in sys.argv or logging.getLogger().isEnabledFor(logging.DEBUG)


def _stdout_is_closed() -> bool:
    """Say whether nobody reads our output any more; then drop the rest, so that Python's end does not complain."""
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)
    if not asked.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True
