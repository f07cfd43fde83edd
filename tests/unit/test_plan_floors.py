"""The oldest glibc that a recipe names, in plans: what is built for it, what its wheels claim, and which keys move."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import LibrariesLock, VersionLock, WheelLock
from dockerbuild_lib.catalog.machines import Toolchain
from dockerbuild_lib.core.errors import CatalogError
from dockerbuild_lib.execution.workbench import expectation_of
from dockerbuild_lib.images.toolchain_files import toolchain_files
from dockerbuild_lib.plan.products import WheelWork
from dockerbuild_lib.sources.lock_files import lock_text
from dockerbuild_lib.wheels.build import build_commands, wheel_environment
from dockerbuild_lib.wheels.environment import DEFAULT_CONDITIONS
from tests.support.catalogs import add_file, write_catalog
from tests.unit.test_floors import PLATFORMS, TOOLCHAINS
from tests.unit.test_plan_pythons import DEMO, DEMO_PIN, LIBRARIES, pin, plan

ZIG = Toolchain(compiler="zig", glibc="2.17")


def wheels(folder: Path, own: str = "", *, of_version: str = "", platform: str = "linux-amd64") -> dict[str, WheelWork]:
    """Return what is planned for a platform: demo, whose recipe and version have *own* keys, and other, without any."""
    recipe = f"{{{DEMO}, libraries: [lib], "
    config = write_catalog(
        folder,
        platforms=PLATFORMS,
        toolchains=TOOLCHAINS,
        libraries=LIBRARIES,
        images="debian: {suite: bookworm, base-packages: [gcc], ports: [amd64, ppc64el, riscv64, armel, armhf]}",
        wheels__six=None,
        wheels__demo=f"demo: {recipe}{own}versions: {{'1.0': {{{of_version}}}}}}}",
        wheels__other=f"other: {recipe}versions: {{'1.0': {{}}}}}}",
    )
    lock = lock_text(WheelLock(versions={"1.0": VersionLock(source=DEMO_PIN, build_requires={"3.11": ()})}))
    for name in ("demo", "other"):
        add_file(config, f"locks/wheels/{name}.json", lock)
    add_file(config, "locks/libraries.json", lock_text(LibrariesLock(sources={"lib": pin("lib", "1.0")})))
    goals = [planned.goal for planned in plan(load_catalog(config), "3.11", platform).goals]
    return {goal.distribution: goal for goal in goals if isinstance(goal, WheelWork)}


@pytest.mark.parametrize("named", [{"own": "glibc: '2.28', "}, {"of_version": "glibc: '2.28'"}])
def test_the_build_the_gate_and_the_name_follow_it(tmp_path: Path, named: dict[str, str]) -> None:
    wheel = wheels(tmp_path, **named)["demo"]
    assert wheel_environment(wheel)["DOCKERBUILD_GLIBC"] == "2.28"
    assert build_commands(wheel, DEFAULT_CONDITIONS)[2].argv[-2:] == ("manylinux_2_28_x86_64", "linux_x86_64")
    expected = expectation_of(wheel)
    assert (expected.glibc_floor, expected.platform_tags) == ("2.28", ("manylinux_2_28_x86_64", "linux_x86_64"))
    assert {tag.platform for tag in parse_wheel_filename(wheel.names.filename)[3]} == {
        "manylinux_2_28_x86_64",
        "linux_x86_64",
    }


def test_without_it_the_toolchains_counts(tmp_path: Path) -> None:
    wheel = wheels(tmp_path)["demo"]
    assert "DOCKERBUILD_GLIBC" not in wheel_environment(wheel)
    assert (wheel.glibc, wheel.tags[0]) == ("2.17", "manylinux_2_17_x86_64")


def test_a_platform_without_manylinux_tags_keeps_its_own(tmp_path: Path) -> None:
    expected = expectation_of(wheels(tmp_path, "glibc: '2.28', ", platform="linux-armv6")["demo"])
    assert (expected.glibc_floor, expected.platform_tags) == ("2.28", ("linux_armv6l",))


def test_it_moves_the_keys_of_its_own_wheels_only(tmp_path: Path) -> None:
    before, after = wheels(tmp_path / "a"), wheels(tmp_path / "b", "glibc: '2.28', ")
    assert after["other"].key == before["other"].key
    assert after["demo"].key.recipe != before["demo"].key.recipe
    assert after["demo"].key.environment == before["demo"].key.environment
    assert after["demo"].libraries == before["demo"].libraries
    others = {wheels(tmp_path / each, f"glibc: '{each}', ")["demo"].key.full for each in ("2.28", "2.34")}
    assert len({*others, before["demo"].key.full}) == len(others) + 1


def test_a_platform_whose_toolchain_has_none_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        wheels(tmp_path, "glibc: '2.28', ", platform="linux-riscv64")
    assert str(caught.value).partition("wheels/")[2] == (
        "demo.yaml: the recipe names glibc 2.28, but gcc, the toolchain of linux-riscv64, links for that of its image; "
        "name a toolchain that has a glibc, or skip linux-riscv64 in the version 1.0"
    )


@pytest.mark.parametrize(
    ("variables", "target"),
    [
        ({}, "powerpc64le-linux-gnu.2.19"),
        ({"DOCKERBUILD_GLIBC": ""}, "powerpc64le-linux-gnu.2.19"),
        ({"DOCKERBUILD_GLIBC": "2.28"}, "powerpc64le-linux-gnu.2.28"),
    ],
)
def test_zig_is_told_it_by_its_wrappers(tmp_path: Path, variables: dict[str, str], target: str) -> None:
    workshop = wheels(tmp_path, platform="linux-ppc64le")["demo"].workshop
    files = toolchain_files("zig", workshop.toolchain, workshop.platform)
    for compiler in ("cc", "c++"):
        [text] = [text for path, text in files.items() if path.endswith(f"/bin/{compiler}")]
        zig = text.split()[2]  # after #!/bin/sh and exec
        script = text.replace(f"exec {zig}", "exec echo")
        done = subprocess.run(("/bin/sh", "-c", script), env=variables, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"{compiler} -target {target} -fno-sanitize")
