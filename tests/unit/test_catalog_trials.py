"""Wheels that trials need beside their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.trials import version_for_trials
from tests.support.catalogs import PLATFORMS, problems_of, write_catalog

PYTHONS = '"3.11": {source: debian}\n"3.12": {source: debian}\n'


def wheel(name: str, *needed: str, here: str = "") -> str:
    """Return the file of a wheel whose trial needs *needed*; each on a line of its own, from the third."""
    lines = "".join(f"    - {one}\n" for one in needed)
    asked = f"  trial-requires:\n{lines}" if needed else ""
    built = f"  build-requires: {{{here}: here}}\n" if here else ""
    return f"{name}:\n{asked}{built}  trial: import x\n  versions: {{1.0.0: {{}}}}\n"


def test_what_is_not_in_the_catalogue_cannot_be_tried_with(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, wheels__cffi=wheel("cffi"), wheels__a=wheel("a", "six", "cfi"))
    assert problems_of(config) == ["config/wheels/a.yaml:4:7: unknown wheel 'cfi'; did you mean 'cffi'?"]


def test_a_circle_of_trials_is_told_at_each_of_its_places(tmp_path: Path) -> None:
    files = {"a": wheel("a", "b"), "b": wheel("b", "c"), "c": wheel("c", here="a"), "d": wheel("d", "d", "c")}
    config = write_catalog(tmp_path, **{f"wheels__{name}": text for name, text in files.items()})
    fix = "try one of them without another"
    assert problems_of(config) == [
        f"config/wheels/a.yaml:3:7: a circle: a needs b needs c needs a; {fix}",
        f"config/wheels/b.yaml:3:7: a circle: b needs c needs a needs b; {fix}",
        f"config/wheels/d.yaml:3:7: a circle: d needs d; {fix}",
    ]


def test_a_recipe_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    config = write_catalog(tmp_path, wheels__a=wheel("a", "b"), wheels__b="b: {}")
    assert [line.partition(": ")[0] for line in problems_of(config)] == ["config/wheels/b.yaml:1:1"]


@pytest.mark.parametrize(
    ("platform", "python", "expected"),
    [
        ("linux-amd64", "3.11", "1.10.0"),
        ("linux-amd64", "3.12", "1.9.0"),
        ("linux-arm64", "3.11", "1.9.0"),
        ("mac-arm64", "3.11", None),
    ],
)
def test_the_newest_version_of_a_platform_is_used_and_defaults_before_others(
    tmp_path: Path, platform: str, python: str, expected: str | None
) -> None:
    versions = "{1.9.0: {}, 1.10.0: {skip: {linux-arm64: broken, linux-amd64-py3.12: broken}}, 2.0.0: {default: false}}"
    text = f"a: {{trial: import a, versions: {versions}}}"
    catalog = load_catalog(write_catalog(tmp_path, platforms=PLATFORMS, pythons=PYTHONS, wheels__a=text))
    assert version_for_trials(catalog, "a", platform, python) == expected
