"""The build contexts of the catalogue's platforms: what their Dockerfiles install, and what their toolchains say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.wheels.entrypoint import image_files

CONFIG = Path(__file__).parents[2] / "config"
HOME = "files/opt/dockerbuild/toolchains"
TARGETS = {
    "linux-amd64": "x86_64-linux-gnu.${DOCKERBUILD_GLIBC:-2.17}",
    "linux-arm64": "aarch64-linux-gnu.${DOCKERBUILD_GLIBC:-2.17}",
    "linux-armv7": "arm-linux-gnueabihf.${DOCKERBUILD_GLIBC:-2.17} -mcpu=cortex_a8-neon-d32",
    "linux-armv6": "arm-linux-gnueabihf.${DOCKERBUILD_GLIBC:-2.17} -mcpu=arm1176jzf_s",
    "linux-riscv64": "riscv64-linux-gnu.${DOCKERBUILD_GLIBC:-2.27}",
    "linux-386": "x86-linux-gnu.${DOCKERBUILD_GLIBC:-2.17}",
    "linux-ppc64le": "powerpc64le-linux-gnu.${DOCKERBUILD_GLIBC:-2.32}",
    "linux-s390x": "s390x-linux-gnu.${DOCKERBUILD_GLIBC:-2.17}",
}
CROSS = {
    "linux-armv7": "arm-linux-gnueabihf",
    "linux-riscv64": "riscv64-linux-gnu",
    "linux-386": "i686-linux-gnu",
    "linux-ppc64le": "powerpc64le-linux-gnu",
    "linux-s390x": "s390x-linux-gnu",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(CONFIG)


def test_every_platform_is_here(catalog: Catalog) -> None:
    assert catalog.image_platforms.keys() == TARGETS.keys()


@pytest.mark.parametrize("platform", TARGETS)
def test_zig_is_told_the_platforms_target(catalog: Catalog, platform: str) -> None:
    wrapper = image_files(catalog, platform, "0" * 64)[f"{HOME}/zig/bin/cc"]
    assert f"zig cc -target {TARGETS[platform]} -fno-sanitize" in wrapper


@pytest.mark.parametrize("platform", CROSS)
def test_a_platform_without_a_port_takes_cross_packages_only(catalog: Catalog, platform: str) -> None:
    files = image_files(catalog, platform, "0" * 64)
    assert f"exec {CROSS[platform]}-gcc " in files[f"{HOME}/gcc/bin/cc"]
    packages = " ".join(f"{compiler}-{CROSS[platform]}" for compiler in ("g++", "gcc", "gfortran"))
    assert f"recommends {packages} \\" in files["Dockerfile"]
    assert "--add-architecture" not in files["Dockerfile"].partition("apt-get install")[0]
    assert "python3.11-minimal" not in files["Dockerfile"]
    assert f"ln -s /usr/{CROSS[platform]} /opt/dockerbuild/target-root" in files["Dockerfile"]


def test_a_platform_with_a_port_takes_its_python(catalog: Catalog) -> None:
    dockerfile = image_files(catalog, "linux-arm64", "0" * 64)["Dockerfile"]
    assert "dpkg --add-architecture arm64" in dockerfile
    assert "apt-get download python3.11-minimal:arm64" in dockerfile
    assert "3.13" not in dockerfile


def test_emulated_programs_find_the_libraries_of_the_port_where_there_is_one(catalog: Catalog) -> None:
    dockerfile = image_files(catalog, "linux-arm64", "0" * 64)["Dockerfile"]
    assert "ln -s / /opt/dockerbuild/target-root" in dockerfile
    assert "libstdc++6:arm64" in dockerfile
    assert "target-root" not in image_files(catalog, "linux-amd64", "0" * 64)["Dockerfile"]


def test_a_toolchain_that_cannot_build_for_a_platform_is_not_in_its_image(catalog: Catalog) -> None:
    files = image_files(catalog, "linux-armv6", "0" * 64)
    assert not [path for path in files if path.startswith(f"{HOME}/gcc/")]


def test_build_systems_are_told_the_processor_by_their_own_names(catalog: Catalog) -> None:
    files = image_files(catalog, "linux-s390x", "0" * 64)
    assert "endian = 'big'" in files[f"{HOME}/zig/meson/cross.ini"]
    files = image_files(catalog, "linux-386", "0" * 64)
    assert "cpu_family = 'x86'\ncpu = 'i686'" in files[f"{HOME}/zig/meson/cross.ini"]
    assert "set(CMAKE_LIBRARY_ARCHITECTURE i386-linux-gnu)" in files[f"{HOME}/zig/cmake/toolchain.cmake"]
    assert "set(CMAKE_SYSTEM_PROCESSOR i686)" in files[f"{HOME}/zig/cmake/toolchain.cmake"]


def test_rusts_standard_library_is_taken_of_the_platforms_port_in_rustcs_version(catalog: Catalog) -> None:
    taken = "libstd-rust-web-dev:armhf=$(dpkg-query --show --showformat='${Version}' libstd-rust-web-dev)"
    dockerfile = image_files(catalog, "linux-armv7", "0" * 64)["Dockerfile"]
    assert f"apt-get download {taken}" in dockerfile
    assert "cp --recursive usr/lib/rustlib/armv7-unknown-linux-gnueabihf /usr/lib/rustlib" in dockerfile
    assert dockerfile.index("--add-architecture armhf") < dockerfile.index(taken)
    assert dockerfile.index(taken) < dockerfile.index("--remove-architecture armhf")
    assert "grep ' bookworm ' > /tmp/suite.list" in dockerfile
    assert dockerfile.count("apt-get update") == 1  # the indices of that port's updates are not asked for
    assert "--remove-architecture" not in image_files(catalog, "linux-arm64", "0" * 64)["Dockerfile"]


@pytest.mark.parametrize("platform", ["linux-amd64", "linux-armv6", "linux-riscv64"])
def test_no_other_is_taken_where_there_is_none_or_the_base_has_it(catalog: Catalog, platform: str) -> None:
    assert "rustlib" not in image_files(catalog, platform, "0" * 64)["Dockerfile"]


def test_cargo_links_with_the_toolchains_own_flags(catalog: Catalog) -> None:
    files = image_files(catalog, "linux-arm64", "0" * 64)
    assert files[f"{HOME}/zig/bin/rust-linker"].endswith('/zig/bin/cc -O2 "$@"\n')
    assert files[f"{HOME}/gcc/bin/rust-linker"].endswith('/gcc/bin/cc "$@"\n')


@pytest.mark.parametrize("platform", ["linux-amd64", "linux-arm64", *CROSS])
def test_only_gcc_has_fortran_and_build_systems_are_told(catalog: Catalog, platform: str) -> None:
    files = image_files(catalog, platform, "0" * 64)
    assert "-gfortran " in files[f"{HOME}/gcc/bin/fc"]
    assert (
        f"set(CMAKE_Fortran_COMPILER {HOME.removeprefix('files')}/gcc/bin/fc)\n"
        in files[f"{HOME}/gcc/cmake/toolchain.cmake"]
    )
    assert f"fortran = '{HOME.removeprefix('files')}/gcc/bin/fc'\n" in files[f"{HOME}/gcc/meson/cross.ini"]
    assert "ortran" not in files[f"{HOME}/zig/cmake/toolchain.cmake"] + files[f"{HOME}/zig/meson/cross.ini"]
    assert f"{HOME}/zig/bin/fc" not in files
