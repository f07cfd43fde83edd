"""Phase one, inside the container: make the build environment. The source lies there already, patched.

Runs without the variables that make a build see the target: the requirements are the build machine's.
Everything lies at fixed paths below /work, so that a build's path is the same on every machine.
"""

import os
import shutil
import subprocess
from pathlib import Path

HOME = Path("/opt/dockerbuild")
WORK = Path("/work")
VENV = WORK / "venv"


def main() -> None:
    """Prepare what a build needs beside its source."""
    link_zig_cache()
    requirements = WORK / "inputs" / "requirements.txt"
    if requirements.exists():
        install(requirements)


def link_zig_cache() -> None:
    """Give zig a cache of its own that begins with the image's: big results are links, records are copies."""
    image, own = HOME / "zig-cache", Path(os.environ["ZIG_GLOBAL_CACHE_DIR"])
    for kind in image.iterdir() if image.exists() else ():
        if kind.name == "h":
            shutil.copytree(kind, own / kind.name)
            continue
        (own / kind.name).mkdir(parents=True)
        for entry in kind.iterdir():
            (own / kind.name / entry.name).symlink_to(entry)


def install(requirements: Path) -> None:
    """Make the build environment from the wheels in /work/inputs/wheels, each by its hash."""
    uv = str(HOME / "tools" / "bin" / "uv")
    common = ("--no-config", "--offline", "--quiet")
    subprocess.run((uv, "venv", *common, "--python=/usr/bin/python3.11", str(VENV)), check=True)
    wheels = WORK / "inputs" / "wheels"
    options = ("--no-index", f"--find-links={wheels}", "--no-deps", "--require-hashes", "--link-mode=copy")
    python = f"--python={VENV}/bin/python"
    subprocess.run((uv, "pip", "install", *common, *options, python, f"--requirements={requirements}"), check=True)


if __name__ == "__main__":
    os.umask(0o022)
    main()
