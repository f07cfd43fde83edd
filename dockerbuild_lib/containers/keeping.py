"""What a step's container was, kept after its end so that it can be opened again: image, commands, work folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import DockerbuildError, LimitExceededError, StoreDamagedError
from dockerbuild_lib.core.files import translated_os_errors, write_atomic

RECORD = "container.json"
TREE = "work.tar"
LARGEST_TREE = 1 << 30
"""Bytes; a build that left more is opened without its files."""

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@dataclass(frozen=True)
class KeptCommand:
    """A command that ran, with its whole environment; *folder* is where it started."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    folder: str


@dataclass(frozen=True)
class KeptContainer:
    """A container that is gone; *missing* says why its files were not kept, and is empty when they were."""

    image: str
    commands: tuple[KeptCommand, ...]
    missing: str = ""

    @property
    def main_command(self) -> KeptCommand:
        """The command that saw the most variables: the build itself, not what prepares it or repairs its result."""
        return max(self.commands, key=lambda command: len(command.environment))


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Keep the containers that this thread makes inside the block in *folder*, the last one when there are several."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def keep(image: str, commands: Iterable[KeptCommand], work_folder: Iterable[bytes]) -> None:
    """Keep a container, where this thread has been told to; what goes wrong is noted, and fails no build."""
    folder, ran = _folder.get(), tuple(commands)
    if folder is None or not ran:
        return
    missing = ""
    try:
        with translated_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _write_tree(folder / TREE, work_folder)
    except DockerbuildError as error:
        missing = error.what
    try:
        write_atomic(folder / RECORD, json.dumps(asdict(KeptContainer(image, ran, missing)), indent=2) + "\n")
    except DockerbuildError:
        return  # the disk is full: the step has told, or will tell


def _write_tree(path: Path, chunks: Iterable[bytes]) -> None:
    """Write the tar, whole or not at all, and without waiting for the disk: it may get lost with the machine."""
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as stream:
            stream.writelines(_limited(chunks))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def kept(folder: Path) -> KeptContainer:
    """Return what was kept in *folder*.

    Raises:
        StoreDamagedError: it cannot be read.

    """
    try:
        record = json.loads((folder / RECORD).read_text())
        commands = tuple(KeptCommand(tuple(c["argv"]), c["environment"], c["folder"]) for c in record["commands"])
        return KeptContainer(record["image"], commands, record["missing"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = "run the step again"
        raise StoreDamagedError(f"what was kept cannot be read ({error})", where=str(folder), fix=fix) from error


def _limited(chunks: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_TREE:
            raise LimitExceededError(f"they are more than {LARGEST_TREE >> 30} GiB")
        yield chunk
