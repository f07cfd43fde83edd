"""The store of sources that a team shares: the very packages, verified on the way in and out; never made by the way."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import IndexFile, LockedFile
from dockerbuild_lib.core.errors import CatalogError, StoreDamagedError
from dockerbuild_lib.core.events import StepLog, silent
from dockerbuild_lib.core.files import write_atomic
from dockerbuild_lib.sources.shared import SharedFirst
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.opening import open_store
from dockerbuild_lib.store.protocol import Pin, Publication, Store
from dockerbuild_lib.store.shared_sources import SharedSources
from dockerbuild_lib.store.sources_packages import intern_file, source_package

CONTENT = b"sdist"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PACKAGE = source_package("six")
LOCKED = IndexFile(distribution="six", version="1.0", filename="six-1.0.tar.gz", sha256=SHA256, size=len(CONTENT))


def interned(store: MemoryStore | LocalStore, folder: Path) -> Pin:
    (folder / "download").write_bytes(CONTENT)
    path = folder / "download"
    return intern_file(store, package=PACKAGE, filename=LOCKED.filename, path=path, sha256=SHA256, version="1.0")


@pytest.fixture
def mine(tmp_path: Path) -> MemoryStore:
    store = MemoryStore()
    interned(store, tmp_path)
    return store


@pytest.fixture
def team() -> MemoryStore:
    return MemoryStore()


def test_the_very_package_is_published_with_all_its_tags(mine: MemoryStore, team: MemoryStore, tmp_path: Path) -> None:
    pin = interned(mine, tmp_path)
    SharedSources(team).publish(mine, pin)
    assert team.instances_by_id == mine.instances_by_id
    assert team.tags(pin) == mine.tags(pin) == (f"sha256:{SHA256}", "version:1.0")
    assert team.refs(PACKAGE) == ()


def test_publishing_again_changes_nothing(mine: MemoryStore, team: MemoryStore, tmp_path: Path) -> None:
    pin = interned(mine, tmp_path)
    for _ in range(2):
        SharedSources(team).publish(mine, pin)
    assert len(team.instances(PACKAGE)) == 1


def test_a_package_that_came_without_its_tags_gets_them(mine: MemoryStore, team: MemoryStore, tmp_path: Path) -> None:
    pin = interned(mine, tmp_path)
    with mine.opened(pin) as file:
        team.publish(Publication(PACKAGE, file))
    assert SharedSources(team).pins({SHA256: PACKAGE}) == {}
    SharedSources(team).publish(mine, pin)
    assert SharedSources(team).pins({SHA256: PACKAGE, "0" * 64: PACKAGE}) == {SHA256: pin}


def test_a_damaged_package_is_never_published(mine: MemoryStore, team: MemoryStore, tmp_path: Path) -> None:
    pin = interned(mine, tmp_path)
    mine.instances_by_id[pin.instance_id] = mine.instances_by_id[pin.instance_id].replace(b"sdist", b"sdisT")
    with pytest.raises(StoreDamagedError, match=pin.instance_id):
        SharedSources(team).publish(mine, pin)
    assert team.packages() == ()


def test_a_shared_source_comes_back_verified(mine: MemoryStore, tmp_path: Path) -> None:
    shared, target = SharedSources(mine), tmp_path / "target"
    assert shared.fetch("six", SHA256, target)
    assert target.read_bytes() == CONTENT
    assert not shared.fetch("six", "0" * 64, tmp_path / "other")
    assert not shared.fetch("seven", SHA256, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_damaged_shared_source_is_named_and_not_given_out(mine: MemoryStore, tmp_path: Path) -> None:
    pin = interned(mine, tmp_path)
    mine.instances_by_id[pin.instance_id] = mine.instances_by_id[pin.instance_id].replace(b"sdist", b"sdisT")
    with pytest.raises(StoreDamagedError):
        SharedSources(mine).fetch("six", SHA256, tmp_path / "target")
    assert not (tmp_path / "target").exists()


class Outside:
    """The world outside, which counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def download(self, locked: LockedFile, target: Path, log: StepLog = silent) -> None:
        self.asked.append(locked.filename)
        log("asked outside")
        write_atomic(target, CONTENT)


class Lines:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, done: int, total: int | None) -> None:
        assert total is None or done <= total


def test_the_teams_store_is_asked_before_the_world_outside(
    mine: MemoryStore, team: MemoryStore, tmp_path: Path
) -> None:
    outside, log = Outside(), Lines()
    SharedFirst(lambda: SharedSources(mine), outside).download(LOCKED, tmp_path / "target", log)
    assert (tmp_path / "target").read_bytes() == CONTENT
    assert (outside.asked, log.lines) == ([], ["taken from the remote store"])
    SharedFirst(lambda: SharedSources(team), outside).download(LOCKED, tmp_path / "target")
    assert outside.asked == [LOCKED.filename]


def no_service(address: str) -> Store:
    raise AssertionError(address)


def test_an_address_is_left_to_who_knows_services(mine: MemoryStore) -> None:
    stores = {"https://cipd.example:8080": mine}
    assert open_store("https://cipd.example:8080/", "remote_store", stores.__getitem__) is mine


def test_a_store_is_opened_where_it_is(tmp_path: Path) -> None:
    store = open_store(str(tmp_path), "remote_store", no_service)
    assert store.packages() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (
            "https://cipd.example/a/path",
            r"remote_store: https://cipd\.example/a/path is no service; write https://HOST",
        ),
        ("s3://bucket/store", "remote_store: s3://bucket/store is no service"),
        ("/nowhere/at/all", "remote_store: /nowhere/at/all is no folder; mount its disk"),
        ("/dev/null", "remote_store: /dev/null is no folder"),
    ],
)
def test_what_is_no_folder_is_refused_and_not_made(place: str, told: str) -> None:
    with pytest.raises(CatalogError, match=told):
        open_store(place, "remote_store", no_service)


def test_an_index_that_machines_share_needs_no_shared_memory(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    store = open_store(str(tmp_path / "team"), "remote_store", no_service)
    with LocalStore(tmp_path / "mine") as mine:
        pin = interned(mine, tmp_path)
        SharedSources(store).publish(mine, pin)
        beside = {path.name for path in (tmp_path / "team").iterdir()}  # while both are open
    assert not {"index.sqlite-shm", "index.sqlite-wal"} & beside
    with sqlite3.connect(tmp_path / "team/index.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    store.close()
