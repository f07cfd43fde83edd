"""The gate reads the build attributes of 32-bit ARM code, and refuses that of a newer ARM."""

from __future__ import annotations

import dataclasses
import io
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.wheels.gate import expectation as expectation_module
from dockerbuild_lib.wheels.gate.arm_attributes import CPU_ARCH, FP_ARCH, arm_attributes
from tests.support.forged_wheels import INIT, Forge, compiled, expecting
from tests.support.gates import refusal_lines

FAST = "demo/fast.abi3.so"
EM_ARM = struct.pack("<H", 40)
SHT_ARM_ATTRIBUTES = struct.pack("<I", 0x70000003)
ARM1176 = b"\x05arm1176jzf-s\x00\x06\x07\x0a\x02\x0e\x00"
"""CPU_name, a string; then CPU_arch 7 (v6KZ), FP_arch 2 (VFPv2), ABI_PCS_R9_use 0."""
CORTEX = b"\x05cortex-a8\x00\x06\x0a\x0a\x03\x43" + b"2.09\x00"
"""v7, VFPv3, and the string of the tag 67."""


def section(pairs: bytes, vendor: bytes = b"aeabi", order: str = "<") -> bytes:
    block = b"\x01" + struct.pack(f"{order}I", 5 + len(pairs)) + pairs
    body = vendor + b"\0" + block
    return b"A" + struct.pack(f"{order}I", 4 + len(body)) + body


@pytest.mark.parametrize("little_endian", [True, False])
def test_attributes_of_the_whole_file_are_read(little_endian: bool) -> None:  # noqa: FBT001 - a parameter of the test
    order = "<" if little_endian else ">"
    found = arm_attributes(section(ARM1176, order=order), little_endian=little_endian)
    assert (found[CPU_ARCH], found[FP_ARCH]) == (7, 2)
    assert arm_attributes(section(CORTEX, order=order), little_endian=little_endian) == {CPU_ARCH: 10, FP_ARCH: 3}


def test_other_vendors_and_parts_of_a_file_do_not_count() -> None:
    assert arm_attributes(section(CORTEX, vendor=b"gnu"), little_endian=True) == {}
    assert arm_attributes(section(CORTEX).replace(b"\0\x01", b"\0\x02", 1), little_endian=True) == {}


def test_numbers_may_have_several_bytes() -> None:
    assert arm_attributes(section(b"\x40\x81\x01"), little_endian=True) == {0x40: 129}


@given(st.binary(max_size=60).map(b"A".__add__) | st.binary(max_size=30).map(section))
def test_damage_is_an_error_of_its_own(data: bytes) -> None:
    with suppress(ValueError):
        arm_attributes(data, little_endian=True)


@pytest.mark.parametrize("length", range(2, len(section(CORTEX))))
def test_what_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="attributes are damaged"):
        assert arm_attributes(section(CORTEX)[:length], little_endian=True) != {}


def arm_code(folder: Path, pairs: bytes | None) -> bytes:
    """Return a shared library that says to be ARM code with these attributes; only its instructions are others."""
    source = INIT.format("fast")
    if pairs is not None:
        listed = ",".join(map(str, section(pairs)))
        source += f'__asm__(".section .attributes,\\"\\",@progbits\\n.byte {listed}\\n.text");'
    content = bytearray(compiled(folder, source, "-nostdlib"))
    content[18:20] = EM_ARM
    elf = ELFFile(io.BytesIO(content))
    for index in range(elf.num_sections()):
        if elf.get_section(index).name == ".attributes":
            place = elf["e_shoff"] + index * elf["e_shentsize"] + 4
            content[place : place + 4] = SHT_ARM_ATTRIBUTES
    return bytes(content)


@pytest.fixture
def armv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the triple of the tests' code be that of an ARMv6, in files of 64 bits."""
    known = architecture_of("armv6l-linux-gnueabihf")
    changed = dataclasses.replace(known, elf_bits=64, elf_float_flags=0)
    monkeypatch.setattr(expectation_module, "architecture_of", lambda _triple: changed)


@pytest.mark.usefixtures("armv6")
@pytest.mark.parametrize(
    ("pairs", "problems"),
    [
        (ARM1176, []),
        (
            CORTEX,
            [
                "its code is for a newer ARM than armv6l (Tag_CPU_arch 10)",
                "it uses more of the floating-point unit than armv6l has (Tag_FP_arch 3)",
            ],
        ),
        (None, ["it does not say for which ARM its code is (build attributes), so it may not run on armv6l"]),
    ],
)
def test_code_of_a_newer_arm_is_refused(tmp_path: Path, pairs: bytes | None, problems: list[str]) -> None:
    wheel = Forge(members={FAST: arm_code(tmp_path, pairs)}).write(tmp_path)
    lines = refusal_lines(wheel, expecting()) if problems else []
    assert [line for line in lines if "ARM" in line or "floating" in line or not problems] == [
        f"{FAST}: {problem}" for problem in problems
    ]
