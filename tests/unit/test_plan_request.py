"""What a request selects, and what it is told when nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.plan.request import Request, select
from tests.support.catalogs import write_catalog

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
