"""PE files are read within their bounds, whatever stands in them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import Budget
from dockerbuild_lib.wheels.gate.pe import PeFacts, read_pe
from tests.support.foreign_code import PE_MACHINES, Pe

RIGHT = (Pe().content(), Pe("386").content(), Pe("arm64", delayed=("late.dll",)).content())


def read(content: bytes) -> PeFacts:
    return read_pe(content, Budget())


@pytest.mark.parametrize("machine", sorted(PE_MACHINES))
def test_the_facts(machine: str) -> None:
    pe = Pe(
        machine, windows=(6, 1), imports=("python311.dll", "b.dll"), delayed=("late.dll",), exports=("a", "PyInit_x")
    )
    assert read(pe.content()) == PeFacts(
        machine=machine,
        is_dll=True,
        windows=(6, 1),
        libraries=("python311.dll", "b.dll", "late.dll"),
        inits=frozenset({"PyInit_x"}),
    )


def test_the_newer_of_system_and_subsystem_counts() -> None:
    assert read(Pe(windows=(4, 0), subsystem=(10, 0)).content()).windows == (10, 0)
    assert read(Pe(windows=(6, 2), subsystem=(5, 1)).content()).windows == (6, 2)


def test_a_program_is_no_library() -> None:
    assert not read(Pe(dll=False).content()).is_dll


def test_a_file_without_tables_is_read() -> None:
    content = bytearray(Pe().content())
    struct.pack_into("<I", content, 0x40 + 24 + 108, 0)
    assert read(bytes(content)).libraries == ()


@pytest.mark.parametrize(
    ("place", "number", "why"),
    [
        (0x3C, 0xFFFFFFF0, "its signature is missing"),
        (0x40 + 4 + 2, 0xFFFF, "it claims 65535 sections"),
        (0x40 + 4 + 16, 0xFFFF, "are not in it"),
        (0x40 + 24, 0x107, "its optional header has the magic 0x107"),
        (0x40 + 24 + 112, 0xFFFFFF00, "address 0xffffff00 is in no section"),
    ],
)
def test_tables_outside_of_the_file_are_refused(place: int, number: int, why: str) -> None:
    content = bytearray(Pe().content())
    struct.pack_into("<I" if number > 0xFFFF else "<H", content, place, number)
    with pytest.raises(WheelRefusedError, match=f"it is a damaged PE file .*{why}"):
        read(bytes(content))


def test_imports_without_an_end_are_refused() -> None:
    with pytest.raises(WheelRefusedError, match="it imports from more than 1000 libraries"):
        read(Pe(imports=["a.dll"] * 1001).content())


def test_more_exports_than_any_real_file_has_are_refused_before_they_are_walked() -> None:
    content = Pe().content()
    start = content.index(b".rdata") + 40
    hostile = content[: start + 24] + struct.pack("<I", 0xFFFFFFFF) + content[start + 28 :]
    with pytest.raises(WheelRefusedError, match="longer, or more tangled"):
        read(hostile)


def test_names_of_any_length_cost_no_more_than_those_of_real_files() -> None:
    """Each of many entries may point to the same long name."""
    content = Pe(exports=["PyInit_" + "x" * 16_000]).content()
    start, name = content.index(b".rdata") + 40, content.index(b"PyInit_x")
    address = struct.pack("<I", 0x1000 + name - start)
    table = struct.pack("<10I", 0, 0, 0, 0, 1, 0, 30_000, 0, 0x1000 + len(content) - start, 0)
    hostile = bytearray(content + address * 30_000)
    hostile[start : start + 40] = table
    struct.pack_into("<I", hostile, start - 24, len(hostile) - start)
    with pytest.raises(WheelRefusedError, match="longer, or more tangled"):
        read(bytes(hostile))


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


@given(st.binary(max_size=400), st.integers(0, 80))
def test_any_bytes_are_read_or_refused(rest: bytes, start: int) -> None:
    content = bytearray(b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", start) + rest)
    content[start : start + 4] = b"PE\0\0"
    harmless(bytes(content))


@given(
    windows=st.tuples(st.integers(6, 99), st.integers(0, 99)),
    imports=st.lists(st.text("abc._-", min_size=1, max_size=30), max_size=5),
    machine=st.sampled_from(sorted(PE_MACHINES)),
)
def test_what_was_written_is_read(windows: tuple[int, int], imports: list[str], machine: str) -> None:
    facts = read(Pe(machine, windows=windows, imports=imports).content())
    assert (facts.windows, facts.libraries, facts.machine) == (windows, tuple(imports), machine)


def harmless(content: bytes) -> None:
    """Read *content*: nothing but the project's own error may come of it."""
    try:
        read(content)
    except WheelRefusedError as error:
        assert error.what  # noqa: PT017 - not that it is raised is tested, but that nothing else is
