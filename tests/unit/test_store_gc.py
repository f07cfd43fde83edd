"""Garbage in the embedded store's folder: files and pages, what is left over, and collections that are cut."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.store.keep import Keep, Leftover
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Pin, Publication
from tests.support.store_samples import PACKAGE, listed_wheels, package_file, publication, wheel_file

LONG_AGO = 1_500_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore(tmp_path / "store") as made:
        yield made


def publish(store: LocalStore, scratch: Path, version: str, project: str = "markupsafe") -> Pin:
    """Publish a version of a package that one wheel lies in, with the wheel."""
    wheel = wheel_file(scratch / "w", name=project, version=version)
    package = f"infra/python/wheels/{project}/linux-arm64_cp311_cp311"
    return store.publish(
        Publication(package, package_file(scratch, version, package), (), f"version:{version}", wheel)
    ).pin


def files_of(store: LocalStore) -> set[str]:
    found = {path.relative_to(store.folder).as_posix() for path in store.folder.rglob("*") if path.is_file()}
    return {name for name in found if name.startswith(("instances/", "simple/"))}


def test_files_and_pages_go_with_an_instance(store: LocalStore, tmp_path: Path) -> None:
    kept = publish(store, tmp_path, "1.0.1")
    before = files_of(store)
    listing = (store.folder / "simple/markupsafe/index.json").read_bytes()
    store.set_refs(kept, ["mine"])
    gone = publish(store, tmp_path, "1.0.2")
    publish(store, tmp_path, "1.0.3")
    sizes = (store.folder / "instances" / gone.instance_id).stat().st_size
    sizes += (store.folder / "simple/markupsafe/markupsafe-1.0.2-py3-none-any.whl").stat().st_size
    (collected,) = store.gc(Keep(), delete=True).instances
    assert (collected.pin, collected.size) == (gone, sizes)
    assert listed_wheels(store.folder) == tuple(f"markupsafe-1.0.{n}-py3-none-any.whl" for n in (1, 3))
    assert "1.0.2" not in (store.folder / "simple/markupsafe/index.html").read_text()
    assert not any("1.0.2" in name or gone.instance_id in name for name in files_of(store))
    assert store.verify() == ()
    newest = store.resolve(PACKAGE, "latest")
    for ref in store.refs(PACKAGE):
        store.set_refs(kept, [ref.ref])
    assert [each.pin for each in store.gc(Keep(), delete=True).instances] == [newest]
    assert files_of(store) == before
    assert (store.folder / "simple/markupsafe/index.json").read_bytes() == listing


def test_a_project_without_wheels_is_not_listed(store: LocalStore, tmp_path: Path) -> None:
    publish(store, tmp_path, "1.0")
    wheel = wheel_file(tmp_path / "o", name="other")
    store.publish(Publication("infra/other", package_file(tmp_path, package="infra/other"), (), None, wheel))
    assert len(store.gc(Keep(), delete=True).instances) == 1
    assert json.loads((store.folder / "simple/index.json").read_bytes())["projects"] == [{"name": "markupsafe"}]
    assert "other" not in (store.folder / "simple/index.html").read_text()
    assert not (store.folder / "simple/other").exists()


def test_what_is_left_over_is_shown_and_removed_once_it_is_old(store: LocalStore, tmp_path: Path) -> None:
    publish(store, tmp_path, "1.0")
    instances, simple = store.folder / "instances", store.folder / "simple"
    wheel = wheel_file(tmp_path / "o", name="other")
    (simple / "other").mkdir()
    left = [
        instances / "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC",
        simple / "other" / wheel.name,
        simple / "markupsafe" / "markupsafe-9.0-py3-none-any.whl.metadata",
    ]
    for path in left:
        shutil.copyfile(wheel, path)
    foreign = instances / "README"
    foreign.write_text("not ours")
    whole = files_of(store)
    assert store.gc(Keep(registered_since=LONG_AGO), delete=True).leftovers == ()
    assert files_of(store) == whole
    for path in left:
        os.utime(path, (LONG_AGO, LONG_AGO))
    expected = {Leftover(path, wheel.stat().st_size) for path in left}
    keep = Keep(registered_since=LONG_AGO + 1)
    assert set(store.gc(keep, delete=False).leftovers) == expected
    assert set(store.gc(keep, delete=True).leftovers) == expected
    assert not any(path.exists() for path in left)
    assert foreign.exists()
    assert store.verify() == ()
    assert len(listed_wheels(store.folder)) == 1


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for delete in (False, True):
        with LocalStore(tmp_path / "none") as store:
            assert store.gc(Keep(), delete=delete).size == 0
    assert not (tmp_path / "none").exists()


class CutError(Exception):
    """What a test raises where a process might be killed."""


def cut_at(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the change of a file with that number, and all after it, not happen."""
    left = [number]

    def counted(change: Callable[..., object]) -> Callable[..., object]:
        def changed(*arguments: object, **options: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise CutError
            return change(*arguments, **options)

        return changed

    for name in ("unlink", "replace", "rename"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    monkeypatch.setattr(shutil, "rmtree", counted(shutil.rmtree))


def test_a_collection_that_is_cut_anywhere_leaves_a_whole_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalStore(tmp_path / "store") as store:
        for version in ("1.0.1", "1.0.2", "1.0.3"):
            publish(store, tmp_path, version)
        wheel = wheel_file(tmp_path / "o", name="other")
        store.publish(Publication("infra/other", package_file(tmp_path, package="infra/other"), (), None, wheel))
    shutil.copytree(tmp_path / "store", tmp_path / "whole")
    with LocalStore(tmp_path / "whole") as whole:
        whole.gc(Keep(), delete=True)
        expected = files_of(whole)
    cuts = 0
    for number in range(100):
        folder = tmp_path / f"cut{number}"
        shutil.copytree(tmp_path / "store", folder)
        with LocalStore(folder) as store:
            with monkeypatch.context() as patch:
                cut_at(number, patch)
                try:
                    store.gc(Keep(), delete=True)
                except CutError:
                    cuts += 1
                else:
                    break
            assert store.verify() == ()
            assert store.resolve(PACKAGE, "latest")
            store.gc(Keep(), delete=True)
            assert files_of(store) == expected
    assert cuts > 8


def test_publishing_and_collecting_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each has a store object of its own, as two processes have."""
    done = threading.Event()
    failures: list[BaseException] = []

    def collect() -> None:
        try:
            with LocalStore(tmp_path / "store") as store:
                while not done.is_set():
                    store.gc(Keep(), delete=True)
        except BaseException as error:  # noqa: BLE001  # carried to the test's own thread
            failures.append(error)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        with LocalStore(tmp_path / "store") as store:
            for number in range(30):
                pin = publish(store, tmp_path / str(number), f"1.0.{number}")
                assert store.resolve(PACKAGE, "latest") == pin
    finally:
        done.set()
        collector.join()
    assert failures == []
    with LocalStore(tmp_path / "store") as store:
        store.gc(Keep(), delete=True)
        assert [instance.pin for instance in store.instances(PACKAGE)] == [pin]
        assert store.verify() == ()
        assert listed_wheels(store.folder) == ("markupsafe-1.0.29-py3-none-any.whl",)


def test_a_ref_that_is_set_meanwhile_keeps_its_instance(store: LocalStore, tmp_path: Path) -> None:
    pin = store.publish(publication(tmp_path, None, "a")).pin
    assert [each.pin for each in store.gc(Keep(), delete=False).instances] == [pin]
    store.set_refs(pin, ["mine"])
    assert store.gc(Keep(), delete=True).instances == ()
    assert store.resolve(PACKAGE, "mine") == pin
