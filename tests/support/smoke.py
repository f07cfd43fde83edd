"""Small programs that show whether a toolchain works, and the commands that build and start them in a container."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.catalog.architectures import Architecture, architecture_of
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.worker import Limits, Worker
from dockerbuild_lib.core.command import Command, WorkPath
from dockerbuild_lib.images.layout import script
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.plan.products import Workshop
from dockerbuild_lib.wheels.build import worker_options
from dockerbuild_lib.wheels.entrypoint import image_files
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS, plain_environment
from dockerbuild_lib.wheels.foreground import foreground_environment
from dockerbuild_lib.wheels.gate.elf import Budget, ElfFacts, read_elf

LIMITS = Limits(memory=2 << 30, processes=512, seconds=1200)
C = b'#include <math.h>\n#include <stdio.h>\nint main(int n, char **v) { printf("c %.3f\\n", sin(n)); return 0; }\n'
CXX = b"""\
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
std::optional<std::string> guess(int n) {
  try { if (n) throw std::runtime_error(std::to_string(n)); } catch (const std::exception &e) { return e.what(); }
  return std::nullopt;
}
int main(int n, char **) {
  std::string found;
  std::thread other([&] { found = guess(n + 41).value(); });
  other.join();
  std::cout << "c++ " << found << std::endl;
}
"""
FORTRAN = b"""\
program hello
  implicit none
  integer, parameter :: squares(4) = [1, 4, 9, 16]
  real(kind=8) :: root = 12.0d0
  print "(a, f0.3, a, i0)", "fortran ", root + sqrt(real(sum(squares), kind=8) + 6.0d0), " ", size(squares)
end program hello
"""
CMAKE = b"""\
cmake_minimum_required(VERSION 3.20)
project(smoke C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Threads REQUIRED)
add_executable(cmake-c hello.c)
target_link_libraries(cmake-c m)
add_executable(cmake-cxx hello.cpp)
target_link_libraries(cmake-cxx Threads::Threads)
if(DEFINED ENV{FC})
  enable_language(Fortran)
  add_executable(cmake-fortran hello.f90)
endif()
enable_testing()
add_test(NAME cmake-cxx COMMAND cmake-cxx)
"""
MESON = b"""\
project('smoke', 'c', 'cpp', default_options: ['cpp_std=c++17'])
executable('with-meson-c', 'hello.c', dependencies: meson.get_compiler('c').find_library('m'))
if add_languages('fortran', native: false, required: false)
  executable('with-meson-fortran', 'hello.f90')
endif
test('with-meson-cxx', executable('with-meson-cxx', 'hello.cpp', dependencies: dependency('threads')))
"""
CARGO = b"""\
[package]
name = "with-cargo"
version = "1.0.0"
edition = "2021"
build = "build.rs"
[[bin]]
name = "with-cargo"
path = "hello.rs"
"""
BUILD_SCRIPT = b'fn main() { println!("cargo:rustc-env=ANSWER={}", 42); }\n'
RUST = b"""\
fn main() {
    let found = std::thread::spawn(|| std::panic::catch_unwind(|| panic!("expected")).is_err()).join().unwrap();
    println!("rust {}", if found { env!("ANSWER") } else { "not caught" });
}
"""
FILES = {
    "hello.c": C,
    "hello.cpp": CXX,
    "hello.f90": FORTRAN,
    "CMakeLists.txt": CMAKE,
    "meson.build": MESON,
    "Cargo.toml": CARGO,
    "build.rs": BUILD_SCRIPT,
    "hello.rs": RUST,
}
PROGRAMS = ("c", "cxx", "cmake-c", "cmake-cxx", "with-meson-c", "with-meson-cxx")
WITH_FORTRAN = ("fortran", "cmake-fortran", "with-meson-fortran")
WITH_RUST = "with-cargo"
BUILD = """\
set -e
meson="python3.11 -B -m mesonbuild.mesonmain"
export PYTHONPATH=/opt/dockerbuild/tools
mkdir /work/out
cd /work/smoke
$CC $CFLAGS hello.c $LDFLAGS -o /work/out/c -lm
$CC $CFLAGS hello.c $LDFLAGS -s -o /tmp/stripped -lm
$CXX $CXXFLAGS -std=c++17 hello.cpp $LDFLAGS -o /work/out/cxx -lpthread
if [ "$FC" ]; then $FC $FFLAGS hello.f90 $LDFLAGS -o /work/out/fortran; fi
cmake -G Ninja -S . -B /work/cmake
cmake --build /work/cmake
(cd /work/cmake && ctest --output-on-failure)
flags="-Dc_args='$CFLAGS' -Dcpp_args='$CXXFLAGS' -Dc_link_args='$LDFLAGS' -Dcpp_link_args='$LDFLAGS'"
eval env -u CC -u CXX -u FC -u CFLAGS -u CXXFLAGS -u FFLAGS -u FCFLAGS -u LDFLAGS $meson setup --buildtype=plain \\
  --cross-file "$MESON_CROSS_FILE" "$flags" /work/meson
ninja -C /work/meson
$meson test -C /work/meson
cp /work/cmake/cmake-c /work/cmake/cmake-cxx /work/meson/with-meson-c /work/meson/with-meson-cxx /work/out
if [ "$FC" ]; then cp /work/cmake/cmake-fortran /work/meson/with-meson-fortran /work/out; fi
if [ "$CARGO_BUILD_TARGET" ]; then
  cargo build --release --offline --target-dir /work/cargo
  cp /work/cargo/$CARGO_BUILD_TARGET/release/with-cargo /work/out
fi
for program in /work/out/*; do $CMAKE_CROSSCOMPILING_EMULATOR $program; done
"""


@dataclass(frozen=True)
class Smoke:
    """What came of building and starting every program: their output, and what their files say."""

    output: tuple[str, ...]
    programs: Mapping[str, ElfFacts]
    workshop: Workshop

    @property
    def architecture(self) -> Architecture:
        """The processor that they must be for."""
        return architecture_of(self.workshop.platform.triple)


def smoke(config: Path, platform: str, toolchain: str, target: Path) -> Smoke:
    """Build the programs with a toolchain of a platform's image, start them there, and copy them to *target*."""
    workshop = GoalMaker(load_catalog(config), image_files).workshop(platform, toolchain)
    environment = {**foreground_environment(workshop), "HOME": "/tmp/home"}  # noqa: S108 - the container's
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)

    with ExitStack() as stack:
        engine = Engine(f"smoke-{platform}")
        stack.enter_context(closing(engine.connection.client))
        worker: Worker = stack.enter_context(engine.worker(worker_options(workshop, LIMITS)))
        worker.put({WorkPath("smoke") / name: text for name, text in FILES.items()})
        worker.run(Command(script("prepare_build"), plain_environment(DEFAULT_CONDITIONS)), log)
        try:
            worker.run(Command(("sh", "-c", BUILD), environment), log)
        except Exception as error:
            error.add_note("\n".join(lines[-40:]))
            raise
        files = worker.get(WorkPath("out"), target)
    gc.collect()  # here, where what it says is not heeded
    return Smoke(tuple(lines), {file.name: read_elf(file.read_bytes(), Budget()) for file in files}, workshop)
