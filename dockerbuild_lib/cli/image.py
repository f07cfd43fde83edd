"""The tasks ``image.*``: generate, list."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase

from invoke.context import Context

from dockerbuild_lib.cli.output import show_rows
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import UPLOAD_SOURCES_HELP, integer_option, task


@task(
    help={
        "platform": "platform whose image to make, or a pattern; repeatable; default: all",
        "rebuild": "make it again with the package versions of today, even when the engine holds it",
        "jobs": "images to make at the same time; default: the setting jobs",
        "upload_sources": UPLOAD_SOURCES_HELP,
    },
    iterable=["platform"],
)
def generate(
    _context: Context,
    platform: list[str],
    rebuild: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",
    upload_sources: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Make the images of platforms, and the base image that they stand on."""
    from dockerbuild_lib.cli.running import run_plan  # noqa: PLC0415
    from dockerbuild_lib.images.context import image_files, image_tag  # noqa: PLC0415
    from dockerbuild_lib.plan.make import plan_images  # noqa: PLC0415
    from dockerbuild_lib.plan.steps import ImageWork  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session(upload_sources=upload_sources)
    count = integer_option("jobs", jobs) if jobs else session.settings.jobs
    named = platforms_named(session, platform)
    plan = plan_images(named, session.catalog, session.inventory, image_files, rebuild=rebuild)
    run_plan(session, plan, lambda: session.workbench(fresh_images=rebuild).perform, count)
    made = {step.id for step in plan.to_do}
    lines = [
        f"{step.id}: {image_tag(step.work.platform_name, step.work.key)} {'made' if step.id in made else 'is there'}"
        for step in (planned.step for planned in plan.steps)
        if isinstance(step.work, ImageWork)
    ]
    write_result(sys.stdout, "\n".join(lines))


def platforms_named(session: Session, patterns: list[str]) -> list[str]:
    """Return the platforms that the patterns mean; none given: all.

    Raises:
        UsageError: a pattern matches no platform.

    """
    from dockerbuild_lib.catalog.suggestions import suggestion  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    known = list(session.catalog.platforms)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UsageError(f"unknown platform {pattern!r}", where="--platform", fix=suggestion(pattern, known))
    return [name for name in known if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


@task(name="list", help={"json": "print JSON"})
def list_images(_context: Context, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List the images that the engine holds: platform, tag, size, content key."""
    from dockerbuild_lib.containers.engine import KEY_LABEL  # noqa: PLC0415
    from dockerbuild_lib.images.generate import PLATFORM_LABEL  # noqa: PLC0415
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415
    from dockerbuild_lib.report.units import byte_size  # noqa: PLC0415

    images = open_session().engine.images({KEY_LABEL: None})
    rows = [
        (
            image.labels.get(PLATFORM_LABEL, "base"),
            ", ".join(image.tags),
            str(image.size) if json else byte_size(image.size),
            image.labels[KEY_LABEL],
        )
        for image in images
    ]
    show_rows((Column("PLATFORM"), Column("TAG"), Column("SIZE"), Column("KEY")), sorted(rows), as_json=json)
