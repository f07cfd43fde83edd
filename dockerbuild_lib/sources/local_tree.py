"""The files of a folder of this machine, as entries of an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.git_program import Git, GitFailedError
from dockerbuild_lib.sources.tree_archive import TreeEntry, TreeFile, TreeLink

_NEVER = (".git", "__pycache__")
_JUNK = (
    *_NEVER,
    *(".hg", ".svn", ".bzr", ".DS_Store"),
    *("*.pyc", "*.pyo", "*.egg-info", "*.dist-info", ".eggs"),
    *(".*_cache", ".hypothesis", ".tox", ".nox", ".coverage", ".dockerbuild"),
    *("*~", ".*.swp", "#*#"),
)
"""What is made beside a source and is none, where there is no git to say so."""
_VENV_MARK = "pyvenv.cfg"


def local_tree(folder: Path, git: Git) -> list[TreeEntry]:
    """Return the files and links of *folder* as they are now.

    In a git work tree these are the files that git tracks, with the changes that are not committed yet, and those of
    its submodules. Elsewhere they are all but caches, byte code, virtual environments and the like.

    Raises:
        LockError: there is no such folder, git tracks nothing in it, a submodule of it has no files, or it holds a
            device, pipe or socket.
        PermissionDeniedError: a file may not be read.

    """
    if not folder.is_dir():
        raise LockError("there is no such folder", where=str(folder), fix="correct 'folder' in the recipe")
    with translated_os_errors(folder):
        return [entry for path in _paths(folder, git) for entry in _entry(folder, path)]


def _paths(folder: Path, git: Git) -> Iterator[str]:
    tracked = _tracked(folder, git)
    if tracked is None:
        return _all_files(folder)
    if not tracked:
        raise LockError("git tracks no file in it", where=str(folder), fix="run git add there")
    return (path for path in tracked if not any(part in _NEVER for part in path.split("/")))


def _tracked(folder: Path, git: Git) -> list[str] | None:
    """Return the files that git tracks below *folder*; None where no git work tree is around it."""
    if not any((parent / ".git").exists() for parent in (folder, *folder.resolve().parents)):
        return None
    try:
        listed = git.read(folder, "ls-files", "-z", "--cached", "--recurse-submodules", "--", ".")
    except GitFailedError as error:
        raise LockError(f"git cannot tell its files: {error}", where=str(folder), fix="try git status there") from error
    return sorted({os.fsdecode(name) for name in listed.split(b"\0") if name})


def _all_files(folder: Path, below: str = "") -> Iterator[str]:
    with os.scandir(folder / below) as found:
        entries = list(found)
    if below and any(entry.name == _VENV_MARK for entry in entries):
        return
    for entry in entries:
        if any(fnmatchcase(entry.name, pattern) for pattern in _JUNK):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _all_files(folder, f"{below}{entry.name}/")
        else:
            yield f"{below}{entry.name}"


def _opened(place: Path) -> IO[bytes]:
    return place.open("rb")


def _entry(folder: Path, path: str) -> Iterator[TreeEntry]:
    """Yield the entry at *path*; none where git tracks what was removed and not committed yet."""
    place = folder / path
    try:
        found = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISLNK(found.st_mode):
        yield TreeLink(path, str(place.readlink()))
    elif stat.S_ISREG(found.st_mode):
        yield TreeFile(path, found.st_size, bool(found.st_mode & stat.S_IXUSR), partial(_opened, place))
    elif stat.S_ISDIR(found.st_mode):
        fix = "run git submodule update --init --recursive"
        raise LockError("this submodule has no files here", where=str(place), fix=fix)
    else:
        raise LockError("this is neither a file, a folder nor a link", where=str(place), fix="move it elsewhere")
