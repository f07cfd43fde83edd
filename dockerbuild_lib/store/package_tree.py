"""What goes into a package: the files and links of a folder, under the rules of CIPD's client."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import UnsafeArchiveError, UsageError
from dockerbuild_lib.core.files import translated_os_errors

SERVICE_FOLDER = ".cipdpkg"
"""Inside a package file: CIPD's own members, the manifest among them."""
SITE_FOLDER = ".cipd"
"""Inside a folder that CIPD deploys to: its own state, never part of a package."""


@dataclass(frozen=True)
class FileMember:
    """A file to be packaged: its bytes are read from *path*."""

    name: str
    path: Path
    executable: bool = False


@dataclass(frozen=True)
class LinkMember:
    """A symbolic link to be packaged."""

    name: str
    target: str


Member = FileMember | LinkMember


def check_member_names(names: Iterable[str]) -> None:
    """Refuse names that would write outside of a folder, or over each other.

    Raises:
        UnsafeArchiveError: a name is absolute, not normalised, not UTF-8, CIPD's own, there twice, or inside
            of another member.

    """
    seen: set[str] = set()
    parents: set[str] = set()
    for name in names:
        _check_member_name(name)
        if name in seen:
            raise UnsafeArchiveError(f"the member {name!r} is there twice")
        seen.add(name)
        parents.update(_parents_of(name))
    if nested := sorted(seen & parents):
        raise UnsafeArchiveError(f"the member {nested[0]!r} is a file and a folder at once")


def _check_member_name(name: str) -> None:
    if not name or name.startswith("/") or "\0" in name or posixpath.normpath(name) != name:
        raise UnsafeArchiveError(f"the member name {name!r} is no clean relative path")
    if name.split("/", 1)[0] in ("..", ".", SERVICE_FOLDER, SITE_FOLDER):
        raise UnsafeArchiveError(f"the member name {name!r} is reserved")
    if not name.isprintable() and any("\ud800" <= char <= "\udfff" for char in name):
        raise UnsafeArchiveError(f"the member name {name!r} is not UTF-8", fix="rename the file")


def _parents_of(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


def scan_tree(folder: Path) -> tuple[Member, ...]:
    """Return all files and links below *folder*, sorted folder by folder.

    As CIPD's client does it: empty folders, sockets and the like are left out, so is ``.cipd`` itself; a link
    into ``.cipd`` becomes the file behind it, an absolute link into *folder* becomes relative.

    Raises:
        UnsafeArchiveError: a relative link leaves *folder*, or a name is not UTF-8.
        UsageError: *folder* is none.
        PermissionDeniedError: a folder may not be read.

    """
    root = folder.resolve()
    if not root.is_dir():
        raise UsageError("there is no such folder to package", where=str(folder))
    with translated_os_errors(root):
        return tuple(_scan(root, root))


def _scan(folder: Path, root: Path) -> Iterator[Member]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink():
            yield _link(path, root)
        elif entry.is_dir():
            if path != root / SITE_FOLDER:
                yield from _scan(path, root)
        elif entry.is_file():
            yield _file(path, path.relative_to(root).as_posix())


def _file(path: Path, name: str) -> FileMember:
    return FileMember(name, path, executable=bool(stat.S_IMODE(path.stat().st_mode) & 0o111))


def _link(path: Path, root: Path) -> Member:
    name = path.relative_to(root).as_posix()
    target = os.readlink(path)  # noqa: PTH115  # Path.readlink would clean the text up
    resolved = os.path.normpath(path.parent / target)
    inside = resolved == str(root) or resolved.startswith(f"{root}/")
    if Path(resolved).is_relative_to(root / SITE_FOLDER):
        return _file(Path(resolved), name)
    if not inside and not target.startswith("/"):
        raise UnsafeArchiveError(f"the link to {target!r} leaves the folder that is packaged", where=str(path))
    if inside and target.startswith("/"):
        target = os.path.relpath(resolved, path.parent)
    return LinkMember(name, target)
