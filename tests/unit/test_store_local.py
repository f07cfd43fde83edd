"""The embedded store's folder: what is made when, what is refused, what a full or forbidden disk does."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    NoSpaceError,
    NotInStoreError,
    PermissionDeniedError,
    StoreDamagedError,
    UsageError,
    VersionConflictError,
)
from dockerbuild_lib.store import schema
from dockerbuild_lib.store.arrival import arriving
from dockerbuild_lib.store.instance_files import InstanceFiles
from dockerbuild_lib.store.keep import Keep
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Part, Publication, TagQuery
from dockerbuild_lib.store.simple_index import SimpleIndex
from dockerbuild_lib.store.tables import SCHEMA_VERSION
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file
from tests.support.stores import damage_file
from tests.support.unprivileged import without_privileges

ABSENT = "B7r75joOfFfFcq7fHCKAIrU34oeFAT174Bf8eHMajMUC"


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_question_makes_nothing(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "a" / "store") as store:
        assert store.packages() == ()
        assert store.verify() == ()
        assert store.pins_by_tags([TagQuery(PACKAGE, "version:1")]) == {}
        with pytest.raises(NotInStoreError):
            store.resolve(PACKAGE, "latest")
    assert names_in(tmp_path) == set()


def test_the_folder_has_cipds_shape(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
    assert names_in(tmp_path / "store") == {"instances", "index.sqlite", "lock", "staging"}
    assert names_in(tmp_path / "store" / "instances") == {pin.instance_id}


def test_another_object_sees_what_was_published_later(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as reader, LocalStore(tmp_path / "store") as writer:
        assert reader.packages() == ()
        pin = writer.publish(publication(tmp_path)).pin
        assert reader.resolve(PACKAGE, "latest") == pin
        newer = writer.publish(publication(tmp_path, "4.0", "y")).pin
        assert reader.resolve(PACKAGE, "latest") == newer


def test_a_closed_store_opens_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    pin = store.publish(publication(tmp_path)).pin
    store.close()
    assert store.resolve(PACKAGE, "latest") == pin
    store.close()


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        store.publish(publication(tmp_path))
    execute(tmp_path / "store" / "index.sqlite", "PRAGMA user_version = 7")
    with LocalStore(tmp_path / "store") as store:
        with pytest.raises(StoreDamagedError, match=rf"version 7 .* version {SCHEMA_VERSION}"):
            store.packages()
        with pytest.raises(StoreDamagedError, match=rf"version 7 .* version {SCHEMA_VERSION}"):
            store.publish(publication(tmp_path, "5.0"))


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    execute(tmp_path / "store" / "index.sqlite", "CREATE TABLE theirs (x)")
    with LocalStore(tmp_path / "store") as store, pytest.raises(StoreDamagedError, match="version 0"):
        store.publish(publication(tmp_path))


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_an_index_that_is_no_database_is_damage(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "index.sqlite").write_bytes(content)
    with LocalStore(tmp_path / "store") as store:
        for use in (store.packages, store.verify, lambda: store.publish(publication(tmp_path))):
            with pytest.raises(StoreDamagedError, match=r"index\.sqlite"):
                use()


def test_an_index_that_a_killed_writer_left_empty_is_none(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "index.sqlite").touch()
    with LocalStore(tmp_path / "store") as store:
        assert store.packages() == ()
        store.publish(publication(tmp_path))
        assert store.packages() == (PACKAGE,)


def test_verify_finds_damage_in_the_index_itself(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
    execute(tmp_path / "store" / "index.sqlite", "UPDATE refs SET instance = ?", pin.instance_id[::-1])
    with LocalStore(tmp_path / "store") as store:
        assert {damage.problem for damage in store.verify()} == {"a row of refs has no instance"}


def test_verify_finds_files_that_are_missing_cut_or_of_another_package(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pins = [store.publish(publication(tmp_path, None, content)).pin for content in "abc"]
        files = [tmp_path / "store" / "instances" / pin.instance_id for pin in pins]
        files[0].unlink()
        files[1].chmod(0o644)
        files[1].write_bytes(b"")
        execute(
            tmp_path / "store" / "index.sqlite",
            "UPDATE instances SET package = 'x' WHERE instance = ?",
            pins[2].instance_id,
        )
        found = {damage.pins[0].instance_id: damage.problem for damage in store.verify() if damage.pins}
    assert "missing" in found[pins[0].instance_id]
    assert "other bytes" in found[pins[1].instance_id]
    assert f"a package file of {PACKAGE}" in found[pins[2].instance_id]


def test_what_killed_processes_left_is_cleared_away_by_the_next_one(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
        staging, orphan = tmp_path / "store" / "staging", tmp_path / "store" / "instances" / ABSENT
        (staging / "half.tmp").write_text("half")
        orphan.write_text("placed, but not recorded")
        (staging / "changes").write_text(f"instances/{ABSENT}\ninstances/{pin.instance_id}\nsimple/cut")
        store.publish(publication(tmp_path, "2.0", "y"))
        assert names_in(staging) == set()
        assert not orphan.exists()
        assert store.verify() == ()


def test_verify_clears_away_what_killed_processes_left(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        store.publish(publication(tmp_path))
        (tmp_path / "store" / "staging" / "half.tmp").write_text("half")
        assert store.verify() == ()
    assert names_in(tmp_path / "store" / "staging") == set()


def test_verify_leaves_alone_what_a_living_process_is_bringing(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store, LocalStore(tmp_path / "store") as other:
        store.publish(publication(tmp_path))
        given = publication(tmp_path, content="y", package="infra/other")
        with arriving(other._folder, "infra/other", given.file) as arrival:  # noqa: SLF001  # stopped in the middle
            assert store.verify() == ()
            store.publish(publication(tmp_path, "2.0", "z"))
            assert arrival.package.path.exists()


def test_verify_finds_files_that_nobody_knows_of(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        wheel = wheel_file(tmp_path / "w")
        store.publish(Publication(PACKAGE, package_file(tmp_path), (), "version:3.0.4", wheel))
        folder = tmp_path / "store"
        places = (f"instances/{ABSENT}", "simple/markupsafe/x.whl", "simple/other/y.whl.metadata")
        strays = [folder / place for place in places]
        strays[2].parent.mkdir()
        for stray in (*strays, folder / "instances" / "README", folder / "simple" / "robots.txt"):
            stray.write_text("only packages, wheels and their metadata are the store's")
        damages = store.verify()
        assert {damage.part for damage in damages} == {Part.STRAY}
        assert sorted(damage.problem.split()[0] for damage in damages) == sorted(map(str, strays))
        assert store.verify(PACKAGE.rpartition("/")[0]) == ()


def test_a_missing_folder_of_instances_is_no_reason_for_quarantine(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        store.publish(publication(tmp_path))
        shutil.move(tmp_path / "store" / "instances", tmp_path / "elsewhere")
        (damage,) = store.verify()
        assert (damage.part, damage.pins) == (Part.INDEX, ())


def test_a_damaged_file_lies_in_quarantine_until_its_bytes_come_again(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        given = publication(tmp_path)
        pin = store.publish(given).pin
        file, aside = (tmp_path / "store" / place / pin.instance_id for place in ("instances", "quarantine"))
        damage_file(file)
        store.quarantine(pin, "it rotted")
        assert not file.exists()
        assert aside.read_bytes() == given.file.read_bytes() + b"x"
        store.publish(given)
        assert file.read_bytes() == given.file.read_bytes()
        assert not aside.exists()


def test_an_instance_whose_file_was_put_back_is_reinstated(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pins = [store.publish(publication(tmp_path, f"{number}.0", str(number))).pin for number in (1, 2)]
        files = [tmp_path / "store" / "instances" / pin.instance_id for pin in pins]
        whole = files[0].read_bytes()
        for pin in pins:
            store.quarantine(pin, "it rotted")
        files[0].write_bytes(whole)
        files[1].write_bytes(b"still damaged")
        assert store.reinstate() == (pins[0],)
        assert store.resolve(PACKAGE, "latest") == pins[0]
        assert [each.pin for each in store.quarantined()] == [pins[1]]


def test_a_file_that_may_not_be_read_is_forbidden_not_damaged(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
    (tmp_path / "store" / "instances" / pin.instance_id).chmod(0)
    code = "import sys, pathlib; from dockerbuild_lib.store.local import LocalStore; "
    done = without_privileges(f"{code}print(LocalStore(pathlib.Path(sys.argv[1])).verify())", tmp_path / "store")
    assert PermissionDeniedError.__name__ in done.stderr
    assert done.stdout == ""


def test_of_errors_in_reading_only_those_of_the_disk_are_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [errno.EIO, errno.EMFILE]

    def broken(_file: Path) -> str:
        raise OSError(codes[0], os.strerror(codes[0]))

    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
        monkeypatch.setattr("dockerbuild_lib.store.instance_files.instance_id_of_file", broken)
        assert [damage.pins for damage in store.verify()] == [(pin,)]
        codes.pop(0)
        with pytest.raises(OSError, match="Too many open files"):
            store.verify()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_the_kernel_cannot_copy_the_bytes_are_read(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("dockerbuild_lib.store.staging.os.copy_file_range", refused)
    with LocalStore(tmp_path / "store") as store:
        given = publication(tmp_path)
        store.fetch(store.publish(given).pin, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == given.file.read_bytes()


def test_a_disk_that_cannot_be_copied_from_is_no_reason_to_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("dockerbuild_lib.store.staging.os.copy_file_range", broken)
    with LocalStore(tmp_path / "store") as store, pytest.raises(OSError, match="Input/output error"):
        store.publish(publication(tmp_path))


def test_a_version_that_is_taken_in_the_last_moment_is_refused_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags are attached without the store's lock."""
    with LocalStore(tmp_path / "store") as store, LocalStore(tmp_path / "store") as other:
        owner = store.register(PACKAGE, package_file(tmp_path, "owner")).pin
        monkeypatch.setattr(
            "dockerbuild_lib.store.local.check_free", lambda *_: other.attach_tags(owner, ["version:3.0.4"])
        )
        wheel = wheel_file(tmp_path / "w")
        with pytest.raises(VersionConflictError, match=owner.instance_id):
            store.publish(Publication(PACKAGE, package_file(tmp_path, "late"), (), "version:3.0.4", wheel))
        monkeypatch.undo()
        assert names_in(tmp_path / "store" / "instances") == {owner.instance_id}
        assert not (tmp_path / "store" / "simple").exists() or not list((tmp_path / "store" / "simple").rglob("*.whl"))
        assert store.verify() == ()


@pytest.mark.parametrize("part", ["problem", "wheel_problem"])
def test_what_is_removed_while_it_is_verified_is_not_damaged(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalStore(tmp_path / "store") as store, LocalStore(tmp_path / "store") as other:
        given = Publication(PACKAGE, package_file(tmp_path), ("k:v",), None, wheel_file(tmp_path / "w"))
        store.publish(given)
        kind: type = InstanceFiles if part == "problem" else SimpleIndex
        look = getattr(kind, part)

        def removed_first(*arguments: object) -> object:
            other.gc(Keep(), delete=True)
            return look(*arguments)

        monkeypatch.setattr(kind, part, removed_first)
        assert store.verify() == ()
        assert store.packages() == ()


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with LocalStore(folder) as store:
            assert store.packages() == ()
            with pytest.raises(UsageError, match="must be a folder"):
                store.publish(publication(tmp_path))


def test_a_full_disk_stops_before_anything_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    given = publication(tmp_path)
    with LocalStore(tmp_path / "store") as store:
        monkeypatch.setattr("dockerbuild_lib.store.staging.os.fsync", full)
        with pytest.raises(NoSpaceError):
            store.publish(given)
        assert names_in(tmp_path / "store" / "staging") == set()
        assert store.packages() == ()
        monkeypatch.undo()
        store.publish(given)
        assert store.verify() == ()


def test_a_full_disk_under_the_index_registers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalStore(tmp_path / "store") as store:
        first = store.publish(publication(tmp_path)).pin
    connect = schema.connect_to_write

    def cramped(file: Path | str, *, shared: bool) -> sqlite3.Connection:
        connection = connect(file, shared=shared)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    with LocalStore(tmp_path / "store") as store:
        monkeypatch.setattr("dockerbuild_lib.store.folder.connect_to_write", cramped)
        tags = [f"k:{'v' * 390}{number}" for number in range(100)]
        with pytest.raises(NoSpaceError, match=r"index\.sqlite"):
            store.publish(publication(tmp_path, "9.0", "y", *tags))
        assert [instance.pin for instance in store.instances(PACKAGE)] == [first]
        assert store.resolve(PACKAGE, "latest") == first
        assert store.verify() == ()


def test_a_locked_index_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalStore(tmp_path / "store") as store:
        store.publish(publication(tmp_path))
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(tmp_path / "store" / "index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with LocalStore(tmp_path / "store") as store, pytest.raises(DockerbuildError, match="another process") as caught:
        store.publish(publication(tmp_path, "2.0", "y"))
    other.close()
    assert not isinstance(caught.value, StoreDamagedError)


def test_a_read_only_store_is_read_and_refuses_to_be_written(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
    given = publication(tmp_path, "2.0", "y")
    modes = {path: path.stat().st_mode for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = without_privileges(READ_ONLY_USE, tmp_path / "store", given.file)
    for path, mode in modes.items():
        path.chmod(mode)
    assert done.stdout.split() == [pin.instance_id, "0", "PermissionDeniedError"], done.stderr
    assert names_in(tmp_path / "store") == {"instances", "index.sqlite", "lock", "staging"}


READ_ONLY_USE = f"""
import sys
from pathlib import Path
from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.store.instance_files import InstanceFiles
from dockerbuild_lib.store.keep import Keep
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Publication
with LocalStore(Path(sys.argv[1])) as store:
    print(store.resolve("{PACKAGE}", "latest").instance_id, len(store.verify()))
    try:
        store.publish(Publication("{PACKAGE}", Path(sys.argv[2]), (), "version:2.0"))
    except DockerbuildError as error:
        print(type(error).__name__)
"""


def test_a_folder_that_may_not_be_read_is_forbidden_not_empty(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        store.publish(publication(tmp_path))
    (tmp_path / "store" / "index.sqlite").chmod(0)
    code = READ_ONLY_USE.replace("    print(store.resolve", "    store.packages(); print(store.resolve")
    done = without_privileges(code, tmp_path / "store", tmp_path)
    assert done.returncode != 0
    assert PermissionDeniedError.__name__ in done.stderr


def test_a_store_can_be_copied_as_a_folder(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "store") as store:
        pin = store.publish(publication(tmp_path)).pin
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    with LocalStore(tmp_path / "copy") as copy:
        assert copy.resolve(PACKAGE, "latest") == pin
        assert copy.verify() == ()


def execute(file: Path, statement: str, *values: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(statement, values)
    connection.close()
