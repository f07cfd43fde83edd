"""Cross-building a wheel: two phases and the repair, in one container without a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.build_requires import HERE
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import WORK, WORKER_ID, Limits, Worker, WorkerOptions
from dockerbuild_lib.core.command import Argument, Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.images import layout
from dockerbuild_lib.images.context import image_tag
from dockerbuild_lib.plan.products import WheelWork, Workshop
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.wheels.environment import (
    CRATES,
    DEFAULT_CONDITIONS,
    LIBRARIES,
    SOURCE,
    Conditions,
    crates_environment,
    plain_environment,
    target_environment,
)
from dockerbuild_lib.wheels.python_places import (
    BUILD_MACHINE,
    python_trees,
    sysconfig_folder,
    sysconfig_module,
    wheel_interpreter,
)

INPUTS = WorkPath("inputs")
DIST = WorkPath("dist")
REPAIRED = WorkPath("repaired")


@dataclass(frozen=True)
class RequiredWheel:
    """A wheel of a build environment."""

    distribution: str
    version: str
    sha256: str
    file: Path


@dataclass(frozen=True)
class WheelInputs:
    """The files that a build is given; *libraries* are tars of their folders, by name."""

    source: Path
    build_requires: tuple[RequiredWheel, ...]
    patches: tuple[Path, ...]
    libraries: Mapping[str, Path]
    crates: Path | None
    pythons: Mapping[str, Path] = field(default_factory=dict)
    """Tars of the Pythons that come from source, by content key."""


@dataclass(frozen=True)
class BuildOutcome:
    """A wheel as it left its container, and the hash of the patched tree that it was built from."""

    wheel: Path
    tree_sha256: str


@dataclass(frozen=True)
class WheelBuilder:
    """Builds wheels in the engine's containers, within *limits*."""

    engine: Engine
    limits: Limits
    trees: SourceTrees

    def build(
        self,
        wheel: WheelWork,
        inputs: WheelInputs,
        target: Path,
        log: StepLog,
        conditions: Conditions = DEFAULT_CONDITIONS,
    ) -> BuildOutcome:
        """Build and repair a wheel, into the folder *target*.

        Raises:
            UnsafeArchiveError, PatchFailedError: there is no tree to build from; no container was started.
            BuildFailedError: a command failed, or the backend made no wheel, or several.
            LimitExceededError: the build used more than its limits allow.

        """
        with self.trees.packed(inputs.source, SOURCE.relative, WORKER_ID, inputs.patches) as tree:
            for patch in inputs.patches:
                log(f"applied {patch.name}")
            log(f"the source's tree has the sha256 {tree.sha256}")
            with self.engine.worker(worker_options(wheel.workshop, self.limits, conditions)) as worker:
                worker.put_tree(tree.tar, WORK)
                tree.tar.close()  # its space is not needed for as long as the build takes
                if inputs.crates:
                    with self.trees.packed(inputs.crates, CRATES.relative, WORKER_ID) as crates:
                        worker.put_tree(crates.tar, WORK)
                worker.put(build_files(inputs))
                libraries = ((archive, LIBRARIES) for archive in inputs.libraries.values())
                for archive, folder in (*libraries, *python_trees(wheel.pythons, inputs.pythons)):
                    with archive.open("rb") as stream:
                        worker.put_tree(stream, folder)
                for command in build_commands(wheel, conditions):
                    worker.run(command, log)
                return BuildOutcome(_the_wheel(worker, target), tree.sha256)


def worker_options(workshop: Workshop, limits: Limits, conditions: Conditions = DEFAULT_CONDITIONS) -> WorkerOptions:
    """Return the container that a workshop's builds and trials run in."""
    tag = image_tag(workshop.platform_name, workshop.image)
    return WorkerOptions(image=tag, limits=limits, hostname=conditions.hostname, cpus=conditions.cpus)


def build_files(inputs: WheelInputs) -> dict[WorkPath, Path | bytes]:
    """Return what lies in the work folder when a build begins, the source, crates and libraries apart."""
    kept = {LIBRARIES / ".keep": b"", BUILD_MACHINE / ".keep": b""}
    return {**requirement_files(inputs.build_requires), **kept}


def requirement_files(wheels: Iterable[RequiredWheel]) -> dict[WorkPath, Path | bytes]:
    """Return what prepare_build makes the build environment from: the wheels, and their pins."""
    required = tuple(wheels)
    lines = [f"{wheel.distribution}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in required]
    files: dict[WorkPath, Path | bytes] = {INPUTS / "wheels" / wheel.file.name: wheel.file for wheel in required}
    return {**files, INPUTS / "requirements.txt": "".join(lines).encode()}


def build_commands(wheel: WheelWork, conditions: Conditions) -> tuple[Command, ...]:
    """Return the three phases: preparation, build, repair."""
    plain = plain_environment(conditions)
    settings = json.dumps(wheel.recipe.config_settings, sort_keys=True)
    replaced = json.dumps(sorted(name for name, tail in wheel.recipe.build_requires.items() if tail != HERE))
    revision = str(wheel.version_recipe.revision)
    phases: tuple[tuple[tuple[Argument, ...], Mapping[str, Argument]], ...] = (
        (_preparation(wheel), plain),
        (layout.script("build_wheel", settings, replaced), wheel_environment(wheel, conditions)),
        (layout.script("repair_wheel", revision, *_allowed_tags(wheel)), plain),
    )
    return tuple(Command((*_under_umask(conditions), *argv), environment) for argv, environment in phases)


def wheel_environment(wheel: WheelWork, conditions: Conditions = DEFAULT_CONDITIONS) -> dict[str, Argument]:
    """Return the whole environment of a wheel's build."""
    architecture = architecture_of(wheel.workshop.platform.triple)
    python = sysconfig_folder(wheel.target.python, wheel.pythons.target)
    crates = crates_environment(architecture, python) if wheel.crates else {}
    own = {**crates, **wheel.recipe.environment, **wheel.version_recipe.environment}
    libraries = (library.name for library in wheel.libraries)
    told = sysconfig_module(wheel.target.python, wheel.pythons.target, wheel.workshop.platform.triple)
    return target_environment(wheel.workshop, libraries, told, own, conditions)


def _under_umask(conditions: Conditions) -> tuple[str, ...]:
    """Return what starts a program under another umask than the container's own."""
    return () if conditions.umask is None else ("/bin/sh", "-c", f'umask {conditions.umask}; exec "$0" "$@"')


def _allowed_tags(wheel: WheelWork) -> tuple[str, ...]:
    return (architecture_of(wheel.workshop.platform.triple).machine, *wheel.tags)


def _preparation(wheel: WheelWork) -> tuple[Argument, ...]:
    multiarch = architecture_of(wheel.workshop.platform.triple).multiarch
    return (*layout.script("prepare_build"), wheel_interpreter(wheel), multiarch)


def _the_wheel(worker: Worker, target: Path) -> Path:
    wheels = worker.get(REPAIRED, target)
    if len(wheels) != 1:
        raise BuildFailedError(f"the build must make one wheel, and made {[wheel.name for wheel in wheels]}")
    return wheels[0]
