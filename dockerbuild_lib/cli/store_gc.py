"""The task ``store.gc``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.output import show_json, show_rows
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import integer_option, task

if TYPE_CHECKING:
    from dockerbuild_lib.store.keep import Garbage, Keep

DAY = 24 * 60 * 60


@task(
    help={
        "keep": "package or pattern to keep, of all its instances or with @TAG or @INSTANCE; repeatable",
        "days": "keep what was registered in so many last days; default: 1",
        "delete": "remove it; without this nothing is changed",
        "json": "print JSON",
    },
    iterable=["keep"],
    engine=False,
)
def gc(
    _context: Context,
    keep: list[str],
    days: str = "1",
    delete: bool = False,  # noqa: FBT001, FBT002
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Show what nothing in the store needs any more, with its size; with --delete remove it."""
    session = open_session()
    wanted = _keep(session, keep, integer_option("days", days, minimum=0))
    garbage = session.embedded_store.gc(wanted, delete=delete)
    if json:
        show_json(_record(garbage, delete=delete))
    else:
        _show(garbage, delete=delete)


def _keep(session: Session, named: list[str], days: int) -> Keep:
    from dockerbuild_lib.plan.reach import catalog_versions, locked_sha256s  # noqa: PLC0415
    from dockerbuild_lib.store.keep import Keep  # noqa: PLC0415
    from dockerbuild_lib.store.names import split_package_version  # noqa: PLC0415
    from dockerbuild_lib.store.protocol import TagQuery  # noqa: PLC0415

    versions = catalog_versions(session.catalog)
    parts = [split_package_version(text, "") for text in named]
    _refuse_unknown([package for package, _version in parts], session.embedded_store.packages())
    return Keep(
        versions=frozenset(TagQuery(each.package, f"version:{each.version}") for each in versions),
        tags=frozenset(f"sha256:{sha256}" for sha256 in locked_sha256s(session.catalog.locks)),
        named=tuple((package, version or None) for package, version in parts),
        registered_since=time.time() - days * DAY,
    )


def _refuse_unknown(patterns: Iterable[str], packages: tuple[str, ...]) -> None:
    """Refuse what keeps nothing: with a slip in it, it would let go what it was to keep."""
    from dockerbuild_lib.catalog.suggestions import suggestion  # noqa: PLC0415
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415

    for pattern in patterns:
        if not any(fnmatchcase(package, pattern) for package in packages):
            raise UsageError(f"no package is called {pattern!r}", where="--keep", fix=suggestion(pattern, packages))


def _show(garbage: Garbage, *, delete: bool) -> None:
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.report.units import byte_size, counted  # noqa: PLC0415

    rows = [
        (each.pin.package, " ".join(_versions(each.tags)), each.pin.instance_id, byte_size(each.size))
        for each in garbage.instances
    ]
    rows += [(str(each.path), "left over", "", byte_size(each.size)) for each in garbage.leftovers]
    columns = (Column("PACKAGE"), Column("VERSION"), Column("INSTANCE"), Column("SIZE", "right"))
    show_rows(columns, rows, as_json=False)
    told = f"{counted(len(garbage.instances), 'instance')}, {counted(len(garbage.leftovers), 'file')} left over"
    done = "removed" if delete else "to remove with --delete"
    write_result(sys.stdout, f"{done}: {told}, {byte_size(garbage.size)}")


def _versions(tags: tuple[str, ...]) -> list[str]:
    return [tag.partition(":")[2] for tag in tags if tag.startswith("version:")]


def _record(garbage: Garbage, *, delete: bool) -> dict[str, object]:
    instances = [
        {
            "package": each.pin.package,
            "instance_id": each.pin.instance_id,
            "tags": each.tags,
            "wheels": each.wheels,
            "size": each.size,
        }
        for each in garbage.instances
    ]
    leftovers = [{"file": str(each.path), "size": each.size} for each in garbage.leftovers]
    return {"deleted": delete, "size": garbage.size, "instances": instances, "leftovers": leftovers}
