"""The task ``store.refs``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.output import show_json
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from dockerbuild_lib.store.ref_check import WrongRef


@task(
    help={
        "check": "name the refs that are wrong, and change nothing",
        "fix": "move them to where they should point",
        "prefix": "only packages below this path; default: infra/python/wheels",
        "json": "print JSON",
    },
    engine=False,
)
def refs(
    _context: Context,
    check: bool = False,  # noqa: FBT001, FBT002
    fix: bool = False,  # noqa: FBT001, FBT002
    prefix: str = "",
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Compare latest and the series refs with the published versions; with --fix move those that are wrong."""
    from dockerbuild_lib.core.errors import StoreDamagedError, UsageError  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.store.ref_check import WITH_REFS, wrong_refs  # noqa: PLC0415

    if check == fix:
        raise UsageError("store.refs does one of two things", fix="give --check or --fix")
    session = open_session()
    wrong = wrong_refs(session.store, prefix or WITH_REFS)
    if fix:
        _move(session, wrong)
    if json:
        show_json([asdict(each) for each in wrong])
    else:
        told = [f"{each}{_outcome(session, each) if fix else ''}" for each in wrong]
        write_result(sys.stdout, "\n".join(told) or "every ref points to where the versions say")
    if wrong and check:
        raise StoreDamagedError(
            f"wrong refs: {len(wrong)}", where=session.store_place, fix="store.refs --fix moves them"
        )


def _move(session: Session, wrong: Sequence[WrongRef]) -> None:
    """Point each ref to where it should; one that should not be there only a store in a folder can remove."""
    from dockerbuild_lib.store.protocol import Pin  # noqa: PLC0415

    if session.settings.service is None:
        for package in sorted({each.package for each in wrong}):
            session.embedded_store.repair_refs(package)
        return
    for each in wrong:
        if each.expected is not None:
            session.store.set_refs(Pin(each.package, each.expected), [each.ref])


def _outcome(session: Session, fixed: WrongRef) -> str:
    if session.settings.service is None or fixed.expected is not None:
        return "; fixed"
    return "; left as it is, for the cipd client removes no refs"
