"""Settings of an installation: ``invoke.yaml``, overridden by ``INVOKE_DOCKERBUILD_*``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from dockerbuild_lib.catalog.documents import read_document
from dockerbuild_lib.catalog.files import is_missing
from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.settings_environment import section_of
from dockerbuild_lib.catalog.settings_file import (
    INVOKE_FILE,
    INVOKE_KEYS,
    ArchivesSection,
    DockerbuildSection,
    LimitsSection,
    bytes_of,
    is_service,
)
from dockerbuild_lib.catalog.validation import validate
from dockerbuild_lib.catalog.work_area import at


@dataclass(frozen=True)
class Limits:
    """What a build container may use."""

    memory: int
    """Bytes."""
    processes: int
    minutes: int


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive from outside may unpack to."""

    size: int = bytes_of(ArchivesSection().size)
    """Bytes."""
    ratio: int = ArchivesSection().ratio
    """Times its own size."""
    members: int = ArchivesSection().members


@dataclass(frozen=True)
class Settings:
    """The settings in force; every path is absolute."""

    project_dir: Path
    root: Path
    """The work area."""
    config_dir: Path
    store: Path
    """The folder of the embedded store; where there is a *service*, it holds the sources only."""
    service: str | None
    """The address of the CIPD service that wheels are published to; None: the embedded store."""
    cipd_client: str
    """The client that speaks with it: a name on PATH, or an absolute path."""
    remote_store: str | None
    """The store that a team shares: an absolute path, or an address as it was written."""
    registry: str | None
    jobs: int
    downloads: int
    cooldown_days: int
    offline: bool
    executor: Literal["threads"]
    limits: Limits
    archives: ArchiveLimits


def load_settings(project_dir: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the project in *project_dir*, overridden by the variables in *environ*.

    Raises:
        CatalogError: invoke.yaml or a variable is wrong; the message has a line for every problem.

    """
    problems = Problems()
    section = _merged(_from_file(project_dir / "invoke.yaml", problems), section_of(environ, problems))
    problems.raise_any()
    return _resolved(section, project_dir.absolute(), environ)


def _from_file(path: Path, problems: Problems) -> DockerbuildSection:
    if is_missing(path):
        return DockerbuildSection()
    document = read_document(path, problems, foreign=INVOKE_KEYS)
    # An empty file, or one of comments only, sets nothing.
    if document is None or document.value is None:
        return DockerbuildSection()
    file = validate(document, INVOKE_FILE, problems)
    return (file and file.dockerbuild) or DockerbuildSection()


def _merged(below: DockerbuildSection, above: DockerbuildSection) -> DockerbuildSection:
    limits = _given(below.limits) | _given(above.limits)
    archives = _given(below.archives) | _given(above.archives)
    sections = {"limits": LimitsSection(**limits), "archives": ArchivesSection(**archives)}
    return DockerbuildSection(**{**_given(below), **_given(above), **sections})


def _given(section: BaseModel | None) -> dict[str, Any]:
    if section is None:
        return {}
    return {name: value for name in section.model_fields_set if (value := getattr(section, name)) is not None}


def _resolved(section: DockerbuildSection, project_dir: Path, environ: Mapping[str, str]) -> Settings:
    def path(text: str) -> Path:
        return at(project_dir, text, environ)

    limits = section.limits or LimitsSection()
    service = section.store if section.store and is_service(section.store) else None
    client = section.cipd_client
    archives = section.archives or ArchivesSection()
    return Settings(
        project_dir=project_dir,
        root=path(section.root),
        config_dir=path(section.config_dir),
        store=path(section.store) if section.store and not service else path(section.root) / "store",
        service=service.rstrip("/") if service else None,
        cipd_client=str(path(client)) if "/" in client else client,
        remote_store=section.remote_store and _path_or_address(section.remote_store, path),
        registry=section.registry,
        jobs=section.jobs or _cores(),
        downloads=section.downloads,
        cooldown_days=section.cooldown_days,
        offline=section.offline,
        executor=section.executor,
        limits=Limits(bytes_of(limits.memory), limits.processes, limits.minutes),
        archives=ArchiveLimits(bytes_of(archives.size), archives.ratio, archives.members),
    )


def _path_or_address(text: str, path: Callable[[str], Path]) -> str:
    return text if "://" in text else str(path(text))


def _cores() -> int:
    """Return the cores that this process may use, where the system tells, else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
