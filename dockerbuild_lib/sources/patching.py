"""A tree's members with patches applied to them, while they pass.

Not by GNU patch, whose strength is to find a place for a change that does not fit, nor by ``git apply``, which passes
over everything without a word when a git work tree is around it. A patch here is for one source with one sha256: it
fits to the letter, or it is an error. No file is written, so nothing can be left half patched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dockerbuild_lib.catalog.patch_lines import PatchProblem
from dockerbuild_lib.catalog.patch_text import FileChange, parse_patch
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import PatchFailedError, UnsafeArchiveError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.archives import DEFAULT_LIMITS, Kind, Member, OpenArchive, open_archive, read_content
from dockerbuild_lib.sources.patch_apply import MismatchError, changed


class _Change(NamedTuple):
    patch: Path
    change: FileChange

    def failure(self, what: str, fix: str, line: int | None = None) -> PatchFailedError:
        where = f"{self.patch}:{line or self.change.line}"
        return PatchFailedError(f"{self.patch.name} does not apply: {what}", where=where, fix=fix)


def patched_members(opened: OpenArchive, patches: Sequence[Path]) -> Iterator[Member]:
    """Yield the members of an archive as the *patches* leave them, applied one after the other.

    Raises:
        PatchFailedError: a patch does not apply exactly; the message names the file, and the line of the patch.
        UnsafeArchiveError: as :meth:`OpenArchive.members`.

    """
    changes: dict[str, list[_Change]] = {}
    for patch in patches:
        for change in _read(patch):
            changes.setdefault(change.change.path, []).append(change)
    met: set[str] = set()
    for member in opened.members():
        if member.name in changes or (member.kind is Kind.HARD_LINK and member.link in changes):
            met.add(member.name)
            yield from _patched(member, changes)
        else:
            yield member
    for path in sorted(changes.keys() - met):
        yield from _created(opened, path, changes[path])


def read_member(
    archive: Path, name: str, limits: ArchiveLimits = DEFAULT_LIMITS, patches: Sequence[Path] = ()
) -> bytes | None:
    """Return the bytes of the regular file *name* below the top folder, patched; None where there is none.

    Raises:
        UnsafeArchiveError: as :func:`patched_members`, or the file is too large to be read into memory.
        PatchFailedError: as :func:`patched_members`.

    """
    found: bytes | None = None
    with open_archive(archive, limits) as opened:
        for member in patched_members(opened, patches):
            if member.name == name and member.kind is Kind.FILE:
                found = read_content(member)
    return found


def _read(patch: Path) -> Iterator[_Change]:
    try:
        with translated_os_errors(patch):
            content = patch.read_bytes()
        for change in parse_patch(content):
            yield _Change(patch, change)
    except PatchProblem as problem:
        raise PatchFailedError(problem.what, where=f"{patch}:{problem.line}", fix=problem.fix) from problem


def _patched(member: Member, changes: dict[str, list[_Change]]) -> Iterator[Member]:
    """Yield a member of the archive as its changes leave it; nothing when they delete it."""
    first, *_ = own = changes[member.name if member.name in changes else member.link]
    if member.kind is Kind.HARD_LINK:
        # One change would be two, or would part what the archive has as one.
        raise first.failure(f"{member.name} and {member.link} are one file (a hard link)", "change what uses the file")
    if member.kind is not Kind.FILE:
        raise first.failure(f"{member.name} is {member.kind.value}", "name the file itself")
    content = _applied(read_content(member), own)
    if content is not None:
        yield replace(member, size=len(content), content=iter((content,)))


def _created(opened: OpenArchive, path: str, changes: list[_Change]) -> Iterator[Member]:
    """Yield a file that the archive does not have, after folders that it needs; nothing when it is deleted again."""
    content = _applied(None, changes)
    if content is not None:
        mode = 0o755 if any(one.change.executable for one in changes) else 0o644
        try:
            yield from opened.layout.add_inside(Member(path, Kind.FILE, len(content), mode, content=iter((content,))))
        except UnsafeArchiveError as error:
            raise changes[0].failure(error.what, "name another file") from error


def _applied(content: bytes | None, changes: list[_Change]) -> bytes | None:
    for change in changes:
        try:
            content = changed(content, change.change)
        except MismatchError as error:
            raise change.failure(error.what, error.fix, error.line) from error
    return content
