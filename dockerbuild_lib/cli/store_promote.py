"""The task ``store.promote``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.output import show_json
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from dockerbuild_lib.store.promotion import Promotion


@task(
    help={
        "to": "the other store: a folder that exists, or the address of a CIPD service",
        "package": "package or pattern, with @VERSION unless it is latest; repeatable",
        "json": "print JSON",
    },
    iterable=["package"],
    engine=False,
)
def promote(_context: Context, to: str, package: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Copy packages to another store, byte for byte, with tags, refs, metadata and their wheels in the index."""
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.store.names import split_package_version  # noqa: PLC0415
    from dockerbuild_lib.store.promotion import promote as copied  # noqa: PLC0415
    from dockerbuild_lib.store.promotion import select_pins  # noqa: PLC0415

    if not package:
        raise UsageError(
            "it is not said which packages", where="--package", fix="'infra/python/wheels/*' means all wheels"
        )
    session = open_session()
    source, target = session.embedded_store, session.store_at(to, "--to")
    pins = select_pins(source, map(split_package_version, package))
    done = list(copied(source, source.simple_index, target, pins))
    if json:
        show_json([_document(each) for each in done if each.error is None])
    else:
        write_result(sys.stdout, "\n".join(_line(each) for each in done if each.error is None))
    _raise_failures(done)


def _line(done: Promotion) -> str:
    refs = done.published.moved_refs if done.published else ()
    new = "copied" if done.published and done.published.is_new else "there already"
    return f"{done.pin}: {new}, refs moved: {', '.join(refs) or 'none'}"


def _document(done: Promotion) -> dict[str, object]:
    published = done.published
    return {
        "package": done.pin.package,
        "instance": done.pin.instance_id,
        "new": bool(published and published.is_new),
        "refs": list(published.moved_refs) if published else [],
    }


def _raise_failures(done: list[Promotion]) -> None:
    """Raise the one error that there was, or one for all."""
    from dockerbuild_lib.core.errors import StepsFailedError  # noqa: PLC0415

    errors = [each.error for each in done if each.error is not None]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        told = "\n".join(f"  {error}" for error in errors)
        raise StepsFailedError(f"{len(errors)} packages were not copied:\n{told}")
