"""cargo, run so that nothing of the project that it reads is run or configures it: it only downloads."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import DockerbuildError, HashMismatchError, LockError, NetworkError, ToolMissingError
from dockerbuild_lib.core.machine import find_program
from dockerbuild_lib.core.processes import Processes
from dockerbuild_lib.sources.http import TooSlowError

_NOWHERE = Path("/")
"""cargo and rustup look for their configuration in the folder where they are run and above: not in the project's."""
_ENVIRONMENT = {"LC_ALL": "C", "CARGO_TERM_COLOR": "never", "CARGO_TERM_PROGRESS_WHEN": "never"}
_MISMATCH_SIGNS = ("failed to verify the checksum", "checksum for ", "unable to verify that")
_NETWORK_SIGNS = ("failed to download", "failed to fetch", "failed to query", "spurious network error", "timed out")
_STALE_SIGNS = ("needs to be updated but --locked", "cannot update the lock file")
_NOISE = re.compile(r"^\s*(Updating|Locking|Downloading|Downloaded|Vendoring|Blocking)\b|^\s*$")


def _find_cargo() -> str:
    path = find_program("cargo")
    if path is None:
        fix = "install it (Debian, Ubuntu: apt-get install cargo, or a newer one with rustup)"
        raise ToolMissingError("the program cargo is not installed", fix=fix)
    return path


@dataclass(frozen=True)
class Cargo:
    """The program, configured as its user has it (``$CARGO_HOME``). *time_limit* is in seconds."""

    program: Callable[[], str] = _find_cargo
    processes: Processes = field(default_factory=Processes)
    time_limit: float = 1800.0

    def vendor(self, manifest: Path, target: Path, where: str) -> str:
        """Put the crates that the Cargo.lock beside *manifest* names into *target*; return the configuration for them.

        Raises:
            LockError: Cargo.lock does not fit the manifest, or cargo cannot use them.
            HashMismatchError: a crate is not the one that Cargo.lock names.
            NetworkError: a registry or repository cannot be reached.
            ToolMissingError: there is no cargo.
            OfflineError: connections are forbidden.

        """
        CONNECTIONS.require(f"crates of {where}")
        options = ("--locked", "--versioned-dirs", "--respect-source-config", f"--manifest-path={manifest}")
        command = (self.program(), "vendor", *options, str(target))
        environment = {**os.environ, **_ENVIRONMENT}
        try:
            done = self.processes.output(command, environment=environment, folder=_NOWHERE, limit=self.time_limit)
        except TimeoutError as error:
            raise TooSlowError(f"cargo vendor has {error}", where=where, fix="try again, or use a mirror") from error
        if done.code:
            raise _failure(done.stderr, where)
        return done.stdout.decode()

    def downloaded(self, filename: str) -> Iterator[Path]:
        """Yield the files of that name that cargo has downloaded; registries may have crates of the same name."""
        home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
        yield from sorted(home.glob(f"registry/cache/*/{filename}"))


def _failure(complaint: str, where: str) -> DockerbuildError:
    lines = [line.strip().removeprefix("error: ") for line in complaint.splitlines() if not _NOISE.match(line)]
    what = f"cargo cannot vendor its crates: {'; '.join(lines)[:600]}"
    if any(sign in complaint for sign in _STALE_SIGNS):
        return LockError(f"its Cargo.lock does not fit its Cargo.toml: {what}", where=where, fix="take another version")
    if any(sign in complaint for sign in _MISMATCH_SIGNS):
        return HashMismatchError(what, where=where, fix="find out who changed the crate, or its registry's mirror")
    if any(sign in complaint for sign in _NETWORK_SIGNS):
        return NetworkError(
            what, where=where, fix="check the network and cargo's configuration ($CARGO_HOME/config.toml)"
        )
    return LockError(what, where=where, fix="try `cargo vendor` with it by hand; a newer cargo may help")
