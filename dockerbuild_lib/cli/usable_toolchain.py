"""A platform's toolchain, ready to run a command of the user's: worked out from the catalogue, or remembered from then.

The models of the catalogue cost more time than all the rest of ``run`` together: what is remembered needs none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockerbuild_lib.catalog.work_area import probable_work_area
from dockerbuild_lib.cli.remembered import RememberedAnswers
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import PROJECT
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.execution.run_folder import new_run_id

if TYPE_CHECKING:
    from dockerbuild_lib.cli.session import Session
    from dockerbuild_lib.plan.products import Workshop

REMEMBERED = "run.remembered"
_SETTINGS = "INVOKE_DOCKERBUILD_"
_INSTALLED = ".dist-info"


@dataclass(frozen=True)
class UsableToolchain:
    """What a command in a toolchain needs to know of it."""

    image: str
    """The tag of the image that has it."""
    key: str
    """The image's content key."""
    prefix: tuple[str, ...]
    """What stands before the command."""
    environment: Mapping[str, str]
    memory: int
    """Bytes that the settings allow."""
    processes: int
    libraries: tuple[str, ...] = ()
    """The tars of libraries that the command finds too."""

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> UsableToolchain:
        """Return what JSON was made of."""
        return cls(**{**told, "prefix": tuple(told["prefix"]), "libraries": tuple(told["libraries"])})


def usable_toolchain(platform: str, toolchain: str, libraries: tuple[str, ...] = ()) -> tuple[UsableToolchain, Engine]:
    """Return a platform's *toolchain* (empty: its own), and the engine that holds its image, made where need be.

    So are the *libraries* that are to be found with it, in the work area.

    Raises:
        CatalogError: the settings or the catalogue are wrong, or there is no such platform.
        UsageError: there is no such toolchain or library.

    """
    known = None if libraries else remembered_toolchain(platform, toolchain)
    if known is not None:
        engine = Engine(new_run_id())
        if engine.has_image(known.image, known.key):
            return known, engine
    session = open_session()
    if libraries:
        return with_libraries(session, platform, toolchain, libraries), session.engine
    found = find_toolchain(session, platform, toolchain)
    if not session.engine.has_image(found.image, found.key):
        _make_image(session, platform)
    return found, session.engine


def remembered_toolchain(platform: str, toolchain: str) -> UsableToolchain | None:
    """Return what :func:`find_toolchain` found, if it would find the same again."""
    area = probable_work_area(PROJECT, os.environ)
    told = _answers(area).get(f"{platform} {toolchain}") if area else None
    return UsableToolchain.from_json(told) if told else None


def find_toolchain(session: Session, platform: str, toolchain: str) -> UsableToolchain:
    """Work out a platform's *toolchain* (empty: its own), and remember it; errors as for :func:`usable_toolchain`."""
    answers, config_dir = _answers(session.settings.root), session.settings.config_dir
    before = answers.look(config_dir)
    found = _usable(session, _workshop(session, platform, toolchain))
    answers.put(f"{platform} {toolchain}", asdict(found), before, config_dir)
    return found


def with_libraries(session: Session, platform: str, toolchain: str, libraries: tuple[str, ...]) -> UsableToolchain:
    """Return a platform's *toolchain* with *libraries* and all that they are built with; errors as for the others."""
    from dockerbuild_lib.cli.running import run_plan  # noqa: PLC0415
    from dockerbuild_lib.plan.goals import GoalMaker  # noqa: PLC0415
    from dockerbuild_lib.plan.make import plan_needed_libraries  # noqa: PLC0415
    from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

    workshop, maker = _workshop(session, platform, toolchain), GoalMaker(session.catalog, image_files)
    for name in libraries:
        session.catalog.library(name)  # raises where there is none
    works = maker.libraries(libraries, workshop)
    plan = plan_needed_libraries(works, maker, session.inventory)
    run_plan(session, plan, lambda: session.workbench().perform, session.settings.jobs)
    tars = tuple(str(session.area.library(work)) for work in works)
    return replace(_usable(session, workshop, [work.name for work in works]), libraries=tars)


def _usable(session: Session, workshop: Workshop, libraries: Sequence[str] = ()) -> UsableToolchain:
    from dockerbuild_lib.images.context import image_tag  # noqa: PLC0415
    from dockerbuild_lib.wheels.foreground import foreground_environment, foreground_prefix  # noqa: PLC0415

    limits = session.settings.limits
    return UsableToolchain(
        image=image_tag(workshop.platform_name, workshop.image),
        key=workshop.image,
        prefix=foreground_prefix(workshop.toolchain.compiler),
        environment=foreground_environment(workshop, libraries),
        memory=limits.memory,
        processes=limits.processes,
    )


def _answers(area: Path) -> RememberedAnswers:
    """Return what is remembered in a work area: it comes from the settings, and from all the code that reads them."""
    variables = sorted(f"{name}={os.environ[name]}" for name in os.environ if name.startswith(_SETTINGS))
    texts = (str(PROJECT), os.environ.get("HOME", ""), sys.version, *_installed(), *variables)
    return RememberedAnswers(area / REMEMBERED, (PROJECT / "invoke.yaml", PROJECT / "dockerbuild_lib"), texts)


def _installed() -> Iterator[str]:
    """Yield the name and version of each package that can be imported."""
    for folder in sys.path:
        with suppress(OSError):  # Python passes over what is no folder too
            yield from sorted(name for name in os.listdir(folder) if name.endswith(_INSTALLED))  # noqa: PTH208 - names only


def _workshop(session: Session, platform: str, toolchain: str) -> Workshop:
    from dockerbuild_lib.catalog.suggestions import suggestion  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415
    from dockerbuild_lib.plan.goals import GoalMaker  # noqa: PLC0415
    from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

    catalog = session.catalog
    catalog.image_platform(platform)
    if toolchain and toolchain not in catalog.toolchains:
        fix = suggestion(toolchain, catalog.toolchains)
        raise UsageError(f"unknown toolchain {toolchain!r}", where="--toolchain", fix=fix)
    return GoalMaker(catalog, image_files).workshop(platform, toolchain or None)


def _make_image(session: Session, platform: str) -> None:
    from dockerbuild_lib.cli.running import run_plan  # noqa: PLC0415
    from dockerbuild_lib.plan.make import plan_images  # noqa: PLC0415
    from dockerbuild_lib.plan.request import ImageRequest  # noqa: PLC0415
    from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

    plan = plan_images(ImageRequest((platform,)), session.catalog, session.inventory, image_files)
    run_plan(session, plan, lambda: session.workbench().perform, session.settings.jobs)
