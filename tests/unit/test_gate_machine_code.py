"""The gate refuses machine code of another processor, or that a hardened system does not load."""

from __future__ import annotations

import dataclasses
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate import check_wheel
from dockerbuild_lib.wheels.gate import expectation as expectation_module
from tests.support.forged_wheels import INIT, Forge, compiled, expecting
from tests.support.gates import refusal_lines

FAST = "demo/fast.abi3.so"
BARE = ("-nostdlib",)
EM_AARCH64 = 183
PT_GNU_STACK = struct.pack("<L", 0x6474E551)
MACHINE_PLACE, FLAGS_PLACE = 18, 48  # of e_machine and e_flags in an ELF header of 64 bits


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("code"), INIT.format("fast"), *BARE)


def patched(content: bytes, place: int, value: bytes) -> bytes:
    return content[:place] + value + content[place + len(value) :]


def lines_of(folder: Path, members: dict[str, bytes]) -> list[str]:
    return refusal_lines(Forge(members=members).write(folder), expecting())


def test_code_of_the_target_passes_and_is_described(tmp_path: Path, code: bytes) -> None:
    facts = check_wheel(path := Forge(members={FAST: code}).write(tmp_path), expecting())
    assert facts.tags == ("cp311-cp311-manylinux_2_17_x86_64",)
    assert facts.size == path.stat().st_size
    assert len(facts.sha256) == 64


def test_code_of_another_processor_is_refused(tmp_path: Path, code: bytes) -> None:
    foreign = patched(code, MACHINE_PLACE, struct.pack("<H", EM_AARCH64))
    assert lines_of(tmp_path, {FAST: foreign}) == [f"{FAST}: it is machine code of EM_AARCH64, not of EM_X86_64"]


def test_code_for_the_build_machine_in_a_wheel_of_the_target_is_refused(tmp_path: Path, code: bytes) -> None:
    wheel = Forge(members={FAST: code}, tag="cp311-cp311-manylinux_2_17_aarch64").write(tmp_path)
    lines = refusal_lines(wheel, expecting("aarch64-linux-gnu"))
    assert lines == [f"{FAST}: it is machine code of EM_X86_64, not of EM_AARCH64"]


def test_a_processor_without_a_name_is_refused(tmp_path: Path, code: bytes) -> None:
    assert "machine code of 64222" in lines_of(tmp_path, {FAST: patched(code, MACHINE_PLACE, b"\xde\xfa")})[0]


@pytest.mark.parametrize("name", ["demo/data.bin", "demo/fast.txt", "demo-1.0.data/scripts/tool", "demo/libx.so.1"])
def test_every_elf_file_is_checked_whatever_its_name(tmp_path: Path, code: bytes, name: str) -> None:
    foreign = patched(code, MACHINE_PLACE, struct.pack("<H", EM_AARCH64))
    lines = lines_of(tmp_path, {FAST: code, name: foreign})
    assert lines == [f"{name}: it is machine code of EM_AARCH64, not of EM_X86_64"]


def test_code_of_another_width_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.s").write_text('.globl PyInit_fast\nPyInit_fast: ret\n.section .note.GNU-stack,"",@progbits\n')
    subprocess.run(["as", "--32", "-o", tmp_path / "a.o", tmp_path / "a.s"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-shared", "-o", tmp_path / "a.so", tmp_path / "a.o"], check=True)
    assert lines_of(tmp_path, {FAST: (tmp_path / "a.so").read_bytes()}) == [
        f"{FAST}: it is machine code of EM_386, not of EM_X86_64",
        f"{FAST}: it is a 32-bit file, not a 64-bit one",
    ]


def test_another_float_abi_and_byte_order_are_refused(
    tmp_path: Path, code: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hard = dataclasses.replace(architecture_of("x86_64-linux-gnu"), elf_float_flags=0x400)
    monkeypatch.setattr(expectation_module, "architecture_of", lambda _triple: hard)
    assert lines_of(tmp_path, {FAST: code}) == [f"{FAST}: its float ABI is not its target's (flags 0x0, without 0x400)"]
    flagged = patched(code, FLAGS_PLACE, struct.pack("<L", 0x05000400))
    check_wheel(Forge(members={FAST: flagged}).write(tmp_path), expecting())
    big = dataclasses.replace(hard, little_endian=False)
    monkeypatch.setattr(expectation_module, "architecture_of", lambda _triple: big)
    assert lines_of(tmp_path, {FAST: flagged}) == [f"{FAST}: it is little-endian, unlike its target"]


def test_an_executable_stack_is_refused(tmp_path: Path) -> None:
    code = compiled(tmp_path, INIT.format("fast"), *BARE, "-Wl,-z,execstack")
    assert lines_of(tmp_path, {FAST: code}) == [f"{FAST}: it asks for an executable stack"]


def test_silence_about_the_stack_is_refused(tmp_path: Path, code: bytes) -> None:
    place = code.index(PT_GNU_STACK)
    assert "PT_GNU_STACK" in lines_of(tmp_path, {FAST: patched(code, place, bytes(4))})[0]


def test_text_relocations_are_refused(tmp_path: Path) -> None:
    source = INIT.format("fast") + '__asm__(".text\\n.quad PyModule_Create2\\n");'
    code = compiled(tmp_path, source, *BARE, "-Wl,-z,notext")
    assert lines_of(tmp_path, {FAST: code}) == [
        f"{FAST}: it has text relocations: compile it as position-independent code (-fPIC)"
    ]


def test_an_object_file_called_library_is_refused(tmp_path: Path, code: bytes) -> None:
    source = tmp_path / "a.c"
    source.write_text("int a;")
    subprocess.run(["gcc", "-c", "-o", tmp_path / "a.o", source], check=True)
    lines = lines_of(tmp_path, {FAST: code, "demo/liba.so": (tmp_path / "a.o").read_bytes()})
    assert lines == ["demo/liba.so: it is not a shared library (ET_REL)"]


def test_build_paths_in_the_code_pass(tmp_path: Path) -> None:
    code = compiled(tmp_path, INIT.format("fast") + 'const char *where = "/work/src/fast.c";', *BARE)
    check_wheel(Forge(members={FAST: code}).write(tmp_path), expecting())


def test_a_damaged_elf_file_is_refused_beside_the_other_problems(tmp_path: Path, code: bytes) -> None:
    lines = lines_of(tmp_path, {FAST: code, "demo/slow.so": code[:200], "demo/text.so": b"no code"})
    assert lines[0].startswith("demo/slow.so: it is a damaged ELF file")
    assert lines[1:] == ["demo/text.so: its name is that of a shared library, but it is no ELF file"]


def test_too_many_elf_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: bytes) -> None:
    monkeypatch.setattr("dockerbuild_lib.wheels.gate.code_members.MAX_MEMBERS", 2)
    members = {FAST: code, "a": code, "b": code}
    assert "it has 3 members of machine code, more than the 2 allowed" in lines_of(tmp_path, members)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_wheel_of_mutated_code_gives_another_error(tmp_path: Path, code: bytes, data: st.DataObject) -> None:
    content = bytearray(code)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(4, 0x400) | st.integers(4, len(code) - 1))
        content[place] = data.draw(st.integers(0, 255))
    wheel = Forge(members={FAST: bytes(content), "demo.libs/libx.so": bytes(content)}).write(tmp_path)
    with suppress(WheelRefusedError):
        check_wheel(wheel, expecting())
