"""The commands of each build system."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.command import Command
from dockerbuild_lib.plan.goals import GoalMaker
from dockerbuild_lib.wheels.library_commands import library_commands
from tests.support.catalogs import add_file, write_catalog

WORK = PurePosixPath("/work")
WHERE = (
    "--prefix=/work/libraries/it --libdir=/work/libraries/it/lib --build=x86_64-pc-linux-gnu --host=aarch64-linux-gnu"
)
NEEDED = "needed: {version: 1.0.0, source: {type: debian, package: needed}}\n"


def commands(folder: Path, recipe: str, platform: str = "linux-arm64") -> list[Command]:
    """Return the commands of a library `it` between preparation and finishing."""
    text = f"it: {{version: 1.0.0, source: {{type: debian, package: it}}, libraries: [needed], {recipe}}}\n{NEEDED}"
    config = write_catalog(folder, libraries=text)
    sources = {
        name: {
            "origin": "debian",
            "path": f"pool/main/{name}/{name}_1.0.0.orig.tar.gz",
            "version": "1.0.0",
            "filename": f"{name}_1.0.0.orig.tar.gz",
            "sha256": "a" * 64,
            "size": 1,
        }
        for name in ("it", "needed")
    }
    add_file(config, "locks/libraries.json", json.dumps({"sources": sources}))
    maker = GoalMaker(load_catalog(config), lambda *_: {})
    first, *between, last = library_commands(maker.library("it", maker.workshop(platform)))
    assert "prepare_build.py" in first.resolved_argv(WORK)[-1]
    assert last.resolved_argv(WORK)[-1] == "/work/libraries/it"
    return between


def lines(found: list[Command]) -> list[str]:
    return [" ".join(command.resolved_argv(WORK)) for command in found]


def test_autotools(tmp_path: Path) -> None:
    found = commands(tmp_path, "configure: [--tiny], autoreconf: true")
    assert lines(found) == [
        "autoreconf --force --install",
        f"./configure {WHERE} --disable-shared --enable-static --with-pic --tiny",
        "make --jobs=2",
        "make install",
    ]
    assert "CC" not in found[0].resolved_environment(WORK)  # it is no build for the target yet


def test_a_configure_script_of_its_own(tmp_path: Path) -> None:
    found = lines(commands(tmp_path, "build-system: configure, configure: [--static]"))
    assert found == ["./configure --prefix=/work/libraries/it --static", "make --jobs=2", "make install"]


def test_cmake(tmp_path: Path) -> None:
    configure, *others = lines(commands(tmp_path, "build-system: cmake, subfolder: in, configure: [-DTINY=ON]"))
    assert configure.startswith("cmake -S /work/src/in -B /work/objects -G Ninja")
    assert "-DCMAKE_PREFIX_PATH=/work/libraries/needed" in configure
    assert "-DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DTINY=ON" in configure
    assert others == ["cmake --build /work/objects --parallel 2", "cmake --install /work/objects"]


def test_make(tmp_path: Path) -> None:
    [made] = commands(tmp_path, "build-system: make, configure: [install], environment: {A: b}")
    argv = made.resolved_argv(WORK)
    assert argv[-2:] == ["PREFIX=/work/libraries/it", "install"]
    assert "CC=/opt/dockerbuild/toolchains/zig/bin/cc" in argv
    assert made.resolved_environment(WORK)["A"] == "b"


@pytest.mark.parametrize(("platform", "system"), [("linux-amd64", "linux-x86_64"), ("linux-arm64", "linux-aarch64")])
def test_openssl(tmp_path: Path, platform: str, system: str) -> None:
    configure, *others = lines(commands(tmp_path, "build-system: openssl, configure: [no-idea]", platform))
    assert configure.startswith(f"perl ./Configure {system} --prefix=/work/libraries/it --libdir=lib")
    assert configure.endswith(" no-idea")
    assert others == ["make --jobs=2 build_libs", "make install_dev"]


def test_what_a_library_is_built_with_is_found(tmp_path: Path) -> None:
    environment = commands(tmp_path, "autoreconf: false")[0].resolved_environment(WORK)
    assert "-I/work/libraries/needed/include" in environment["CFLAGS"]
    assert "-L/work/libraries/needed/lib" in environment["LDFLAGS"]
    assert environment["PKG_CONFIG_LIBDIR"] == "/work/libraries/needed/lib/pkgconfig"
