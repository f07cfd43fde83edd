"""What cargo is told of a platform: one target, its linker, and the compilers of the C code in crates."""

from __future__ import annotations

import pytest

from dockerbuild_lib.catalog.architectures import ARCHITECTURES, Architecture
from dockerbuild_lib.wheels.rust import rust_environment

BY_GNU = {architecture.gnu: architecture for architecture in ARCHITECTURES}
CC = "/opt/dockerbuild/toolchains/zig/bin/cc"


def told(architecture: Architecture) -> dict[str, object]:
    return dict(rust_environment(architecture, "zig", "--flag"))


def test_a_target_of_another_processor_has_an_emulator_and_leaves_the_build_machine_its_own_compiler() -> None:
    environment = told(BY_GNU["armv7l"])
    triple = "armv7-unknown-linux-gnueabihf"
    assert environment["CARGO_BUILD_TARGET"] == triple
    target = "CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF"
    assert environment[f"{target}_LINKER"] == "/opt/dockerbuild/toolchains/zig/bin/rust-linker"
    assert environment["CC_armv7_unknown_linux_gnueabihf"] == CC
    assert environment[f"{target}_RUNNER"] == "/opt/dockerbuild/qemu"
    assert environment[f"{target}_RUSTFLAGS"] == "--flag"
    assert environment["HOST_CC"] == "/usr/bin/gcc"


def test_the_build_machine_as_target_has_one_compiler_for_both() -> None:
    environment = told(BY_GNU["x86_64"])
    assert environment["CC_x86_64_unknown_linux_gnu"] == CC
    assert not [name for name in environment if name.startswith("HOST_") or name.endswith("_RUNNER")]


@pytest.mark.parametrize("gnu", ["armv6l", "riscv64"])
def test_where_debian_has_no_standard_library_nothing_is_told(gnu: str) -> None:
    assert told(BY_GNU[gnu]) == {}
