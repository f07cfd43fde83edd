"""The oldest glibc that a recipe names, in the catalogue: what is refused, and where that stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from tests.support.catalogs import MAC, problems_of, write_catalog

PLATFORMS = MAC + "".join(
    f"{name}: {{triple: {triple}, cipd: {name}, tags: [{tags}], image: debian, toolchain: {toolchain}{own}}}\n"
    for name, triple, tags, toolchain, own in [
        (
            "linux-amd64",
            "x86_64-linux-gnu",
            "manylinux_2_17_x86_64, manylinux2014_x86_64, linux_x86_64",
            "zig",
            "",
        ),
        (
            "linux-ppc64le",
            "powerpc64le-linux-gnu",
            "manylinux_2_17_ppc64le, manylinux_2_24_ppc64le, linux_ppc64le",
            "zig",
            ", glibc: '2.19'",
        ),
        ("linux-riscv64", "riscv64-linux-gnu", "manylinux_2_31_riscv64, linux_riscv64", "gcc", ", glibc: '2.27'"),
        ("linux-armv6", "armv6l-linux-gnueabihf", "linux_armv6l", "zig", ""),
    ]
)
TOOLCHAINS = "zig: {compiler: zig, glibc: '2.17', skip: {linux-riscv64: why}}\ngcc: {compiler: gcc}\n"


def written(folder: Path, wheel: str) -> Path:
    """Write a catalogue with one wheel of that text."""
    files = {"platforms": PLATFORMS, "toolchains": TOOLCHAINS, "wheels__x": f"x: {wheel}"}
    return write_catalog(folder, wheels__six=None, **files)


OLD_TAGS = "{linux-amd64: [manylinux_2_28_x86_64, manylinux2014_x86_64]}"


@pytest.mark.parametrize(
    ("wheel", "place", "problem"),
    [
        (
            "{trial: a, glibc: '2.9', versions: {1.0.0: {}, 2.0.0: {}}}",
            "'2.9'",
            'glibc 2.9 is older than 2.19, the oldest that is linked for on linux-ppc64le; write "2.19" or a newer one',
        ),
        (
            "{trial: a, versions: {1.0.0: {glibc: '2.16', skip: {linux-ppc64le: why}}}}",
            "'2.16'",
            'glibc 2.16 is older than 2.17, the oldest that is linked for on linux-amd64; write "2.17" or a newer one',
        ),
        (
            "{trial: a, source: {type: local, folder: ../x}, glibc: '2.5', platforms: [linux-amd64]}",
            "'2.5'",
            'glibc 2.5 is older than 2.17, the oldest that is linked for on linux-amd64; write "2.17" or a newer one',
        ),
        (
            "{trial: a, toolchain: gcc, glibc: '2.28', versions: {1.0.0: {}}}",
            "'2.28'",
            (
                "the toolchain 'gcc' links for the glibc of its image, whatever the recipe says; "
                "name a toolchain that has a glibc, or remove 'glibc'"
            ),
        ),
        (
            f"{{trial: a, glibc: '2.28', versions: {{1.0.0: {{tags: {OLD_TAGS}}}}}}}",
            "manylinux2014",
            (
                "manylinux2014_x86_64 promises glibc 2.17, but the wheel is linked for 2.28; "
                "write manylinux_2_28_..., or remove the tags: they follow 'glibc'"
            ),
        ),
        (
            "{kind: prebuilt, trial: a, versions: {1.0.0: {glibc: '2.28'}}}",
            "'2.28'",
            "nothing of a prebuilt wheel is linked here; remove 'glibc'",
        ),
        (
            "{kind: pure, versions: {1.0.0: {glibc: '2.28'}}}",
            "'2.28'",
            "nothing of a pure wheel is linked here; remove 'glibc'",
        ),
        (
            "{trial: a, glibc: '3.1', versions: {1.0.0: {}}}",
            "'3.1'",
            "'3.1' is not a version of glibc such as 2.17",
        ),
        (
            "{trial: a, environment: {DOCKERBUILD_GLIBC: '2.28'}, versions: {1.0.0: {}}}",
            "DOCKER",
            "DOCKERBUILD_GLIBC is set by dockerbuild itself; write 'glibc: ...' in the recipe of a wheel",
        ),
        (
            "{trial: a, versions: {1.0.0: {environment: {DOCKERBUILD_GLIBC: ''}}}}",
            "DOCKER",
            "DOCKERBUILD_GLIBC is set by dockerbuild itself; write 'glibc: ...' in the recipe of a wheel",
        ),
    ],
)
def test_a_glibc_that_cannot_be_kept_is_refused_at_its_place(
    tmp_path: Path, wheel: str, place: str, problem: str
) -> None:
    column = f"x: {wheel}".index(place) + 1
    assert problems_of(written(tmp_path, wheel)) == [f"config/wheels/x.yaml:1:{column}: {problem}"]


def test_an_unknown_toolchain_is_the_only_problem(tmp_path: Path) -> None:
    wheel = "{trial: a, toolchain: zag, glibc: '2.5', versions: {1.0.0: {}}}"
    assert problems_of(written(tmp_path, wheel)) == [
        "config/wheels/x.yaml:1:26: unknown toolchain 'zag'; did you mean 'zig'?"
    ]


@pytest.mark.parametrize(
    "wheel",
    [
        "{trial: a, glibc: '2.19', versions: {1.0.0: {}}}",
        "{trial: a, glibc: '2.17', platforms: [linux-amd64], versions: {1.0.0: {}}}",
        "{trial: a, glibc: '2.17', prebuilt: [linux-ppc64le], versions: {1.0.0: {}}}",
        "{trial: a, toolchain: zig, glibc: '2.19', versions: {1.0.0: {}}}",  # it skips linux-riscv64, which has 2.27
        "{trial: a, glibc: '2.28', versions: {1.0.0: {tags: {linux-amd64: [manylinux_2_34_x86_64, linux_x86_64]}}}}",
        f"{{trial: a, glibc: '2.28', prebuilt: [linux-amd64], versions: {{1.0.0: {{tags: {OLD_TAGS}}}}}}}",
    ],
)
def test_one_that_can_be_kept_is_taken(tmp_path: Path, wheel: str) -> None:
    assert "x" in load_catalog(written(tmp_path, wheel)).wheels


def test_a_version_has_its_own_instead_of_the_wheels(tmp_path: Path) -> None:
    made = load_catalog(written(tmp_path, "{trial: a, glibc: '2.28', versions: {1.0.0: {}, 2.0.0: {glibc: '2.34'}}}"))
    assert [made.floor_of("x", version, "linux-amd64") for version in ("1.0.0", "2.0.0")] == ["2.28", "2.34"]


def test_tags_follow_it_where_something_is_built(tmp_path: Path) -> None:
    wheel = "{trial: a, glibc: '2.28', prebuilt: [mac-*, linux-ppc64le], versions: {1.0.0: {}}}"
    made = load_catalog(written(tmp_path, wheel))
    tags = {platform: made.tags_of("x", "1.0.0", platform, "3.11") for platform in made.platforms}
    assert tags == {
        "linux-amd64": ("manylinux_2_28_x86_64", "linux_x86_64"),
        "linux-ppc64le": ("manylinux_2_17_ppc64le", "manylinux_2_24_ppc64le", "linux_ppc64le"),
        "linux-riscv64": ("manylinux_2_28_riscv64", "manylinux_2_31_riscv64", "linux_riscv64"),
        "linux-armv6": ("linux_armv6l",),
        "mac-arm64": ("macosx_11_0_arm64",),
    }


def test_a_versions_own_tags_stay_as_they_are_written(tmp_path: Path) -> None:
    tags = "tags: {linux-amd64: [manylinux_2_34_x86_64]}"
    made = load_catalog(written(tmp_path, f"{{trial: a, glibc: '2.28', versions: {{1.0.0: {{{tags}}}}}}}"))
    assert made.tags_of("x", "1.0.0", "linux-amd64", "3.11") == ("manylinux_2_34_x86_64",)


def test_no_library_may_set_it_either(tmp_path: Path) -> None:
    library = "a: {version: '1', source: {type: debian, package: a}, environment: {DOCKERBUILD_GLIBC: '2.28'}}"
    [problem] = problems_of(write_catalog(tmp_path, libraries=library))
    assert problem.startswith("config/libraries.yaml:1:69: DOCKERBUILD_GLIBC is set by dockerbuild itself")
