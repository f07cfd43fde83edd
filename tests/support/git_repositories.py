"""Real git repositories for tests: made without the configuration of whoever runs them, served by git's own daemon."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_IDENTITY = {
    "GIT_AUTHOR_NAME": "tests",
    "GIT_AUTHOR_EMAIL": "tests@example.invalid",
    "GIT_COMMITTER_NAME": "tests",
    "GIT_COMMITTER_EMAIL": "tests@example.invalid",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class GitRepository:
    """A repository with a work tree in *folder*."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, files: Mapping[str, str | bytes] | None = None) -> GitRepository:
        """Make one, with a first commit of *files* where some are given."""
        folder.mkdir(parents=True)
        repository = cls(folder)
        repository.git("init", "--quiet", "--initial-branch=main")
        if files:
            repository.commit(files)
        return repository

    @property
    def address(self) -> str:
        """Its address on this machine."""
        return self.folder.as_uri()

    @property
    def head(self) -> str:
        """The commit of the work tree."""
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str, **environment: str) -> str:
        """Run git in the work tree, and return what it says."""
        done = subprocess.run(
            ("git", "-c", "protocol.file.allow=always", *arguments),
            cwd=self.folder,
            env={**os.environ, **_IDENTITY, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes], message: str = "A commit") -> str:
        """Write *files*, commit all that is there, and return the commit."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={message}")
        return self.head


@contextmanager
def git_daemon(folder: Path, *settings: str) -> Iterator[str]:
    """Serve the repositories below *folder* by git's own daemon; yield the address of the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [word for setting in settings for word in ("-c", setting)]
    command = ("git", *options, "daemon", "--reuseaddr", "--export-all", f"--base-path={folder}")
    where = ("--listen=127.0.0.1", f"--port={port}", str(folder))
    environment = {**os.environ, **_IDENTITY}
    with subprocess.Popen((*command, *where), env=environment, stderr=subprocess.DEVNULL) as daemon:
        try:
            _wait_for(port, daemon)
            yield f"git://127.0.0.1:{port}"
        finally:
            daemon.terminate()


def _wait_for(port: int, daemon: subprocess.Popen[bytes]) -> None:
    while daemon.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"git daemon ended with exit code {daemon.returncode}")
