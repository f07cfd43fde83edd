"""The tasks ``catalog.*``: check, names, schema."""

from __future__ import annotations

import sys

from invoke.context import Context

from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task
from dockerbuild_lib.cli.wheel import SELECTION_HELP


@task(engine=False)
def check(_context: Context) -> None:
    """Check every file of the catalogue, and show all problems at once."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    catalog = open_session().catalog
    write_result(sys.stdout, f"{len(catalog.wheels)} wheels, {len(catalog.platforms)} platforms: no problem found")


@task(help=SELECTION_HELP | {"json": "print JSON"}, iterable=["name", "platform", "python"], engine=False)
def names(
    _context: Context,
    name: list[str],
    platform: list[str],
    python: list[str],
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Show what wheels are called: package, tags, the wheel's true file name, and its name inside the package."""
    from dockerbuild_lib.cli.output import show_json, show_rows  # noqa: PLC0415
    from dockerbuild_lib.plan.request import Request, select  # noqa: PLC0415
    from dockerbuild_lib.plan.wheel_names import wheel_names  # noqa: PLC0415
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415

    catalog = open_session().catalog
    found = [
        wheel_names(catalog, chosen.distribution, chosen.version, target)
        for chosen in select(Request(tuple(name), tuple(platform), tuple(python)), catalog)
        for target in chosen.targets or (None,)
    ]
    if json:
        fields = ("package", "tags", "filename", "packaged_filename")
        show_json([{field: getattr(each, field) for field in fields} for each in found])
        return
    rows = [(each.package, " ".join(each.tags), each.filename, each.packaged_filename) for each in found]
    show_rows((Column("PACKAGE"), Column("TAGS"), Column("FILE"), Column("PACKAGED AS")), rows, as_json=False)


@task(engine=False)
def schema(_context: Context) -> None:
    """Write the JSON Schemas of the catalogue's files to config/schema."""
    from dockerbuild_lib.catalog.schema import write_schemas  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    written = write_schemas(open_session().settings.config_dir / "schema")
    write_result(sys.stdout, "\n".join(map(str, written)))
