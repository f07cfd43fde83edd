"""Every toolchain of every image: what it builds is for the platform's processor, and runs there."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.wheels.gate.arm_attributes import CPU_ARCH, FP_ARCH
from tests.integration.conftest import EVERY_PLATFORM, PLATFORMS
from tests.support.projects import Project
from tests.support.smoke import PROGRAMS, WITH_FORTRAN, WITH_RUST, smoke

# The SDK's streams of output hold sockets that nobody but the garbage collector closes; a task's process just ends.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
TOOLCHAINS = ("zig", "gcc")
HERE = Path(__file__).parents[2]


def toolchains() -> list[object]:
    """Return each toolchain of each platform; those that only the whole check looks at are marked."""
    catalog = load_catalog(HERE / "config")
    return [
        pytest.param(platform, name, marks=[] if platform in PLATFORMS else [pytest.mark.every_platform])
        for platform in EVERY_PLATFORM
        for name in TOOLCHAINS
        if platform not in catalog.toolchains[name].skip
    ]


@pytest.mark.parametrize(("platform", "toolchain"), toolchains())
def test_what_a_toolchain_builds_runs_on_its_platform(
    with_image: Project, platform: str, toolchain: str, tmp_path: Path
) -> None:
    result = smoke(with_image.folder / "config", platform, toolchain, tmp_path)
    rust = [WITH_RUST] if result.architecture.rust else []
    fortran = WITH_FORTRAN if toolchain == "gcc" else ()
    expected_lines = {"c 0.841": 3, "c++ 42": 3, "fortran 18.000 4": len(fortran), "rust 42": len(rust)}
    assert {line: result.output.count(line) for line in expected_lines} == expected_lines
    assert result.programs.keys() == {*PROGRAMS, *fortran, *rust}
    for facts in result.programs.values():
        expected = result.architecture
        assert (facts.machine, facts.bits, facts.little_endian) == (
            expected.elf_machine,
            expected.elf_bits,
            expected.little_endian,
        )
        assert facts.flags & expected.elf_float_flags == expected.elf_float_flags
        if expected.arm:
            assert facts.arm is not None
            assert facts.arm.get(CPU_ARCH, 0) in expected.arm.cpu
            assert facts.arm.get(FP_ARCH, 0) in expected.arm.floating_point


@pytest.mark.parametrize(
    ("platform", "python"),
    [
        ("linux-riscv64", "3.13"),
        *(
            pytest.param(platform, python, marks=pytest.mark.every_platform)
            for platform in EVERY_PLATFORM
            for python in ("3.11", "3.13")
            if (platform, python) != ("linux-riscv64", "3.13")
        ),
    ],
)
def test_a_wheel_for_a_python_from_source_runs_on_its_platform(with_image: Project, platform: str, python: str) -> None:
    assert with_image
    wanted = (f"--platform={platform}", f"--python={python}", "--name=markupsafe", "--name=cffi")
    done = with_image.succeed("wheel.build", *wanted)
    machine = architecture_of(load_catalog(HERE / "config").image_platform(platform).triple).machine
    tag = "cp" + python.replace(".", "")
    wheels = [Path(line.rpartition(" ")[2]).name for line in done.stdout.splitlines() if line]
    assert len(wheels) == 2
    assert all(f"-{tag}-{tag}-" in wheel and f"_{machine}." in wheel for wheel in wheels), wheels
    again = with_image.succeed("wheel.build", *wanted)
    assert again.containers() == []
