"""The folders of runs: ``<root>/runs/<run id>``, their names, ``latest``, and how many are kept."""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from dockerbuild_lib.core.files import translated_os_errors, write_atomic

KEPT_RUNS = 50
"""How many runs are kept: some weeks of a team's work, at about a megabyte of logs each."""
KEPT_TREES = 3
"""Of how many runs the files of containers are kept: they are large, and wanted soon after a build or never."""
STEPS = "steps"
EVENTS = "events.jsonl"
LATEST = "latest"
_RUN_ID = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}")


def new_run_id() -> str:
    """Return a name for a run: its start in UTC to the millisecond, so that names sort by time, and a random part.

    It is valid as a label and as a part of a container's name too.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z-{secrets.token_hex(3)}"


def make_run_folder(root: Path, run_id: str) -> Path:
    """Make the folder of a run, with its ``logs``, and return it.

    Raises NoSpaceError or PermissionDeniedError.
    """
    folder = root / "runs" / run_id
    with translated_os_errors(folder):
        (folder / "logs").mkdir(parents=True)
    return folder


def point_latest(folder: Path) -> None:
    """Make ``latest`` beside *folder* lead to it: a link, or a file with its name where there are no links."""
    link = folder.parent / LATEST
    temporary = folder.parent / f".{LATEST}-{folder.name}"
    try:
        temporary.symlink_to(folder.name)
        temporary.replace(link)
    except OSError:
        temporary.unlink(missing_ok=True)
        write_atomic(link, f"{folder.name}\n")


def prune_runs(root: Path, keep: int = KEPT_RUNS) -> None:
    """Remove all but the newest *keep* runs, and the kept containers of all but the newest few.

    A run that another process is still writing stays as it is.
    """
    runs = sorted((entry for entry in (root / "runs").iterdir() if _RUN_ID.fullmatch(entry.name)), reverse=True)
    for folder in runs[keep:]:
        if not _is_being_written(folder):
            shutil.rmtree(folder, ignore_errors=True)  # what cannot be removed now is tried again by the next run
    for folder in runs[KEPT_TREES:keep]:
        for steps in (folder / STEPS).glob("*"):
            if not _is_being_written(folder):
                shutil.rmtree(steps, ignore_errors=True)


def _is_being_written(folder: Path) -> bool:
    """Tell whether a live process holds the lock on the run's events: the kernel drops it when that process ends."""
    try:
        with (folder / EVENTS).open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
