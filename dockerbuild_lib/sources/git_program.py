"""git, run so that nothing but the repository counts: no hooks, no configuration of user or machine, no questions.

The files of a commit are read as the objects that they are, never checked out: so no attribute, filter or end-of-line
setting has a say in their bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import DockerbuildError, NetworkError, ToolMissingError
from dockerbuild_lib.core.http import RefusedError, redacted
from dockerbuild_lib.core.machine import find_program
from dockerbuild_lib.core.processes import Processes
from dockerbuild_lib.sources.http import HttpSettings, TooSlowError

PROTOCOLS = ("https", "ssh", "file")
"""The transports that git may use; the others are unprotected, or run programs."""
_INHERITED = (
    *("HOME", "PATH", "TMPDIR", "USER", "LOGNAME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("git.config")),
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    # Over what a work tree's own .git/config says: it could name programs to run.
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "core.hooksPath",
    "GIT_CONFIG_VALUE_1": os.devnull,
}
_REFUSALS = {
    "could not read Username": "put the host's credentials into netrc",
    "Authentication failed": "put the host's credentials into netrc",
    "Permission denied (publickey": "give this user a key that the host takes (ssh-add)",
    "Host key verification failed": "add the host's key to known_hosts",
    "not found": "check the repository's address",
    "does not appear to be a git repository": "check the repository's address",
    "does not exist": "check the repository's address",
    "not allowed": "use https, ssh or file",
    "dubious ownership": "make this user the repository's owner",
}


class GitFailedError(Exception):
    """git ended with an error, which its caller knows how to tell."""


def _find_git() -> str:
    path = find_program("git")
    if path is None:
        raise ToolMissingError("the program git is not installed", fix="install it (apt-get install git)")
    return path


@dataclass(frozen=True)
class Git:
    """The program, and what it may use of the machine. *time_limit* is in seconds, for one run of it."""

    program: Callable[[], str] = _find_git
    http: HttpSettings = field(default_factory=HttpSettings)
    processes: Processes = field(default_factory=Processes)
    protocols: tuple[str, ...] = PROTOCOLS
    time_limit: float = 1800.0

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return a command line of git."""
        return (self.program(), *arguments)

    def environment(self) -> Mapping[str, str]:
        """Return git's whole environment."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        own = {"GIT_ALLOW_PROTOCOL": ":".join(self.protocols)}
        own |= {f"{scheme}_proxy": proxy for scheme, proxy in self.http.proxies}
        if self.http.ca_bundle:
            own["GIT_SSL_CAINFO"] = self.http.ca_bundle
        return {**inherited, **_ENVIRONMENT, **own}

    def require_connection(self, address: str) -> None:
        """Return when the repository at *address* may be asked: it is on this machine, or connections are allowed.

        Raises:
            OfflineError: they are forbidden.

        """
        if not address.startswith("file:"):
            CONNECTIONS.require(redacted(address))

    def read(self, folder: Path, *arguments: str) -> bytes:
        """Run git in *folder*, and return what it writes.

        Raises:
            GitFailedError: it ended with an error.
            TooSlowError: the time limit is over.
            ToolMissingError: there is no git.

        """
        try:
            done = self.processes.output(
                self.command(*arguments), environment=self.environment(), folder=folder, limit=self.time_limit
            )
        except TimeoutError as error:
            raise TooSlowError(f"git {arguments[0]} has {error}", fix="try again, or use a nearer mirror") from error
        if done.code:
            raise GitFailedError(done.stderr.strip() or f"exit code {done.code}")
        return done.stdout

    def ask(self, folder: Path, address: str, *arguments: str) -> bytes:
        """Run git in *folder* against the repository at *address*, and return what it writes.

        Raises:
            NetworkError: it cannot be reached; RefusedError where trying again would not help.
            TooSlowError, ToolMissingError: as :meth:`read`.

        """
        try:
            return self.read(folder, *arguments)
        except GitFailedError as error:
            raise unreachable(address, str(error)) from error


def unreachable(address: str, complaint: str) -> DockerbuildError:
    """Return the error for a repository that git complains of."""
    lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in complaint.splitlines() if line]
    what = f"git cannot read the repository: {'; '.join(lines[:3])}"
    fix = next((fix for sign, fix in _REFUSALS.items() if sign in complaint), None)
    if fix:
        return RefusedError(what, where=redacted(address), fix=fix)
    return NetworkError(what, where=redacted(address), fix="check the network and the repository's address")
