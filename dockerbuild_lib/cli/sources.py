"""The task ``sources.lock``."""

from __future__ import annotations

import sys
from functools import partial

from invoke.context import Context

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task
from dockerbuild_lib.core.events import Event, Notice


@task(
    help={
        "name": "wheel, library, or tools; repeatable; default: everything",
        "update": "take the newest build requirements and tools, also where a lock is up to date",
    },
    iterable=["name"],
    engine=False,
)
def lock(_context: Context, name: list[str], update: bool = False) -> None:  # noqa: FBT001, FBT002
    """Write the pins of everything from outside to config/locks, and show what changed."""
    from dockerbuild_lib.cli.backends import open_backends  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.sources.lock import update_locks  # noqa: PLC0415

    session = open_session()
    changes = update_locks(
        session.catalog,
        name,
        update=update,
        emit=_say_notice,
        origins=session.origins,
        backends=partial(open_backends, session),
        keep=session.fetcher.keep,
    )
    write_result(sys.stdout, "\n".join(map(str, changes)) or "every lock is up to date")


def _say_notice(event: Event) -> None:
    if isinstance(event, Notice):
        say(event.text)
