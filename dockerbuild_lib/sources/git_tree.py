"""The files of a git commit, with those of its submodules, as entries of an archive."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from dockerbuild_lib.core.errors import LockError, UnsafeArchiveError
from dockerbuild_lib.core.http import redacted
from dockerbuild_lib.sources.git_addresses import submodule_address
from dockerbuild_lib.sources.git_program import Git
from dockerbuild_lib.sources.git_repository import GitEntry, Repository
from dockerbuild_lib.sources.tree_archive import TreeEntry, TreeFile, TreeLink, leads_out

_LINK = "120000"
_SUBMODULE = "160000"
_EXECUTABLE = "100755"
_MAX_DEPTH = 10
_MAX_SUBMODULES = 500
_MAX_LINK = 4096
_LFS_SIZE = 1024
_LFS_START = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class GitCommit:
    """What is taken of a repository: a commit, below a folder, with its submodules or without."""

    repository: str
    commit: str
    subfolder: str | None
    submodules: bool


@dataclass(frozen=True)
class GitTree:
    """The files of a commit, in the order in which they are read best."""

    commit: str
    entries: list[TreeEntry]


@dataclass(frozen=True)
class _File:
    """One entry, and what opens its bytes."""

    entry: GitEntry
    opened: Callable[[str, int], AbstractContextManager[IO[bytes]]]

    def open(self) -> AbstractContextManager[IO[bytes]]:
        return self.opened(self.entry.oid, self.entry.size)

    def text(self) -> str:
        """Return where it leads, of a link."""
        if self.entry.size > _MAX_LINK:
            raise UnsafeArchiveError("is a link that is too long", where=self.entry.path)
        with self.open() as stream:
            return stream.read(self.entry.size).decode("utf-8", "surrogateescape")


@contextmanager
def git_tree(git: Git, wanted: GitCommit, scratch: Path) -> Iterator[GitTree]:
    """Fetch a commit, and yield its files to be read inside the block; *scratch* is a folder for copies.

    Links that lead out of the subfolder to a file elsewhere in the repository (a licence, say) become that file.

    Raises:
        LockError: the repository has no such folder, or a submodule cannot be found.
        UnsafeArchiveError: a link leads out.
        NetworkError: a repository cannot be reached, or does not have the commit any more.

    """
    with ExitStack() as stack:
        repository = Repository(git, wanted.repository, scratch / "0")
        commit = repository.fetch(wanted.commit)
        files = _Reader(git, wanted, scratch, stack).files(repository, commit, "", 0)
        entries = list(_tree(files, wanted))
        if not entries:
            what = f"there is no file in {wanted.subfolder or 'it'} at the commit {wanted.commit}"
            raise LockError(what, where=redacted(wanted.repository), fix="check the subfolder and the revision")
        yield GitTree(commit, entries)


@dataclass
class _Reader:
    git: Git
    wanted: GitCommit
    scratch: Path
    stack: ExitStack
    fetched: int = 0

    def files(self, repository: Repository, commit: str, prefix: str, depth: int) -> dict[str, _File]:
        """Return path -> file of a fetched commit, below *prefix*, submodules followed."""
        opened = self.stack.enter_context(repository.contents())
        entries = [replace(entry, path=prefix + entry.path) for entry in repository.entries(commit)]
        found = {entry.path: _File(entry, opened) for entry in entries if entry.mode != _SUBMODULE}
        wanted = [entry for entry in entries if entry.mode == _SUBMODULE and self._is_wanted(entry.path)]
        addresses = repository.submodules(commit) if wanted else {}
        for entry in wanted:
            told = addresses.get(entry.path.removeprefix(prefix))
            found |= self._submodule(repository.address, told, entry, depth + 1)
        return found

    def _is_wanted(self, path: str) -> bool:
        """Tell whether a submodule is, or holds, or lies in what is wanted."""
        if not self.wanted.submodules:
            return False
        subfolder = f"{self.wanted.subfolder}/" if self.wanted.subfolder else ""
        return f"{path}/".startswith(subfolder) or subfolder.startswith(f"{path}/")

    def _submodule(self, parent: str, told: str | None, entry: GitEntry, depth: int) -> dict[str, _File]:
        """Return the files of a submodule of the repository at *parent*, which *told* where it is."""
        where, fix = f"submodule {entry.path} of {redacted(self.wanted.repository)}", "set 'submodules: false'"
        if told is None:
            raise LockError("its .gitmodules does not say where it is", where=where, fix=fix)
        if depth > _MAX_DEPTH or self.fetched >= _MAX_SUBMODULES:
            what = f"there are more than {_MAX_SUBMODULES} submodules, or more than {_MAX_DEPTH} in one another"
            raise LockError(what, where=where, fix=fix)
        try:
            address = submodule_address(parent, told)
        except ValueError as error:
            raise LockError(str(error).partition("; ")[0], where=where, fix=fix) from error
        self.fetched += 1
        submodule = Repository(self.git, address, self.scratch / str(self.fetched))
        return self.files(submodule, submodule.fetch(entry.oid), f"{entry.path}/", depth)


def _tree(files: Mapping[str, _File], wanted: GitCommit) -> Iterator[TreeEntry]:
    inside = f"{wanted.subfolder}/" if wanted.subfolder else ""
    for path in sorted(files):  # the order in which the archive reads them
        if path.startswith(inside):
            yield _entry(path, files, inside)


def _entry(path: str, files: Mapping[str, _File], inside: str) -> TreeEntry:
    below = path.removeprefix(inside)
    file = files[path]
    if file.entry.mode != _LINK:
        return _tree_file(below, file)
    text = file.text()
    if not leads_out(below, text):
        return TreeLink(below, text)
    target = _followed(path, files)
    if target is None:
        raise UnsafeArchiveError(f"its link {path!r} leads out of it, to {text!r}", fix="choose a folder above both")
    return _tree_file(below, target)


def _followed(path: str, files: Mapping[str, _File]) -> _File | None:
    """Return the file that a link of the repository leads to in the end; None: it leads to no file of it."""
    for _ in range(_MAX_DEPTH):
        file = files.get(path)
        if file is None or file.entry.mode != _LINK:
            return file
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.text()))
    return None


def _tree_file(path: str, file: _File) -> TreeFile:
    return TreeFile(path, file.entry.size, file.entry.mode == _EXECUTABLE, file.open)


def lfs_pointers(tree: GitTree) -> list[str]:
    """Return the paths of files whose bytes are kept elsewhere (Git LFS): of them a commit has pointers only."""
    return [entry.path for entry in tree.entries if isinstance(entry, TreeFile) and _is_pointer(entry)]


def _is_pointer(file: TreeFile) -> bool:
    if not len(_LFS_START) < file.size < _LFS_SIZE:
        return False
    with file.open() as stream:
        return stream.read(file.size).startswith(_LFS_START)
