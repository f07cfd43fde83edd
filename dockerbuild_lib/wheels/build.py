"""Cross-building a wheel: two phases and the repair, in one container without a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.build_requires import HERE
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import Limits, Worker, WorkerOptions
from dockerbuild_lib.core.command import Argument, Command, WorkPath
from dockerbuild_lib.core.errors import BuildFailedError
from dockerbuild_lib.core.events import StepLog
from dockerbuild_lib.images import layout
from dockerbuild_lib.images.context import image_tag
from dockerbuild_lib.plan.steps import WheelWork, Workshop
from dockerbuild_lib.wheels.environment import (
    DEFAULT_CONDITIONS,
    LIBRARIES,
    Conditions,
    plain_environment,
    target_environment,
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


@dataclass(frozen=True)
class WheelBuilder:
    """Builds wheels in the engine's containers, within *limits*."""

    engine: Engine
    limits: Limits

    def build(
        self,
        wheel: WheelWork,
        inputs: WheelInputs,
        target: Path,
        log: StepLog,
        conditions: Conditions = DEFAULT_CONDITIONS,
    ) -> Path:
        """Build and repair a wheel; return its path in the folder *target*.

        Raises:
            BuildFailedError: a command failed, or the backend made no wheel, or several.
            LimitExceededError: the build used more than its limits allow.

        """
        with self.engine.worker(worker_options(wheel.workshop, self.limits, conditions)) as worker:
            worker.put(build_files(inputs))
            for archive in inputs.libraries.values():
                worker.put_tree(archive, LIBRARIES)
            for command in build_commands(wheel, conditions):
                worker.run(command, log)
            return _the_wheel(worker, target)


def worker_options(workshop: Workshop, limits: Limits, conditions: Conditions = DEFAULT_CONDITIONS) -> WorkerOptions:
    """Return the container that a workshop's builds and trials run in."""
    tag = image_tag(workshop.platform_name, workshop.image)
    return WorkerOptions(image=tag, limits=limits, hostname=conditions.hostname, cpus=conditions.cpus)


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of one of the image's own programs."""
    return ("/usr/bin/python3.11", "-I", "-B", f"{layout.SCRIPTS}/{name}.py", *arguments)


def build_files(inputs: WheelInputs) -> dict[WorkPath, Path | bytes]:
    """Return what lies in the work folder when a build begins, libraries apart."""
    return {
        **source_files(inputs.source, inputs.patches),
        **requirement_files(inputs.build_requires),
        LIBRARIES / ".keep": b"",
    }


def source_files(source: Path, patches: Iterable[Path]) -> dict[WorkPath, Path | bytes]:
    """Return what prepare_build unpacks and patches."""
    return {INPUTS / "source" / source.name: source, **{INPUTS / "patches" / patch.name: patch for patch in patches}}


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
    phases = (
        (script("prepare_build"), plain),
        (script("build_wheel", settings, replaced), _environment(wheel, conditions)),
        (script("repair_wheel", revision, *_allowed_tags(wheel)), plain),
    )
    return tuple(Command((*_under_umask(conditions), *argv), environment) for argv, environment in phases)


def _environment(wheel: WheelWork, conditions: Conditions) -> dict[str, Argument]:
    own = {**wheel.recipe.environment, **wheel.version_recipe.environment}
    return target_environment(wheel.workshop, (library.name for library in wheel.libraries), own, conditions)


def _under_umask(conditions: Conditions) -> tuple[str, ...]:
    """Return what starts a program under another umask than the container's own."""
    return () if conditions.umask is None else ("/bin/sh", "-c", f'umask {conditions.umask}; exec "$0" "$@"')


def _allowed_tags(wheel: WheelWork) -> tuple[str, ...]:
    return (architecture_of(wheel.workshop.platform.triple).machine, *wheel.workshop.platform.tags)


def _the_wheel(worker: Worker, target: Path) -> Path:
    wheels = worker.get(REPAIRED, target)
    if len(wheels) != 1:
        raise BuildFailedError(f"the build must make one wheel, and made {[wheel.name for wheel in wheels]}")
    return wheels[0]
