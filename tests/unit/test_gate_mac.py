"""The gate refuses a wheel for Macs whose machine code is not what its tags promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.foreign import MacPlatform
from dockerbuild_lib.catalog.platform_tags import accepted_tags
from dockerbuild_lib.wheels.gate import WheelExpectation, check_wheel
from tests.support.foreign_code import DYLIB, EXECUTABLE, OBJECT, Mach, Pe, fat
from tests.support.forged_wheels import Forge
from tests.support.gates import refusal_lines

ARM64, BOTH = "cp311-cp311-macosx_11_0_arm64", "cp311-cp311-macosx_10_9_universal2"
FAST = "demo/fast.cpython-311-darwin.so"
INTEL = Mach("x86_64", macos=(10, 9))


def expecting(tag: str = "macosx_11_0_arm64", *extensions: str) -> WheelExpectation:
    platform = MacPlatform(system="macos", cipd="mac-arm64", tags=(tag,))
    tags = accepted_tags(platform.tags)
    return WheelExpectation("demo", "1.0", python="cp311", foreign=platform, platform_tags=tags, extensions=extensions)


def refused(folder: Path, content: bytes, tag: str = ARM64, member: str = FAST) -> list[str]:
    """Return what the gate says of a wheel with that member, the member's name left out."""
    wheel = Forge(tag=tag, members={member: content}).write(folder)
    return [line.removeprefix(f"{member}: ") for line in refusal_lines(wheel, expecting())]


@pytest.mark.parametrize(
    ("tag", "member", "content"),
    [
        (ARM64, FAST, Mach().content()),
        ("cp36-abi3-macosx_11_0_arm64", "demo/fast.abi3.so", Mach().content()),
        (ARM64, "demo/fast.so", Mach(kind=DYLIB).content()),
        (BOTH, FAST, fat(INTEL, Mach())),  # whatever the tag says, there is no older macOS for arm64
        ("cp311-cp311-macosx_10_9_x86_64.macosx_11_0_arm64", FAST, fat(INTEL, Mach())),
        (ARM64, FAST, fat(Mach("i386", macos=(10, 4)), Mach())),
    ],
)
def test_what_its_tags_promise_passes(tmp_path: Path, tag: str, member: str, content: bytes) -> None:
    facts = check_wheel(Forge(tag=tag, members={member: content}).write(tmp_path), expecting())
    assert facts.extensions == ("demo.fast",)
    assert facts.system == "macOS 11.0"
    assert facts.needed == ("/usr/lib/libSystem.B.dylib",)


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-macosx_12_0_arm64",
        "cp311-cp311-macosx_11_0_x86_64",
        "cp311-cp311-win_amd64",
        "cp311-cp311-manylinux_2_17_aarch64",
    ],
)
def test_a_tag_of_other_machines_is_refused(tmp_path: Path, tag: str) -> None:
    platform = tag.rpartition("-")[2]
    assert f"none of its platform tags ({platform}) is one of the target's, whose best is macosx_11_0_arm64" in refused(
        tmp_path, Mach().content(), tag
    )


def test_a_tag_of_another_python_is_refused(tmp_path: Path) -> None:
    tag = "cp310-cp310-macosx_11_0_arm64"
    assert f"its tag {tag} is not for cp311" in refused(tmp_path, Mach().content(), tag)


def test_another_processor_under_the_right_tag_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, INTEL.content()) == ["it has no code for arm64, only for x86_64"]


@pytest.mark.parametrize(("mach", "lacking"), [(INTEL, "arm64"), (Mach(), "x86_64")])
def test_one_processor_in_a_wheel_for_both_is_refused(tmp_path: Path, mach: Mach, lacking: str) -> None:
    assert refused(tmp_path, mach.content(), BOTH) == [f"it has no code for {lacking}, only for {mach.machine}"]


def test_code_for_the_system_itself_is_no_code_for_programs(tmp_path: Path) -> None:
    assert refused(tmp_path, Mach("arm64e").content()) == ["it has no code for arm64, only for arm64e"]


@pytest.mark.parametrize("old", [True, False])
def test_a_newer_macos_than_the_tags_is_refused(tmp_path: Path, old: bool) -> None:  # noqa: FBT001 - a parameter
    content = Mach(macos=(13, 3), old_command=old).content()
    told = "its arm64 code needs macOS 13.3, newer than the 11.0 that the wheel's tag promises"
    assert refused(tmp_path, content) == [told]


def test_each_processor_of_a_wheel_for_both_is_held_against_the_tag(tmp_path: Path) -> None:
    content = fat(Mach("x86_64", macos=(10, 13)), Mach(macos=(12, 0)))
    assert refused(tmp_path, content, BOTH) == [
        "its x86_64 code needs macOS 10.13, newer than the 10.9 that the wheel's tag promises",
        "its arm64 code needs macOS 12.0, newer than the 11.0 that the wheel's tag promises",
    ]


@pytest.mark.parametrize("mach", [Mach(macos=None), Mach(platform=2)], ids=["silent", "iOS"])
def test_code_that_is_for_no_macos_is_refused(tmp_path: Path, mach: Mach) -> None:
    assert refused(tmp_path, mach.content()) == ["its arm64 code does not say which macOS it needs"]


def test_code_that_is_not_signed_is_refused_where_macos_refuses_it(tmp_path: Path) -> None:
    content = fat(Mach("x86_64", macos=(10, 9), signed=False), Mach(signed=False))
    assert refused(tmp_path, content, BOTH) == ["its arm64 code is not signed, so macOS refuses to run it"]


def test_a_wheel_without_its_machine_code_is_refused(tmp_path: Path) -> None:
    lines = refusal_lines(Forge(tag=ARM64, members={"demo/__init__.py": b""}).write(tmp_path), expecting())
    assert lines == ["it has no extension module at all: the build left its machine code out"]


def test_a_pure_wheel_is_refused(tmp_path: Path) -> None:
    wheel = Forge(tag="py3-none-any", members={"demo/__init__.py": b""}, purelib=True).write(tmp_path)
    assert "its tag py3-none-any is that of a pure wheel" in refusal_lines(wheel, expecting())[0]


def test_other_modules_than_the_recipes_are_refused(tmp_path: Path) -> None:
    wheel = Forge(tag=ARM64, members={FAST: Mach().content()}).write(tmp_path)
    assert refusal_lines(wheel, expecting("macosx_11_0_arm64", "demo.quick")) == [
        "it lacks the extension module demo.quick",
        "it has the extension module demo.fast, which its recipe does not name",
    ]


@pytest.mark.parametrize(
    ("member", "told"),
    [
        ("demo/fast.cpython-310-darwin.so", "its suffix .cpython-310-darwin is not that of cp311"),
        ("demo/fast.cpython-311-x86_64-linux-gnu.so", "its suffix .cpython-311-x86_64-linux-gnu is not that of cp311"),
        ("demo/slow.so", "it does not export PyInit_slow, so it cannot be imported"),
    ],
)
def test_a_module_that_this_python_does_not_find_or_start_is_refused(tmp_path: Path, member: str, told: str) -> None:
    assert any(told in line for line in refused(tmp_path, Mach().content(), member=member))


def test_a_module_starts_on_every_processor(tmp_path: Path) -> None:
    content = fat(Mach("x86_64", macos=(10, 9), symbols=()), Mach())
    assert refused(tmp_path, content, BOTH) == ["it does not export PyInit_fast, so it cannot be imported"]


@pytest.mark.parametrize("kind", [EXECUTABLE, OBJECT])
def test_what_cannot_be_loaded_is_refused(tmp_path: Path, kind: int) -> None:
    assert "its arm64 code is not a shared library" in refused(tmp_path, Mach(kind=kind).content())[0]


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("/opt/homebrew/lib/libx.dylib", "which is neither in the wheel nor on every Mac"),
        ("@loader_path/.dylibs/liby.dylib", "which is neither in the wheel nor on every Mac"),
        ("@rpath/libx.dylib", "which is neither in the wheel nor on every Mac"),
        ("@loader_path/../../libx.dylib", "which is neither in the wheel nor on every Mac"),
        ("/Library/Frameworks/Python.framework/Versions/3.11/Python", "takes the interpreter that loads it"),
        ("@rpath/libpython3.11.dylib", "takes the interpreter that loads it"),
    ],
)
def test_a_library_that_is_not_on_every_mac_is_refused(tmp_path: Path, library: str, told: str) -> None:
    bundled = Mach(kind=DYLIB, symbols=()).content()
    members = {FAST: Mach(libraries=[library]).content(), "demo/.dylibs/libx.dylib": bundled}
    (line,) = refusal_lines(Forge(tag=ARM64, members=members).write(tmp_path), expecting())
    assert line.startswith(f"{FAST}: it needs {library}")
    assert told in line


@pytest.mark.parametrize(
    ("library", "rpath"),
    [
        ("@loader_path/.dylibs/libx.dylib", []),
        ("@rpath/libx.dylib", ["/usr/lib/swift", "@loader_path/.dylibs/"]),
        ("@loader_path/../demo/.dylibs/libx.dylib", []),
    ],
)
def test_a_library_that_the_loader_finds_in_the_wheel_passes(tmp_path: Path, library: str, rpath: list[str]) -> None:
    bundled = Mach(kind=DYLIB, symbols=(), libraries=["@loader_path/libx.dylib"]).content()
    members = {FAST: Mach(libraries=[library], rpath=rpath).content(), "demo/.dylibs/libx.dylib": bundled}
    assert check_wheel(Forge(tag=ARM64, members=members).write(tmp_path), expecting()).needed == ()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x7fELF" + bytes(60), "it is machine code of Linux (ELF), in a wheel for Macs"),
        (Pe().content(), "its name is that of a shared library of Macs, but it is no Mach-O file"),
        (b"", "its name is that of a shared library of Macs, but it is no Mach-O file"),
        (Mach().content()[:200], "it is a damaged Mach-O file"),
    ],
)
def test_other_code_in_its_place_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    assert any(told in line for line in refused(tmp_path, content))


def test_classes_of_java_are_no_machine_code(tmp_path: Path) -> None:
    members = {FAST: Mach().content(), "demo/Main.class": b"\xca\xfe\xba\xbe\0\0\0\x34"}
    assert check_wheel(Forge(tag=ARM64, members=members).write(tmp_path), expecting())
