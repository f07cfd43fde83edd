"""The tasks of the simple index: ``store.yank``, ``store.unyank``, ``store.rebuild-index``."""

from __future__ import annotations

import sys

from invoke.context import Context

from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

YANK_HELP = {
    "package": "a package of the store, or a distribution: all its packages",
    "version": "the version that they were published with, such as 3.0.4",
}


@task(help=YANK_HELP | {"reason": "what installers say to those who take it all the same"}, engine=False)
def yank(_context: Context, package: str, version: str, reason: str = "") -> None:
    """Mark the wheels of a version as not to be taken by pip and uv, unless they are asked for it (PEP 592)."""
    from dockerbuild_lib.store.yanking import check_reason  # noqa: PLC0415

    _mark(package, version, check_reason(reason))


@task(help=YANK_HELP, engine=False)
def unyank(_context: Context, package: str, version: str) -> None:
    """Take a yank back."""
    _mark(package, version, None)


def _mark(package: str, version: str, reason: str | None) -> None:
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.store.yanking import wheels_of_version  # noqa: PLC0415

    store = open_session().embedded_store
    wheels = wheels_of_version(store, package, version)
    store.yank([wheel.filename for wheel in wheels], reason)
    done = "no longer yanked" if reason is None else "yanked"
    write_result(sys.stdout, "\n".join(f"{wheel.filename}: {done}" for wheel in wheels))


@task(name="rebuild-index", engine=False)
def rebuild_index(_context: Context) -> None:
    """Make the index that pip and uv read again: its pages from the store, its wheels from their packages."""
    from dockerbuild_lib.core.errors import StoreDamagedError  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.report.units import counted  # noqa: PLC0415

    store = open_session().embedded_store
    lost = store.rebuild_simple_index()
    if lost:
        raise StoreDamagedError(
            f"the rest is made again, but {counted(len(lost), 'wheel')} lies in no package: {', '.join(lost)}",
            where=str(store.simple_index.folder),
            fix="publish them again",
        )
    write_result(sys.stdout, f"{store.simple_index.folder}: {counted(len(store.wheels()), 'wheel')}")
