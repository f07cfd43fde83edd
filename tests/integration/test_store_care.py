"""The store looked after, as its users do it: verify and quarantine, refs, yanked versions, the index made again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.package_file import write_package
from dockerbuild_lib.store.package_tree import FileMember
from dockerbuild_lib.store.protocol import Publication
from tests.support.projects import TREE, Done, Project
from tests.support.store_samples import PACKAGE, listed_wheels, publication, wheel_file
from tests.support.stores import damage_file

Task = Callable[..., Done]
AMD64 = PACKAGE.replace("arm64", "amd64")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore(tmp_path / "store") as made:
        yield made


@pytest.fixture
def run(tmp_path: Path) -> Task:
    """Run a task of this project with the store of the test."""
    return partial(Project(TREE).run, INVOKE_DOCKERBUILD_STORE=str(tmp_path / "store"))


def publish(store: LocalStore, scratch: Path, version: str, package: str = PACKAGE, tag: str = "py3-none-any") -> Path:
    """Publish a version of markupsafe as the tool does, and return its wheel."""
    wheel = wheel_file(scratch, version=version, tag=tag)
    write_package(wheel.with_suffix(".package"), package, [FileMember("universal.whl", wheel)])
    store.publish(Publication(package, wheel.with_suffix(".package"), (), f"version:{version}", wheel))
    return wheel


def test_a_damaged_package_is_named_put_into_quarantine_and_comes_back(
    store: LocalStore, run: Task, tmp_path: Path
) -> None:
    old = store.publish(publication(tmp_path, "1.0", "old")).pin
    given = publication(tmp_path, "2.0", "new")
    pin = store.publish(given).pin
    file = store.folder / "instances" / pin.instance_id
    whole = file.read_bytes()
    damage_file(file)
    found = run("store.verify")
    assert found.code == 13
    assert str(pin) in found.stderr
    assert "moved to quarantine" in found.stderr
    again = run("store.verify")
    assert (again.code, again.stderr) == (0, "")
    assert f"{pin}: in quarantine since " in again.stdout
    assert store.resolve(PACKAGE, "latest") == old
    file.write_bytes(whole)
    back = run("store.verify")
    assert back.code == 0
    assert f"{pin}: its file is whole again, so it is back" in back.stdout
    assert "quarantine since" not in back.stdout
    assert store.resolve(PACKAGE, "latest") == pin


def test_damage_to_the_index_names_the_task_that_makes_it_again(store: LocalStore, run: Task, tmp_path: Path) -> None:
    publish(store, tmp_path, "1.0")
    shutil.rmtree(store.simple_index.folder)
    found = run("store.verify")
    assert found.code == 13
    assert found.stderr.count("store.rebuild-index makes it again") == len(found.stderr.splitlines()) - 1 > 2
    assert run("store.rebuild-index").stdout == f"{store.simple_index.folder}: 1 wheel\n"
    assert run("store.verify").code == 0


def test_a_wheel_that_cannot_be_made_again_is_named(store: LocalStore, run: Task, tmp_path: Path) -> None:
    given = publication(tmp_path)
    wheel = wheel_file(tmp_path)
    store.publish(Publication(PACKAGE, given.file, (), "version:3.0.4", wheel))
    store.simple_index.place_of(wheel.name).unlink()
    done = run("store.rebuild-index")
    assert (done.code, wheel.name in done.stderr) == (13, True)


def test_wrong_refs_are_named_and_moved(store: LocalStore, run: Task, tmp_path: Path) -> None:
    old = store.publish(publication(tmp_path, "1.0", "old")).pin
    new = store.publish(publication(tmp_path, "2.0", "new")).pin
    assert run("store.refs", "--check").stdout == "every ref points to where the versions say\n"
    store.set_refs(old, ["latest"])
    line = f"{PACKAGE}: latest points to {old.instance_id}; its versions say {new.instance_id} (2.0)"
    checked = run("store.refs", "--check")
    assert (checked.code, checked.stdout) == (13, f"{line}\n")
    assert "store.refs --fix" in checked.stderr
    assert run("store.refs", "--check", "--prefix=infra/other").code == 0
    fixed = run("store.refs", "--fix")
    assert (fixed.code, fixed.stdout) == (0, f"{line}; fixed\n")
    assert store.resolve(PACKAGE, "latest") == new
    assert json.loads(run("store.refs", "--check", "--json").stdout) == []
    assert run("store.refs").code == run("store.refs", "--check", "--fix").code == 2


def test_a_version_is_yanked_for_all_platforms_or_one(store: LocalStore, run: Task, tmp_path: Path) -> None:
    arm64 = publish(store, tmp_path, "1.0", tag="cp311-cp311-manylinux_2_17_aarch64")
    amd64 = publish(store, tmp_path, "1.0", AMD64, tag="cp311-cp311-manylinux_2_17_x86_64")
    publish(store, tmp_path, "1.1", tag="cp311-cp311-manylinux_2_17_aarch64")
    done = run("store.yank", "MarkupSafe", "1.0", "--reason=crashes on some machines")
    assert done.stdout == f"{arm64.name}: yanked\n{amd64.name}: yanked\n"
    assert {wheel.filename: wheel.yanked for wheel in store.wheels() if wheel.yanked is not None} == {
        arm64.name: "crashes on some machines",
        amd64.name: "crashes on some machines",
    }
    assert run("store.unyank", AMD64, "1.0").stdout == f"{amd64.name}: no longer yanked\n"
    assert [wheel.filename for wheel in store.wheels() if wheel.yanked is not None] == [arm64.name]
    assert amd64.name in listed_wheels(store.folder)
    assert run("store.yank", "markupsafe", "3.0").code == 14
    assert run("store.yank", "markupsafe", "1.0", "--reason=two\nlines").code == 2
