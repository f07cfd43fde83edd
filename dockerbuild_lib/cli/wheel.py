"""The tasks ``wheel.*``: build, plan, verify, list."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import PROJECT, UPLOAD_SOURCES_HELP, integer_option, task

if TYPE_CHECKING:
    from dockerbuild_lib.plan.judge import PlannedGoal
    from dockerbuild_lib.plan.plan import Plan
    from dockerbuild_lib.plan.request import Request

SELECTION_HELP = {
    "name": "wheel to build: a distribution, a pattern (py*), or NAME==VERSION; repeatable; default: all",
    "platform": "platform to build for, or a pattern; repeatable; default: the default platforms",
    "python": "Python to build for (3.11); repeatable; default: the catalogue's defaults",
}
BUILD_HELP = {
    **SELECTION_HELP,
    "rebuild": "build again what is there already",
    "upload": "publish the wheels into the store",
    "jobs": "steps to run at the same time; default: the setting jobs",
    "upload_sources": UPLOAD_SOURCES_HELP,
}


def _request(name: list[str], platform: list[str], python: list[str], *, rebuild: bool, upload: bool) -> Request:
    from dockerbuild_lib.plan.request import Request  # noqa: PLC0415

    return Request(tuple(name), tuple(platform), tuple(python), rebuild, upload)


@task(help=BUILD_HELP, iterable=["name", "platform", "python"])
def build(  # noqa: PLR0913, PLR0917 - invoke makes each an option
    _context: Context,
    name: list[str],
    platform: list[str],
    python: list[str],
    rebuild: bool = False,  # noqa: FBT001, FBT002
    upload: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",
    upload_sources: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Cross-build wheels, check and try them; with --upload publish them too."""
    session = open_session(upload_sources=upload_sources)
    count = integer_option("jobs", jobs) if jobs else session.settings.jobs
    plan = session.plan(_request(name, platform, python, rebuild=rebuild, upload=upload))
    _warn_of_changed_folders(session, plan)
    _carry_out(session, plan, count)


def _warn_of_changed_folders(session: Session, plan: Plan) -> None:
    """Tell which local folders are not as they were locked: what is locked is what is built."""
    from dockerbuild_lib.catalog.locks import LocalArchive  # noqa: PLC0415
    from dockerbuild_lib.plan.products import sources_of  # noqa: PLC0415

    for source in dict.fromkeys(source for planned in plan.goals for source in sources_of(planned.goal)):
        if isinstance(source, LocalArchive):
            from dockerbuild_lib.sources.local_source import has_changed  # noqa: PLC0415

            if has_changed(session.outside, source):
                fix = f"run sources.lock --name={source.name} to take it as it is now"
                say(f"warning: the folder {source.folder} has changed since it was locked; {fix}")


def _carry_out(session: Session, plan: Plan, jobs: int) -> None:
    from dockerbuild_lib.cli.git import git_revision  # noqa: PLC0415
    from dockerbuild_lib.cli.running import run_plan  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    run_plan(session, plan, lambda: session.workbench(git_revision=git_revision(PROJECT)).perform, jobs)
    plan.refuse_conflicts()
    write_result(sys.stdout, "\n".join(goal_line(session, planned) for planned in plan.goals))


def goal_line(session: Session, planned: PlannedGoal) -> str:
    """Say where a goal stands now: what was up to date and why, or where its new wheel lies."""
    from dockerbuild_lib.plan import step_names  # noqa: PLC0415
    from dockerbuild_lib.plan.products import ForeignWork  # noqa: PLC0415
    from dockerbuild_lib.plan.steps import Status  # noqa: PLC0415

    name = step_names.goal(planned.goal)
    if planned.status is not Status.TO_DO:
        return f"{name}: nothing to do, {planned.why}"
    done = "published from" if planned.publish else "built"
    untried = f"{planned.goal.untried}; " if isinstance(planned.goal, ForeignWork) else ""
    return f"{name}: {untried}{done} {session.area.result(planned.result).wheel}"


@task(help=BUILD_HELP | {"json": "print JSON"}, iterable=["name", "platform", "python"], engine=False)
def plan(  # noqa: PLR0913, PLR0917
    _context: Context,
    name: list[str],
    platform: list[str],
    python: list[str],
    rebuild: bool = False,  # noqa: FBT001, FBT002
    upload: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",  # noqa: ARG001 - the same options as wheel.build
    upload_sources: bool = False,  # noqa: ARG001, FBT001, FBT002 - as above
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Print each step that wheel.build would take, whether it is to do, and why."""
    from dockerbuild_lib.report.plan_view import PlanRow, plan_json, render_plan  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session()
    made = session.plan(_request(name, platform, python, rebuild=rebuild, upload=upload))
    _warn_of_changed_folders(session, made)
    rows = [PlanRow(planned.step.title, planned.status.value, planned.why) for planned in made.steps]
    write_result(sys.stdout, plan_json(rows) if json else render_plan(rows))


@task(
    help=SELECTION_HELP | {name: BUILD_HELP[name] for name in ("jobs", "upload_sources")},
    iterable=["name", "platform", "python"],
)
def verify(
    _context: Context,
    name: list[str],
    platform: list[str],
    python: list[str],
    jobs: str = "",
    upload_sources: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Build wheels again under other conditions, and tell whether they are identical."""
    from dockerbuild_lib.cli.verifying import verify_wheels  # noqa: PLC0415

    session = open_session(upload_sources=upload_sources)
    count = integer_option("jobs", jobs) if jobs else session.settings.jobs
    verify_wheels(session, _request(name, platform, python, rebuild=False, upload=False), count)


@task(name="list", help={"json": "print JSON"}, engine=False)
def list_wheels(_context: Context, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List the wheels of the catalogue: versions and platforms."""
    from dockerbuild_lib.cli.output import show_rows  # noqa: PLC0415
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415

    catalog = open_session().catalog
    rows = [
        (name, version, recipe.kind, " ".join(catalog.platforms_of(name, version)) if version else "")
        for name, recipe in catalog.wheels.items()
        for version in recipe.versions or [""]  # of a local folder that is not locked yet
    ]
    show_rows((Column("WHEEL"), Column("VERSION"), Column("KIND"), Column("PLATFORMS")), rows, as_json=json)
