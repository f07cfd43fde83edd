"""The task ``doctor``: what this installation has, what it lacks, and how to mend it. It changes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import task
from dockerbuild_lib.core.errors import DockerbuildError, OfflineError, ToolMissingError

if TYPE_CHECKING:
    from dockerbuild_lib.core.findings import Finding

BINFMT = Path("/proc/sys/fs/binfmt_misc")
_NO_PLATFORM, _NO_KEY = "nothing", "0" * 64
"""There is no such image: a registry that says so has let us ask."""


@task(engine=False, help={"json": "print JSON"})
def doctor(_context: Context, json: bool = False) -> None:  # noqa: FBT001, FBT002
    """Show what this installation has, what it lacks, and how to mend that."""
    from dockerbuild_lib.cli.output import show_json  # noqa: PLC0415
    from dockerbuild_lib.report.findings_view import findings_document, render_findings  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    findings = tuple(_examined(open_session()))
    if json:
        show_json(findings_document(findings))
    else:
        write_result(sys.stdout, render_findings(findings))
    for each in findings:
        if each.error is not None:
            raise Exit(code=each.error.exit_code)


def _examined(session: Session) -> Iterator[Finding]:
    from dockerbuild_lib.containers.examination import examine_engine, space  # noqa: PLC0415

    yield from examine_engine(session.engine)
    yield _emulation()
    yield space("work area's disk", session.settings.root, "set root in invoke.yaml to a larger disk")
    yield _program("git", "sources from git need it")
    yield _program("mmdebstrap", "making a base image needs it")
    yield _cipd_client(session)
    yield _registry(session)


def _emulation() -> Finding:
    """Return what is known of QEMU; a remote engine's machine is not looked at, for nothing depends on it."""
    from dockerbuild_lib.core.findings import Finding  # noqa: PLC0415

    registered = sorted(path.name for path in BINFMT.glob("qemu-*"))
    here = f"this machine also has {', '.join(registered)}" if registered else "this machine has none, and needs none"
    return Finding("emulation", "ok", f"images bring the target's emulator (QEMU); of binfmt_misc {here}")


def _program(program: str, purpose: str) -> Finding:
    from dockerbuild_lib.core.findings import Finding  # noqa: PLC0415
    from dockerbuild_lib.core.machine import can_install_packages, find_program  # noqa: PLC0415

    path = find_program(program)
    if path is not None:
        return Finding(program, "ok", path)
    if can_install_packages():
        return Finding(program, "ok", f"not installed; {purpose}, and it is installed then")
    return Finding(program, "note", f"not installed; {purpose}", f"sudo apt-get install {program}")


def _cipd_client(session: Session) -> Finding:
    from dockerbuild_lib.core.findings import Finding  # noqa: PLC0415
    from dockerbuild_lib.store.cipd.client import CipdClient  # noqa: PLC0415

    settings = session.settings
    remote = settings.remote_store or ""
    service = settings.service or (remote if "://" in remote else None)
    if service is None:
        return Finding("cipd client", "ok", "not needed: the stores are folders")
    try:
        return Finding("cipd client", "ok", CipdClient(settings.cipd_client, service, os.environ).path())
    except ToolMissingError as error:
        return Finding.problem("cipd client", error)


def _registry(session: Session) -> Finding:
    """Return whether the registry of the images, where there is one, lets this user read."""
    from dockerbuild_lib.core.findings import Finding  # noqa: PLC0415

    if session.registry is None:
        return Finding("registry", "ok", "none is configured; images are made here")
    try:
        session.registry.holds(_NO_PLATFORM, _NO_KEY)
    except OfflineError:
        return Finding("registry", "note", f"{session.registry.address} was not asked: connections are forbidden")
    except DockerbuildError as error:
        return Finding.problem("registry", error)
    return Finding("registry", "ok", f"{session.registry.address} answers, and lets this user read")
