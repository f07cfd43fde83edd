"""Phase one, inside the container: unpack the source, patch it, install the build requirements.

Runs without the variables that make a build see the target: the requirements are the build machine's.
Everything lies at fixed paths below /work, so that a build's path is the same on every machine.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

HOME = Path("/opt/dockerbuild")
WORK = Path("/work")
SOURCE = WORK / "src"
VENV = WORK / "venv"


def main() -> None:
    """Prepare everything that /work/inputs holds."""
    print("unpacking the source", flush=True)
    unpack(next((WORK / "inputs" / "source").iterdir()))
    for patch in sorted((WORK / "inputs" / "patches").glob("*.patch")):
        apply(patch)
    link_zig_cache()
    requirements = WORK / "inputs" / "requirements.txt"
    if requirements.exists():
        install(requirements)


def unpack(archive: Path) -> None:
    """Unpack an archive of one top-level folder to /work/src.

    Its members are not filtered: Debian 12's Python cannot, and here nothing but /work and /tmp can be written.
    """
    unpacked = WORK / "unpacked"
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            file.extractall(unpacked)
    else:
        with tarfile.open(archive) as file:
            file.extractall(unpacked)
    tops = list(unpacked.iterdir())
    if len(tops) != 1 or not tops[0].is_dir():
        sys.exit(f"{archive.name} must hold one folder, and holds {sorted(top.name for top in tops)}")
    tops[0].rename(SOURCE)
    unpacked.rmdir()


def apply(patch: Path) -> None:
    """Apply a patch exactly: GNU patch knows of no git work tree around it, and may not guess."""
    print(f"applying {patch.name}", flush=True)
    command = ("patch", "--strip=1", "--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch", f"--input={patch}")
    done = subprocess.run(command, cwd=SOURCE, check=False, capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="", end="", flush=True)
    if done.returncode:
        sys.exit(f"{patch.name} does not apply")
    if "patching file" not in done.stdout:
        sys.exit(f"{patch.name} changes nothing")


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
