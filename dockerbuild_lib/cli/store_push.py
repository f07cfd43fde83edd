"""The task ``store.push-index``."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from dockerbuild_lib.store.protocol import PublishedWheel


@task(
    name="push-index",
    help={
        "url": "address that takes uploads, or its name in .pypirc",
        "name": "distribution or pattern; repeatable; default: all",
        "pages": "address of the index's simple pages; default: URL/simple/",
    },
    iterable=["name"],
    engine=False,
)
def push_index(_context: Context, url: str, name: list[str], pages: str = "") -> None:
    """Upload the store's wheels to another package index, as twine does; what is there already is left alone."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.wheels.pushing import Pusher  # noqa: PLC0415
    from dockerbuild_lib.wheels.remote_index import RemoteIndex  # noqa: PLC0415

    store = open_session().embedded_store
    wheels = _selected(store.wheels(), name)
    index = RemoteIndex(url, pages, interactive=sys.stdin.isatty())
    try:
        place_of = store.simple_index.place_of
        Pusher(index, place_of, say=partial(write_result, sys.stdout)).push(wheels)
    finally:
        index.close()


def _selected(wheels: tuple[PublishedWheel, ...], patterns: list[str]) -> list[PublishedWheel]:
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    from dockerbuild_lib.catalog.suggestions import suggestion  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    projects = sorted({wheel.project for wheel in wheels})
    for pattern in patterns:
        if not any(fnmatchcase(project, canonicalize_name(pattern)) for project in projects):
            raise UsageError(f"no wheel of {pattern!r} is published", where="--name", fix=suggestion(pattern, projects))
    wanted = [str(canonicalize_name(pattern)) for pattern in patterns] or ["*"]
    return [wheel for wheel in wheels if any(fnmatchcase(wheel.project, pattern) for pattern in wanted)]
