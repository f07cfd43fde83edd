"""Names that are defined nowhere, and patches."""

from __future__ import annotations

from pathlib import Path

from dockerbuild_lib.catalog.load import load_catalog
from tests.support.catalogs import add_file, problems_of, write_catalog

_PROCESSORS = "known are: x86_64, aarch64, armv7l, armv6l, riscv64, i686, powerpc64le, s390x"
_UNUSED = "list it under 'patches:' of its version, or remove it"
_MISSING = "add the file, or remove it from the list"
PATCH = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-old\n+new\n"


def test_a_platform_names_a_known_image_toolchain_and_processor(tmp_path: Path) -> None:
    platforms = "a:\n  triple: arch64-linux-gnu\n  cipd: a\n  tags: [a]\n  image: debin\n  toolchain: gc\n"
    assert problems_of(write_catalog(tmp_path, platforms=platforms)) == [
        f"config/platforms.yaml:2:11: the triple 'arch64-linux-gnu' is of an unknown processor; {_PROCESSORS}",
        "config/platforms.yaml:5:10: unknown image 'debin'; did you mean 'debian'?",
        "config/platforms.yaml:6:14: unknown toolchain 'gc'; did you mean 'gcc'?",
    ]


def test_a_wheel_names_known_libraries_toolchain_and_platforms(tmp_path: Path) -> None:
    wheel = (
        "x:\n  trial: a\n  libraries: [libffi, libfi]\n  toolchain: clang\n"
        "  platforms: [linux-*, mac-*, linux-arm]\n  versions: {1.0.0: {skip: {linux-amd46: why}}}\n"
    )
    assert problems_of(write_catalog(tmp_path, wheels__x=wheel)) == [
        "config/wheels/x.yaml:3:23: unknown library 'libfi'; did you mean 'libffi'?",
        "config/wheels/x.yaml:4:14: unknown toolchain 'clang'; known are: gcc, zig",
        "config/wheels/x.yaml:5:24: 'mac-*' matches no platform; known are: linux-amd64, linux-arm64",
        "config/wheels/x.yaml:5:31: unknown platform 'linux-arm'; did you mean 'linux-arm64'?",
        "config/wheels/x.yaml:6:29: unknown platform 'linux-amd46'; did you mean 'linux-amd64'?",
    ]


def test_a_wrong_key_does_not_hide_an_unknown_name(tmp_path: Path) -> None:
    wheel = "x: {trail: a, libraries: [libfi], versions: {1.0.0: {}}}"
    assert problems_of(write_catalog(tmp_path, wheels__x=wheel)) == [
        "config/wheels/x.yaml:1:1: missing key 'trial'; add 'trial: ...'",
        "config/wheels/x.yaml:1:5: unknown key 'trail'; did you mean 'trial'?",
        "config/wheels/x.yaml:1:27: unknown library 'libfi'; did you mean 'libffi'?",
    ]


def test_names_of_a_wrong_entry_are_known(tmp_path: Path) -> None:
    found = problems_of(write_catalog(tmp_path, toolchains="zig: {compiler: zag}\n"))
    assert found == ["config/toolchains.yaml:1:17: 'zag' is none of: zig, gcc, base; did you mean 'zig'?"]


def test_names_are_not_looked_for_in_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    found = problems_of(write_catalog(tmp_path, toolchains="a: b: c", images=None))
    assert found == [
        "config/images.yaml: there is no such file; write the catalogue's images into it",
        "config/toolchains.yaml:1:5: a ':' stands where none may be; quote a text that holds ': '",
    ]


def test_without_libraries_no_library_is_known(tmp_path: Path) -> None:
    wheel = "x: {trial: a, libraries: [libffi], versions: {1.0.0: {}}}"
    found = problems_of(write_catalog(tmp_path, libraries=None, wheels__x=wheel))
    assert found == ["config/wheels/x.yaml:1:27: unknown library 'libffi'; none is known"]


def test_a_value_that_is_wrong_already_is_not_called_unknown_too(tmp_path: Path) -> None:
    wheel = "x: {trial: a, libraries: [3, Lib], platforms: [A_b], versions: {1.0.0: {patches: [a]}}}"
    found = problems_of(write_catalog(tmp_path, wheels__x=wheel))
    assert [line.partition(": ")[0] for line in found] == [
        f"config/wheels/x.yaml:1:{column}" for column in (27, 30, 48, 83)
    ]


def test_listed_patches_exist_and_existing_ones_are_listed(tmp_path: Path) -> None:
    wheel = "x: {trial: a, versions: {1.0.0: {patches: [01-good.patch, 02-bda.patch]}, 2.0.0: {patches: [01-a.patch]}}}"
    config = write_catalog(tmp_path, wheels__x=wheel)
    for name in ("x/1.0.0/01-good.patch", "x/1.0.0/02-bad.patch", "x/1.0.0/README.md", "y/1.0.0/01-a.patch"):
        add_file(config, f"patches/{name}", PATCH)
    assert problems_of(config) == [
        f"config/patches/x/1.0.0/02-bad.patch: no recipe uses this patch; {_UNUSED}",
        f"config/patches/y/1.0.0/01-a.patch: no recipe uses this patch; {_UNUSED}",
        "config/wheels/x.yaml:1:59: there is no file config/patches/x/1.0.0/02-bda.patch; did you mean '02-bad.patch'?",
        f"config/wheels/x.yaml:1:93: there is no file config/patches/x/2.0.0/01-a.patch; {_MISSING}",
    ]


def test_patches_of_a_recipe_that_cannot_be_read_are_left_alone(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, wheels__x="x: [")
    add_file(config, "patches/x/1.0.0/01-a.patch", "")
    assert [line.partition(":")[0] for line in problems_of(config)] == ["config/wheels/x.yaml"]


def test_a_recipe_finds_its_patches(tmp_path: Path) -> None:
    wheel = "x: {trial: a, versions: {1.0.0: {patches: [02-b.patch, 01-a.patch]}}}"
    config = write_catalog(tmp_path, wheels__x=wheel)
    for name in ("01-a.patch", "02-b.patch"):
        add_file(config, f"patches/x/1.0.0/{name}", PATCH)
    folder = config / "patches" / "x" / "1.0.0"
    assert load_catalog(config).patches_of("x", "1.0.0") == [folder / "02-b.patch", folder / "01-a.patch"]
