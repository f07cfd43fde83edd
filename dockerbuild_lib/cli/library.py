"""The tasks ``library.*``: build, list."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import PROJECT, UPLOAD_SOURCES_HELP, integer_option, task

if TYPE_CHECKING:
    from dockerbuild_lib.plan.plan import PlannedStep


@task(
    help={
        "name": "library to build, or a pattern; repeatable; default: all",
        "platform": "platform to build for, or a pattern; repeatable; default: all",
        "rebuild": "build again what is there already",
        "upload": "publish the libraries into the store",
        "jobs": "steps to run at the same time; default: the setting jobs",
        "upload_sources": UPLOAD_SOURCES_HELP,
    },
    iterable=["name", "platform"],
)
def build(  # noqa: PLR0913, PLR0917 - invoke makes each an option
    _context: Context,
    name: list[str],
    platform: list[str],
    rebuild: bool = False,  # noqa: FBT001, FBT002
    upload: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",
    upload_sources: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Build third-party libraries, static and position-independent; with --upload publish them too."""
    from dockerbuild_lib.cli.git import git_revision  # noqa: PLC0415
    from dockerbuild_lib.cli.running import run_plan  # noqa: PLC0415
    from dockerbuild_lib.plan.make import plan_libraries  # noqa: PLC0415
    from dockerbuild_lib.plan.request import LibraryRequest  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.wheels.entrypoint import image_files  # noqa: PLC0415

    session = open_session(upload_sources=upload_sources)
    count = integer_option("jobs", jobs) if jobs else session.settings.jobs
    request = LibraryRequest(tuple(name), tuple(platform), rebuild, upload)
    plan = plan_libraries(request, session.catalog, session.inventory, image_files)
    run_plan(session, plan, lambda: session.workbench(git_revision=git_revision(PROJECT)).perform, count)
    write_result(sys.stdout, "\n".join(filter(None, (_line(session, planned) for planned in plan.steps))))


def _line(session: Session, planned: PlannedStep) -> str:
    """Say what became of a library or its publishing; nothing of other steps."""
    from dockerbuild_lib.plan.products import LibraryWork  # noqa: PLC0415
    from dockerbuild_lib.plan.steps import PublishLibraryWork, Status  # noqa: PLC0415

    done = planned.status is Status.TO_DO
    match planned.step.work:
        case LibraryWork() as work:
            return f"{planned.step.id}: {'built' if done else 'is there'}, {session.area.library(work)}"
        case PublishLibraryWork(work):
            return f"{planned.step.id}: {'done' if done else planned.why}, {work.package} {work.version_text}"
        case _:
            return ""


@task(name="list", help={"json": "print JSON"}, engine=False)
def list_libraries(_context: Context, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List the libraries of the catalogue: version, build system, the libraries that each needs, and its users."""
    from dockerbuild_lib.catalog.wheels import SourceWheel  # noqa: PLC0415
    from dockerbuild_lib.cli.output import show_rows  # noqa: PLC0415
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415

    catalog = open_session().catalog
    linked = {
        wheel: catalog.libraries_behind(recipe.libraries)
        for wheel, recipe in catalog.wheels.items()
        if isinstance(recipe, SourceWheel)
    }
    rows = [
        (
            name,
            library.version,
            library.build_system,
            " ".join(library.libraries),
            " ".join(wheel for wheel, names in linked.items() if name in names),
        )
        for name, library in catalog.libraries.items()
    ]
    columns = tuple(map(Column, ("LIBRARY", "VERSION", "BUILD SYSTEM", "BUILT WITH", "WHEELS")))
    show_rows(columns, rows, as_json=json)
