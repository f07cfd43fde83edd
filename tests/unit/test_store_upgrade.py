"""A store that an older program wrote: its index is brought up to date, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import PermissionDeniedError, StoreDamagedError
from dockerbuild_lib.store import schema
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Description, Instance, Part, Pin, Publication, Ref, Tag
from dockerbuild_lib.store.tables import SCHEMA_VERSION, STEPS
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file
from tests.support.unprivileged import without_privileges

VERSION_1 = Path(__file__).parent.parent / "data" / "store-version-1.sql"
WHEEL = "markupsafe-3.0.4-py3-none-any.whl"
BUILDER = "user:builder@example"
OLD = Pin(PACKAGE, "LMvNwrAXGIFcUn46-cHMXgs-Cq0ZIHoxdAhRDF2Giy4C")
NEW = Pin(PACKAGE, "PqQWEd0wrpWZBsEjPfFzwdMnHGKdSqcq7oTNZF6YbQAC")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a store as version 1 left it: two versions of a package, one with its wheel."""
    store = tmp_path / "store"
    (store / "instances").mkdir(parents=True)
    connection = sqlite3.connect(store / "index.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(VERSION_1.read_text())
    connection.close()
    for pin, content in ((OLD, "3.0.3"), (NEW, "3.0.4")):
        package_file(tmp_path / "p", content).rename(store / "instances" / pin.instance_id)
    (store / "simple" / "markupsafe").mkdir(parents=True)
    wheel_file(tmp_path / "w").rename(store / "simple" / "markupsafe" / WHEEL)
    for page in ("index.html", "index.json", "markupsafe/index.html", "markupsafe/index.json"):
        (store / "simple" / page).write_text("as version 1 wrote it, without times of publication")
    return store


def version_of(folder: Path) -> int:
    connection = sqlite3.connect(folder / "index.sqlite")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


def columns(folder: Path) -> set[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "index.sqlite")
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {(table, *row) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")}
    connection.close()
    return found


def ask(store: LocalStore, _scratch: Path) -> None:
    store.packages()


def publish(store: LocalStore, scratch: Path) -> None:
    store.publish(publication(scratch, "2.0", "y", package="infra/other"))


@pytest.mark.parametrize("use", [ask, publish])
def test_the_first_use_keeps_everything(use: Callable[[LocalStore, Path], None], folder: Path, tmp_path: Path) -> None:
    with LocalStore(folder) as store:
        use(store, tmp_path / "scratch")
        assert store.verify() == ()
        assert store.describe(PACKAGE, "latest") == Description(
            Instance(NEW, BUILDER, 1_750_000_200),
            tuple(Ref(ref, NEW.instance_id, BUILDER, 1_750_000_200) for ref in ("3.0.x", "3.x", "latest")),
            tuple(Tag(tag, BUILDER, 1_750_000_200) for tag in ("content_key:2", "git_revision:abc", "version:3.0.4")),
            (),
        )
        assert [instance.pin for instance in store.instances(PACKAGE)] == [NEW, OLD]
        assert store.tags(OLD) == ("content_key:1", "version:3.0.3")
        (wheel,) = store.wheels()
        assert (wheel.filename, wheel.pin, wheel.project) == (WHEEL, NEW, "markupsafe")
        assert (wheel.requires_python, wheel.yanked, wheel.published_us) == (">=3.9", None, 1_750_000_200_000_000)
    assert version_of(folder) == SCHEMA_VERSION


def indices(folder: Path) -> set[str]:
    connection = sqlite3.connect(folder / "index.sqlite")
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    connection.close()
    return found


def test_version_2_gets_what_came_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with LocalStore(folder) as store:
        publish(store, tmp_path / "scratch")
    new = indices(folder)
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.executescript("DROP INDEX instances_by_id; PRAGMA user_version = 2;")
    connection.close()
    with LocalStore(folder) as store:
        assert store.packages() == ("infra/other",)
    assert (version_of(folder), indices(folder)) == (SCHEMA_VERSION, new)


def test_it_goes_on_as_before(folder: Path, tmp_path: Path) -> None:
    wheel = wheel_file(tmp_path / "w2", version="3.0.5")
    with LocalStore(folder) as store:
        newest = store.publish(Publication(PACKAGE, package_file(tmp_path / "q", "z"), (), "version:3.0.5", wheel)).pin
        assert store.resolve(PACKAGE, "latest") == newest
        assert not store.register(PACKAGE, package_file(tmp_path / "q", "3.0.3")).is_new


def test_its_tables_are_those_of_a_new_store(folder: Path, tmp_path: Path) -> None:
    for store_folder in (folder, tmp_path / "new"):
        with LocalStore(store_folder) as store:
            publish(store, tmp_path / "scratch")
    assert columns(folder) == columns(tmp_path / "new")


def test_an_upgrade_that_fails_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "STEPS", (*STEPS[:-1], (*STEPS[-1], "no statement")))
    with LocalStore(folder) as store, pytest.raises(StoreDamagedError, match=r"index\.sqlite"):
        store.packages()
    assert version_of(folder) == 1
    monkeypatch.undo()
    with LocalStore(folder) as store:
        assert store.resolve(PACKAGE, "latest") == NEW


def test_a_wheel_that_was_lost_is_named_and_keeps_nobody_from_working(folder: Path, tmp_path: Path) -> None:
    (folder / "simple" / "markupsafe" / WHEEL).unlink()
    with LocalStore(folder) as store:
        assert store.wheels() == ()
        (damage,) = store.verify()
        assert damage.part == Part.WHEEL
        assert WHEEL in damage.problem
        publish(store, tmp_path / "scratch")
        package = package_file(tmp_path / "p", "3.0.4")
        store.publish(Publication(PACKAGE, package, (), "version:3.0.4", wheel_file(tmp_path / "w")))
        assert [wheel.filename for wheel in store.wheels()] == [WHEEL]
        assert store.verify() == ()


def test_many_may_open_it_at_once(folder: Path) -> None:
    def first_use(_number: int) -> Pin:
        with LocalStore(folder) as store:
            return store.resolve(PACKAGE, "latest")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(first_use, range(8))) == {NEW}


def test_whoever_may_only_read_is_told(folder: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from dockerbuild_lib.store.local import LocalStore
LocalStore(Path(sys.argv[1])).resolve("{PACKAGE}", "latest")
"""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = without_privileges(code, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    assert PermissionDeniedError.__name__ in done.stderr
    assert version_of(folder) == 1
