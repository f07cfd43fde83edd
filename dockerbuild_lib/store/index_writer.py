"""The writing half of the store's index: every method is one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from dockerbuild_lib.core.errors import UsageError, VersionConflictError
from dockerbuild_lib.plan.refs import refs_of
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.keep import Keep, Unreachable
from dockerbuild_lib.store.metadata import check_metadata, content_type, fingerprint
from dockerbuild_lib.store.names import VERSION_KEY, check_package, check_ref, check_tag, version_of
from dockerbuild_lib.store.protocol import Metadata, Pin, Publication, Published
from dockerbuild_lib.store.wheel_file import WheelFacts

_REGISTER = """INSERT INTO instances (package, instance, size, registered_by, registered_us)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ATTACH = """INSERT INTO tags (package, tag, instance, registered_by, registered_us)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ATTACH_METADATA = """INSERT INTO metadata
    (package, instance, fingerprint, key, value, content_type, attached_by, attached_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_WHEEL = "SELECT filename, package, instance FROM wheels WHERE filename = ? AND sha256 <> ?"
_PUBLISH_WHEEL = "INSERT INTO wheels (filename, sha256, package, instance) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ABOUT_INSTANCES = """SELECT DISTINCT tables.name FROM sqlite_schema AS tables
    JOIN pragma_foreign_key_list(tables.name) AS keys WHERE tables.type = 'table' AND keys."table" = 'instances'"""
_FIX = "raise `revision` of this version in its recipe"
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

    def check_free(self, publication: Publication, instance_id: str, wheel: WheelFacts | None) -> None:
        """Refuse a publication whose unique tag, or whose wheel's name, belongs to other bytes.

        Raises:
            VersionConflictError: it does; the message names the owner and what it was made from.

        """
        self._check_tag_is_free(publication, instance_id)
        taken = self._rows(_WHEEL, wheel.filename, wheel.sha256) if wheel else ()
        if taken:
            raise VersionConflictError(
                f"a wheel {taken[0][0]} with other contents is already published with {Pin(*taken[0][1:])}",
                where=publication.package,
                fix=_FIX,
            )

    def _check_tag_is_free(self, publication: Publication, instance_id: str) -> None:
        tag, package = publication.unique_tag, publication.package
        owners = [pin for pin in self.search(package, [tag]) if pin.instance_id != instance_id] if tag else []
        if not owners:
            return
        keys = [each for each in self.tags(owners[0]) if each.startswith("content_key:")]
        made_from = f" ({keys[0]})" if keys else ""
        raise VersionConflictError(
            f"{tag} is already published as instance {owners[0].instance_id}{made_from}, with other contents",
            where=package,
            fix=_FIX,
        )

    def record(self, publication: Publication, pin: Pin, size: int, wheel: WheelFacts | None) -> Published:
        """Register *pin* and its wheel, attach the tags and move the refs: all of it or nothing."""
        with self._transaction() as now:
            is_new = self._register(pin, size, now)
            self._attach_tags(pin, publication.all_tags, now)
            if wheel:
                values = (wheel.filename, wheel.sha256, pin.package, pin.instance_id)
                self._connection.execute(_PUBLISH_WHEEL, values)
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

    def remove_unreachable(self, keep: Keep) -> tuple[Unreachable, ...]:
        """Forget the instances that nothing reaches, and return them. No ref can be set in the middle of it."""
        with self._transaction():
            found = self.unreachable(keep)
            tables = [row[0] for row in self._rows(_ABOUT_INSTANCES)]
            for table in (*tables, "instances"):
                statement = f"DELETE FROM {table} WHERE package = ? AND instance = ?"  # noqa: S608  # of our own schema
                self._connection.executemany(statement, [_of(each.pin) for each in found])
        return found

    def _register(self, pin: Pin, size: int, now: int) -> bool:
        return self._connection.execute(_REGISTER, (*_of(pin), size, self._who, now)).rowcount > 0

    def _attach_tags(self, pin: Pin, tags: Iterable[str], now: int) -> None:
        values = [(pin.package, tag, pin.instance_id, self._who, now) for tag in tags]
        self._connection.executemany(_ATTACH, values)

    def _move_refs(self, package: str, now: int) -> tuple[str, ...]:
        """Point every ref to where all the package's versions say, whatever happened to earlier runs."""
        owners = self.tags_with_key(package, VERSION_KEY)
        refs = refs_of(tag.partition(":")[2] for tag in owners)
        return tuple(ref for ref, version in refs.items() if self._set_ref(_owner(package, owners, version), ref, now))

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


def _of(pin: Pin) -> tuple[str, str]:
    return pin.package, pin.instance_id


def _owner(package: str, owners: Mapping[str, str], version: str) -> Pin:
    return Pin(package, owners[f"{VERSION_KEY}:{version}"])
