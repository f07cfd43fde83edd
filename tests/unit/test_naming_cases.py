"""The names of the original tool, as a catalogue of today says them: 171 wheels, on all platforms of the original."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import LockError, UsageError
from dockerbuild_lib.plan.naming import Target
from dockerbuild_lib.plan.refs import parse_published_version
from dockerbuild_lib.plan.wheel_names import WheelNames, wheel_names
from dockerbuild_lib.store.names import check_package, check_tag
from tests.support.catalogs import GOOD, add_file, problems_of, write_catalog

DATA = Path(__file__).parents[1] / "data" / "naming"
CASES = json.loads((DATA / "cases.json").read_text())


@cache
def catalog_of(kind: str) -> Catalog:
    """Return a catalogue: one distribution is of one kind, but one of the original's was universal only at first."""
    return load_catalog(DATA / kind)


def names_of(case: Mapping[str, Any]) -> WheelNames:
    catalog = catalog_of("universal" if case["platform"] == "universal" else "platforms")
    targets = {
        target.name: target
        for target in (Target(platform, python) for platform in catalog.platforms for python in catalog.pythons)
    }
    return wheel_names(catalog, canonicalize_name(case["name"]), case["version"], targets.get(case["platform"]))


def test_there_are_all_cases() -> None:
    assert len(CASES) == 171


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}-{case['version']}-{case['platform']}")
def test_a_wheel_is_called_as_ever(case: Mapping[str, Any]) -> None:
    names = names_of(case)
    assert (names.package, list(names.tags), names.filename, names.packaged_filename) == (
        case["package"],
        case["tags"],
        case["filename"],
        case["packaged_filename"],
    )
    assert check_package(names.package) == names.package
    assert tuple(map(check_tag, names.tags)) == names.tags


def test_every_wheel_of_the_catalogues_is_a_case() -> None:
    """Else a recipe could be there for nothing."""
    named = {(canonicalize_name(case["name"]), case["version"]) for case in CASES}
    for kind in ("universal", "platforms"):
        for distribution, recipe in catalog_of(kind).wheels.items():
            assert {(distribution, version) for version in recipe.versions} <= named


def test_all_suffixes_but_hashes_of_patches_are_ordered_like_revisions() -> None:
    versions = {case["tags"][0].removeprefix("version:") for case in CASES}
    assert len(versions) > 60
    unordered = [version for version in versions if parse_published_version(version) is None]
    assert [version.rpartition("-")[2] for version in unordered] == ["5c85ed3d46137b17da04c59bcd805ee5"]


SOURCE = "demo: {trial: import demo, spelling: %s, versions: {'1.0': {%s}}}\n"


def demo(folder: Path, spelling: str = "demo", version: str = "", **changed: str) -> WheelNames:
    config = write_catalog(folder, **changed)
    add_file(config, "wheels/demo.yaml", SOURCE % (spelling, version))
    return wheel_names(load_catalog(config), "demo", "1.0", Target("linux-arm64", "3.11"))


def test_a_revision_is_in_the_tag_and_in_the_true_name(tmp_path: Path) -> None:
    names = demo(tmp_path, version="revision: 2")
    assert names.tags == ("version:1.0.dockerbuild.2",)
    assert names.filename == "demo-1.0-2-cp311-cp311-linux_aarch64.whl"
    assert names.packaged_filename == "demo-1.0-py2.py3-none-any.whl"


def test_a_suffix_takes_the_place_of_the_revision_in_the_tag(tmp_path: Path) -> None:
    names = demo(tmp_path, version="revision: 2, suffix: .chromium.2")
    assert names.tags == ("version:1.0.chromium.2",)
    assert names.filename == "demo-1.0-2-cp311-cp311-linux_aarch64.whl"


def test_a_version_may_claim_other_tags_than_its_platform(tmp_path: Path) -> None:
    names = demo(tmp_path, version="tags: {linux-arm64: [manylinux_2_28_aarch64]}")
    assert names.filename == "demo-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"


def test_a_universal_wheel_that_is_not_locked_has_no_name(tmp_path: Path) -> None:
    catalog = load_catalog(write_catalog(tmp_path))
    with pytest.raises(LockError, match=r"six 1\.17\.0: the universal wheel is not locked"):
        wheel_names(catalog, "six", "1.17.0", None)


def test_a_wheel_for_each_platform_is_called_by_its_platform(tmp_path: Path) -> None:
    demo(tmp_path)
    with pytest.raises(UsageError, match="another one for each platform"):
        wheel_names(load_catalog(tmp_path / "config"), "demo", "1.0", None)


@pytest.mark.parametrize(
    ("wheel", "problem"),
    [
        (SOURCE % ("Demon", ""), "'Demon' is no spelling of 'demo' (PEP 503)"),
        (SOURCE % ("-demo", ""), "'-demo' is not a distribution's name such as MarkupSafe"),
        (SOURCE % ("demo", "suffix: chromium"), "'chromium' is not a suffix of a version such as .chromium.4"),
        (SOURCE % ("demo", "suffix: '.a b'"), "'.a b' is not a suffix"),
        (SOURCE % ("demo", "tags: {linux-arm46: [x]}"), "unknown platform 'linux-arm46'"),
        (SOURCE % ("demo", "python-tag: py2"), "'py2' is none of: py3, py2.py3"),
    ],
)
def test_names_that_nobody_could_use_are_refused(wheel: str, problem: str, tmp_path: Path) -> None:
    config = write_catalog(tmp_path)
    add_file(config, "wheels/demo.yaml", wheel)
    (told,) = problems_of(config)
    assert told.startswith("config/wheels/demo.yaml:1:")
    assert problem in told


@pytest.mark.parametrize("tag", ["version:1", "content_key:1", "no-tag", "Key:1", "key:a b", f"key:{'x' * 400}"])
def test_package_tags_are_tags_and_none_of_our_own(tag: str, tmp_path: Path) -> None:
    platforms = GOOD["platforms.yaml"].replace(
        "tags: [linux_aarch64]", f"tags: [linux_aarch64], package-tags: ['{tag}']"
    )
    (told,) = problems_of(write_catalog(tmp_path, platforms=platforms))
    assert told.startswith("config/platforms.yaml:1:")
