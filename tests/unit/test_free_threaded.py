"""Pythons without the global lock (PEP 703): how they are called, built, and what their wheels must be."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import LibrariesLock, VersionLock, WheelLock
from dockerbuild_lib.plan.naming import Target, wheel_package
from dockerbuild_lib.plan.products import WheelWork
from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.sources.lock_files import lock_text
from dockerbuild_lib.sources.selection import find_build_machine_wheel
from dockerbuild_lib.wheels import python
from dockerbuild_lib.wheels.build import wheel_environment
from dockerbuild_lib.wheels.gate import check_wheel
from tests.support.catalogs import add_file, problems_of, write_catalog
from tests.support.forged_wheels import INIT, Forge, compiled, expecting
from tests.support.gates import refusal_lines
from tests.unit.test_plan_pythons import DEMO_PIN, LIBRARIES, UPSTREAM, catalog, pin, plan

UNLOCKED = UPSTREAM.replace("upstream: {", "upstream: {free-threaded: true, ")
FREE = f'"3.11": {{source: debian}}\n"3.13t": {{default: false, {UNLOCKED}}}\n'
EXPECTED = {"python": "cp313", "abi": "cp313t"}
OWN = "demo/fast.cpython-313t-x86_64-linux-gnu.so"


def wheel_of(folder: Path) -> WheelWork:
    made = catalog(folder, pythons=FREE)
    lock = VersionLock(source=DEMO_PIN, build_requires={"3.13t": ()})
    add_file(made.folder, "locks/wheels/demo.json", lock_text(WheelLock(versions={"1.0": lock})))
    add_file(made.folder, "locks/pythons.json", lock_text(LibrariesLock(sources={"3.13t": pin("p", "3.13.5")})))
    [planned] = plan(load_catalog(made.folder), "3.13t", "linux-arm64").goals
    assert isinstance(planned.goal, WheelWork)
    return planned.goal


def test_its_wheels_bear_its_abi_tag(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path)
    assert wheel.package == "infra/python/wheels/demo/linux-arm64_cp313_cp313t"
    tags = parse_wheel_filename(wheel.names.filename)[3]
    assert {(tag.interpreter, tag.abi) for tag in tags} == {("cp313", "cp313t")}
    assert wheel.target.name == "linux-arm64-py3.13t"


def test_with_the_lock_nothing_is_called_otherwise(tmp_path: Path) -> None:
    platform = catalog(tmp_path).platforms["linux-arm64"]
    assert wheel_package("demo", platform, Target("linux-arm64", "3.13")).endswith("/linux-arm64_cp313_cp313")


def test_it_is_built_without_the_lock_and_tells_its_own_variables(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path)
    assert wheel.pythons.target is not None
    configure = python._commands(wheel.pythons.target)[1].argv  # noqa: SLF001 - what it runs
    assert "--disable-gil" in configure
    told = wheel_environment(wheel)["_PYTHON_SYSCONFIGDATA_NAME"]
    assert told == "_sysconfigdata_t_linux_aarch64-linux-gnu"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("code"), INIT.format("fast"), "-nostdlib")


def test_the_gate_takes_its_wheels(tmp_path: Path, code: bytes) -> None:
    wheel = Forge(tag="cp313-cp313t-manylinux_2_17_x86_64", members={OWN: code}).write(tmp_path)
    assert check_wheel(wheel, expecting(**EXPECTED)).extensions == ("demo.fast",)


@pytest.mark.parametrize("tag", ["cp313-cp313", "cp313-abi3"])
def test_the_gate_refuses_wheels_that_need_the_lock(tmp_path: Path, code: bytes, tag: str) -> None:
    wheel = Forge(tag=f"{tag}-manylinux_2_17_x86_64", members={OWN: code}).write(tmp_path)
    assert f"its tag {tag}-manylinux_2_17_x86_64 is not for cp313" in refusal_lines(wheel, expecting(**EXPECTED))


def test_build_requirements_are_those_of_its_abi() -> None:
    names = [f"tool-1.0-cp313-{abi}-manylinux_2_17_x86_64.whl" for abi in ("cp313", "cp313t")]
    files = [IndexEntry(name, "", None, None) for name in names]
    for name, wheel in zip(("3.13", "3.13t"), names, strict=True):
        found = find_build_machine_wheel(files, "1.0", name)
        assert found is not None
        assert found.filename == wheel


@pytest.mark.parametrize(
    ("name", "upstream", "fix"),
    [("3.13t", UPSTREAM, "write free-threaded: true"), ("3.13", UNLOCKED, "call it 3.13t")],
)
def test_name_and_build_must_agree(tmp_path: Path, name: str, upstream: str, fix: str) -> None:
    pythons = f'"3.11": {{source: debian}}\n"{name}": {{{upstream}}}\n'
    [problem] = problems_of(write_catalog(tmp_path, pythons=pythons, libraries=LIBRARIES, wheels__six=None))
    assert problem.endswith(f"the name {name!r} and its free-threaded do not agree; {fix}")
