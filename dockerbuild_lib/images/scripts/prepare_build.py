"""Phase one, inside the container: make the build environment. The source lies there already, patched.

Runs without the variables that make a build see the target: the requirements are the build machine's.
Everything lies at fixed paths below /work, so that a build's path is the same on every machine.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path("/opt/dockerbuild")
WORK = Path("/work")
VENV = WORK / "venv"


def main(python: str = "", multiarch: str = "") -> None:
    """Prepare what a build needs beside its source; *python* runs a wheel's build."""
    subprocess.run((sys.executable, "-I", "-B", str(HOME / "scripts/zig_cache.py")), check=True)
    if python:
        install(WORK / "inputs" / "requirements.txt", python)
        show_target(Path(python), multiarch)


def show_target(python: Path, multiarch: str) -> None:
    """Make a build see a target's Python that was built from source: its headers, and what sysconfig tells of it."""
    for told in WORK.glob("python/lib/python3.*/_sysconfigdata_*.py"):
        version, headers = told.parent.name, WORK / "python" / "include" / told.parent.name
        shutil.copy(told, next(VENV.glob("lib/python3.*/site-packages")))
        if python.is_relative_to(WORK / "python"):  # the target is the build machine
            continue
        if python.is_relative_to(WORK):
            shutil.copy(headers / "pyconfig.h", python.parents[1] / "include" / version)
        else:  # Debian's header leads to the one of the processor that it is compiled for
            include = WORK / "build-machine" / "include" / multiarch
            include.mkdir(parents=True)
            (include / version).symlink_to(headers)


def install(requirements: Path, interpreter: str) -> None:
    """Make the build environment from the wheels in /work/inputs/wheels, each by its hash."""
    uv = str(HOME / "tools" / "bin" / "uv")
    common = ("--no-config", "--offline", "--quiet")
    subprocess.run((uv, "venv", *common, f"--python={interpreter}", str(VENV)), check=True)
    wheels = WORK / "inputs" / "wheels"
    options = ("--no-index", f"--find-links={wheels}", "--no-deps", "--require-hashes", "--link-mode=copy")
    python = f"--python={VENV}/bin/python"
    subprocess.run((uv, "pip", "install", *common, *options, python, f"--requirements={requirements}"), check=True)


if __name__ == "__main__":
    os.umask(0o022)
    main(*sys.argv[1:])
