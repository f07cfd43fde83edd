"""Inside the container: take from the Python in /work/python what builds and trials never use.

The arguments are its version (3.13) and the toolchain's strip.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PYTHON = Path("/work/python")
UNUSED = ("idlelib", "turtledemo", "pydoc_data", "ensurepip", "tkinter", "test", "lib2to3")


def main(version: str, strip: str) -> None:
    """Make it small; what remains is the same for every build of it."""
    library = PYTHON / "lib" / f"python{version}"
    for name in UNUSED:
        shutil.rmtree(library / name, ignore_errors=True)
    shutil.rmtree(PYTHON / "share")
    for archive in [*PYTHON.glob("lib/*.a"), *library.glob("config-*/*.[ao]")]:
        archive.unlink()
    programs = [path for path in (PYTHON / "bin").iterdir() if path.name.startswith("python") and not path.is_symlink()]
    for program in programs:
        if program.read_bytes()[:4] == b"\x7fELF":
            subprocess.run((strip, str(program)), check=True)
        elif program.name.endswith("-config"):
            program.unlink()
    for extension in library.glob("lib-dynload/*.so"):
        subprocess.run((strip, "--strip-unneeded", str(extension)), check=True)


if __name__ == "__main__":
    os.umask(0o022)
    main(*sys.argv[1:])
