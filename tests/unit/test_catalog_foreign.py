"""Platforms without an image: what a catalogue says of them, and what nobody may ask of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.foreign import MacPlatform, WindowsPlatform
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import UsageError
from tests.support.catalogs import GOOD, PLATFORMS, problems_of, write_catalog

TAKING = "trial: import x, prebuilt: [mac-*, windows-*]"


def catalog(folder: Path, recipe: str = TAKING, version: str = "") -> Catalog:
    wheel = f"x: {{{recipe}, versions: {{'1.0': {{{version}}}}}}}"
    return load_catalog(write_catalog(folder, platforms=PLATFORMS, wheels__x=wheel))


def test_each_system_has_its_own_facts(tmp_path: Path) -> None:
    platforms = catalog(tmp_path).platforms
    mac, windows = platforms["mac-arm64"], platforms["windows-386"]
    assert isinstance(mac, MacPlatform)
    assert mac.machine == "arm64"
    assert isinstance(windows, WindowsPlatform)
    assert (windows.machine, windows.windows) == ("386", "10.0")


def test_a_mac_may_take_wheels_for_both_processors_under_one_python(tmp_path: Path) -> None:
    tags = "[macosx_10_11_x86_64, macosx_11_0_universal2]"
    mac = f"a: {{system: macos, cipd: a, tags: [macosx_10_11_x86_64], python-platform-tags: {{'3.11': {tags}}}}}\n"
    platform = load_catalog(write_catalog(tmp_path, platforms=GOOD["platforms.yaml"] + mac)).platforms["a"]
    assert isinstance(platform, MacPlatform)
    assert platform.machine == "x86_64"
    assert platform.tags_for("3.11")[1] == "macosx_11_0_universal2"


def test_an_image_is_only_asked_of_platforms_that_have_one(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    assert list(made.image_platforms) == ["linux-arm64", "linux-amd64"]
    assert made.image_platform("linux-arm64") == made.platform("linux-arm64")
    told = "mac-arm64 has no image: nothing is built or run for it.*with an image are: linux-arm64, linux-amd64"
    with pytest.raises(UsageError, match=told):
        made.image_platform("mac-arm64")
    with pytest.raises(UsageError, match="unknown platform 'mac-arm46'; did you mean 'mac-arm64'"):
        made.image_platform("mac-arm46")


ALL = ["linux-arm64", "linux-amd64", "mac-arm64", "windows-386"]


@pytest.mark.parametrize(
    ("recipe", "version", "built", "taken"),
    [
        (TAKING, "", ["linux-arm64", "linux-amd64"], ["mac-arm64", "windows-386"]),
        (TAKING, "skip: {windows-386: why}", ["linux-arm64", "linux-amd64"], ["mac-arm64"]),
        ("trial: a, prebuilt: [mac-*, linux-arm64]", "", ["linux-amd64"], ["linux-arm64", "mac-arm64"]),
        ("trial: a, platforms: ['*']", "", ["linux-arm64", "linux-amd64"], []),
        ("trial: a, kind: prebuilt, platforms: ['*']", "", [], ALL),
    ],
)
def test_a_wheel_is_built_or_taken(
    tmp_path: Path, recipe: str, version: str, built: list[str], taken: list[str]
) -> None:
    made = catalog(tmp_path, recipe, version)
    assert made.prebuilt_platforms_of("x", "1.0") == taken
    assert [name for name in made.platforms_of("x", "1.0") if not made.is_prebuilt("x", name)] == built


def test_a_platform_may_have_extension_modules_of_its_own(tmp_path: Path) -> None:
    recipe = f"{TAKING}, extensions: [x._linux], platform-extensions: {{mac-*: [x._mac], '*-arm64': [x._arm]}}"
    made = catalog(tmp_path, recipe)
    assert {name: made.extensions_of("x", name) for name in made.platforms} == {
        "linux-arm64": ("x._arm",),
        "linux-amd64": ("x._linux",),
        "mac-arm64": ("x._mac",),
        "windows-386": ("x._linux",),
    }


NOT_ONE_MAC = "3:4: its tags are not those of one processor; write one such as macosx_11_0_arm64"
NOT_WINDOWS = "3:4: its tags are not one of Windows; write one of: win32, win_amd64, win_arm64"


@pytest.mark.parametrize(
    ("platform", "told"),
    [
        (
            "system: macos, cipd: a, tags: [win32]",
            "3:4: 'win32' is no tag of Macs; write one such as macosx_11_0_arm64",
        ),
        ("system: macos, cipd: a, tags: [macosx_11_0_arm64, macosx_11_0_x86_64]", NOT_ONE_MAC),
        ("system: macos, cipd: a, tags: [macosx_11_0_universal2]", NOT_ONE_MAC),
        ("system: windows, cipd: a, tags: [win32, win_amd64], windows: '10.0'", NOT_WINDOWS),
        ("system: windows, cipd: a, tags: [win64], windows: '10.0'", NOT_WINDOWS),
        ("system: windows, cipd: a, tags: [win32]", "3:1: missing key 'windows'; add 'windows: ...'"),
        (
            "system: windows, cipd: a, tags: [win32], windows: xp",
            "3:55: 'xp' is not a version of Windows such as 10.0",
        ),
        ("system: mac, cipd: a, tags: [a]", "3:13: 'mac' is none of: linux, macos, windows; did you mean 'macos'?"),
        (
            "system: macos, cipd: a, tags: [macosx_11_0_arm64], image: debian",
            "3:56: unknown key 'image'; known are: cipd, default, package-tags, python-platform-tags, system, tags",
        ),
    ],
)
def test_a_platform_that_cannot_be_is_told_with_its_place(tmp_path: Path, platform: str, told: str) -> None:
    config = write_catalog(tmp_path, platforms=f"{GOOD['platforms.yaml']}a: {{{platform}}}\n")
    assert problems_of(config) == [f"config/platforms.yaml:{told}"]


NOTHING_BUILT = (
    "nothing can be built for mac-arm64, which has no image; "
    "write 'prebuilt: [mac-*]' to take the package index's wheels"
)


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("platforms: [linux-*, mac-*]", f"24: {NOTHING_BUILT}"),
        ("prebuilt: [mac-amd64]", "14: unknown platform 'mac-amd64'; did you mean 'mac-arm64'?"),
        ("platform-extensions: {mac-arm: [x]}", "25: unknown platform 'mac-arm'; did you mean 'mac-arm64'?"),
    ],
)
def test_a_wheel_that_cannot_be_is_told_with_its_place(tmp_path: Path, recipe: str, told: str) -> None:
    wheel = f"x:\n  trial: a\n  {recipe}\n  versions: {{'1.0': {{}}}}\n"
    found = problems_of(write_catalog(tmp_path, platforms=PLATFORMS, wheels__x=wheel))
    assert found == [f"config/wheels/x.yaml:3:{told}"]


def test_a_local_folder_has_no_prebuilt_wheels(tmp_path: Path) -> None:
    wheel = "x: {trial: a, source: {type: local, folder: ../x}, prebuilt: [mac-*]}"
    (line,) = problems_of(write_catalog(tmp_path, platforms=PLATFORMS, wheels__x=wheel))
    assert line.endswith("the package index has no wheels of a local folder; remove it")
