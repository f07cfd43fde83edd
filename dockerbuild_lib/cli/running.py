"""Running steps for a task: journal, progress, summary, and the error to end with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import Session
from dockerbuild_lib.core.errors import DockerbuildError, InterruptedRunError
from dockerbuild_lib.core.events import Event, ProgressLog
from dockerbuild_lib.plan.steps import Lane, PackageWork, Step

if TYPE_CHECKING:
    from dockerbuild_lib.plan.plan import Plan
    from dockerbuild_lib.report.summary import ArtifactRow


Perform = Callable[[Step, ProgressLog], str]
"""Carries out a step, and returns its result in a few words."""


def run_plan(
    session: Session, plan: Plan, perform: Callable[[], Perform], jobs: int, downloads: int | None = None
) -> None:
    """Run the steps that a plan has to do, if any, and see to it that its sources are shared.

    *perform* makes what carries them out. Raises what :func:`run_plan_steps` and :func:`share_sources` raise.
    """
    from dockerbuild_lib.cli.sharing import share_sources  # noqa: PLC0415

    try:
        if plan.to_do:
            run_plan_steps(session, plan.to_do, perform(), jobs, downloads)
    except InterruptedRunError:
        raise
    except DockerbuildError:
        _share_what_there_is(session, plan)
        raise
    share_sources(session, plan)


def _share_what_there_is(session: Session, plan: Plan) -> None:
    """Share the sources of a run that failed: what it fetched is as good as that of any other."""
    from dockerbuild_lib.cli.sharing import share_sources  # noqa: PLC0415

    try:
        share_sources(session, plan)
    except DockerbuildError as error:
        say(f"warning: {error}")  # the run ends with its own error


def run_plan_steps(
    session: Session, steps: Sequence[Step], perform: Perform, jobs: int, downloads: int | None = None
) -> None:
    """Run steps to their end, *jobs* of them at a time beside the *downloads*; then raise what failed.

    A record of the run is left in the work area. *downloads* are by default as many as the settings say.

    Raises:
        DockerbuildError: a step failed; StepsFailedError when several did, each for another reason.
        InterruptedRunError: the user stopped the run.

    """
    from dockerbuild_lib.execution.executor import ThreadExecutor  # noqa: PLC0415 - only when there is work
    from dockerbuild_lib.execution.journal import Journal  # noqa: PLC0415
    from dockerbuild_lib.execution.logs import quoting_logs  # noqa: PLC0415
    from dockerbuild_lib.execution.scheduler import run_steps  # noqa: PLC0415
    from dockerbuild_lib.report.reporter import reporter_for  # noqa: PLC0415
    from dockerbuild_lib.report.summary import print_summary, summary_document, summary_text  # noqa: PLC0415

    with Journal(session.settings.root, run_id=_run_id(session)) as journal:
        with reporter_for(sys.stderr, total=len(steps)) as reporter:

            def emit(event: Event) -> None:
                reporter(event)  # first, so that a disk too full for the journal is still shown
                journal(event)

            keeping = _keeping(perform, lambda step: journal.step_folder(step.id))
            quoted = quoting_logs(keeping, lambda step: journal.log_path(step.id))
            executor = ThreadExecutor()
            places: dict[str, int] = {Lane.CORES: jobs, Lane.DOWNLOADS: downloads or session.settings.downloads}
            result = run_steps(steps, quoted, places=places, executor=executor, emit=emit, cancel=session.stop)
            executor.close()
        done = {outcome.step for outcome in result.outcomes if outcome.status == "done"}
        artifacts = _artifacts(session, [step for step in steps if step.id in done])
        document = summary_document(result.outcomes, artifacts, result.seconds)
        journal.finish(document, summary_text(result.outcomes, artifacts, result.seconds))
        print_summary(sys.stderr, result.outcomes, artifacts, result.seconds, environ=os.environ)
    result.raise_for_failures()


def _keeping(perform: Perform, folder_of: Callable[[Step], Path]) -> Perform:
    """Return what carries a step out and keeps the container that it had, for ``run --step``."""
    from dockerbuild_lib.containers.keeping import kept_in  # noqa: PLC0415 - only when there is work

    def perform_and_keep(step: Step, log: ProgressLog) -> str:
        with kept_in(folder_of(step)):
            return perform(step, log)

    return perform_and_keep


def _run_id(session: Session) -> str | None:
    """Return the name that the session's containers bear; None when a run of the same task has taken it already."""
    taken = (session.settings.root / "runs" / session.run_id).exists()
    return None if taken else session.run_id


def _artifacts(session: Session, done: Sequence[Step]) -> list[ArtifactRow]:
    from dockerbuild_lib.report.summary import ArtifactRow  # noqa: PLC0415

    rows = []
    for step in done:
        if isinstance(step.work, PackageWork):
            result = session.area.result(step.work.goal)
            rows.append(ArtifactRow(step.id, result.wheel.name, result.size, result.sha256))
    return rows
