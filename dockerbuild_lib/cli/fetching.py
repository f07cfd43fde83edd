"""Fetching sources into the store, as a run of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.running import Perform, run_plan
from dockerbuild_lib.cli.session import Session
from dockerbuild_lib.core.errors import DockerbuildError, LockError
from dockerbuild_lib.core.events import ProgressLog
from dockerbuild_lib.plan.make import plan_fetches
from dockerbuild_lib.plan.source_uses import NeededSource
from dockerbuild_lib.plan.steps import FetchWork, Step
from dockerbuild_lib.report.streams import write_result
from dockerbuild_lib.report.units import byte_size, counted


def fetch_sources(session: Session, sources: Sequence[NeededSource], jobs: int, *, force: bool) -> None:
    """Intern those *sources* that something uses; with *force* fetch them from outside whatever the store has.

    Raises:
        LockError: some of them are not locked; the others are interned all the same.
        DockerbuildError: a source could not be fetched.

    """
    wanted = [source for source in sources if source.uses]
    plan = plan_fetches([source.file for source in wanted if source.file], session.inventory, again=force)
    unlocked = _unlocked_error([source for source in wanted if source.file is None])
    try:
        run_plan(session, plan, lambda: _perform(session, force=force), jobs)
    except DockerbuildError:
        if unlocked:
            say(f"warning: {unlocked}")
        raise
    if unlocked:
        raise unlocked
    done = "fetched again, and as locked" if force else "new"
    write_result(sys.stdout, f"{counted(len(plan.steps), 'source')} in the store, {len(plan.to_do)} {done}")


def _perform(session: Session, *, force: bool) -> Perform:
    # What is compared with its lock comes from outside, and not from the remote store.
    fetcher = session.fetcher_from(session.upstream) if force else session.fetcher

    def perform(step: Step, log: ProgressLog) -> str:
        assert isinstance(step.work, FetchWork)  # noqa: S101 - plan_fetches makes no other steps
        size = byte_size(fetcher.fetch(step.work.file, log, force=force).stat().st_size)
        return f"{size}, as locked" if force else size

    return perform


def _unlocked_error(sources: Sequence[NeededSource]) -> LockError | None:
    if not sources:
        return None
    names = ", ".join(dict.fromkeys(f"{source.name} {source.version}".strip() for source in sources))
    return LockError(f"{counted(len(sources), 'source')} not locked: {names}", fix="run sources.lock")
