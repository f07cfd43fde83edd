"""The tasks ``catalog.*``: check, schema."""

from __future__ import annotations

import sys

from invoke.context import Context

from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task


@task(engine=False)
def check(_context: Context) -> None:
    """Check every file of the catalogue, and show all problems at once."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    catalog = open_session().catalog
    write_result(sys.stdout, f"{len(catalog.wheels)} wheels, {len(catalog.platforms)} platforms: no problem found")


@task(engine=False)
def schema(_context: Context) -> None:
    """Write the JSON Schemas of the catalogue's files to config/schema."""
    from dockerbuild_lib.catalog.schema import write_schemas  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    written = write_schemas(open_session().settings.config_dir / "schema")
    write_result(sys.stdout, "\n".join(map(str, written)))
