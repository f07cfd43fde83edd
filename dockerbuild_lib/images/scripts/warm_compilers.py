"""Compile a few programs, so that zig's C and C++ libraries for the target are in the image's cache.

Runs while the image is made. A cold zig takes a minute for its C++ library; a warm one 0.1 s.
"""

import os
import subprocess
import tempfile
from pathlib import Path

HOME = Path("/opt/dockerbuild")
C = '#include <stdio.h>\nint greet(void) { return puts("hello"); }\n'
CXX = (
    "#include <stdexcept>\n#include <string>\n"
    "int guess(int n) { try { if (n) throw std::runtime_error(std::to_string(n)); }"
    " catch (const std::exception &) { return 1; } return 0; }\n"
)
MAIN = "int main(void) { return 0; }\n"
OPTIMISATIONS = ("-O0", "-O2", "-Os")  # zig keeps its runtime apart for each of its own build modes


def main() -> None:
    """Warm every zig toolchain of this image."""
    for cc in sorted(HOME.glob("toolchains/*/bin/cc")):
        if "ziglang" in cc.read_text():
            with tempfile.TemporaryDirectory() as folder:
                warm(cc, Path(folder))


def warm(cc: Path, folder: Path) -> None:
    """Build shared libraries and programs with one toolchain."""
    for name, text in {"greet.c": C, "guess.cpp": CXX, "main.c": MAIN, "main.cpp": MAIN}.items():
        (folder / name).write_text(text)
    environment = {
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
        "ZIG_GLOBAL_CACHE_DIR": str(HOME / "zig-cache"),
        "ZIG_LOCAL_CACHE_DIR": str(folder / "zig"),
    }
    for optimisation in OPTIMISATIONS:
        for source in ("greet.c", "guess.cpp"):
            compiler = cc.with_name("c++") if source.endswith("pp") else cc
            options = (optimisation, "-fPIC", "-shared", source, "-o", "library.so")
            subprocess.run((compiler, *options), cwd=folder, env=environment, check=True)
        for compiler, source in ((cc, "main.c"), (cc.with_name("c++"), "main.cpp")):
            subprocess.run((compiler, optimisation, source, "-o", "main"), cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    os.umask(0o022)
    main()
