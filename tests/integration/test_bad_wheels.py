"""Real wheels at the gate: what compilers, backends and projects really make, right and wrong.

Needs gcc and aarch64-linux-gnu-gcc of Debian 12 (glibc 2.36), and a package index.
"""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.compare import compare_wheels
from dockerbuild_lib.wheels.gate import WheelExpectation, check_wheel
from tests.support.forged_wheels import AARCH64, INIT, X86_64, Forge, compiled, expecting
from tests.support.gates import refusal_lines
from tests.support.pip_wheels import build_natively, download_official, download_sdist

COMPILERS = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
MACHINES = tuple(COMPILERS)
Compile = Callable[..., bytes]


@pytest.fixture
def compile_for(tmp_path: Path) -> Compile:
    def compile_it(machine: str, source: str, *options: str) -> bytes:
        return compiled(tmp_path, source, *options, compiler=COMPILERS[machine])

    return compile_it


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    found: dict[str, Path] = {}

    def fetch(distribution: str, version: str) -> Path:
        if distribution not in found:
            found[distribution] = download_sdist(tmp_path_factory.mktemp("sdist"), distribution, version)
        return found[distribution]

    return fetch


def wheel_with(folder: Path, machine: str, code: bytes, suffix: str | None = None) -> Path:
    member = f"demo/fast.cpython-311-{suffix or machine}-linux-gnu.so"
    return Forge(tag=f"cp311-cp311-manylinux_2_17_{machine}", members={member: code}).write(folder)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_wheel_from_the_cross_compiler_passes(tmp_path: Path, compile_for: Compile, machine: str) -> None:
    source = INIT.format("fast") + "#include <string.h>\nunsigned long f(const char *s) { return strlen(s); }\n"
    facts = check_wheel(
        wheel_with(tmp_path, machine, compile_for(machine, source)),
        expecting(f"{machine}-linux-gnu", extensions=("demo.fast",), glibc_floor="2.17"),
    )
    assert facts.extensions == ("demo.fast",)
    assert facts.needed == ("libc.so.6",)


def test_an_x86_64_extension_in_an_aarch64_wheel_is_refused(tmp_path: Path, compile_for: Compile) -> None:
    wheel = wheel_with(tmp_path, "aarch64", compile_for("x86_64", INIT.format("fast")))
    lines = refusal_lines(wheel, expecting("aarch64-linux-gnu"))
    member = "demo/fast.cpython-311-aarch64-linux-gnu.so"
    assert f"{member}: it is machine code of EM_X86_64, not of EM_AARCH64" in lines


def test_an_aarch64_extension_under_its_own_suffix_in_an_x86_64_wheel_is_refused(
    tmp_path: Path, compile_for: Compile
) -> None:
    wheel = wheel_with(tmp_path, "x86_64", compile_for("aarch64", INIT.format("fast")), suffix="aarch64")
    text = "\n".join(refusal_lines(wheel, expecting()))
    assert "is not that of cp311 (cpython-311-x86_64-linux-gnu, or abi3)" in text
    assert "it is machine code of EM_AARCH64, not of EM_X86_64" in text


@pytest.mark.parametrize("machine", MACHINES)
def test_a_glibc_newer_than_the_tag_is_refused(tmp_path: Path, compile_for: Compile, machine: str) -> None:
    source = INIT.format("fast") + "#include <dlfcn.h>\nvoid *f(void) { return dlopen(0, RTLD_NOW); }\n"
    lines = refusal_lines(
        wheel_with(tmp_path, machine, compile_for(machine, source)), expecting(f"{machine}-linux-gnu")
    )
    assert len(lines) == 1
    assert lines[0].endswith(
        "it needs GLIBC_2.34 of libc.so.6 (dlopen), newer than the glibc 2.17 systems that its tag promises"
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_a_library_that_was_not_linked_is_refused(tmp_path: Path, compile_for: Compile, machine: str) -> None:
    source = INIT.format("fast") + "#include <math.h>\ndouble f(double x) { return log2(x); }\n"
    wheel = wheel_with(tmp_path, machine, compile_for(machine, source))
    lines = refusal_lines(wheel, expecting(f"{machine}-linux-gnu"))
    assert [line.partition(": ")[2] for line in lines] == [
        "it uses log2, which no library that it is linked with gives: link it (-lm, -ldl, ...)"
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_an_rpath_of_the_build_machine_is_refused(tmp_path: Path, compile_for: Compile, machine: str) -> None:
    code = compile_for(machine, INIT.format("fast"), "-Wl,-rpath,/work/prefix/lib:$ORIGIN")
    lines = refusal_lines(wheel_with(tmp_path, machine, code), expecting(f"{machine}-linux-gnu"))
    assert [line.partition(": ")[2] for line in lines] == [
        "its RPATH '/work/prefix/lib' leads out of the wheel; only $ORIGIN/... inside it is allowed"
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_an_extension_that_hides_its_start_is_refused(tmp_path: Path, compile_for: Compile, machine: str) -> None:
    code = compile_for(machine, INIT.format("fast"), "-fvisibility=hidden")
    lines = refusal_lines(wheel_with(tmp_path, machine, code), expecting(f"{machine}-linux-gnu"))
    assert [line.partition(": ")[2] for line in lines] == ["it does not export PyInit_fast, so it cannot be imported"]


def test_markupsafes_silent_fallback_to_python_is_refused(tmp_path: Path, sdist: Callable[[str, str], Path]) -> None:
    wheel = build_natively(tmp_path, sdist("markupsafe", "3.0.4"), CC="false")
    assert wheel.name == "markupsafe-3.0.4-py3-none-any.whl"  # and pip said nothing
    expectation = WheelExpectation(
        "markupsafe", "3.0.4", "cp311", "aarch64-linux-gnu", AARCH64, extensions=("markupsafe._speedups",)
    )
    assert refusal_lines(wheel, expectation) == [
        "its tag py3-none-any is that of a pure wheel: the build fell back from its extension modules to Python",
        "it lacks the extension module markupsafe._speedups",
    ]


def test_pyyaml_without_its_extension_is_refused(tmp_path: Path, sdist: Callable[[str, str], Path]) -> None:
    wheel = build_natively(tmp_path, sdist("pyyaml", "6.0.3"), CC="false")
    assert wheel.name == "pyyaml-6.0.3-cp311-cp311-linux_x86_64.whl"  # a platform wheel all the same
    anything = WheelExpectation("pyyaml", "6.0.3", "cp311", "x86_64-linux-gnu", X86_64)
    named = dataclasses.replace(anything, extensions=("yaml._yaml",))
    assert refusal_lines(wheel, named) == ["it lacks the extension module yaml._yaml"]
    none = "it has no extension module at all: the build left its machine code out"
    assert refusal_lines(wheel, anything) == [none]


def test_a_native_build_of_markupsafe_passes_and_other_options_show(
    tmp_path: Path, sdist: Callable[[str, str], Path]
) -> None:
    linker = {"LDSHARED": "gcc -shared"}  # without the RPATH that some interpreters hand on to what they build
    plain, other = (
        build_natively(tmp_path / flags, sdist("markupsafe", "3.0.4"), CC="gcc", CFLAGS=flags, **linker)
        for flags in ("-O2", "-O0")
    )
    expectation = WheelExpectation(
        "markupsafe", "3.0.4", "cp311", "x86_64-linux-gnu", X86_64, extensions=("markupsafe._speedups",)
    )
    assert check_wheel(plain, expectation).extensions == ("markupsafe._speedups",)
    extension = "markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so"
    found = [difference.what for difference in compare_wheels(plain, other) if difference.member == extension]
    assert any(what.startswith("ELF sections") and ".text" in what for what in found)


# What the projects publish themselves: distribution, version, extension modules (none: all that are there).
SOUND = (
    ("markupsafe", "3.0.4", ("markupsafe._speedups",)),
    ("pyyaml", "6.0.3", ("yaml._yaml",)),
    ("cryptography", "50.0.2", ("cryptography.hazmat.bindings._rust",)),
    ("lxml", "6.1.3", ()),
    ("msgpack", "1.2.4", ("msgpack._cmsgpack",)),
    ("zstandard", "0.25.0", ("zstandard._cffi", "zstandard.backend_c")),
)
# Linked without -lm or -ldl: they work because the interpreter happens to have loaded these libraries.
WITH_A_HOLE = (
    ("brotli", "1.2.1", ("_brotli",), "log2"),
    ("cffi", "2.1.1", ("_cffi_backend",), "dlopen"),
    ("psutil", "7.2.2", ("psutil._psutil_linux",), "dlopen"),
    ("numpy", "2.4.6", (), "dladdr"),
    ("pyzmq", "27.3.0", ("zmq.backend.cython._zmq",), "pthread_mutexattr_settype"),
)


def official_expectation(wheel: Path, machine: str, extensions: tuple[str, ...]) -> WheelExpectation:
    name, version, _, tags = parse_wheel_filename(wheel.name)
    platforms = tuple(sorted({tag.platform for tag in tags}))
    return WheelExpectation(name, str(version), "cp311", f"{machine}-linux-gnu", platforms, extensions)


def copied(wheel: Path, name: str) -> Path:
    shutil.copy(wheel, wheel.with_name(name))
    return wheel.with_name(name)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("distribution", "version", "extensions"), SOUND)
def test_official_wheels_pass_under_their_own_tags(
    tmp_path: Path, distribution: str, version: str, extensions: tuple[str, ...], machine: str
) -> None:
    wheel = download_official(tmp_path, distribution, version, machine)
    facts = check_wheel(wheel, official_expectation(wheel, machine, extensions))
    assert facts.glibc is not None
    assert set(facts.extensions) >= set(extensions)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("distribution", "version", "extensions", "symbol"), WITH_A_HOLE)
def test_official_wheels_that_lean_on_the_interpreters_libraries_fail_by_that_alone(  # noqa: PLR0913, PLR0917
    tmp_path: Path, distribution: str, version: str, extensions: tuple[str, ...], symbol: str, machine: str
) -> None:
    wheel = download_official(tmp_path, distribution, version, machine)
    (line,) = refusal_lines(wheel, official_expectation(wheel, machine, extensions))
    assert f"it uses {symbol}" in line
    assert "which no library that it is linked with gives" in line


def test_an_official_wheel_under_another_name_is_refused(tmp_path: Path) -> None:
    wheel = download_official(tmp_path, "markupsafe", "3.0.4", "x86_64")
    expectation = official_expectation(wheel, "x86_64", ("markupsafe._speedups",))
    renamed = copied(wheel, wheel.name.replace("3.0.4", "3.0.5"))
    lines = refusal_lines(renamed, expectation)
    assert "its version is 3.0.5, not 3.0.4" in lines
    assert "METADATA: its version '3.0.4' is not '3.0.5', as in the file name" in lines
    retagged = copied(wheel, wheel.name.replace("x86_64", "aarch64"))
    lines = refusal_lines(retagged, official_expectation(retagged, "aarch64", ()))
    assert any(line.startswith("WHEEL: its tags (cp311-cp311-manylinux2014_x86_64") for line in lines)
    assert any("it is machine code of EM_X86_64, not of EM_AARCH64" in line for line in lines)


def test_an_official_wheel_with_a_changed_member_is_refused(tmp_path: Path) -> None:
    wheel = download_official(tmp_path / "official", "markupsafe", "3.0.4", "x86_64")
    changed = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info, content.replace(b"Markup", b"Mark-up") if info.filename.endswith(".py") else content)
    with pytest.raises(WheelRefusedError, match=r"markupsafe/__init__\.py: its sha256 is not the one in RECORD"):
        check_wheel(changed, official_expectation(changed, "x86_64", ()))
