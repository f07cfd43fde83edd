"""Real sdists and wheels, through the machine's own pip configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_POLICIES = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")


def download_sdist(folder: Path, distribution: str, version: str) -> Path:
    """Fetch the sdist of that version."""
    name = f"{distribution}=={version}"
    _pip("download", "--no-deps", "--no-binary", distribution, "--dest", str(folder), name)
    return next(folder.glob("*.tar.gz"))


def download_official(folder: Path, distribution: str, version: str, machine: str) -> Path:
    """Fetch the wheel that the project itself publishes for CPython 3.11 on Linux."""
    options = ["--no-deps", "--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11"]
    options += [part for abi in ("cp311", "abi3") for part in ("--abi", abi)]
    options += [part for policy in _POLICIES for part in ("--platform", f"{policy}_{machine}")]
    _pip("download", *options, "--dest", str(folder), f"{distribution}=={version}")
    return next(folder.glob("*.whl"))


def build_natively(folder: Path, sdist: Path, **environment: str) -> Path:
    """Build the sdist for this machine, as pip does it, with *environment* over the machine's own."""
    _pip("wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder), str(sdist), **environment)
    return next(folder.glob("*.whl"))


def _pip(command: str, *options: str, **environment: str) -> None:
    whole = (sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *options)
    done = subprocess.run(whole, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
