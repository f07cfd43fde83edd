"""The gate refuses a wheel whose extension modules are not those of its recipe, or that this Python cannot import."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.wheels.gate import check_wheel
from dockerbuild_lib.wheels.gate.extensions import init_symbol
from tests.support.forged_wheels import INIT, Forge, compiled, expecting
from tests.support.gates import refusal_lines

OWN = "cpython-311-x86_64-linux-gnu"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("code"), INIT.format("fast") + INIT.format("slow"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("plain"), "int answer(void) { return 42; }\n")


@pytest.mark.parametrize(
    ("member", "module"),
    [
        (f"demo/fast.{OWN}.so", "demo.fast"),
        (f"fast.{OWN}.so", "fast"),
        ("demo/deep/fast.abi3.so", "demo.deep.fast"),
        ("demo/fast.so", "demo.fast"),
        ("demo-1.0.data/platlib/demo/fast.so", "demo.fast"),
        ("demo-1.0.data/purelib/fast.abi3.so", "fast"),
    ],
)
def test_an_extension_module_is_found_where_it_is_installed(
    tmp_path: Path, code: bytes, member: str, module: str
) -> None:
    facts = check_wheel(Forge(members={member: code}).write(tmp_path), expecting(extensions=(module,)))
    assert facts.extensions == (module,)


def test_a_platform_wheel_without_any_extension_is_refused(tmp_path: Path) -> None:
    lines = refusal_lines(Forge(members={"demo.py": b""}).write(tmp_path), expecting())
    assert lines == ["it has no extension module at all: the build left its machine code out"]


def test_a_missing_and_an_unnamed_extension_are_refused(tmp_path: Path, code: bytes) -> None:
    members = {"demo/fast.abi3.so": code, "demo/slow.abi3.so": code}
    lines = refusal_lines(Forge(members=members).write(tmp_path), expecting(extensions=("demo.fast", "demo.other")))
    assert lines == [
        "it lacks the extension module demo.other",
        "it has the extension module demo.slow, which its recipe does not name",
    ]


@pytest.mark.parametrize(
    "suffix",
    [
        "cpython-310-x86_64-linux-gnu",
        "cpython-311-aarch64-linux-gnu",
        "cpython-311-x86_64-linux-musl",
        "cpython-311d-x86_64-linux-gnu",
        "cpython-311",
        "pypy311-pp73-x86_64-linux-gnu",
    ],
)
def test_a_suffix_that_the_target_does_not_import_is_refused(tmp_path: Path, code: bytes, suffix: str) -> None:
    lines = refusal_lines(Forge(members={f"demo/fast.{suffix}.so": code}).write(tmp_path), expecting())
    assert f"demo/fast.{suffix}.so: its suffix .{suffix}.so is not that of cp311 ({OWN}, or abi3)" in lines


def test_an_abi3_wheel_with_an_extension_of_one_python_is_refused(tmp_path: Path, code: bytes) -> None:
    forge = Forge(members={f"demo/fast.{OWN}.so": code}, tag="cp36-abi3-manylinux_2_17_x86_64")
    assert "binds it to one Python" in refusal_lines(forge.write(tmp_path), expecting())[0]


@pytest.mark.parametrize("member", ["demo/other.abi3.so", f"demo/other.{OWN}.so", "demo/other.so"])
def test_an_extension_that_does_not_export_its_start_is_refused(tmp_path: Path, code: bytes, member: str) -> None:
    lines = refusal_lines(Forge(members={member: code}).write(tmp_path), expecting())
    assert lines == [f"{member}: it does not export PyInit_other, so it cannot be imported"]


def test_a_start_that_is_hidden_or_only_used_does_not_count(tmp_path: Path) -> None:
    hidden = compiled(tmp_path, '__attribute__((visibility("hidden"))) void *PyInit_fast(void) { return 0; }')
    used = compiled(tmp_path, "extern void *PyInit_fast(void); void *get(void) { return PyInit_fast(); }")
    for code in (hidden, used):
        lines = refusal_lines(Forge(members={"fast.abi3.so": code}).write(tmp_path), expecting())
        assert lines == ["fast.abi3.so: it does not export PyInit_fast, so it cannot be imported"]


def test_a_library_that_the_package_opens_itself_is_no_extension(tmp_path: Path, code: bytes, plain: bytes) -> None:
    members = {"demo/fast.abi3.so": code, "demo/libhelper.so": plain, "demo/libother.so.1": plain}
    facts = check_wheel(Forge(members=members).write(tmp_path), expecting(extensions=("demo.fast",)))
    assert facts.extensions == ("demo.fast",)


def test_only_such_a_library_is_not_enough(tmp_path: Path, plain: bytes) -> None:
    lines = refusal_lines(Forge(members={"demo/libhelper.so": plain}).write(tmp_path), expecting())
    assert lines == ["it has no extension module at all: the build left its machine code out"]


def test_an_extension_module_may_be_called_like_a_library(tmp_path: Path) -> None:
    code = compiled(tmp_path, INIT.format("libfast"))
    facts = check_wheel(Forge(members={"demo/libfast.so": code}).write(tmp_path), expecting())
    assert facts.extensions == ("demo.libfast",)


def test_a_name_outside_ascii_starts_with_its_own_symbol(tmp_path: Path) -> None:
    # An example of PEP 489.
    symbol = init_symbol("lan\u010dm\u00edt")
    assert symbol == "PyInitU_lanmt_2sa6t"
    code = compiled(tmp_path, f"void *{symbol}(void) {{ return 0; }}")
    facts = check_wheel(Forge(members={"lan\u010dm\u00edt.abi3.so": code}).write(tmp_path), expecting())
    assert facts.extensions == ("lan\u010dm\u00edt",)


@given(st.text(min_size=1).filter(str.isidentifier))
def test_every_identifier_has_a_start_symbol_in_ascii(name: str) -> None:
    assert init_symbol(name).isascii()


@pytest.mark.parametrize("name", ["demo/fast.so", "demo/libx.so.1.2", "demo.libs/libx.so"])
def test_a_shared_library_that_is_no_elf_file_is_refused(tmp_path: Path, code: bytes, name: str) -> None:
    members = {"other.abi3.so": code.replace(b"PyInit_fast", b"PyInit_rest"), name: b"INPUT(libc.so.6)\n"}
    lines = refusal_lines(Forge(members=members).write(tmp_path), expecting())
    assert any(line.startswith(f"{name}: ") and "no ELF file" in line for line in lines)
