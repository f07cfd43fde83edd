"""What a request selects, and what it is told when nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.plan.request import Request, select
from tests.support.catalogs import problems_of, write_catalog

SKIPPED = (
    'locked: {trial: a, platforms: [linux-amd64], versions: {"1.0": {default: false, skip: {linux-amd64: why}}}}\n'
)


@pytest.mark.parametrize(
    ("platforms", "told"),
    [
        ((), r"locked 1\.0 is not built for any; linux-amd64: why"),
        (("linux-amd64",), r"locked 1\.0 is not built for linux-amd64; linux-amd64: why"),
        (("linux-arm64",), r"locked 1\.0 is not built for linux-arm64; its platforms are: none"),
    ],
)
def test_a_version_that_is_built_nowhere_is_refused_with_the_reason(
    tmp_path: Path, platforms: tuple[str, ...], told: str
) -> None:
    catalog = load_catalog(write_catalog(tmp_path, wheels__locked=SKIPPED))
    with pytest.raises(UsageError, match=told):
        select(Request(names=("locked==1.0",), platforms=platforms), catalog)


def test_a_version_that_is_built_nowhere_is_left_out_of_all(tmp_path: Path) -> None:
    catalog = load_catalog(write_catalog(tmp_path, wheels__locked=SKIPPED))
    assert "locked" not in {selection.distribution for selection in select(Request(), catalog)}


TWO_PYTHONS = '"3.11": {source: debian}\n"3.12": {source: debian}\n'


def test_a_platform_may_be_skipped_for_one_python_only(tmp_path: Path) -> None:
    recipe = 'a: {trial: a, versions: {"1.0": {skip: {linux-arm64-py3.12: too new}}}}\n'
    catalog = load_catalog(write_catalog(tmp_path, wheels__a=recipe, pythons=TWO_PYTHONS))
    (selection,) = select(Request(names=("a",)), catalog)
    assert [target.name for target in selection.targets] == [
        "linux-arm64-py3.11",
        "linux-amd64-py3.11",
        "linux-amd64-py3.12",
    ]
    told = r"a 1\.0 is not built for linux-arm64; linux-arm64-py3\.12: too new"
    with pytest.raises(UsageError, match=told):
        select(Request(names=("a",), platforms=("linux-arm64",), pythons=("3.12",)), catalog)


def test_a_skip_is_of_a_platform_or_of_a_platform_and_a_python(tmp_path: Path) -> None:
    recipe = 'a: {trial: a, versions: {"1.0": {skip: {linux-arm64-py3.13: x, linux-arm: y}}}}\n'
    unknown = problems_of(write_catalog(tmp_path, wheels__a=recipe, pythons=TWO_PYTHONS))
    assert [line.partition(": ")[2].partition(";")[0] for line in unknown] == [
        "unknown platform 'linux-arm64-py3.13'",
        "unknown platform 'linux-arm'",
    ]
