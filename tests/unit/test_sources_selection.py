"""Which file of a project is taken."""

from __future__ import annotations

import pytest

from dockerbuild_lib.sources.index_page import IndexEntry
from dockerbuild_lib.sources.selection import (
    find_build_machine_wheel,
    find_platform_wheel,
    find_sdist,
    find_universal_wheel,
    is_platform_wheel,
)


def entries(*names: str) -> list[IndexEntry]:
    return [IndexEntry(name, f"https://f.example/{name}", None, None) for name in names]


def name_of(entry: IndexEntry | None) -> str | None:
    return entry.filename if entry else None


def test_the_sdist_is_a_tarball_of_that_very_version() -> None:
    files = entries("A_b-1.0.zip", "a_b-1.0.tar.gz", "a_b-1.0.1.tar.gz", "a_b-1.0-py3-none-any.whl", "junk")
    assert name_of(find_sdist(files, "1.0")) == "a_b-1.0.tar.gz"
    assert name_of(find_sdist(files, "1.0.0")) == "a_b-1.0.tar.gz"
    assert find_sdist(files, "2.0") is None
    assert name_of(find_sdist(entries("a-1.0.zip"), "1.0")) == "a-1.0.zip"


@pytest.mark.parametrize(
    ("name", "universal"),
    [
        ("six-1.0-py2.py3-none-any.whl", True),
        ("six-1.0-py3-none-any.whl", True),
        ("six-1.0-py2-none-any.whl", False),
        ("six-1.0-cp311-none-any.whl", False),
        ("six-1.0-py3-none-manylinux_2_17_x86_64.whl", False),
        ("six-1.1-py3-none-any.whl", False),
        ("six-1.0.tar.gz", False),
    ],
)
def test_a_universal_wheel_runs_everywhere(name: str, *, universal: bool) -> None:
    assert name_of(find_universal_wheel(entries(name), "1.0")) == (name if universal else None)


CYTHON = [
    "c-1-cp311-cp311-musllinux_1_2_x86_64.whl",
    "c-1-cp311-cp311-manylinux_2_17_aarch64.whl",
    "c-1-cp312-cp312-manylinux_2_17_x86_64.whl",
    "c-1-cp311-cp311-win_amd64.whl",
    "c-1-py3-none-any.whl",
    "c-1-cp38-abi3-manylinux2014_x86_64.whl",
    "c-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "c-1-cp311-cp311-manylinux_2_28_x86_64.whl",
]


def test_the_best_fitting_wheel_is_taken() -> None:
    left = list(CYTHON)
    for best in reversed(CYTHON[4:]):
        assert name_of(find_build_machine_wheel(entries(*left), "1", "3.11")) == best
        left.remove(best)
        if best.startswith("c-1-cp38"):
            break
    assert name_of(find_build_machine_wheel(entries(*CYTHON[:5]), "1", "3.11")) == "c-1-py3-none-any.whl"
    assert find_build_machine_wheel(entries(*CYTHON[:4]), "1", "3.11") is None


def test_the_choice_does_not_depend_on_the_order() -> None:
    expected = find_build_machine_wheel(entries(*CYTHON), "1", "3.11")
    assert find_build_machine_wheel(entries(*reversed(CYTHON)), "1", "3.11") == expected


def test_other_pythons_take_their_own() -> None:
    assert name_of(find_build_machine_wheel(entries(*CYTHON), "1", "3.12")) == CYTHON[2]


def test_a_wheel_that_needs_a_newer_glibc_than_the_images_is_not_taken() -> None:
    assert find_build_machine_wheel(entries("c-1-cp311-cp311-manylinux_2_38_x86_64.whl"), "1", "3.11") is None


TAGS = ("manylinux_2_17_aarch64", "linux_aarch64")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a-1.0-cp311-cp311-manylinux2014_aarch64.whl", "a-1.0-cp311-cp311-manylinux1_aarch64.whl"], 0),
        (["a-1.0-cp311-abi3-manylinux2014_aarch64.whl", "a-1.0-cp311-cp311-manylinux1_aarch64.whl"], 1),
        (["a-1.0-cp38-abi3-manylinux_2_17_aarch64.whl"], 0),
        (["a-1.0-cp311-cp311-manylinux1_aarch64.manylinux_2_28_aarch64.whl"], 0),
        (["a-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"], None),
        (["a-1.0-cp311-cp311-manylinux2014_x86_64.whl"], None),
        (["a-1.0-cp310-cp310-manylinux2014_aarch64.whl"], None),
        (["a-1.0-cp312-abi3-manylinux2014_aarch64.whl"], None),
        (["a-1.0-cp311-cp311-musllinux_1_1_aarch64.whl"], None),
        (["a-1.0-py3-none-any.whl", "a-1.1-cp311-cp311-manylinux2014_aarch64.whl", "a-1.0.tar.gz"], None),
    ],
)
def test_the_wheel_of_a_platform_has_its_machine_code(names: list[str], found: int | None) -> None:
    wanted = None if found is None else names[found]
    assert name_of(find_platform_wheel(entries(*names), "1.0", "3.11", TAGS)) == wanted
    assert [is_platform_wheel(name, "1.0", "3.11", TAGS) for name in names].count(True) == (
        0 if found is None else len(names)
    )


@pytest.mark.parametrize(
    ("tag", "names", "found"),
    [
        ("macosx_11_0_arm64", ["macosx_11_0_arm64", "macosx_10_9_universal2"], 0),
        ("macosx_11_0_arm64", ["macosx_10_9_x86_64", "macosx_10_9_universal2"], 1),
        ("macosx_11_0_arm64", ["macosx_12_0_arm64", "macosx_10_9_x86_64"], None),
        ("macosx_10_15_x86_64", ["macosx_10_9_universal2", "macosx_10_9_x86_64"], 1),
        ("macosx_10_15_x86_64", ["macosx_10_9_x86_64", "macosx_10_13_x86_64", "macosx_11_0_x86_64"], 1),
        ("macosx_10_15_x86_64", ["macosx_10_9_x86_64.macosx_11_0_arm64"], 0),
        ("win_amd64", ["win32", "win_arm64", "win_amd64"], 2),
        ("win_arm64", ["win32", "win_amd64"], None),
    ],
)
def test_the_wheel_of_a_mac_or_windows_is_the_best_that_it_runs(tag: str, names: list[str], found: int | None) -> None:
    files = [f"a-1.0-cp311-cp311-{name}.whl" for name in names]
    wanted = None if found is None else files[found]
    assert name_of(find_platform_wheel(entries(*files), "1.0", "3.11", (tag,))) == wanted
    assert name_of(find_platform_wheel(entries(*reversed(files)), "1.0", "3.11", (tag,))) == wanted
