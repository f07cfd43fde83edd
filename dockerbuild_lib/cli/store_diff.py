"""The task ``store.diff``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.output import show_json
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from dockerbuild_lib.store.protocol import Store

SIDE_HELP = "PACKAGE@VERSION (latest without one), or a package file"


@task(help={"first": SIDE_HELP, "second": SIDE_HELP, "json": "print JSON"}, engine=False)
def diff(_context: Context, first: str, second: str, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Compare two packages member by member, and inside of the wheels that they hold."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.wheels.compare_packages import compare_packages  # noqa: PLC0415

    store = open_session().store
    with _package_file(store, first) as a, _package_file(store, second) as b:
        differences = compare_packages(a, b)
    if json:
        show_json({"identical": not differences, "differences": [asdict(each) for each in differences]})
    else:
        write_result(sys.stdout, "\n".join(map(str, differences)) or "identical")


@contextmanager
def _package_file(store: Store, side: str) -> Iterator[Path]:
    """Yield the file that an option means: one that exists, else a package's."""
    from dockerbuild_lib.store.names import split_package_version  # noqa: PLC0415

    if Path(side).is_file():
        yield Path(side)
        return
    with store.opened(store.resolve(*split_package_version(side))) as file:
        yield file
