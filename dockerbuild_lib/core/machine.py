"""Programs of this machine: found, or (as root on Debian and Ubuntu) installed from its own package sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import DockerbuildError, NetworkError, NoSpaceError, ToolMissingError

Say = Callable[[str], None]
"""Tells the user, in one line, what is being changed on the machine."""

_APT_LISTS = Path("/var/lib/apt/lists")
_DEBIAN = Path("/etc/debian_version")
_NETWORK_WORDS = ("failed to fetch", "temporary failure", "could not resolve", "could not connect", "unable to connect")
_SPACE_WORDS = ("no space left", "enough free space")


def system_path() -> str:
    """Return PATH with the folders of system programs, which a root shell made by ``su`` may lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def find_program(program: str) -> str | None:
    """Return the path of *program*, or None when it is not installed."""
    return shutil.which(program, path=system_path())


def ensure_program(program: str, *, package: str | None = None, say: Say) -> str:
    """Return the path of *program*, after installing its *package* (default: of the same name) where that is possible.

    Raises ToolMissingError when it is not there and may not be installed.
    """
    ensure_programs({program: package or program}, say=say)
    path = find_program(program)
    if path is None:
        raise ToolMissingError(f"the package {package or program} brought no program {program}")
    return path


def ensure_programs(packages: Mapping[str, str], *, say: Say) -> None:
    """Install the packages of those programs (program -> Debian package) that are missing, all at once."""
    missing = {program: package for program, package in packages.items() if find_program(program) is None}
    if not missing:
        return
    names = sorted(set(missing.values()))
    if not can_install_packages():
        raise ToolMissingError(
            f"not installed: {', '.join(sorted(missing))}",
            fix=f"install it (Debian, Ubuntu: sudo apt-get install {' '.join(names)})",
        )
    install_packages(names, say=say)


def can_install_packages() -> bool:
    """Say whether this process may install Debian packages: root, on Debian or Ubuntu."""
    return os.geteuid() == 0 and _DEBIAN.exists() and find_program("apt-get") is not None


def install_packages(packages: Iterable[str], *, say: Say) -> None:
    """Install Debian packages from the sources that the machine is configured for.

    Raises NetworkError, NoSpaceError or ToolMissingError with the last lines that apt wrote; OfflineError.
    """
    names = list(packages)
    install_by_hand = f"install it before (apt-get install {' '.join(names)})"
    CONNECTIONS.require(", ".join(names), missing="not installed", fix=install_by_hand)
    say(f"installing {', '.join(names)}")
    install = ["install", "--yes", "--no-install-recommends", *names]
    if _has_package_lists():
        code, _ = _apt(install)
        if code == 0:
            return
    _, updated = _apt(["update"])  # a source that is not needed may fail: only what follows decides
    code, output = _apt(install)
    if code != 0:
        raise _apt_error(names, updated + output)


def _has_package_lists() -> bool:
    return any("_Packages" in path.name for path in _APT_LISTS.glob("*"))


def _apt(arguments: list[str]) -> tuple[int, str]:
    """Run apt-get; a file takes its output, because a service that a package starts would keep a pipe open."""
    environment = {**os.environ, "PATH": system_path(), "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
        output.seek(0)
        return done.returncode, output.read().decode(errors="replace")


def _apt_error(packages: list[str], output: str) -> DockerbuildError:
    lowered = output.lower()
    told = [line for line in output.splitlines() if line.startswith(("E:", "W:"))] or output.splitlines()[-5:]
    what = f"apt-get could not install {', '.join(packages)}: {' | '.join(told[-5:])}"
    if any(word in lowered for word in _SPACE_WORDS):
        return NoSpaceError(what, fix="free space, then run it again")
    if any(word in lowered for word in _NETWORK_WORDS):
        return NetworkError(what, fix="check the network and the machine's apt sources")
    return ToolMissingError(what, fix=f"install it by hand: apt-get install {' '.join(packages)}")
