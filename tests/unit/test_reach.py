"""What the catalogue needs of a store: all its versions everywhere, and whatever its locks pin."""

from __future__ import annotations

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import Locks, ToolsLock, WheelLock
from dockerbuild_lib.plan.inventory import PackageVersion
from dockerbuild_lib.plan.reach import catalog_versions, locked_sha256s
from tests.support.projects import TREE


def test_every_version_is_needed_on_every_platform() -> None:
    catalog = load_catalog(TREE / "config")
    found = catalog_versions(catalog)
    for name, recipe in catalog.wheels.items():
        for version in recipe.versions:
            package = f"infra/python/wheels/{name}"
            assert PackageVersion(f"{package}/linux-arm64_cp311_cp311", version) in found
            assert PackageVersion(f"{package}-py3", version) in found
            assert PackageVersion(f"{package}-py2_py3", version) in found


def test_every_pin_of_the_committed_locks_is_needed() -> None:
    found = locked_sha256s(load_catalog(TREE / "config").locks)
    texts = "".join(path.read_text() for path in (TREE / "config/locks").rglob("*.json"))
    assert len(found) > 20
    assert all(sha256 in texts for sha256 in found)
    assert len(found) == len({line.strip() for line in texts.splitlines() if '"sha256"' in line})


def test_without_locks_nothing_is_pinned() -> None:
    assert locked_sha256s(Locks()) == frozenset()
    assert locked_sha256s(Locks(wheels={"x": WheelLock(versions={})}, tools=ToolsLock())) == frozenset()
