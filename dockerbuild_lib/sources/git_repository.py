"""One git repository, fetched as far as a commit needs it, and what the commit holds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.core.http import RefusedError, redacted
from dockerbuild_lib.sources.git_program import Git, GitFailedError, unreachable

_SHA256_LENGTH = 64
_REFS = ("refs/tags/{}^{{}}", "refs/tags/{}", "refs/heads/{}", "{}")
"""Where a name is looked for: an annotated tag's commit, a tag, a branch, a whole ref."""


@dataclass(frozen=True)
class GitEntry:
    """One entry of a commit's tree: *mode* as git writes it (100755), *size* in bytes where it is a file or link."""

    path: str
    mode: str
    oid: str
    size: int


def is_commit_id(revision: str) -> bool:
    """Tell a whole object id from a name."""
    return len(revision) in (40, _SHA256_LENGTH) and all(digit in "0123456789abcdef" for digit in revision)


def resolve_revision(git: Git, address: str, revision: str) -> str:
    """Return the object id of a revision: of the tag of that name, else of the branch; a whole id stays as it is.

    Raises:
        LockError: the repository has no such tag or branch.
        NetworkError: the repository cannot be reached.

    """
    if is_commit_id(revision):
        return revision
    git.require_connection(address)
    names = [form.format(revision) for form in _REFS]
    listed = git.ask(Path("/"), address, "ls-remote", "--quiet", "--", address, *names)
    found = {name: oid for oid, _, name in (line.partition("\t") for line in listed.decode().splitlines())}
    for name in names:
        if name in found:
            return found[name]
    fix = "check the revision; a commit is named by its whole id"
    raise LockError(f"the repository has no tag or branch {revision!r}", where=redacted(address), fix=fix)


class Repository:
    """A copy without a work tree, in a folder of its own."""

    def __init__(self, git: Git, address: str, folder: Path) -> None:
        self.address = address
        self._git = git
        self._folder = folder

    def fetch(self, oid: str) -> str:
        """Bring an object here, alone where the server gives single ones, and return the commit that it is.

        Raises:
            RefusedError: the repository does not have it.
            NetworkError: the repository cannot be reached.

        """
        self._git.require_connection(self.address)
        kind = "sha256" if len(oid) == _SHA256_LENGTH else "sha1"
        self._folder.mkdir(parents=True)
        self._git.read(self._folder, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}")
        if not self._fetched_alone(oid):
            everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            self._ask("fetch", "--quiet", "--no-tags", "--", self.address, *everything)
        try:
            peeled = self._git.read(self._folder, "rev-parse", "--verify", "--end-of-options", f"{oid}^{{commit}}")
        except GitFailedError as error:
            raise self._gone(oid) from error
        return peeled.decode().strip()

    def _fetched_alone(self, oid: str) -> bool:
        """Fetch one commit without its history; False where the server's protocol or settings forbid it."""
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules")
        try:
            self._git.read(self._folder, "fetch", *options, "--", self.address, oid)
        except GitFailedError as error:
            if "not our ref" in str(error):
                raise self._gone(oid) from error
            if "does not allow request for unadvertised" in str(error) or "does not support shallow" in str(error):
                return False
            raise unreachable(self.address, str(error)) from error
        return True

    def _gone(self, oid: str) -> RefusedError:
        fix = "find where the commit went, or lock another one with sources.lock --update"
        return RefusedError(f"the repository does not have the commit {oid}", where=redacted(self.address), fix=fix)

    def _ask(self, *arguments: str) -> bytes:
        return self._git.ask(self._folder, self.address, *arguments)

    def entries(self, commit: str) -> Iterator[GitEntry]:
        """Yield all files, links and submodules of a commit. Names that are no UTF-8 hold lone surrogates (PEP 383)."""
        listed = self._ask("ls-tree", "-r", "-z", "--long", "--full-tree", commit)
        for line in listed.decode("utf-8", "surrogateescape").split("\0"):
            facts, tab, path = line.partition("\t")
            if tab:
                mode, _kind, oid, size = facts.split()
                yield GitEntry(path, mode, oid, 0 if size == "-" else int(size))

    def submodules(self, commit: str) -> Mapping[str, str]:
        """Return path -> address of the submodules that a commit's .gitmodules names."""
        names = ("--get-regexp", r"^submodule\..*\.(path|url)$")
        try:
            told = self._git.read(self._folder, "config", "--null", f"--blob={commit}:.gitmodules", *names)
        except GitFailedError:
            return {}  # there is none, or it names none
        values = {
            key: value for key, _, value in (item.partition("\n") for item in told.decode(errors="replace").split("\0"))
        }
        paths = {key.removesuffix(".path"): value for key, value in values.items() if key.endswith(".path")}
        return {path: values[f"{key}.url"] for key, path in paths.items() if f"{key}.url" in values}

    @contextmanager
    def contents(self) -> Iterator[Callable[[str, int], AbstractContextManager[IO[bytes]]]]:
        """Yield what opens a file by its id and size: one at a time, and each must be read to its end."""
        command = self._git.command("cat-file", "--batch")
        with subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._git.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            assert process.stdin  # noqa: S101 - both are pipes
            assert process.stdout  # noqa: S101
            yield _BatchReader(process.stdin, process.stdout).opened


class _BatchReader:
    """The other side of ``git cat-file --batch``."""

    def __init__(self, asking: IO[bytes], answering: IO[bytes]) -> None:
        self._asking = asking
        self._answering = answering

    @contextmanager
    def opened(self, oid: str, size: int) -> Iterator[IO[bytes]]:
        self._asking.write(f"{oid}\n".encode())
        self._asking.flush()
        header = self._answering.readline().split()
        if header != [oid.encode(), b"blob", str(size).encode()]:
            raise LockError(f"the repository is damaged: {header!r} stands for the file {oid}", fix="run it again")
        yield self._answering
        self._answering.readline()
