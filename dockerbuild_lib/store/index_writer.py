"""The writing half of the store's index: every method is one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from dockerbuild_lib.core.errors import NotInStoreError, UsageError
from dockerbuild_lib.plan.refs import is_computed_ref, refs_of
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.keep import Keep, Unreachable
from dockerbuild_lib.store.metadata import check_metadata, content_type, fingerprint
from dockerbuild_lib.store.names import VERSION_KEY, check_package, check_ref, check_tag, version_of
from dockerbuild_lib.store.ownership import check_free
from dockerbuild_lib.store.protocol import Metadata, Pin, Publication, Published
from dockerbuild_lib.store.wheel_file import WheelFacts

_REGISTER = """INSERT INTO instances (package, instance, size, registered_by, registered_us)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ATTACH = """INSERT INTO tags (package, tag, instance, registered_by, registered_us)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ATTACH_METADATA = """INSERT INTO metadata
    (package, instance, fingerprint, key, value, content_type, attached_by, attached_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ABOUT_INSTANCES = """SELECT DISTINCT tables.name FROM sqlite_schema AS tables
    JOIN pragma_foreign_key_list(tables.name) AS keys WHERE tables.type = 'table' AND keys."table" = 'instances'"""
_REFS_OF_PACKAGE = "SELECT ref FROM refs WHERE package = ?"
_REMOVE_REF = "DELETE FROM refs WHERE package = ? AND ref = ?"
_SET_REF = """INSERT INTO refs (package, ref, instance, modified_by, modified_us) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (package, ref) DO UPDATE
    SET instance = excluded.instance, modified_by = excluded.modified_by, modified_us = excluded.modified_us
    WHERE instance <> excluded.instance"""


def check_publication(publication: Publication) -> None:
    """Refuse names and tags that no store takes.

    Raises:
        UsageError: a name or tag is not valid, or the unique tag names no version.

    """
    check_package(publication.package)
    for tag in publication.all_tags:
        check_tag(tag)
    if publication.unique_tag is not None and version_of(publication.unique_tag) is None:
        raise UsageError(f"the unique tag {publication.unique_tag!r} is no {VERSION_KEY}: tag")


class IndexWriter(IndexReader):
    """Registers, tags, refers and attaches in the name of *who*."""

    def __init__(self, connection: sqlite3.Connection, who: str) -> None:
        super().__init__(connection)
        self._who = who

    def record(self, publication: Publication, pin: Pin, size: int, wheel: WheelFacts | None) -> Published:
        """Register *pin* and its wheel, attach the tags and move the refs: all of it or nothing.

        Raises:
            VersionConflictError: another instance owns the unique tag or the wheel's name.

        """
        with self._transaction() as now:
            check_free(self, publication, pin.instance_id, wheel)
            is_new = self._register(pin, size, now)
            self._attach_tags(pin, publication.all_tags, now)
            if wheel:
                self.wheels.add(wheel, pin, now)
            moved = self._move_refs(pin.package, now) if publication.unique_tag else ()
        return Published(pin, is_new=is_new, moved_refs=moved)

    def register(self, pin: Pin, size: int) -> bool:
        """Register *pin*, whose package file has *size* bytes, and tell whether it is new."""
        with self._transaction() as now:
            return self._register(pin, size, now)

    def attach_tags(self, pin: Pin, tags: Iterable[str]) -> None:
        """Attach *tags* to a registered instance."""
        checked = [check_tag(tag) for tag in tags]
        with self._transaction() as now:
            self.instance(pin)
            self._attach_tags(pin, checked, now)

    def set_refs(self, pin: Pin, refs: Iterable[str]) -> None:
        """Point *refs* to a registered instance."""
        checked = [check_ref(ref) for ref in refs]
        with self._transaction() as now:
            self.instance(pin)
            for ref in checked:
                self._set_ref(pin, ref, now)

    def attach_metadata(self, pin: Pin, entries: Iterable[Metadata]) -> None:
        """Attach metadata to a registered instance."""
        checked = [check_metadata(each) for each in entries]
        with self._transaction() as now:
            self.instance(pin)
            self._connection.executemany(
                _ATTACH_METADATA,
                [
                    (*_of(pin), fingerprint(each), each.key, each.value, content_type(each), self._who, now)
                    for each in checked
                ],
            )

    def remove_unreachable(self, keep: Keep, among: Collection[Pin] | None = None) -> tuple[Unreachable, ...]:
        """Forget the instances that nothing reaches, by default all, and return them.

        No ref can be set in the middle of it. The pages that show their wheels are to be written.
        """
        with self._transaction():
            found = tuple(each for each in self.unreachable(keep) if among is None or each.pin in among)
            tables = [row[0] for row in self._rows(_ABOUT_INSTANCES)]
            for table in (*tables, "instances"):
                statement = f"DELETE FROM {table} WHERE package = ? AND instance = ?"  # noqa: S608  # of our own schema
                self._connection.executemany(statement, [_of(each.pin) for each in found])
            self.wheels.mark_stale(filename for each in found for filename in each.wheels)
        return found

    def repair_refs(self, package: str) -> None:
        """Move the computed refs to where all the package's versions say, and remove those without a version."""
        with self._transaction() as now:
            self._replace_refs(package, now)

    def yank(self, filenames: Iterable[str], reason: str | None) -> None:
        """Set the mark of published wheels, None takes it back, and note that their pages are to be written."""
        with self._transaction():
            for filename in filenames:
                if not self.wheels.yank(filename, reason):
                    raise NotInStoreError(f"no wheel {filename} is published", fix="store.list shows what there is")

    def learn(self, wheel: WheelFacts, pin: Pin) -> None:
        """Record what an older program did not record of a published wheel."""
        with self._transaction() as now:
            self.wheels.add(wheel, pin, now)

    def pages_are_stale(self, filenames: Iterable[str]) -> None:
        """Note that the pages of these wheels are to be written."""
        with self._transaction():
            self.wheels.mark_stale(filenames)

    def pages_written(self, filenames: Iterable[str]) -> None:
        """Note that the pages of these wheels say what the index says."""
        with self._transaction():
            self.wheels.mark_fresh(filenames)

    def put_in_quarantine(self, pin: Pin, problem: str) -> None:
        """Move all that is known of a registered instance out of the way; refs move on to what is left."""
        with self._transaction() as now:
            self.instance(pin)
            record = self.quarantine.put(pin, problem, self._who, now)
            self.wheels.mark_stale(row["filename"] for row in record["wheels"])
            if _has_computed_refs(record):
                self._replace_refs(pin.package, now)

    def _register(self, pin: Pin, size: int, now: int) -> bool:
        released = self.quarantine.release(pin)
        if released is not None:
            self.wheels.mark_stale(row["filename"] for row in released["wheels"])
            if _has_computed_refs(released):
                self._replace_refs(pin.package, now)
            return True
        return self._connection.execute(_REGISTER, (*_of(pin), size, self._who, now)).rowcount > 0

    def _attach_tags(self, pin: Pin, tags: Iterable[str], now: int) -> None:
        values = [(pin.package, tag, pin.instance_id, self._who, now) for tag in tags]
        self._connection.executemany(_ATTACH, values)

    def _move_refs(self, package: str, now: int) -> tuple[str, ...]:
        """Point every ref to where all the package's versions say, whatever happened to earlier runs."""
        owners = self.tags_with_key(package, VERSION_KEY)
        refs = refs_of(tag.partition(":")[2] for tag in owners)
        return tuple(ref for ref, version in refs.items() if self._set_ref(_owner(package, owners, version), ref, now))

    def _replace_refs(self, package: str, now: int) -> None:
        """Move the computed refs, and remove those whose series has no version any more."""
        self._move_refs(package, now)
        left = refs_of(tag.partition(":")[2] for tag in self.tags_with_key(package, VERSION_KEY))
        there = [row[0] for row in self._rows(_REFS_OF_PACKAGE, package)]
        surplus = [(package, ref) for ref in there if is_computed_ref(ref) and ref not in left]
        self._connection.executemany(_REMOVE_REF, surplus)

    def _set_ref(self, pin: Pin, ref: str, now: int) -> bool:
        """Point *ref* to *pin*, and tell whether it was moved or made."""
        values = (pin.package, check_ref(ref), pin.instance_id, self._who, now)
        return self._connection.execute(_SET_REF, values).rowcount > 0

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """Yield the time of what is written inside the block: Unix time in microseconds."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield time.time_ns() // 1000
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself when the disk is full
                self._connection.execute("ROLLBACK")
            raise


def _has_computed_refs(record: Mapping[str, Sequence[Mapping[str, str]]]) -> bool:
    return any(is_computed_ref(row["ref"]) for row in record["refs"])


def _of(pin: Pin) -> tuple[str, str]:
    return pin.package, pin.instance_id


def _owner(package: str, owners: Mapping[str, str], version: str) -> Pin:
    return Pin(package, owners[f"{VERSION_KEY}:{version}"])
