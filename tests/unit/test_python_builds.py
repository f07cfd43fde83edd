"""How Pythons are built from source, and how a wheel's build and trial see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.containers.worker import WORK
from dockerbuild_lib.core.command import WORK_FOLDER, resolve
from dockerbuild_lib.images.scripts import prepare_build, trim_python
from dockerbuild_lib.plan.products import PythonWork, WheelWork
from dockerbuild_lib.wheels import python
from dockerbuild_lib.wheels.build import wheel_environment
from dockerbuild_lib.wheels.python_places import (
    BUILD_MACHINE,
    python_trees,
    target_interpreter,
    wheel_interpreter,
)
from tests.unit.test_plan_pythons import catalog, plan

HEADERS = "include/python3.13"
ELF = b"\x7fELF and more"


def python_of(folder: Path, platform: str) -> PythonWork:
    made = plan(catalog(folder), "3.13", platform)
    works = [planned.step.work for planned in made.steps if isinstance(planned.step.work, PythonWork)]
    return next(work for work in works if work.workshop.platform_name == platform)


def wheel_of(folder: Path, platform: str, version: str = "3.13") -> WheelWork:
    [planned] = plan(catalog(folder), version, platform).goals
    assert isinstance(planned.goal, WheelWork)
    return planned.goal


def command_lines(work: PythonWork) -> list[list[str]]:
    return [command.resolved_argv(WORK_FOLDER) for command in python._commands(work)]  # noqa: SLF001 - what it runs


def test_a_foreign_python_is_configured_with_the_build_machines(tmp_path: Path) -> None:
    configure = command_lines(python_of(tmp_path, "linux-riscv64"))[1]
    assert {
        "--host=riscv64-linux-gnu",
        "--build=x86_64-pc-linux-gnu",
        "--with-build-python=/work/build-machine/python/bin/python3.13",
        "--prefix=/work/python",
        "ac_cv_buggy_getaddrinfo=no",
    } <= set(configure)


def test_the_build_machines_own_is_configured_as_usual(tmp_path: Path) -> None:
    configure = command_lines(python_of(tmp_path, "linux-amd64"))[1]
    assert not [option for option in configure if option.startswith(("--host", "--with-build", "ac_cv"))]


def test_a_wheel_is_built_by_the_build_machines_python_for_the_targets(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "linux-riscv64")
    assert resolve(wheel_interpreter(wheel), WORK_FOLDER) == "/work/build-machine/python/bin/python3.13"
    environment = wheel_environment(wheel)
    assert environment["_PYTHON_SYSCONFIGDATA_NAME"] == "_sysconfigdata__linux_riscv64-linux-gnu"
    assert environment["QEMU_LD_PREFIX"] == "/opt/dockerbuild/target-root"
    tars = {work.key.full: Path(work.workshop.platform_name) for work in wheel.pythons.works}
    assert list(python_trees(wheel.pythons, tars)) == [
        (Path("linux-riscv64"), WORK),
        (Path("linux-amd64"), BUILD_MACHINE),
    ]


def test_for_the_build_machine_both_are_one(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "linux-amd64")
    assert resolve(wheel_interpreter(wheel), WORK_FOLDER) == "/work/python/bin/python3.13"
    tars = {work.key.full: Path("one") for work in wheel.pythons.works}
    assert list(python_trees(wheel.pythons, tars)) == [(Path("one"), WORK)]
    assert "QEMU_LD_PREFIX" not in wheel_environment(wheel)


def test_debians_are_in_the_image(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "linux-arm64", "3.11")
    assert resolve(wheel_interpreter(wheel), WORK_FOLDER) == "/usr/bin/python3.11"
    assert target_interpreter("3.11", wheel.pythons.target) == ("/opt/dockerbuild/python/python3.11",)
    environment = wheel_environment(wheel)
    assert environment["_PYTHON_SYSCONFIGDATA_NAME"] == "_sysconfigdata__aarch64-linux-gnu"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work folder with a target's Python and an empty build environment, as phase one sees it."""
    for module, name, value in (
        (prepare_build, "WORK", tmp_path),
        (prepare_build, "VENV", tmp_path / "venv"),
        (trim_python, "PYTHON", tmp_path / "python"),
    ):
        monkeypatch.setattr(module, name, value)
    write(tmp_path / "python" / HEADERS / "pyconfig.h", b"target")
    write(tmp_path / "python/lib/python3.13/_sysconfigdata__linux_riscv64-linux-gnu.py", b"told")
    (tmp_path / "venv/lib/python3.13/site-packages").mkdir(parents=True)
    return tmp_path


def write(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_build_sees_the_targets_headers_and_variables(work: Path) -> None:
    native = work / "build-machine/python"
    write(native / HEADERS / "pyconfig.h", b"native")
    prepare_build.show_target(native / "bin/python3.13", "riscv64-linux-gnu")
    assert (native / HEADERS / "pyconfig.h").read_bytes() == b"target"
    told = work / "venv/lib/python3.13/site-packages/_sysconfigdata__linux_riscv64-linux-gnu.py"
    assert told.read_bytes() == b"told"


def test_debians_headers_lead_to_the_targets(work: Path) -> None:
    prepare_build.show_target(Path("/usr/bin/python3.13"), "riscv64-linux-gnu")
    assert (work / "build-machine/include/riscv64-linux-gnu/python3.13/pyconfig.h").read_bytes() == b"target"


def test_the_build_machines_own_headers_stay(work: Path) -> None:
    prepare_build.show_target(work / "python/bin/python3.13", "x86_64-linux-gnu")
    assert (work / "python" / HEADERS / "pyconfig.h").read_bytes() == b"target"
    assert not (work / "build-machine").exists()


def test_a_python_is_trimmed_of_what_no_build_uses(work: Path) -> None:
    home = work / "python"
    kept = [write(home / name, ELF) for name in ("bin/python3.13", "lib/python3.13/lib-dynload/zlib.so")]
    kept += [write(home / name) for name in ("lib/python3.13/os.py", "lib/python3.13/config-3.13/Makefile")]
    gone = [
        write(home / name)
        for name in (
            "bin/python3.13-config",
            "lib/libpython3.13.a",
            "lib/python3.13/config-3.13/python.o",
            "lib/python3.13/idlelib/a.py",
            "share/man/man1/python3.1",
        )
    ]
    trim_python.main("3.13", "true")
    assert all(path.exists() for path in kept)
    assert not [path for path in gone if path.exists()]
