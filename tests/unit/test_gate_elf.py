"""ELF files are read as the loader reads them, and no damage gives another error than a refusal."""

from __future__ import annotations

import struct
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import Budget, ElfFacts, NeededVersion, UndefinedSymbol, read_elf
from tests.support.forged_wheels import compiled

SOURCE = """
double log2(double);
int puts(const char *);
extern void maybe(void) __attribute__((weak));
extern int _Py_NoneStruct;
__attribute__((visibility("hidden"))) int hidden;
static int local;
int *PyInit_demo(double x) { puts("x"); if (maybe) maybe(); local = log2(x); hidden = 1; return &_Py_NoneStruct; }
"""
HASHES = ("-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv", "-Wl,--hash-style=both")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("elf"), SOURCE, "-lm", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b")


def read(content: bytes) -> ElfFacts:
    return read_elf(content, Budget())


def without_sections(content: bytes) -> bytes:
    """Forget the section headers: e_shoff, e_shnum and e_shstrndx."""
    return content[:40] + bytes(8) + content[48:60] + bytes(4) + content[64:]


def test_what_the_dynamic_section_says_is_read(library: bytes) -> None:
    facts = read(library)
    assert (facts.kind, facts.machine, facts.bits, facts.little_endian) == ("ET_DYN", "EM_X86_64", 64, True)
    dynamic = facts.dynamic
    assert dynamic is not None
    assert dynamic.needed == ("libm.so.6", "libc.so.6")
    assert dynamic.rpath == ("$ORIGIN/a", "$ORIGIN/b")
    assert NeededVersion("libm.so.6", "GLIBC_2.29") in dynamic.versions
    assert UndefinedSymbol("log2", weak=False, needs=NeededVersion("libm.so.6", "GLIBC_2.29")) in dynamic.undefined
    assert UndefinedSymbol("_Py_NoneStruct", weak=False, needs=None) in dynamic.undefined
    assert UndefinedSymbol("maybe", weak=True, needs=None) in dynamic.undefined
    assert dynamic.defined == {"PyInit_demo"}


@pytest.mark.parametrize("style", HASHES)
def test_section_headers_are_not_needed(tmp_path: Path, style: str) -> None:
    content = compiled(tmp_path, SOURCE, "-lm", style)
    assert read(without_sections(content)) == read(content)


def test_a_library_that_exports_nothing_still_shows_what_it_needs(tmp_path: Path) -> None:
    source = '__asm__(".globl needed\\n"); extern int needed; static int *f(void) { return &needed; }\n'
    source += "static int *(*keep)(void) __attribute__((used)) = f;"
    content = compiled(tmp_path, source, "-nostdlib", "-Wl,--hash-style=gnu")
    dynamic = read(content).dynamic
    assert dynamic is not None
    assert dynamic.defined == frozenset()
    assert [symbol.name for symbol in dynamic.undefined] == ["needed"]


def test_a_static_program_has_no_dynamic_section(tmp_path: Path) -> None:
    source, program = tmp_path / "a.s", tmp_path / "a"
    source.write_text('.globl _start\n_start: ret\n.section .note.GNU-stack,"",@progbits\n')
    subprocess.run(["gcc", "-nostdlib", "-static", "-o", program, source], check=True)
    facts = read(program.read_bytes())
    assert (facts.kind, facts.dynamic) == ("ET_EXEC", None)


def test_a_budget_bounds_the_work(library: bytes) -> None:
    with pytest.raises(WheelRefusedError, match="longer, or more tangled"):
        read_elf(library, Budget(20))


def test_the_budget_is_shared_by_all_files_of_a_wheel(library: bytes) -> None:
    budget = Budget(150)
    read_elf(library, budget)
    with pytest.raises(WheelRefusedError, match="longer, or more tangled"):
        _ = [read_elf(library, budget) for _ in range(10)]


def dynamic_entry(content: bytes, tag: int) -> int:
    """Return where the dynamic section of a 64-bit file has the value of *tag*."""
    count = struct.unpack_from("<H", content, 56)[0]
    headers = [struct.unpack_from("<LLQQQQ", content, 64 + 56 * number) for number in range(count)]
    start = next(header[2] for header in headers if header[0] == 2)
    return next(
        place + 8 for place in range(start, len(content), 16) if struct.unpack_from("<Q", content, place)[0] == tag
    )


DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_NEEDED, DT_GNU_HASH, DT_VERNEED = 5, 6, 10, 1, 0x6FFFFEF5, 0x6FFFFFFE


@pytest.mark.parametrize("tag", [DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_NEEDED, DT_GNU_HASH, DT_VERNEED])
@pytest.mark.parametrize("value", [0, 0x40, 0xFFFFFFFF, (1 << 64) - 1])
def test_wild_pointers_end_in_a_refusal_or_facts_soon(library: bytes, tag: int, value: int) -> None:
    content = bytearray(library)
    struct.pack_into("<Q", content, dynamic_entry(library, tag), value)
    started = time.monotonic()
    try:
        facts = read_elf(bytes(content), Budget(100_000))
    except WheelRefusedError:
        facts = None
    assert facts is None or isinstance(facts, ElfFacts)
    assert time.monotonic() - started < 20


def test_a_huge_hash_table_is_refused_soon(library: bytes) -> None:
    content = bytearray(library)
    table = struct.unpack_from("<Q", content, dynamic_entry(library, DT_GNU_HASH))[0]  # its address is its offset
    struct.pack_into("<L", content, table, 0xFFFFFFFF)
    with pytest.raises(WheelRefusedError):
        read(bytes(content))


def test_a_huge_number_of_segments_is_refused(library: bytes) -> None:
    content = bytearray(library)
    struct.pack_into("<H", content, 56, 0xFFFF)
    with pytest.raises(WheelRefusedError, match="it claims 65535 segments"):
        read(bytes(content))


def test_names_that_are_no_text_are_shown_escaped(library: bytes) -> None:
    assert read(library.replace(b"libm.so.6\0", b"lib\xff.so.6\0")).dynamic is not None


def mutated(content: bytes, changes: list[tuple[int, bytes]], length: int) -> bytes:
    result = bytearray(content)
    for place, value in changes:
        result[place : place + len(value)] = value[: len(result) - place]
    return bytes(result[:length])


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_mutation_gives_another_error(library: bytes, data: st.DataObject) -> None:
    places = st.integers(0, 0x800) | st.integers(0, len(library) - 1)
    values = st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, b"\xff" * 8, bytes(4), b"\x7f\xff"])
    changes = data.draw(st.lists(st.tuples(places, values), min_size=1, max_size=6))
    length = data.draw(st.just(len(library)) | st.integers(0, len(library)))
    try:
        facts = read_elf(mutated(library, changes, length), Budget(20_000))
    except WheelRefusedError:
        return
    assert isinstance(facts, ElfFacts)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 20_000))
def test_no_truncation_gives_another_error(library: bytes, length: int) -> None:
    try:
        read_elf(library[:length], Budget(20_000))
    except WheelRefusedError as error:
        assert "damaged" in error.what or "tangled" in error.what  # noqa: PT017 - most truncations raise, not all
