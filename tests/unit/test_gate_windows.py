"""The gate refuses a wheel for Windows whose machine code is not what its tags promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.foreign import WINDOWS_MACHINES, WindowsPlatform
from dockerbuild_lib.wheels.gate import WheelExpectation, check_wheel
from tests.support.foreign_code import Mach, Pe
from tests.support.forged_wheels import Forge
from tests.support.forged_wheels import expecting as expecting_elsewhere
from tests.support.gates import refusal_lines

AMD64, STABLE = "cp311-cp311-win_amd64", "cp37-abi3-win_amd64"
FAST = "demo/fast.cp311-win_amd64.pyd"


def expecting(tag: str = "win_amd64") -> WheelExpectation:
    platform = WindowsPlatform(system="windows", cipd="windows", tags=(tag,), windows="10.0")
    return WheelExpectation("demo", "1.0", python="cp311", foreign=platform, platform_tags=platform.tags)


def refused(folder: Path, content: bytes, tag: str = AMD64, member: str = FAST) -> list[str]:
    """Return what the gate says of a wheel with that member, the member's name left out."""
    wheel = Forge(tag=tag, members={member: content}).write(folder)
    return [line.removeprefix(f"{member}: ") for line in refusal_lines(wheel, expecting())]


@pytest.mark.parametrize(("tag", "machine"), WINDOWS_MACHINES.items())
def test_what_its_tag_promises_passes(tmp_path: Path, tag: str, machine: str) -> None:
    members = {
        f"demo/fast.cp311-{tag}.pyd": Pe(machine).content(),
        "demo.libs/x.dll": Pe(machine, exports=()).content(),
    }
    facts = check_wheel(Forge(tag=f"cp311-cp311-{tag}", members=members).write(tmp_path), expecting(tag))
    assert facts.extensions == ("demo.fast",)
    assert facts.system == "Windows 6.0"
    assert facts.needed == ("kernel32.dll", "python311.dll")


def test_the_stable_abi_passes(tmp_path: Path) -> None:
    code = Pe(imports=["Python3.DLL"]).content()
    assert check_wheel(Forge(tag=STABLE, members={"demo/fast.pyd": code}).write(tmp_path), expecting())


@pytest.mark.parametrize("tag", ["cp311-cp311-win32", "cp311-cp311-win_arm64", "cp311-cp311-macosx_11_0_arm64"])
def test_a_tag_of_other_machines_is_refused(tmp_path: Path, tag: str) -> None:
    platform = tag.rpartition("-")[2]
    told = f"none of its platform tags ({platform}) is one of the target's, whose best is win_amd64"
    assert told in refused(tmp_path, Pe().content(), tag)


@pytest.mark.parametrize("machine", ["386", "arm64"])
def test_another_processor_under_the_right_tag_is_refused(tmp_path: Path, machine: str) -> None:
    assert refused(tmp_path, Pe(machine).content()) == [f"it is machine code for {machine}, not for amd64"]


@pytest.mark.parametrize(("machine", "passes"), [("386", True), ("amd64", True), ("arm64", False)])
def test_programs_may_be_those_that_every_windows_runs(tmp_path: Path, machine: str, passes: bool) -> None:  # noqa: FBT001 - a parameter
    members = {FAST: Pe().content(), "demo/tool.exe": Pe(machine, dll=False, imports=(), exports=()).content()}
    wheel = Forge(tag=AMD64, members=members).write(tmp_path)
    if passes:
        assert check_wheel(wheel, expecting())
    else:
        assert refusal_lines(wheel, expecting()) == [f"demo/tool.exe: it is machine code for {machine}, not for amd64"]


@pytest.mark.parametrize("pe", [Pe(windows=(10, 1)), Pe(subsystem=(11, 0))])
def test_a_newer_windows_than_the_platforms_is_refused(tmp_path: Path, pe: Pe) -> None:
    newer = max(pe.windows, pe.subsystem)
    assert refused(tmp_path, pe.content()) == [
        f"it needs Windows {newer[0]}.{newer[1]}, newer than the platform's 10.0"
    ]


def test_a_library_says_in_its_header_that_it_is_one(tmp_path: Path) -> None:
    told = "its header does not say that it is a library (IMAGE_FILE_DLL)"
    assert refused(tmp_path, Pe(dll=False).content()) == [told]


@pytest.mark.parametrize(
    ("tag", "library", "told"),
    [
        (AMD64, "python310.dll", "it needs python310.dll, but cp311 has python311.dll"),
        (AMD64, "PYTHON311_D.dll", "it needs PYTHON311_D.dll, but cp311 has python311.dll"),
        (AMD64, "python313t.dll", "it needs python313t.dll, but cp311 has python311.dll"),
        (STABLE, "python311.dll", "it needs python311.dll, but wheels with an abi3 tag take python3.dll"),
    ],
)
def test_another_python_is_refused(tmp_path: Path, tag: str, library: str, told: str) -> None:
    member = "demo/fast.pyd"
    assert refused(tmp_path, Pe(imports=[library]).content(), tag, member) == [told]
    assert refused(tmp_path, Pe(imports=[], delayed=[library]).content(), tag, member) == [told]


@pytest.mark.parametrize(
    ("member", "told"),
    [
        ("demo/fast.cp310-win_amd64.pyd", "its suffix .cp310-win_amd64 is not that of cp311 (cp311-win_amd64)"),
        ("demo/fast.abi3.pyd", "its suffix .abi3 is not that of cp311"),
        ("demo/slow.pyd", "it does not export PyInit_slow, so it cannot be imported"),
    ],
)
def test_a_module_that_this_python_does_not_find_or_start_is_refused(tmp_path: Path, member: str, told: str) -> None:
    assert any(told in line for line in refused(tmp_path, Pe().content(), member=member))


def test_a_suffix_of_one_python_is_not_for_all(tmp_path: Path) -> None:
    told = "its suffix .cp311-win_amd64 binds it to one Python, but the wheel's tag says abi3"
    assert refused(tmp_path, Pe(imports=["python3.dll"]).content(), STABLE) == [told]


def test_a_wheel_without_its_machine_code_is_refused(tmp_path: Path) -> None:
    lines = refusal_lines(Forge(tag=AMD64, members={"demo/__init__.py": b""}).write(tmp_path), expecting())
    assert lines == ["it has no extension module at all: the build left its machine code out"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (Mach().content(), "it is machine code of another system, in a wheel for Windows"),
        (b"\x7fELF" + bytes(60), "it is machine code of another system, in a wheel for Windows"),
        (b"text", "its name is that of a library of Windows, but it is no PE file"),
        (Pe().content()[:300], "it is a damaged PE file"),
    ],
)
def test_other_code_in_its_place_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    assert any(told in line for line in refused(tmp_path, content))


@pytest.mark.parametrize(("member", "content"), [(FAST, Pe().content()), ("demo/fast.so", Mach().content())])
def test_a_universal_wheel_holds_no_code_of_any_system(tmp_path: Path, member: str, content: bytes) -> None:
    wheel = Forge(tag="py3-none-any", members={member: content}, purelib=True).write(tmp_path)
    assert f"{member}: it is machine code, but the wheel is universal" in refusal_lines(
        wheel, expecting_elsewhere(None)
    )


def test_a_universal_wheel_may_carry_programs_of_windows(tmp_path: Path) -> None:
    members = {"demo/launcher.exe": Pe("386", dll=False).content()}
    wheel = Forge(tag="py3-none-any", members=members, purelib=True).write(tmp_path)
    assert check_wheel(wheel, expecting_elsewhere(None))
