"""The trial: a wheel is installed and used by the target's own Python, under QEMU where that is another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.platform_tags import accepted_tags
from dockerbuild_lib.catalog.python_names import release_of
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import Limits
from dockerbuild_lib.core.command import Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError, TrialFailedError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.products import Pythons, TriedWork
from dockerbuild_lib.wheels.build import worker_options
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, emulation, plain_environment
from dockerbuild_lib.wheels.python_places import python_trees, target_interpreter

WHEELS = WorkPath("wheels")
SITE = WorkPath("site")
SNIPPET = WorkPath("trial.py")


@dataclass(frozen=True)
class Trial:
    """Tries wheels in fresh containers of the engine, within *limits*."""

    engine: Engine
    limits: Limits

    def run(self, work: TriedWork, wheels: Sequence[Path], log: StepLog, pythons: Mapping[str, Path]) -> None:
        """Install *wheels* for their target and run the recipe's snippet; *pythons* are tars by content key.

        The first wheel is the one that is tried, the others are what it needs.

        Raises:
            TrialFailedError: the wheels do not install there, or the snippet failed.

        """
        with self.engine.worker(worker_options(work.workshop, self.limits)) as worker:
            worker.put({WHEELS / wheel.name: wheel for wheel in wheels} | {SNIPPET: work.recipe.trial.encode()})
            for archive, folder in python_trees(Pythons(target=work.pythons.target), pythons):
                with archive.open("rb") as stream:
                    worker.put_tree(stream, folder)
            try:
                worker.run(_install(work, [wheel.name for wheel in wheels]), log)
                worker.run(_use(work), log)
            except BuildFailedError as error:
                raise TrialFailedError(f"{wheels[0].name} failed its trial: {error.what}") from error


def _install(work: TriedWork, names: Sequence[str]) -> Command:
    """Install as pip does it on a machine of the target's kind that takes what the platform's tags promise.

    Unlike uv, pip can be told of any platform.
    """
    python = (
        f"--python-version={release_of(work.target.python)}",
        "--implementation=cp",
        f"--abi={work.target.abi_tag}",
    )
    platforms = tuple(f"--platform={tag}" for tag in accepted_tags(work.tags))
    options = ("--isolated", "--no-index", "--no-deps", "--no-cache-dir", "--no-compile", "--quiet")
    pip = (f"{layout.BUILD_PYTHON}/python3.11", "-m", "pip", "--disable-pip-version-check")
    where = ("--only-binary=:all:", "--root-user-action=ignore", ("--target=", SITE))
    environment = {**plain_environment(DEFAULT_CONDITIONS), "PYTHONPATH": str(layout.TOOLS)}
    wheels = (WHEELS / name for name in names)
    return Command((*pip, "install", *options, *where, *python, *platforms, *wheels), environment)


def _use(work: TriedWork) -> Command:
    architecture = architecture_of(work.workshop.platform.triple)
    environment = {**plain_environment(DEFAULT_CONDITIONS), **emulation(architecture), "PYTHONPATH": SITE}
    python = target_interpreter(work.target.python, work.pythons.target)
    return Command((*_emulated(architecture), python, "-B", SNIPPET), environment)


def _emulated(architecture: Architecture) -> tuple[str, ...]:
    return () if architecture.is_build_machine else (str(layout.EMULATOR),)
