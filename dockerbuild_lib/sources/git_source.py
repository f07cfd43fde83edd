"""Commits of git repositories as sources: made into an archive when they are locked, and made again as they were."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerbuild_lib.catalog.locks import GitArchive
from dockerbuild_lib.catalog.sources import GitSource
from dockerbuild_lib.core.errors import HashMismatchError
from dockerbuild_lib.core.events import Notice, StepLog
from dockerbuild_lib.sources.git_repository import resolve_revision
from dockerbuild_lib.sources.git_tree import GitCommit, GitTree, git_tree, lfs_pointers
from dockerbuild_lib.sources.outside import Outside, Wanted
from dockerbuild_lib.sources.tree_archive import write_tree_archive


def pin_git(outside: Outside, wanted: Wanted[GitSource], folder: Path) -> tuple[GitArchive, Path]:
    """Return the pin of what the revision is today, and its archive in *folder*.

    Raises:
        LockError: there is no such revision, folder or submodule.
        UnsafeArchiveError: its files cannot be an archive.
        NetworkError: the repository cannot be reached.

    """
    source, place = wanted.source, folder / f"{wanted.label}.tar"
    revision = source.revision_of(wanted.version)
    oid = resolve_revision(outside.git, source.repository, revision)
    with _tree(outside, GitCommit(source.repository, oid, source.subfolder, source.submodules)) as tree:
        _warn_of_pointers(outside, wanted.label, tree)
        received = write_tree_archive(place, wanted.label, tree.entries, source.repository)
    pin = GitArchive(
        name=wanted.name,
        version=wanted.version,
        filename=place.name,
        sha256=received.sha256,
        size=received.size,
        repository=source.repository,
        revision=revision,
        commit=tree.commit,
        subfolder=source.subfolder,
        submodules=source.submodules,
    )
    return pin, place


def fetch_git(outside: Outside, locked: GitArchive, target: Path, _log: StepLog) -> None:
    """Make the archive of the locked commit again.

    Raises:
        HashMismatchError: it is another one.
        NetworkError: the repository cannot be reached, or does not have the commit any more.

    """
    commit = GitCommit(locked.repository, locked.commit, locked.subfolder, locked.submodules)
    with _tree(outside, commit) as tree:
        received = write_tree_archive(target, f"{locked.name}-{locked.version}", tree.entries, locked.repository)
    if received.sha256 != locked.sha256:
        target.unlink()
        what = f"the commit {locked.commit} makes an archive with the sha256 {received.sha256}"
        fix = "find out who changed config/locks, or lock it anew with sources.lock --update"
        raise HashMismatchError(f"{what}, but {locked.sha256} is locked", where=locked.filename, fix=fix)


@contextmanager
def _tree(outside: Outside, commit: GitCommit) -> Iterator[GitTree]:
    with (
        tempfile.TemporaryDirectory(prefix="dockerbuild-git-") as scratch,
        git_tree(outside.git, commit, Path(scratch)) as tree,
    ):
        yield tree


def _warn_of_pointers(outside: Outside, label: str, tree: GitTree) -> None:
    if pointers := lfs_pointers(tree):
        what = f"{label}: {len(pointers)} of its files, such as {pointers[0]}, are Git LFS pointers"
        outside.emit(Notice(f"{what}; what they point to is not taken", warning=True))
