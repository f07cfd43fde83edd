"""Mach-O files are read within their bounds, whatever stands in them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import Budget
from dockerbuild_lib.wheels.gate.mach_o import MAGICS, MachCode, read_mach_o
from tests.support.foreign_code import BUNDLE, Mach, fat

RIGHT = (
    Mach().content(),
    Mach("x86_64", macos=(10, 9), old_command=True, rpath=("@loader_path/.dylibs",)).content(),
    Mach("i386").content(),
    fat(Mach("x86_64", macos=(10, 9)), Mach("arm64")),
)


def read(content: bytes) -> tuple[MachCode, ...]:
    return read_mach_o(content, Budget())


def test_the_facts_of_one_processor() -> None:
    mach = Mach(libraries=("/usr/lib/libz.1.dylib", "@rpath/libx.dylib"), rpath=("@loader_path/.dylibs",))
    (code,) = read(mach.content())
    assert code == MachCode(
        machine="arm64",
        kind="MH_BUNDLE",
        macos=(11, 0),
        signed=True,
        libraries=("/usr/lib/libz.1.dylib", "@rpath/libx.dylib"),
        rpath=("@loader_path/.dylibs",),
        inits=frozenset({"PyInit_fast"}),
    )


def test_each_processor_of_a_file_for_several_has_its_own_facts() -> None:
    codes = read(fat(Mach("x86_64", macos=(10, 13), old_command=True, symbols=()), Mach("arm64", macos=(12, 3))))
    assert [(code.machine, code.macos, len(code.inits)) for code in codes] == [
        ("x86_64", (10, 13), 0),
        ("arm64", (12, 3), 1),
    ]


def test_files_of_64_bits_offsets_are_read_too() -> None:
    content = Mach().content()
    entry = struct.pack(">2I2Q2I", 0x0100000C, 0, 40, len(content), 0, 0)
    (code,) = read(struct.pack(">2I", 0xCAFEBABF, 1) + entry + content)
    assert code.machine == "arm64"


@pytest.mark.parametrize(
    ("mach", "macos"),
    [
        (Mach(macos=None), None),
        (Mach(platform=2), None),
        (Mach(platform=6), None),
        (Mach(macos=(10, 16)), (11, 0)),
        (Mach(macos=(14, 2)), (14, 2)),
    ],
)
def test_the_oldest_macos_is_that_of_macos_alone(mach: Mach, macos: tuple[int, int] | None) -> None:
    assert [code.macos for code in read(mach.content())] == [macos]


@pytest.mark.parametrize(
    "symbols",
    [
        [("_PyInit_fast", 0x01)],  # taken from elsewhere
        [("_PyInit_fast", 0x0E)],  # local
        [("_PyInit_fast", 0x1F)],  # hidden (private external)
        [("_PyInit_fast", 0xEF)],  # for debuggers
        [("PyInit_fast", 0x0F)],  # not a C function's
    ],
)
def test_only_what_others_can_call_starts_a_module(symbols: list[tuple[str, int]]) -> None:
    assert read(Mach(symbols=symbols).content())[0].inits == frozenset()


def test_other_processors_are_told_apart() -> None:
    assert [read(Mach(machine).content())[0].machine for machine in ("arm64e", "i386")] == ["arm64e", "i386"]


def test_code_of_one_processor_stands_once() -> None:
    with pytest.raises(WheelRefusedError, match="code of one processor twice"):
        read(fat(Mach(), Mach()))


def test_a_part_is_what_the_list_says() -> None:
    content = bytearray(fat(Mach(), Mach("x86_64")))
    struct.pack_into(">I", content, 8, 7)
    with pytest.raises(WheelRefusedError, match="its parts are not what its list of them says"):
        read(bytes(content))


@pytest.mark.parametrize("place", [16, 20])  # number and size of the load commands
def test_tables_outside_of_the_file_are_refused(place: int) -> None:
    content = bytearray(Mach().content())
    struct.pack_into("<I", content, place, 0xFFFFFFFF)
    with pytest.raises(WheelRefusedError, match="damaged Mach-O file"):
        read(bytes(content))


def test_more_symbols_than_any_real_file_has_are_refused_before_they_are_walked() -> None:
    content = Mach().content()
    table = content.index(struct.pack("<2I", 2, 24))
    hostile = content[: table + 12] + struct.pack("<I", 0xFFFFFFFF) + content[table + 16 :]
    with pytest.raises(WheelRefusedError, match="longer, or more tangled"):
        read(hostile)


@given(st.sampled_from(RIGHT), st.data())
def test_a_file_that_was_cut_off_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    harmless(content[: data.draw(st.integers(0, len(content)))])


@given(
    st.sampled_from(RIGHT), st.lists(st.tuples(st.integers(0, 1 << 12), st.binary(min_size=1, max_size=8)), max_size=6)
)
def test_a_file_that_was_changed_is_read_or_refused(content: bytes, changes: list[tuple[int, bytes]]) -> None:
    changed = bytearray(content)
    for place, text in changes:
        start = place % len(content)
        changed[start : start + len(text)] = text[: len(content) - start]
    harmless(bytes(changed))


@given(st.sampled_from(sorted(MAGICS)), st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(magic: bytes, rest: bytes) -> None:
    harmless(magic + rest)


@given(
    macos=st.tuples(st.integers(10, 99), st.integers(0, 15)),
    libraries=st.lists(st.text("abc/@._-", min_size=1, max_size=30), max_size=4),
    machine=st.sampled_from(["arm64", "x86_64"]),
)
def test_what_was_written_is_read(macos: tuple[int, int], libraries: list[str], machine: str) -> None:
    (code,) = read(Mach(machine, BUNDLE, macos, libraries=libraries).content())
    assert (code.macos, code.libraries, code.machine) == (macos, tuple(libraries), machine)


def harmless(content: bytes) -> None:
    """Read *content*: nothing but the project's own error may come of it."""
    try:
        read(content)
    except WheelRefusedError as error:
        assert error.what  # noqa: PT017 - not that it is raised is tested, but that nothing else is
