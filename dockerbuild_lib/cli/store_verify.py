"""The task ``store.verify``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from dockerbuild_lib.store.local import LocalStore
    from dockerbuild_lib.store.protocol import Damage, Quarantined


@task(engine=False)
def verify(_context: Context) -> None:
    """Read everything in the store again, name what is damaged, and take damaged packages out of it."""
    from dockerbuild_lib.core.errors import PermissionDeniedError  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session()
    where = session.store_place
    if session.settings.service is not None:
        _refuse_damaged([_shown(damage) for damage in session.store.verify()], where)
        write_result(sys.stdout, f"{where}: every package is whole")
        return
    store = session.embedded_store
    with suppress(PermissionDeniedError):
        for pin in store.reinstate():
            write_result(sys.stdout, f"{pin}: its file is whole again, so it is back")
    _refuse_damaged([_told(store, damage) for damage in store.verify()], where)
    write_result(sys.stdout, "\n".join((*_in_quarantine(store.quarantined()), f"{where}: every package is whole")))


def _refuse_damaged(told: Sequence[str], where: str) -> None:
    from dockerbuild_lib.core.errors import StoreDamagedError  # noqa: PLC0415

    if told:
        raise StoreDamagedError(f"{len(told)} damaged:\n" + "\n".join(told), where=where)


def _shown(damage: Damage) -> str:
    return f"{', '.join(map(str, damage.pins)) or 'the store'}: {damage.problem}"


def _told(store: LocalStore, damage: Damage) -> str:
    """Take a damaged package out of the store, and say what is damaged, and what is done or to do about it."""
    from dockerbuild_lib.core.errors import PermissionDeniedError  # noqa: PLC0415
    from dockerbuild_lib.store.protocol import Part  # noqa: PLC0415

    advice = {
        Part.INSTANCE: "moved to quarantine; fetching, building or publishing it again brings it back",
        Part.WHEEL: "store.rebuild-index makes it again",
        Part.PAGE: "store.rebuild-index makes it again",
        Part.INDEX: "put it back from a copy",
        Part.STRAY: "store.gc --delete removes it, once it is a day old",
    }[damage.part]
    if damage.part is Part.INSTANCE:
        try:
            for pin in damage.pins:
                store.quarantine(pin, damage.problem)
        except PermissionDeniedError:
            advice = "it stays where it is, for the store may not be written"
    return f"{_shown(damage)}; {advice}"


def _in_quarantine(instances: Sequence[Quarantined]) -> list[str]:
    return [
        f"{each.pin}: in quarantine since {datetime.fromtimestamp(each.quarantined_ts, UTC):%Y-%m-%d}: {each.problem}"
        for each in instances
    ]
