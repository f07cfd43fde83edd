"""The program behind the launcher: invoke's own, on this project's tasks, with clear errors and exit codes."""

from __future__ import annotations

import difflib
import gc
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from invoke.config import AmbiguousMergeError, Config
from invoke.exceptions import AmbiguousEnvVar, Exit, ParseError, UncastableEnvVar, UnexpectedExit
from invoke.loader import FilesystemLoader
from invoke.program import Program
from invoke.vendor import yaml

from dockerbuild_lib import __version__
from dockerbuild_lib.cli.exits import errors_as_exits
from dockerbuild_lib.cli.signals import signals_as_interrupts
from dockerbuild_lib.cli.tasks_base import PROJECT
from dockerbuild_lib.core.errors import CatalogError, UsageError

NAME = "dockerbuild"
_UNKNOWN = re.compile(r"No idea what '(?P<word>.*)' is!")


class ProjectLoader(FilesystemLoader):
    """Finds this project's ``tasks.py`` from any folder, unless ``--search-root`` names another place."""

    def __init__(self, start: str | None = None, **options: Any) -> None:  # noqa: ANN401 - invoke's own
        super().__init__(start=start or str(PROJECT), **options)


class StrictConfig(Config):
    """Refuses a settings file that is no YAML, or no mapping, with its place."""

    def _load_yaml(self, path: os.PathLike[Any]) -> Any:  # noqa: ANN401 - invoke's own
        try:
            settings = super()._load_yaml(path)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
            raise CatalogError(
                getattr(error, "problem", None) or str(error), where=where, fix="correct the YAML"
            ) from error
        except UnicodeDecodeError as error:
            raise CatalogError(f"is not UTF-8: {error.reason}", where=str(path), fix="save it as UTF-8") from error
        if settings is not None and not isinstance(settings, dict):
            raise CatalogError("settings are a mapping", where=str(path), fix="write them as 'name: value'")
        # This project's own section is read and checked by catalog.settings; invoke would cast and merge it blindly.
        return {name: value for name, value in (settings or {}).items() if name != "dockerbuild"}

    _load_yml = _load_yaml

    def merge(self) -> None:
        """Lay the sources of settings over each other; raises CatalogError when one does not fit."""
        try:
            super().merge()
        except (AmbiguousMergeError, AttributeError) as error:
            raise self._misfit(error) from error

    def load_shell_env(self) -> None:
        """Take settings from INVOKE_ variables; raises CatalogError for a value of the wrong kind."""
        try:
            super().load_shell_env()
        except (AmbiguousEnvVar, UncastableEnvVar, ValueError) as error:
            raise self._misfit(error) from error

    @staticmethod
    def _misfit(error: Exception) -> CatalogError:
        said = shorten(str(error), 150)
        where, fix = "invoke.yaml or an INVOKE_ variable", "give it the kind of value that it has by default"
        return CatalogError(f"one of invoke's own settings is of the wrong kind: {said}", where=where, fix=fix)


class LauncherProgram(Program):
    """Invoke's program and sequence; what differs is what becomes of errors."""

    def run(self, argv: list[str] | None = None, exit: bool = True) -> None:  # noqa: A002, FBT001, FBT002 - invoke's signature
        """Parse *argv* and run its tasks; ends the process with an exit code unless *exit* is false."""
        try:
            with errors_as_exits(), signals_as_interrupts():
                self._parse(argv)
                self.update_config()
                self.execute()
                sys.stdout.flush()
        except Exit as stop:
            if stop.message:
                sys.stderr.write(f"{stop.message}\n")
            code = stop.code
        except UnexpectedExit as failure:
            sys.stderr.write(str(failure) if failure.result.hide else "")
            code = failure.result.exited
        else:
            code = 0
        if exit:
            gc.freeze()  # else Python looks through all that was imported once more, to no end
            sys.exit(code)

    def _parse(self, argv: list[str] | None) -> None:
        """Go through invoke's steps up to the tasks; raises Exit when there is none to run."""
        keep_bytecode = not sys.dont_write_bytecode
        self.create_config()
        with self._parse_errors():
            self.parse_core(argv)
        if keep_bytecode:
            sys.dont_write_bytecode = False  # invoke turns it off: the library would be compiled on every call
        logging.getLogger("invoke").setLevel(logging.INFO)  # --debug is about our errors, not about invoke's parser
        self.parse_collection()
        with self._parse_errors():
            self.parse_tasks()
            self.parse_cleanup()

    @contextmanager
    def _parse_errors(self) -> Iterator[None]:
        try:
            yield
        except ParseError as error:
            raise self._usage_error(error) from error
        except ValueError as error:
            raise UsageError(
                f"an option has a wrong value: {error}", fix=f"./{NAME} --help lists the options"
            ) from error

    def _usage_error(self, error: ParseError) -> UsageError:
        """Say what is unknown, and what the user may have meant."""
        task = (error.context.name if error.context else None) or ""
        options = f"./{NAME} --help {task}".rstrip() + " lists the options"
        found = _UNKNOWN.search(str(error))
        if found is None:
            return UsageError(str(error).rstrip("!"), fix=options)
        word = found["word"]
        if word.startswith("-"):
            known = list(error.context.flags) if error.context else []
            return UsageError(f"unknown option {word}", fix=_meant(word, known) or options)
        fix = _meant(word, list(self.collection.task_names)) or f"./{NAME} --list shows the tasks"
        return UsageError(f"unknown task {word}", fix=fix)


def _meant(word: str, known: list[str]) -> str | None:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else None


def main(arguments: list[str]) -> None:
    """Run the program as the launcher does; ends the process."""
    program = LauncherProgram(
        name=NAME,
        binary=NAME,
        binary_names=[NAME],
        version=__version__,
        loader_class=ProjectLoader,
        config_class=StrictConfig,
    )
    program.run([NAME, *arguments])
