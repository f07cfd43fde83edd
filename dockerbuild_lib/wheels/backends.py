"""Asking the build backends of sources: strangers' code, so in the build machine's image, confined as a build is."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.catalog.wheels import SourceWheel
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import Limits, Worker
from dockerbuild_lib.core.command import Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError, LimitExceededError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.plan.goals import GoalMaker, patch_path
from dockerbuild_lib.plan.steps import WheelWork
from dockerbuild_lib.sources.archives import MAX_READ_SIZE, read_member
from dockerbuild_lib.sources.backends import HereWheel, Subject
from dockerbuild_lib.sources.requirements import parse_answer
from dockerbuild_lib.wheels.build import RequiredWheel, requirement_files, script, source_files, worker_options
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, SOURCE, plain_environment, target_environment

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
    goals: GoalMaker
    fetch: Callable[[LockedFile], Path]
    build_here: Callable[[WheelWork], HereWheel]

    def pyproject(self, subject: Subject) -> bytes | None:
        """Return the pyproject.toml of the patched source; only where there are patches a container is needed."""
        if not subject.version_recipe.patches:
            return read_member(self.fetch(subject.source), "pyproject.toml")
        with self._prepared(subject, {}) as (worker, _):
            return worker.read(SOURCE / "pyproject.toml", MAX_READ_SIZE)

    def wheel_requires(
        self, subject: Subject, build_requires: Sequence[IndexFile], here: Sequence[HereWheel]
    ) -> tuple[str, ...]:
        """Return what the backend asks for in an environment of *build_requires* and *here*."""
        pinned = [RequiredWheel(pin.distribution, pin.version, pin.sha256, self.fetch(pin)) for pin in build_requires]
        built = [RequiredWheel(wheel.distribution, wheel.version, wheel.sha256, wheel.file) for wheel in here]
        files = requirement_files((*pinned, *built))
        with self._prepared(subject, files) as (worker, log):
            worker.run(self._question(subject), log)
            return parse_answer(worker.read(ANSWER, MAX_ANSWER), subject.name)

    def build(self, catalog: Catalog, distribution: str, version: str, python: str) -> HereWheel:
        """Return a wheel for the build machine, built now where it is not there."""
        return self.build_here(GoalMaker(catalog, self.goals.image_files).here(distribution, version, python))

    @contextmanager
    def _prepared(self, subject: Subject, files: Mapping[WorkPath, Path | bytes]) -> Iterator[tuple[Worker, StepLog]]:
        """Yield a container with the patched source, and a log that errors then quote."""
        workshop = self.goals.workshop(self.goals.catalog.build_platform, subject.recipe)
        sources = source_files(self.fetch(subject.source), self._patches(subject))
        lines: deque[str] = deque(maxlen=_QUOTED_LINES)

        def log(line: str) -> None:
            lines.append(line)

        try:
            with self.engine.worker(worker_options(workshop, self.limits)) as worker:
                worker.put({**sources, **files})
                worker.run(Command(script("prepare_build"), plain_environment(DEFAULT_CONDITIONS)), log)
                yield worker, log
        except (BuildFailedError, LimitExceededError) as error:
            error.where = f"build requirements of {subject.name}"
            said = "\n".join(f"    {displayable(line)[:_LONGEST_QUOTE]}".rstrip() for line in lines)
            error.fix = "; ".join(part for part in (error.fix, f"the output ends with:\n{said}") if part)
            raise

    def _patches(self, subject: Subject) -> tuple[Path, ...]:
        folder, names = self.goals.catalog.folder, subject.version_recipe.patches
        return tuple(patch_path(folder, subject.distribution, subject.version, name) for name in names)

    def _question(self, subject: Subject) -> Command:
        recipe = subject.recipe
        workshop = self.goals.workshop(self.goals.catalog.build_platform, recipe)
        libraries = recipe.libraries if isinstance(recipe, SourceWheel) else ()
        settings = json.dumps(recipe.config_settings, sort_keys=True)
        environment = target_environment(workshop, libraries, subject.environment)
        return Command(script("ask_backend", settings), environment)
