"""Asking the build backends of sources: strangers' code, so in the build machine's image, confined as a build is."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.wheels import SourceWheel
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import WORK, WORKER_ID, Limits, Worker
from dockerbuild_lib.core.command import Argument, Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError, LimitExceededError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.images.layout import script
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.products import PythonWork, WheelWork, Workshop
from dockerbuild_lib.sources.backends import HereWheel, Subject
from dockerbuild_lib.sources.requirements import parse_answer
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.build import RequiredWheel, requirement_files, worker_options
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, SOURCE, plain_environment, target_environment
from dockerbuild_lib.wheels.python_places import build_machine_interpreter, sysconfig_module

ANSWER = WorkPath("answer") / "requires.json"
MAX_ANSWER = 1 << 16
"""Bytes; a long list of requirements has a thousandth of them."""
_QUOTED_LINES = 30
_LONGEST_QUOTE = 1000


@dataclass(frozen=True)
class ContainedBackends:
    """Asks in the engine's containers, within *limits*; see :class:`dockerbuild_lib.sources.backends.Backends`."""

    engine: Engine
    limits: Limits
    trees: SourceTrees
    goals: GoalMaker
    fetch: Callable[[LockedFile], Path]
    build_here: Callable[[WheelWork], HereWheel]
    python_tar: Callable[[PythonWork], Path]
    """Returns the tar of a Python that comes from source, built now where it is not there."""

    def wheel_requires(
        self, subject: Subject, python: str, build_requires: Sequence[IndexFile], here: Sequence[HereWheel]
    ) -> tuple[str, ...]:
        """Return what the backend asks for in an environment of *python* with *build_requires* and *here*."""
        pinned = [RequiredWheel(pin.distribution, pin.version, pin.sha256, self.fetch(pin)) for pin in build_requires]
        built = [RequiredWheel(wheel.distribution, wheel.version, wheel.sha256, wheel.file) for wheel in here]
        with self._prepared(subject, python, requirement_files((*pinned, *built))) as (worker, log):
            worker.run(self._question(subject, python), log)
            return parse_answer(worker.read(ANSWER, MAX_ANSWER), subject.name)

    def build(self, catalog: Catalog, distribution: str, version: str, python: str) -> HereWheel:
        """Return a wheel for the build machine, built now where it is not there."""
        return self.build_here(GoalMaker(catalog, self.goals.image_files).here(distribution, version, python))

    @contextmanager
    def _prepared(
        self, subject: Subject, python: str, files: Mapping[WorkPath, Path | bytes]
    ) -> Iterator[tuple[Worker, StepLog]]:
        """Yield a container with the patched source and its build environment, and a log that errors then quote."""
        archive, patches = self.fetch(subject.source), subject.patches(self.goals.catalog.folder)
        work = self._python(python)
        tar = self.python_tar(work) if work else None
        with (
            quoting(f"build requirements of {subject.name}") as log,
            self.trees.packed(archive, SOURCE.relative, WORKER_ID, patches) as tree,
            self.engine.worker(worker_options(self._workshop(subject), self.limits)) as worker,
        ):
            worker.put_tree(tree.tar, WORK)
            worker.put(files)
            if tar:
                with tar.open("rb") as stream:
                    worker.put_tree(stream, WORK)
            multiarch = architecture_of(self._workshop(subject).platform.triple).multiarch
            prepare: tuple[Argument, ...] = (
                *script("prepare_build"),
                build_machine_interpreter(python, work),
                multiarch,
            )
            worker.run(Command(prepare, plain_environment(DEFAULT_CONDITIONS)), log)
            yield worker, log

    def _python(self, name: str) -> PythonWork | None:
        return self.goals.python(name, self.goals.catalog.build_platform)

    def _question(self, subject: Subject, python: str) -> Command:
        recipe = subject.recipe
        libraries = recipe.libraries if isinstance(recipe, SourceWheel) else ()
        settings = json.dumps(recipe.config_settings, sort_keys=True)
        workshop = self._workshop(subject)
        told = sysconfig_module(python, self._python(python), workshop.platform.triple)
        environment = target_environment(workshop, libraries, told, subject.environment)
        return Command(script("ask_backend", settings), environment)

    def _workshop(self, subject: Subject) -> Workshop:
        recipe = subject.recipe
        toolchain = recipe.toolchain if isinstance(recipe, SourceWheel) else None
        return self.goals.workshop(self.goals.catalog.build_platform, toolchain)


@contextmanager
def quoting(where: str) -> Iterator[StepLog]:
    """Yield a log; what fails meanwhile in a container quotes its end, and says that it happened *where*."""
    lines: deque[str] = deque(maxlen=_QUOTED_LINES)

    def log(line: str) -> None:
        lines.append(line)

    try:
        yield log
    except (BuildFailedError, LimitExceededError) as error:
        error.where = where
        said = "\n".join(f"    {displayable(line)[:_LONGEST_QUOTE]}".rstrip() for line in lines)
        error.fix = "; ".join(part for part in (error.fix, f"the output ends with:\n{said}") if part)
        raise
