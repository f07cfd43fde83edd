"""The task ``store.export``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from invoke.context import Context

from dockerbuild_lib.cli.output import show_json, show_rows
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import task

ALL_WHEELS = "infra/python/wheels/*"


@task(
    help={
        "output": "folder to make, or an empty one",
        "package": f"package or pattern, with @VERSION unless it is latest; repeatable; default: {ALL_WHEELS}",
        "platform": "CIPD platform (linux-arm64) or pattern; repeatable; default: all",
        "copy": "copy the package files too, so that the store is not needed",
        "json": "print JSON",
    },
    iterable=["package", "platform"],
    engine=False,
)
def export(
    _context: Context,
    output: str,
    package: list[str],
    platform: list[str],
    copy: bool = False,  # noqa: FBT001, FBT002
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Write what a cipd client needs to deploy packages with no service: an ensure file and their resolved versions."""
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.store.export import ENSURE_FILE, export_deployments, select_deployments  # noqa: PLC0415
    from dockerbuild_lib.store.names import split_package_version  # noqa: PLC0415

    store, folder = open_session().embedded_store, Path(output).absolute()
    wanted = [split_package_version(text) for text in package or (ALL_WHEELS,)]
    deployments = select_deployments(store, wanted, platform)
    export_deployments(store, deployments, folder, copy=copy)
    rows = [(each.pin.package, each.version, each.pin.instance_id) for each in deployments]
    cache = folder if copy else store.folder
    offline = ("-read-only-cache-dir", str(cache), "-disable-network")
    command = ("cipd", "ensure", "-ensure-file", str(folder / ENSURE_FILE), "-root", "SITE", *offline)
    if json:
        packages = [dict(zip(("package", "version", "instance"), row, strict=True)) for row in rows]
        show_json({"packages": packages, "command": command})
        return
    show_rows((Column("PACKAGE"), Column("VERSION"), Column("INSTANCE")), rows, as_json=False)
    write_result(sys.stdout, f"deploy with: {shlex.join(command)}")
