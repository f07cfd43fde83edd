"""The gate refuses a wheel that calls itself something else than its target and recipe say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockerbuild_lib.wheels.gate import check_wheel
from tests.support.forged_wheels import INIT, Forge, compiled, expecting
from tests.support.gates import refusal_lines


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compiled(tmp_path_factory.mktemp("code"), INIT.format("fast"))


def native(code: bytes, **fields: object) -> Forge:
    return Forge(members={"demo/fast.abi3.so": code}, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64",
        "cp36-abi3-manylinux_2_17_x86_64",
        "cp311-abi3-linux_x86_64",
    ],
)
def test_tags_of_the_target_pass(tmp_path: Path, code: bytes, tag: str) -> None:
    facts = check_wheel(native(code, tag=tag).write(tmp_path), expecting())
    assert facts.extensions == ("demo.fast",)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("cp310-cp310-manylinux_2_17_x86_64", "is not for cp311"),
        ("cp312-abi3-manylinux_2_17_x86_64", "is not for cp311"),
        ("cp31-abi3-manylinux_2_17_x86_64", "is not for cp311"),
        ("cp311-cp310-manylinux_2_17_x86_64", "is not for cp311"),
        ("cp311-none-manylinux_2_17_x86_64", "is not for cp311"),
        ("py3-none-manylinux_2_17_x86_64", "is not for cp311"),
        ("pp311-pypy311_pp73-manylinux_2_17_x86_64", "is not for cp311"),
        ("cp311.cp312-cp311-manylinux_2_17_x86_64", "cp312-cp311-manylinux_2_17_x86_64 is not for cp311"),
        ("cp311-cp311-manylinux_2_28_x86_64", "is not for this platform"),
        ("cp311-cp311-manylinux_2_17_aarch64", "is not for this platform"),
        ("cp311-cp311-musllinux_1_2_x86_64", "is not for this platform"),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux_2_5_x86_64", "manylinux_2_5_x86_64 is not for this platform"),
    ],
)
def test_a_tag_of_another_target_is_refused(tmp_path: Path, code: bytes, tag: str, expected: str) -> None:
    lines = refusal_lines(native(code, tag=tag).write(tmp_path), expecting())
    assert any(expected in line for line in lines)


def test_a_pure_wheel_where_machine_code_belongs_is_refused_as_a_fallback(tmp_path: Path) -> None:
    wheel = Forge(tag="py3-none-any", purelib=True, members={"demo/__init__.py": b""}).write(tmp_path)
    lines = refusal_lines(wheel, expecting(extensions=("demo.fast",)))
    assert lines == [
        "its tag py3-none-any is that of a pure wheel: the build fell back from its extension modules to Python",
        "it lacks the extension module demo.fast",
    ]


def test_another_distribution_and_version_are_refused(tmp_path: Path, code: bytes) -> None:
    lines = refusal_lines(native(code, name="other", version="1.1").write(tmp_path), expecting())
    assert lines == ["it is a wheel of other, not of demo", "its version is 1.1, not 1.0"]


def test_a_python_that_the_metadata_excludes_is_refused(tmp_path: Path, code: bytes) -> None:
    lines = refusal_lines(native(code, requires_python=">=3.12").write(tmp_path), expecting())
    assert lines == ["METADATA: its Requires-Python >=3.12 excludes cp311"]


@pytest.mark.parametrize("allowed", [">=3.11.4", "<3.11.5", "==3.11.*", ""])
def test_one_allowed_patch_release_of_the_python_is_enough(tmp_path: Path, code: bytes, allowed: str) -> None:
    check_wheel(native(code, requires_python=allowed).write(tmp_path), expecting())


def test_machine_code_that_calls_itself_pure_is_refused(tmp_path: Path, code: bytes) -> None:
    lines = refusal_lines(native(code, purelib=True).write(tmp_path), expecting())
    assert lines == ["WHEEL: it says Root-Is-Purelib, but the wheel is for one platform"]


@pytest.mark.parametrize("tag", ["py3-none-any", "py2.py3-none-any", "py39-none-any", "cp311-none-any"])
def test_a_universal_wheel_passes(tmp_path: Path, tag: str) -> None:
    wheel = Forge(tag=tag, purelib=True, members={"demo.py": b""}).write(tmp_path)
    assert check_wheel(wheel, expecting(None)).extensions == ()


@pytest.mark.parametrize("tag", ["py2-none-any", "py312-none-any", "cp312-none-any", "py3-none-linux_x86_64"])
def test_a_universal_wheel_of_other_pythons_is_refused(tmp_path: Path, tag: str) -> None:
    wheel = Forge(tag=tag, purelib=True, members={"demo.py": b""}).write(tmp_path)
    assert "is that of a pure wheel for cp311" in refusal_lines(wheel, expecting(None))[0]


@pytest.mark.parametrize(
    ("tag", "asked", "lines"),
    [
        ("py3-none-any", "py3", []),
        ("py2.py3-none-any", "py2.py3", []),
        ("py2.py3-none-any", "py3", ["its Python tag is py2.py3, but the recipe's python-tag says py3"]),
        ("py39-none-any", "py3", ["its Python tag is py39, but the recipe's python-tag says py3"]),
    ],
)
def test_a_pure_wheel_bears_the_python_tag_of_its_recipe(
    tmp_path: Path, tag: str, asked: str, lines: list[str]
) -> None:
    wheel = Forge(tag=tag, purelib=True, members={"demo.py": b""}).write(tmp_path)
    expectation = replace(expecting(None), python_tags=asked)
    if lines:
        assert refusal_lines(wheel, expectation) == lines
    else:
        check_wheel(wheel, expectation)


def test_machine_code_in_a_universal_wheel_is_refused(tmp_path: Path, code: bytes) -> None:
    members = {"demo.py": b"", "demo_data/helper": code}
    lines = refusal_lines(Forge(tag="py3-none-any", members=members).write(tmp_path), expecting(None))
    assert lines == [
        "WHEEL: it does not say Root-Is-Purelib, but the wheel is universal",
        "demo_data/helper: it is machine code, but the wheel is universal",
    ]


def test_disagreements_inside_the_wheel_are_in_the_same_refusal(tmp_path: Path, code: bytes) -> None:
    wheel = native(code, version="2.0", extra_rows=("gone,,",)).write(tmp_path)
    assert refusal_lines(wheel, expecting()) == [
        "its version is 2.0, not 1.0",
        "gone: RECORD lists it, but the wheel does not have it",
    ]
