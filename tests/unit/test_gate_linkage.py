"""The gate refuses machine code that needs what neither the wheel nor every system of its tag gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockerbuild_lib.wheels.gate import check_wheel
from tests.support.forged_wheels import INIT, Forge, compiled, expecting
from tests.support.gates import refusal_lines

Compile = Callable[..., bytes]
FAST = "demo/fast.abi3.so"
# Nothing is linked in that a test does not ask for.
BARE = ("-nostdlib", "-Wl,--no-as-needed")


@pytest.fixture
def make(tmp_path: Path) -> Compile:
    return lambda source, *options, **names: compiled(tmp_path, INIT.format("fast") + source, *options, **names)


def lines_of(folder: Path, members: dict[str, bytes]) -> list[str]:
    return refusal_lines(Forge(members=members).write(folder), expecting())


def test_what_the_interpreter_gives_may_be_undefined(tmp_path: Path, make: Compile) -> None:
    code = make("extern int _Py_NoneStruct; int *none(void) { return &_Py_NoneStruct; }", *BARE)
    facts = check_wheel(Forge(members={FAST: code}).write(tmp_path), expecting())
    assert (facts.glibc, facts.needed) == (None, ())


def test_a_symbol_that_no_linked_library_gives_is_refused(tmp_path: Path, make: Compile) -> None:
    code = make("double log2(double); double f(double x) { return log2(x); }", "-Wl,--as-needed")
    assert lines_of(tmp_path, {FAST: code}) == [
        f"{FAST}: it uses log2, which no library that it is linked with gives: link it (-lm, -ldl, ...)"
    ]


def test_the_same_symbol_passes_when_its_library_is_linked(tmp_path: Path, make: Compile) -> None:
    code = make("double log2(double); double f(double x) { return log2(x); }", *BARE, "-lm")
    wheel = Forge(members={FAST: code}, tag="cp311-cp311-linux_x86_64").write(tmp_path)
    facts = check_wheel(wheel, expecting())
    assert facts.needed == ("libm.so.6",)
    assert facts.glibc == "2.29"  # where log2 got a new version


def test_a_weak_symbol_may_be_undefined(tmp_path: Path, make: Compile) -> None:
    code = make("extern void maybe(void) __attribute__((weak)); void g(void) { if (maybe) maybe(); }", *BARE)
    check_wheel(Forge(members={FAST: code}).write(tmp_path), expecting())


def test_many_missing_symbols_are_counted(tmp_path: Path, make: Compile) -> None:
    source = "".join(f"void s{n}(void); void u{n}(void) {{ s{n}(); }}\n" for n in range(9))
    line = lines_of(tmp_path, {FAST: make(source, *BARE)})[0]
    assert "and 4 more, which no library" in line


def test_symbols_of_a_library_without_versions_pass_when_it_is_linked(tmp_path: Path, make: Compile) -> None:
    folder = tmp_path / "z"
    folder.mkdir()
    (folder / "libz.so.1").write_bytes(compiled(folder, "int inflate(void) { return 0; }", "-Wl,-soname,libz.so.1"))
    source = "int inflate(void); int f(void) { return inflate(); }"
    code = make(source, *BARE, str(folder / "libz.so.1"))
    check_wheel(Forge(members={FAST: code}).write(tmp_path), expecting())


def test_symbols_newer_than_the_tag_are_refused_with_who_uses_them(tmp_path: Path, make: Compile) -> None:
    code = make("double pow(double, double); double f(double x) { return pow(x, x); }", *BARE, "-lm")
    assert lines_of(tmp_path, {FAST: code}) == [
        f"{FAST}: it needs GLIBC_2.29 of libm.so.6 (pow), newer than the glibc 2.17 systems that its tag promises"
    ]


def test_the_oldest_of_several_tags_is_the_promise(tmp_path: Path, make: Compile) -> None:
    code = make("double pow(double, double); double f(double x) { return pow(x, x); }", *BARE, "-lm")
    tags = ("manylinux_2_17_x86_64", "manylinux_2_31_x86_64")
    wheel = Forge(members={FAST: code}, tag=f"cp311-cp311-{'.'.join(tags)}").write(tmp_path)
    assert "newer than the glibc 2.17" in refusal_lines(wheel, expecting(platform_tags=tags))[0]
    newer = Forge(members={FAST: code}, tag=f"cp311-cp311-{tags[1]}").write(tmp_path)
    assert check_wheel(newer, expecting(platform_tags=tags)).glibc == "2.29"


def test_the_toolchain_may_promise_an_older_glibc_than_the_tag(tmp_path: Path, make: Compile) -> None:
    code = make("double pow(double, double); double f(double x) { return pow(x, x); }", *BARE, "-lm")
    wheel = Forge(members={FAST: code}, tag="cp311-cp311-linux_x86_64").write(tmp_path)
    assert "newer than the glibc 2.28" in refusal_lines(wheel, expecting(glibc_floor="2.28"))[0]


def test_private_symbols_of_glibc_are_refused_whatever_the_tag(tmp_path: Path, make: Compile) -> None:
    (tmp_path / "map").write_text("GLIBC_PRIVATE { global: __inner; };")
    libc = compiled(tmp_path, "void __inner(void) {}", "-Wl,-soname,libc.so.6", f"-Wl,--version-script={tmp_path}/map")
    (tmp_path / "libc.so.6").write_bytes(libc)
    code = make("void __inner(void); void f(void) { __inner(); }", *BARE, str(tmp_path / "libc.so.6"))
    wheel = Forge(members={FAST: code}, tag="cp311-cp311-linux_x86_64").write(tmp_path)
    assert refusal_lines(wheel, expecting()) == [
        f"{FAST}: it needs GLIBC_PRIVATE of libc.so.6 (__inner), which other builds of glibc do not have"
    ]


def linked_with(folder: Path, make: Compile, name: str, *options: str) -> tuple[bytes, bytes]:
    """Return an extension module, and the library called *name* that it is linked with."""
    library = compiled(folder, "int helper(void) { return 1; }", f"-Wl,-soname,{name}", "-nostdlib")
    (folder / name).write_bytes(library)
    return make("int helper(void); int f(void) { return helper(); }", *BARE, str(folder / name), *options), library


def test_a_library_from_outside_is_refused(tmp_path: Path, make: Compile) -> None:
    code, _ = linked_with(tmp_path, make, "libhelper.so.1")
    expected = f"{FAST}: it needs libhelper.so.1, which is neither in the wheel nor on every system of its tag"
    assert expected in lines_of(tmp_path, {FAST: code})


def test_libpython_is_refused_even_in_the_wheel(tmp_path: Path, make: Compile) -> None:
    code, library = linked_with(tmp_path, make, "libpython3.11.so.1.0", "-Wl,-rpath,$ORIGIN/../demo.libs")
    lines = lines_of(tmp_path, {FAST: code, "demo.libs/libpython3.11.so.1.0": library})
    assert lines == [f"{FAST}: it needs libpython3.11.so.1.0: an extension module takes the interpreter that loads it"]


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])  # RUNPATH, RPATH
def test_a_bundled_library_that_the_rpath_leads_to_passes(tmp_path: Path, make: Compile, tags: str) -> None:
    code, library = linked_with(tmp_path, make, "libhelper.so.1", "-Wl,-rpath,$ORIGIN/../demo.libs", f"-Wl,{tags}")
    wheel = Forge(members={FAST: code, "demo.libs/libhelper.so.1": library}).write(tmp_path)
    assert check_wheel(wheel, expecting()).needed == ()


def test_a_bundled_library_out_of_the_rpaths_reach_is_refused(tmp_path: Path, make: Compile) -> None:
    code, library = linked_with(tmp_path, make, "libhelper.so.1")
    lines = lines_of(tmp_path, {FAST: code, "demo.libs/libhelper.so.1": library})
    assert f"{FAST}: it needs libhelper.so.1, which is in the wheel, but its RPATH does not lead there" in lines


def test_libraries_of_one_group_give_each_other_symbols(tmp_path: Path, make: Compile) -> None:
    (tmp_path / "libb.so").write_bytes(compiled(tmp_path, "int b(void) { return 2; }", "-Wl,-soname,libb.so", *BARE))
    # liba takes b() from libb, but only the extension module names libb.
    source = "int b(void); int a(void) { return b(); }"
    (tmp_path / "liba.so").write_bytes(compiled(tmp_path, source, "-Wl,-soname,liba.so", *BARE))
    libraries = [str(tmp_path / name) for name in ("liba.so", "libb.so")]
    code = make("int a(void); int f(void) { return a(); }", *BARE, *libraries, "-Wl,-rpath,$ORIGIN/../demo.libs")
    members = {FAST: code} | {f"demo.libs/{name}": (tmp_path / name).read_bytes() for name in ("liba.so", "libb.so")}
    check_wheel(Forge(members=members).write(tmp_path), expecting())
    alone = {FAST: make("", *BARE), "demo.libs/liba.so": members["demo.libs/liba.so"]}
    assert "demo.libs/liba.so: it uses b, which no library" in lines_of(tmp_path, alone)[0]


@pytest.mark.parametrize(
    "entry", ["/usr/lib", "$ORIGIN/../../elsewhere", ".", "", "lib", "$LIB/x", "$ORIGINAL", "$ORIGIN/$LIB"]
)
def test_an_rpath_out_of_the_wheel_is_refused(tmp_path: Path, make: Compile, entry: str) -> None:
    code = make("", *BARE, f"-Wl,-rpath,$ORIGIN:{entry}" if not entry else f"-Wl,-rpath,{entry}")
    assert lines_of(tmp_path, {FAST: code}) == [
        f"{FAST}: its RPATH {entry!r} leads out of the wheel; only $ORIGIN/... inside it is allowed"
    ]


@pytest.mark.parametrize("entry", ["$ORIGIN", "${ORIGIN}/lib", "$ORIGIN/../demo.libs", "$ORIGIN/.."])
def test_an_rpath_inside_the_wheel_passes(tmp_path: Path, make: Compile, entry: str) -> None:
    check_wheel(Forge(members={FAST: make("", *BARE, f"-Wl,-rpath,{entry}")}).write(tmp_path), expecting())
