"""The tasks ``image.*``: generate, list."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.output import show_rows
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import UPLOAD_SOURCES_HELP, integer_option, task

if TYPE_CHECKING:
    from dockerbuild_lib.images.inspection import ImageContents
    from dockerbuild_lib.plan.plan import PlannedStep


@task(
    help={
        "platform": "platform whose image to make, or a pattern; repeatable; default: the default ones",
        "rebuild": "make it again with the package versions of today, even when the engine holds it",
        "upload": "upload the images to the registry too, where it does not have them",
        "jobs": "images to make at the same time; default: the setting jobs",
        "upload_sources": UPLOAD_SOURCES_HELP,
    },
    iterable=["platform"],
)
def generate(
    _context: Context,
    platform: list[str],
    rebuild: bool = False,  # noqa: FBT001, FBT002
    upload: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",
    upload_sources: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Make the images of platforms, and the base image that they stand on."""
    from dockerbuild_lib.cli.running import run_plan  # noqa: PLC0415
    from dockerbuild_lib.images.generate import no_registry  # noqa: PLC0415
    from dockerbuild_lib.plan.make import plan_images  # noqa: PLC0415
    from dockerbuild_lib.plan.request import ImageRequest  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

    session = open_session(upload_sources=upload_sources)
    count = integer_option("jobs", jobs) if jobs else session.settings.jobs
    named = tuple(platforms_named(session, platform))
    if upload and session.registry is None:
        raise no_registry("--upload")
    plan = plan_images(ImageRequest(named, rebuild, upload), session.catalog, session.inventory, image_files)
    run_plan(session, plan, lambda: session.workbench(fresh_images=rebuild).perform, count)
    write_result(sys.stdout, "\n".join(filter(None, map(_image_line, plan.steps))))


def _image_line(planned: PlannedStep) -> str:
    """Say what became of a platform's image or its upload; nothing of other steps."""
    from dockerbuild_lib.images.context import image_tag  # noqa: PLC0415
    from dockerbuild_lib.plan.steps import ImageWork, PullWork, PushWork, Status  # noqa: PLC0415

    work, done = planned.step.work, planned.status is Status.TO_DO
    if isinstance(work, PushWork):
        return f"{planned.step.id}: {'done' if done else planned.why}"
    if not isinstance(work, ImageWork | PullWork):
        return ""
    how = "pulled" if isinstance(work, PullWork) else "made"
    return f"{planned.step.id}: {image_tag(work.platform_name, work.key)} {how if done else 'is there'}"


def platforms_named(session: Session, patterns: list[str]) -> list[str]:
    """Return the platforms with an image that the patterns mean; none given: the default ones.

    Raises:
        UsageError: a pattern matches no platform, or only such as have no image.

    """
    from dockerbuild_lib.catalog.suggestions import suggestion  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    known = list(session.catalog.image_platforms)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            for name in session.catalog.platforms:
                if fnmatchcase(name, pattern):
                    session.catalog.image_platform(name)  # raises: it has none
            raise UsageError(f"unknown platform {pattern!r}", where="--platform", fix=suggestion(pattern, known))
    if not patterns:
        return session.catalog.default_platforms(known)
    return [name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns)]


@task(name="list", help={"json": "print JSON"})
def list_images(_context: Context, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List the images that the engine holds: platform, tag, size, content key."""
    from dockerbuild_lib.containers.engine import KEY_LABEL  # noqa: PLC0415
    from dockerbuild_lib.containers.image_store import bytes_on_disk  # noqa: PLC0415
    from dockerbuild_lib.images.generate import PLATFORM_LABEL  # noqa: PLC0415
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.report.units import byte_size  # noqa: PLC0415

    engine = open_session().engine
    images = engine.images({KEY_LABEL: None})
    rows = [
        (
            image.labels.get(PLATFORM_LABEL, "base"),
            ", ".join(image.tags) or "none",
            str(image.size) if json else byte_size(image.size),
            image.labels[KEY_LABEL],
        )
        for image in images
    ]
    show_rows((Column("PLATFORM"), Column("TAG"), Column("SIZE"), Column("KEY")), sorted(rows), as_json=json)
    if images and not json:
        total = byte_size(bytes_on_disk(engine, (image.image_id for image in images)))
        write_result(sys.stdout, f"together {total} on disk; layers that they share count once")


@task(
    help={
        "platform": "platform whose image to look into",
        "sbom": "file to write the image's bill of materials to (CycloneDX, JSON), which must not exist",
        "json": "print JSON",
    }
)
def show(_context: Context, platform: str, sbom: str = "", json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Show what is in a platform's image: base, Pythons, toolchains, tools, and packages with their versions."""
    from dataclasses import asdict  # noqa: PLC0415

    from dockerbuild_lib.cli.output import show_json  # noqa: PLC0415
    from dockerbuild_lib.images.inspection import inspect_image  # noqa: PLC0415
    from dockerbuild_lib.plan.goals import GoalMaker  # noqa: PLC0415
    from dockerbuild_lib.report.image_view import render_image  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

    session = open_session()
    session.catalog.platform(platform)
    work = GoalMaker(session.catalog, image_files).image(platform)
    contents = inspect_image(session.engine, session.catalog, work)
    if sbom:
        _write_sbom(contents, Path(sbom).absolute())
    if json:
        show_json(asdict(contents))
    else:
        write_result(sys.stdout, render_image(contents))


def _write_sbom(contents: ImageContents, file: Path) -> None:
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415
    from dockerbuild_lib.core.files import write_atomic  # noqa: PLC0415
    from dockerbuild_lib.images.sbom import sbom_json  # noqa: PLC0415

    if file.exists():
        raise UsageError(f"{file} exists", where="--sbom", fix="name another file, or remove it")
    write_atomic(file, sbom_json(contents))
