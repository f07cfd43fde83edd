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
OPTIMISATIONS = ("-O0", "-O2", "-Os")  # zig compiles its runtime anew for each; its C++ library takes a minute


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
        compile_all(cc, ("greet.c", "main.c"), optimisation, folder, environment)
    compile_all(cc.with_name("c++"), ("guess.cpp", "main.cpp"), "-O2", folder, environment)


def compile_all(
    compiler: Path, sources: tuple[str, str], optimisation: str, folder: Path, environment: dict[str, str]
) -> None:
    """Make a shared library of the first source, and a program of the second."""
    shared = (optimisation, "-fPIC", "-shared", sources[0], "-o", "library.so")
    for options in (shared, (optimisation, sources[1], "-o", "main")):
        print(compiler.name, *options, flush=True)
        subprocess.run((compiler, *options), cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    os.umask(0o022)
    main()
