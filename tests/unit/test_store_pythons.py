"""Pythons in the store: found by their content key, several of one version beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import NotInStoreError
from dockerbuild_lib.plan.products import PythonWork
from dockerbuild_lib.store.kept_pythons import KeptPythons
from dockerbuild_lib.store.local import LocalStore
from tests.unit.test_plan_pythons import catalog, plan

PACKAGE = "infra/3pp/tools/cpython3/linux-amd64"


def work_of(folder: Path, sha256: str) -> PythonWork:
    made = plan(catalog(folder, python_sha256=sha256), "3.13", "linux-amd64")
    return next(planned.step.work for planned in made.steps if isinstance(planned.step.work, PythonWork))


def test_each_is_found_by_its_content_key(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    one, other, missing = (work_of(tmp_path / name, name) for name in ("a", "b", "c"))
    with LocalStore(tmp_path / "store") as store:
        kept = KeptPythons(store)
        for work, content in ((one, b"one"), (other, b"other")):
            (tmp_path / "tar").write_bytes(content)
            pin = kept.keep(work, tmp_path / "tar")
            assert pin == kept.keep(work, tmp_path / "tar")
            assert {f"content_key:{work.key.full}", "version:3.13.5"} <= set(store.tags(pin))
            assert pin.package == PACKAGE
        assert [kept.holds(work) for work in (one, other, missing)] == [True, True, False]
        kept.fetch(one, tmp_path / "fetched")
        assert (tmp_path / "fetched").read_bytes() == b"one"
        with pytest.raises(NotInStoreError, match=r"does not have Python 3\.13\.5 for linux-amd64"):
            kept.fetch(missing, tmp_path / "fetched")
