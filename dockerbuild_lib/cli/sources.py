"""The tasks ``sources.*``: list, lock, fetch, verify, why."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.output import show_json
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import UPLOAD_SOURCES_HELP, integer_option, task

if TYPE_CHECKING:
    from dockerbuild_lib.core.events import Event
    from dockerbuild_lib.plan.source_uses import NeededSource

_USERS = "wheel, NAME==VERSION, library, python3.13, images or tools whose sources these are, or a pattern; repeatable"


@task(name="list", help={"name": f"{_USERS}; default: all", "json": "print JSON"}, iterable=["name"], engine=False)
def list_sources(_context: Context, name: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List every source of the wheels, libraries and images, and where it is."""
    from dockerbuild_lib.cli.source_places import find_places  # noqa: PLC0415
    from dockerbuild_lib.report.source_views import SourceRow, render_sources, sources_document  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session()
    sources = _selected(session, name)
    places = find_places(session, {source.file.sha256: source.file for source in sources if source.file})
    asked = session.settings.remote_store is not None
    rows = [
        SourceRow(source, interned=sha256 in places.here, shared=sha256 in places.there if asked else None)
        for source in sources
        for sha256 in [source.file.sha256 if source.file else ""]
    ]
    if json:
        show_json(sources_document(rows))
    else:
        write_result(sys.stdout, render_sources(rows))


def _selected(session: Session, names: list[str]) -> tuple[NeededSource, ...]:
    from dockerbuild_lib.plan.source_search import select_sources  # noqa: PLC0415
    from dockerbuild_lib.plan.source_uses import needed_sources  # noqa: PLC0415

    return select_sources(needed_sources(session.catalog), names)


@task(
    help={
        "name": "wheel, library, pythons, images or tools; repeatable; default: everything",
        "update": "take the newest build requirements and tools, also where a lock is up to date",
        "cooldown": "days that a release must have been out, 0 for none; default: the setting cooldown_days",
    },
    iterable=["name"],
    engine=False,
)
def lock(_context: Context, name: list[str], update: bool = False, cooldown: str = "") -> None:  # noqa: FBT001, FBT002
    """Write the pins of everything from outside to config/locks, and show what changed."""
    from dockerbuild_lib.cli.backends import open_backends  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.sources.cooldown import Cooldown  # noqa: PLC0415
    from dockerbuild_lib.sources.lock import Locking, update_locks  # noqa: PLC0415

    session = open_session()
    days = integer_option("cooldown", cooldown, 0) if cooldown else session.settings.cooldown_days
    changes = update_locks(
        session.catalog,
        name,
        Locking(
            backends=partial(open_backends, session),
            origins=session.origins,
            update=update,
            cooldown=Cooldown(days, datetime.now(UTC)) if days else None,
            emit=_say_notice,
        ),
    )
    write_result(sys.stdout, "\n".join(map(str, changes)) or "every lock is up to date")


def _say_notice(event: Event) -> None:
    from dockerbuild_lib.core.events import Notice  # noqa: PLC0415

    if isinstance(event, Notice):
        say(event.text)


@task(
    help={
        "name": f"{_USERS}; or --all",
        "all": "the sources of the whole catalogue",
        "force": "download also what is in the store, and compare it with the lock",
        "jobs": "downloads at the same time; default: the setting downloads",
        "upload_sources": UPLOAD_SOURCES_HELP,
    },
    iterable=["name"],
    engine=False,
)
def fetch(
    _context: Context,
    name: list[str],
    all: bool = False,  # noqa: A002, FBT001, FBT002
    force: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",
    upload_sources: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Bring sources into the store, so that they are not needed from outside again."""
    from dockerbuild_lib.cli.fetching import fetch_sources  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    if all == bool(name):
        what = "both --name and --all are given" if all else "it is not said which sources"
        raise UsageError(what, fix="give --name=NAME for those of a wheel or library, or --all")
    session = open_session(upload_sources=upload_sources)
    count = integer_option("jobs", jobs) if jobs else session.settings.downloads
    fetch_sources(session, _selected(session, name), count, force=force)


@task(help={"json": "print JSON"}, engine=False)
def verify(_context: Context, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Read every interned source again, and name what is damaged, and what the catalogue needs and is not there."""
    from dockerbuild_lib.core.errors import StoreDamagedError  # noqa: PLC0415
    from dockerbuild_lib.report.source_checks import check_document, render_check  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.store.sources_check import check_sources  # noqa: PLC0415
    from dockerbuild_lib.store.sources_packages import interned  # noqa: PLC0415

    session = open_session()
    needed = [source for source in _selected(session, []) if source.uses]
    found = check_sources(session.local_store)
    here = interned(session.local_store, {source.file.sha256 for source in needed if source.file})
    missing = [source for source in needed if source.file is None or source.file.sha256 not in here]
    if json:
        show_json(check_document(found, missing))
    else:
        write_result(sys.stdout, render_check(found, missing))
    if found.damages:
        what = f"{len(found.damages)} of {found.sources} interned sources are damaged"
        raise StoreDamagedError(what, where=str(session.settings.store), fix="sources.fetch --force brings them again")


@task(help={"source": "its name, its file name, or how its sha256 starts", "json": "print JSON"}, engine=False)
def why(_context: Context, source: str, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Show what uses a source: wheels, build requirements, libraries, images."""
    from dockerbuild_lib.plan.source_search import find_sources  # noqa: PLC0415
    from dockerbuild_lib.report.source_views import render_uses, source_document  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    found = find_sources(_selected(open_session(), []), source)
    if json:
        show_json([source_document(each) for each in found])
    else:
        write_result(sys.stdout, render_uses(found))
