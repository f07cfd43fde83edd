"""The work area: finished wheels and libraries by content key, and the folder where a wheel waits for its checks.

staging/<content key>/                       a built wheel that was not checked yet, and source-tree.sha256
wheels/<distribution>-<version>/<target>/<content key>/   a wheel that passed, its package, and result.json
libraries/<name>/<platform>/<content key>.tar
pythons/<name>/<platform>/<content key>.tar
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import StoreDamagedError
from dockerbuild_lib.core.files import sha256_of, translated_os_errors, write_atomic
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.products import Goal, LibraryWork, PythonWork, WheelWork, place_of

RECORD = "result.json"
SOURCE_TREE = "source-tree.sha256"
"""The hash of the patched tree that a staged wheel was built from; it becomes part of the record."""
PACKAGE = "package.cipd"


@dataclass(frozen=True)
class Result:
    """A wheel that passed everything, with its package."""

    key: ContentKey
    wheel: Path
    package: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class WorkArea:
    """Results below the folder *root*."""

    root: Path

    def staging(self, goal: Goal) -> Path:
        """Return the folder of a goal's wheel between its build and its packaging."""
        return self.root / "staging" / goal.key.full

    def library(self, work: LibraryWork) -> Path:
        """Return where the tar of a library is, or will be."""
        return self.root / "libraries" / work.name / work.workshop.platform_name / f"{work.key.full}.tar"

    def python(self, work: PythonWork) -> Path:
        """Return where the tar of a Python that was built from source is, or will be; the store has it too."""
        return self.root / "pythons" / work.name / work.workshop.platform_name / f"{work.key.full}.tar"

    def folder(self, goal: Goal) -> Path:
        """Return the folder of a goal's result."""
        return self._target_folder(goal) / goal.key.full

    def _target_folder(self, goal: Goal) -> Path:
        return self.root / "wheels" / f"{goal.distribution}-{goal.version_text}" / place_of(goal)

    def keys(self, goal: Goal) -> tuple[ContentKey, ...]:
        """Return the keys of all results for the goal's version and target, the newest first."""
        return tuple(ContentKey(record["recipe"], record["environment"]) for record in self._records(goal))

    def _records(self, goal: Goal) -> Iterator[dict[str, str]]:
        with translated_os_errors(self.root):
            found = sorted(self._target_folder(goal).glob(f"*/{RECORD}"), key=_modified, reverse=True)
        for path in found:
            with suppress(OSError, ValueError):  # removed or damaged since: it is no result then
                yield json.loads(path.read_text())

    def result(self, goal: Goal) -> Result:
        """Return a goal's result.

        Raises:
            StoreDamagedError: it is gone, or its wheel is not the one that passed.

        """
        folder = self.folder(goal)
        fix = f"remove {folder} and build it again"
        try:
            record = json.loads((folder / RECORD).read_text())
            wheel = folder / record["wheel"]
            size, sha256 = wheel.stat().st_size, sha256_of(wheel)
        except (OSError, ValueError, KeyError) as error:
            raise StoreDamagedError(f"a result is incomplete ({error})", where=str(folder), fix=fix) from error
        if sha256 != record["sha256"]:
            raise StoreDamagedError("the wheel is not the one that passed its checks", where=str(wheel), fix=fix)
        return Result(goal.key, wheel, folder / PACKAGE, sha256, size)

    def keep(self, goal: Goal, wheel: Path) -> Result:
        """Record the wheel and package in the goal's folder as its result, and empty its staging folder."""
        record = {
            "recipe": goal.key.recipe,
            "environment": goal.key.environment,
            "package": goal.package,
            "version": goal.version_text,
            "wheel": wheel.name,
            "sha256": sha256_of(wheel),
        }
        if isinstance(goal, WheelWork):
            record["source_tree"] = (self.staging(goal) / SOURCE_TREE).read_text()
        write_atomic(self.folder(goal) / RECORD, json.dumps(record, indent=2) + "\n")
        self.remove(self.staging(goal))
        return self.result(goal)

    def remove(self, folder: Path) -> None:
        """Remove *folder* of the work area, with all in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def empty(self, folder: Path) -> Path:
        """Return *folder*, new and empty."""
        with translated_os_errors(folder):
            self.remove(folder)
            folder.mkdir(parents=True)
        return folder


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
