"""The trial: a wheel is installed and used by the target's own Python, under QEMU where that is another machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import Limits
from dockerbuild_lib.core.command import Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError, TrialFailedError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.steps import TriedWork
from dockerbuild_lib.wheels.build import worker_options
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, plain_environment

WHEELS = WorkPath("wheels")
SITE = WorkPath("site")
SNIPPET = WorkPath("trial.py")


@dataclass(frozen=True)
class Trial:
    """Tries wheels in fresh containers of the engine, within *limits*."""

    engine: Engine
    limits: Limits

    def run(self, work: TriedWork, wheel: Path, log: StepLog) -> None:
        """Install *wheel* for its target and run the recipe's snippet.

        Raises:
            TrialFailedError: the wheel does not install there, or the snippet failed.

        """
        with self.engine.worker(worker_options(work.workshop, self.limits)) as worker:
            worker.put({WHEELS / wheel.name: wheel, SNIPPET: work.recipe.trial.encode()})
            try:
                worker.run(_install(work, wheel.name), log)
                worker.run(_use(work), log)
            except BuildFailedError as error:
                raise TrialFailedError(f"{wheel.name} failed its trial: {error.what}") from error


def _install(work: TriedWork, name: str) -> Command:
    """Install as uv does it for a machine of the target's kind with the oldest system that the tags promise."""
    platform = _uv_platform(work)
    where = (("--target=", SITE), f"--python-version={work.target.python}", f"--python-platform={platform}")
    options = ("--no-config", "--offline", "--no-index", "--no-deps", "--no-cache", "--quiet")
    uv = f"{layout.TOOLS}/bin/uv"
    return Command((uv, "pip", "install", *options, *where, WHEELS / name), plain_environment(DEFAULT_CONDITIONS))


def _uv_platform(work: TriedWork) -> str:
    machine = architecture_of(work.workshop.platform.triple).machine
    return f"{machine}-manylinux_{work.glibc.replace('.', '_')}" if work.glibc else f"{machine}-unknown-linux-gnu"


def _use(work: TriedWork) -> Command:
    environment = {**plain_environment(DEFAULT_CONDITIONS), "PYTHONPATH": SITE}
    architecture = architecture_of(work.workshop.platform.triple)
    python = f"{layout.TARGET_PYTHON}/python{work.target.python}"
    return Command((*_emulated(architecture), python, "-B", SNIPPET), environment)


def _emulated(architecture: Architecture) -> tuple[str, ...]:
    return () if architecture.is_build_machine else (str(layout.EMULATOR),)
