"""The tasks ``mirror.*``: list, lock, sync."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import Session, open_session
from dockerbuild_lib.cli.tasks_base import integer_option, task
from dockerbuild_lib.core.errors import DockerbuildError

if TYPE_CHECKING:
    from dockerbuild_lib.images.mirror import Mirror
    from dockerbuild_lib.plan.mirror import UpstreamBase
    from dockerbuild_lib.plan.steps import MirrorWork

_PLATFORM_HELP = "platform whose base images these are, or a pattern; repeatable; default: all"


@task(name="list", help={"platform": _PLATFORM_HELP, "json": "print JSON"}, iterable=["platform"], engine=False)
def list_bases(_context: Context, platform: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002
    """List the images of registries that bases start from: their platforms, pins, and whether the mirror has them."""
    from dockerbuild_lib.cli.output import show_rows  # noqa: PLC0415
    from dockerbuild_lib.report.listing import Column  # noqa: PLC0415

    session = open_session()
    rows = [
        (str(base.reference), ", ".join(base.platforms), base.digest or "", *_kept(session.mirror, base))
        for base in _bases(session, platform)
    ]
    columns = [Column(title) for title in ("BASE", "PLATFORMS", "DIGEST", "STATE", "MIRROR")]
    show_rows(columns, rows, as_json=json)


def _kept(mirror: Mirror | None, base: UpstreamBase) -> tuple[str, str]:
    """Return whether the mirror has an image, and where."""
    from dockerbuild_lib.plan.steps import MirrorWork  # noqa: PLC0415

    if base.digest is None:
        return "not locked", ""
    if mirror is None:
        return "no registry", ""
    work = MirrorWork(base.reference, base.digest)
    return ("mirrored" if mirror.holds(work) else "not mirrored"), str(mirror.place(work))


@task(
    help={"platform": _PLATFORM_HELP, "update": "ask again what the tags are that are locked already"},
    iterable=["platform"],
    engine=False,
)
def lock(_context: Context, platform: list[str], update: bool = False) -> None:  # noqa: FBT001, FBT002
    """Write the digests of the images that bases start from to config/locks, and show what changed."""
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session()
    write_result(sys.stdout, _locked(session, platform, update=update) or "every base image is locked")


def _locked(session: Session, platforms: list[str], *, update: bool) -> str:
    from dockerbuild_lib.images.mirror_lock import lock_bases  # noqa: PLC0415

    changes = lock_bases(session.catalog, _bases(session, platforms), _asked(session).digest_upstream, update=update)
    return "\n".join(map(str, changes))


def _asked(session: Session) -> Mirror:
    """Return what asks upstream, which needs no registry of one's own."""
    from dockerbuild_lib.images.mirror import Mirror  # noqa: PLC0415

    return session.mirror or Mirror("")


@task(
    help={
        "platform": _PLATFORM_HELP,
        "upload": "copy what the mirror lacks; without it, that is only shown",
        "update": "lock what the tags are today before that",
        "jobs": "images to copy at the same time; default: the setting downloads",
    },
    iterable=["platform"],
    engine=False,
)
def sync(
    _context: Context,
    platform: list[str],
    upload: bool = False,  # noqa: FBT001, FBT002
    update: bool = False,  # noqa: FBT001, FBT002
    jobs: str = "",
) -> None:
    """Copy the images that bases start from into one's own registry, by digest; tell which tags have moved."""
    from dockerbuild_lib.images.generate import no_registry  # noqa: PLC0415
    from dockerbuild_lib.plan.mirror import mirror_works  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    session = open_session()
    mirror = session.mirror
    if mirror is None:
        raise no_registry()
    count = integer_option("jobs", jobs) if jobs else session.settings.downloads
    if update and (changed := _locked(session, platform, update=True)):
        write_result(sys.stdout, changed)
        session = open_session()  # with the new lock
    works = mirror_works(_bases(session, platform))
    for work in works if not update else ():
        _tell_of_move(mirror, work)
    if upload:
        _copy(session, mirror, works, count)
    else:
        _show(mirror, works)


def _bases(session: Session, patterns: list[str]) -> tuple[UpstreamBase, ...]:
    from dockerbuild_lib.cli.image import platforms_named  # noqa: PLC0415
    from dockerbuild_lib.plan.mirror import upstream_bases  # noqa: PLC0415

    return upstream_bases(session.catalog, platforms_named(session, patterns))


def _tell_of_move(mirror: Mirror, work: MirrorWork) -> None:
    """Say whether upstream's tag is another image than the one that is locked: it is never taken unasked."""
    try:
        today = mirror.digest_upstream(work.reference)
    except DockerbuildError as error:
        say(f"warning: it is not known whether {work.reference} has moved: {error}")
        return
    if today != work.digest:
        say(f"warning: {work.reference} has moved upstream: {work.digest} -> {today}; --update takes it")


def _show(mirror: Mirror, works: tuple[MirrorWork, ...]) -> None:
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.report.units import byte_size, counted  # noqa: PLC0415

    for work in works:
        survey = mirror.survey(work)
        lacks = f"lacks {counted(len(survey.missing), 'blob')}, {byte_size(survey.missing_bytes)}; --upload copies it"
        told = "is in the mirror" if survey.is_complete else f"the mirror {lacks}"
        write_result(sys.stdout, f"{work.reference}: {told}")


def _copy(session: Session, mirror: Mirror, works: tuple[MirrorWork, ...], count: int) -> None:
    from dockerbuild_lib.cli.running import run_plan_steps  # noqa: PLC0415
    from dockerbuild_lib.plan.mirror import mirror_steps  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415

    lacking = [work for work in works if not _is_complete(mirror, work)]
    if lacking:
        run_plan_steps(session, mirror_steps(lacking), session.workbench().perform, count, count)
    for work in works:
        told = f"copied to {mirror.place(work)}" if work in lacking else "is in the mirror"
        write_result(sys.stdout, f"{work.reference}: {told}")


def _is_complete(mirror: Mirror, work: MirrorWork) -> bool:
    try:
        return mirror.survey(work).is_complete
    except DockerbuildError:
        return False  # its own step says why, and the others' go on
