"""What an engine is, and what it lacks for this project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerbuild_lib.containers.connection import OLDEST_API
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.errors import translated_engine_errors
from dockerbuild_lib.core.errors import DockerbuildError, EngineUnavailableError, NoSpaceError
from dockerbuild_lib.core.findings import Finding

LEAST_SPACE = 1 << 30
"""Bytes; with less no image can be made."""
GOOD_SPACE = 10 << 30
"""Bytes; an image takes 1.4 GB, and builds come on top."""
_LIMITS = {"MemoryLimit": "memory", "SwapLimit": "swap", "PidsLimit": "the number of processes"}


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself; *api* is the version of its API that is spoken."""

    name: str
    version: str
    api: str
    where: str
    is_remote: bool
    info: Mapping[str, Any]


def examine_engine(engine: Engine) -> Iterator[Finding]:
    """Look at an engine from all sides; one that does not answer is a finding too."""
    try:
        facts = engine_facts(engine)
    except DockerbuildError as error:
        yield Finding.problem("engine", error)
        return
    yield _engine(facts)
    yield _machine(facts)
    yield _limits(facts)
    yield _seccomp(facts)
    yield _folders(facts)
    if not facts.is_remote:
        yield space("engine's disk", Path(str(facts.info.get("DockerRootDir", "/"))), "docker system prune frees some")


def engine_facts(engine: Engine) -> EngineFacts:
    """Ask the engine what it is.

    Raises:
        EngineUnavailableError, EnginePermissionError: it does not answer, or this user may not ask.

    """
    with translated_engine_errors():
        version = engine.client.api.version()
        info = engine.client.api.info()
    parts = {str(part["Name"]): str(part["Version"]) for part in version.get("Components") or ()}
    podman = parts.get("Podman Engine")
    return EngineFacts(
        name="podman" if podman else "Docker",
        version=podman or str(version["Version"]),
        api=str(engine.client.api.api_version),
        where=os.environ.get("DOCKER_HOST") or "the default socket",
        is_remote=engine.connection.is_remote,
        info=info,
    )


def _engine(facts: EngineFacts) -> Finding:
    what = f"{facts.name} {facts.version}, API {facts.api}, at {facts.where}"
    if _numbers(facts.api) < _numbers(OLDEST_API):
        fix = f"install Docker 20.10 or newer (API {OLDEST_API})"
        return Finding.problem("engine", EngineUnavailableError(f"{what} is too old", fix=fix))
    return Finding("engine", "ok", what)


def _machine(facts: EngineFacts) -> Finding:
    system, processor = str(facts.info.get("OSType")), str(facts.info.get("Architecture"))
    if (system, processor) in {("linux", "x86_64"), ("linux", "amd64")}:
        return Finding("build machine", "ok", f"{system} {processor}, {facts.info.get('NCPU')} processors")
    fix = "set DOCKER_HOST to an engine on x86_64 Linux"
    return Finding.problem(
        "build machine", EngineUnavailableError(f"images need x86_64, and this is {processor}", fix=fix)
    )


def _limits(facts: EngineFacts) -> Finding:
    missing = [text for key, text in _LIMITS.items() if not facts.info.get(key, True)]
    if not missing:
        return Finding("limits", "ok", "memory, swap and processes of builds can be limited")
    fix = "turn those cgroup controllers on (kernel options cgroup_enable=memory swapaccount=1)"
    return Finding("limits", "note", f"this engine does not limit {', '.join(missing)}: a build can take all", fix)


def _seccomp(facts: EngineFacts) -> Finding:
    options = " ".join(map(str, facts.info.get("SecurityOptions") or ()))
    if "seccomp" in options and "unconfined" not in options:
        return Finding("confinement", "ok", "system calls of builds are filtered (seccomp)")
    fix = "use an engine with seccomp, and without seccomp-profile=unconfined"
    return Finding("confinement", "note", "builds may make every system call", fix)


def _folders(facts: EngineFacts) -> Finding:
    if facts.is_remote:
        return Finding("files", "ok", "they travel through the engine's API")
    return Finding("files", "ok", "they travel through the engine's API; only `run` mounts a folder, the user's own")


def space(subject: str, folder: Path, fix: str) -> Finding:
    """Return how much of a disk is free; a folder that is not there yet stands for the one that it will be made in."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    what = f"{free / (1 << 30):.1f} GiB are free at {folder}"
    if free < LEAST_SPACE:
        return Finding.problem(subject, NoSpaceError(what, fix=fix))
    return Finding(subject, "ok", what) if free >= GOOD_SPACE else Finding(subject, "note", what, fix)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
