"""Finds the container of a past step by what the user calls it: RUN/STEP."""

from __future__ import annotations

from pathlib import Path

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.execution.logs import step_folder_name
from dockerbuild_lib.execution.run_folder import KEPT_TREES, LATEST, STEPS

_SHOWN = 8


def kept_step(root: Path, name: str) -> Path:
    """Return the folder where it is kept; *name* has the run's id or ``latest``, and the step as the logs call it.

    Raises:
        UsageError: there is no such run, or it keeps no such step; the message lists those that it keeps.

    """
    run, slash, step = name.partition("/")
    if not slash or not run or not step:
        raise UsageError(f"{name!r} is no RUN/STEP", where="--step", fix=f"write it as {LATEST}/STEP")
    folder = _run_folder(root, run)
    kept = sorted(path.name for path in (folder / STEPS).glob("*") if path.is_dir())
    for known in (step, step_folder_name(step)):
        if known in kept:
            return folder / STEPS / known
    told = ", ".join(kept[:_SHOWN]) + (", ..." if len(kept) > _SHOWN else "")
    none = f"containers of the last {KEPT_TREES} runs are kept; run it again"
    raise UsageError(f"{run} keeps no container of {step!r}", where="--step", fix=f"it has {told}" if kept else none)


def _run_folder(root: Path, run: str) -> Path:
    folder = root / "runs" / run
    if run == LATEST and folder.is_file():  # where there are no links
        folder = folder.with_name(folder.read_text().strip())
    if run in {".", ".."} or not folder.is_dir():
        raise UsageError(f"there is no run {run}", where="--step", fix=f"see {root / 'runs'}")
    return folder
