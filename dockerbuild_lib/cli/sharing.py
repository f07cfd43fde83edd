"""Sources and the store that a team shares: published to it when a run ends, or named where it lacks them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import Session
from dockerbuild_lib.cli.source_places import SourcePlaces, find_places
from dockerbuild_lib.core.errors import DockerbuildError

if TYPE_CHECKING:
    from dockerbuild_lib.execution.results import StepOutcome
    from dockerbuild_lib.plan.plan import Plan
    from dockerbuild_lib.plan.steps import Step

_NAMED = 8
"""More sources than these are only counted."""


def share_sources(session: Session, plan: Plan) -> None:
    """Publish the sources of a plan that was carried out, where that was asked for; else warn of those not shared.

    Publishing goes for all sources of the plan, also where nothing was to do: so it completes what an earlier run
    was stopped in. Only of what the run itself used is warned.

    Raises:
        DockerbuildError: a source could not be published; the others were.

    """
    if session.upload_sources:
        _publish(session, _places(session, (planned.step for planned in plan.steps)))
    elif session.settings.remote_store is not None and plan.to_do:
        try:
            _warn_of_unshared(session, _places(session, plan.to_do))
        except DockerbuildError as error:
            say(f"warning: the remote store could not be asked for sources: {error}")


def _places(session: Session, steps: Iterable[Step]) -> SourcePlaces:
    from dockerbuild_lib.plan.pinned_files import pinned_files  # noqa: PLC0415

    return find_places(session, {file.sha256: file for step in steps for _, file in pinned_files(step.work)})


def _warn_of_unshared(session: Session, places: SourcePlaces) -> None:
    if places.only_here:
        told = _named(places, places.only_here)
        say(f"warning: {session.settings.remote_store} lacks {told}; --upload-sources publishes them")


def _publish(session: Session, places: SourcePlaces) -> None:
    from dockerbuild_lib.execution.results import RunResult  # noqa: PLC0415
    from dockerbuild_lib.report.units import counted  # noqa: PLC0415

    outcomes = tuple(_published(session, places, sha256) for sha256 in places.only_here)
    number = counted(sum(outcome.status == "done" for outcome in outcomes), "source")
    say(f"{number} published to {session.settings.remote_store}, {len(places.there)} there already")
    if places.nowhere:
        say(f"warning: neither store has {_named(places, places.nowhere)}; sources.fetch brings them")
    RunResult(outcomes, 0.0).raise_for_failures()


def _published(session: Session, places: SourcePlaces, sha256: str) -> StepOutcome:
    from dockerbuild_lib.execution.results import StepOutcome  # noqa: PLC0415

    begun = time.monotonic()
    name = f"publish {places.files[sha256].filename}"
    try:
        session.shared_sources.publish(session.local_store, places.here[sha256])
    except DockerbuildError as error:
        return StepOutcome(name, "failed", time.monotonic() - begun, str(error), error)
    return StepOutcome(name, "done", time.monotonic() - begun, "")


def _named(places: SourcePlaces, sha256s: Iterable[str]) -> str:
    """Return how many sources these are, and the first of them: ``12 sources: a, b, ... and 4 more``."""
    from dockerbuild_lib.report.units import counted  # noqa: PLC0415

    names = sorted(places.files[sha256].filename for sha256 in sha256s)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{counted(len(names), 'source')} of this run ({', '.join(names[:_NAMED])}{more})"
