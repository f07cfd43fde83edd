"""The tasks ``store.*``: list, describe and fetch here, the others in files of their own."""

from __future__ import annotations

import sys
from base64 import b64encode
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from dockerbuild_lib.cli.output import show_json, show_rows
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.store_diff import diff as diff  # noqa: PLC0414  # a task of this namespace
from dockerbuild_lib.cli.store_export import export as export  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_gc import gc as gc  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_index import rebuild_index as rebuild_index  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_index import unyank as unyank  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_index import yank as yank  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_promote import promote as promote  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_push import push_index as push_index  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_refs import refs as refs  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_serve import serve as serve  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.store_verify import verify as verify  # noqa: PLC0414  # likewise
from dockerbuild_lib.cli.tasks_base import task

if TYPE_CHECKING:
    from dockerbuild_lib.store.protocol import AttachedMetadata, Description, Pin

VERSION_HELP = "a ref (latest, 3.x), a tag (version:3.0.4) or an instance id"


@task(name="list", help={"prefix": "only packages below this path", "json": "print JSON"}, engine=False)
def list_packages(_context: Context, prefix: str = "", json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List the packages of the store with their instances and refs."""
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415

    store = open_session().store
    rows = []
    for package in store.packages(prefix):
        refs = store.refs(package)
        for instance in store.instances(package):
            own = " ".join(ref.ref for ref in refs if ref.instance_id == instance.pin.instance_id)
            versions = [tag.partition(":")[2] for tag in store.tags(instance.pin) if tag.startswith("version:")]
            rows.append((package, " ".join(versions), instance.pin.instance_id, own))
    show_rows((Column("PACKAGE"), Column("VERSION"), Column("INSTANCE"), Column("REFS")), rows, as_json=json)


@task(
    help={"package": "name of the package", "version": f"{VERSION_HELP}; default: latest", "json": "print JSON"},
    engine=False,
)
def describe(_context: Context, package: str, version: str = "latest", json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Show what the store knows of one instance: its id, size, time, tags and refs."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session()
    found = session.store.describe(package, version)
    instance, size = found.instance, _size(session, found.instance.pin)
    if json:
        show_json(_description_record(found, size))
        return
    registered = datetime.fromtimestamp(instance.registered_ts, UTC)
    lines = [
        f"package:     {instance.pin.package}",
        f"instance:    {instance.pin.instance_id}",
        *([] if size is None else [f"size:        {size} bytes"]),
        f"registered:  {registered:%Y-%m-%d %H:%M:%S} UTC by {instance.registered_by}",
        *(f"ref:         {ref.ref}" for ref in found.refs),
        *(f"tag:         {tag.tag}" for tag in found.tags),
        *(f"metadata:    {_metadata_line(each)}" for each in found.metadata),
    ]
    write_result(sys.stdout, "\n".join(lines))


def _size(session: Session, pin: Pin) -> int | None:
    """Return the bytes of a package file; None: a service does not tell."""
    return None if session.settings.service else session.embedded_store.sizes([pin])[pin]


def _description_record(found: Description, size: int | None) -> dict[str, Any]:
    record = asdict(found)
    record["instance"]["size"] = size
    for each, attached in zip(record["metadata"], found.metadata, strict=True):
        each["metadata"]["value"] = b64encode(attached.metadata.value).decode()  # as the cipd client shows it
    return record


def _metadata_line(attached: AttachedMetadata) -> str:
    given = attached.metadata
    return f"{given.key} ({given.content_type}, {len(given.value)} bytes, {attached.fingerprint})"


@task(
    help={
        "package": "name of the package",
        "version": f"{VERSION_HELP}; default: latest",
        "output": "file to write, which must not exist; default: the package's last part, with .cipd",
        "json": "print JSON",
    },
    engine=False,
)
def fetch(
    _context: Context,
    package: str,
    version: str = "latest",
    output: str = "",
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Copy a package file out of the store, after checking its hash."""
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    store = open_session().store
    pin = store.resolve(package, version)
    target = Path(output or f"{package.rpartition('/')[2]}.cipd").absolute()
    if target.exists():
        raise UsageError(f"{target} exists", where="--output", fix="name another file, or remove it")
    store.fetch(pin, target)
    if json:
        show_json({"package": pin.package, "instance_id": pin.instance_id, "file": str(target)})
    else:
        write_result(sys.stdout, f"{pin} -> {target}")
