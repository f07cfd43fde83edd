"""The task ``sources.lock``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from invoke.context import Context

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import integer_option, task
from dockerbuild_lib.core.events import Event, Notice


@task(
    help={
        "name": "wheel, library, or tools; repeatable; default: everything",
        "update": "take the newest build requirements and tools, also where a lock is up to date",
        "cooldown": "days that a release must have been out, 0 for none; default: the setting cooldown_days",
    },
    iterable=["name"],
    engine=False,
)
def lock(_context: Context, name: list[str], update: bool = False, cooldown: str = "") -> None:  # noqa: FBT001, FBT002
    """Write the pins of everything from outside to config/locks, and show what changed."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.sources.cooldown import Cooldown  # noqa: PLC0415
    from dockerbuild_lib.sources.lock import update_locks  # noqa: PLC0415

    session = open_session()
    days = integer_option("cooldown", cooldown, 0) if cooldown else session.settings.cooldown_days
    changes = update_locks(
        session.catalog,
        name,
        update=update,
        emit=_say_notice,
        origins=session.origins,
        cooldown=Cooldown(days, datetime.now(UTC)) if days else None,
    )
    write_result(sys.stdout, "\n".join(map(str, changes)) or "every lock is up to date")


def _say_notice(event: Event) -> None:
    if isinstance(event, Notice):
        say(event.text)
