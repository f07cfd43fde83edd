"""The writing half of the store's index: one publication is one transaction."""

from __future__ import annotations

import os
import platform
import pwd
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from dockerbuild_lib.core.errors import UsageError, VersionConflictError
from dockerbuild_lib.plan.refs import refs_of
from dockerbuild_lib.store.index import IndexReader
from dockerbuild_lib.store.names import VERSION_KEY, check_package, check_ref, check_tag, version_of
from dockerbuild_lib.store.protocol import Pin, Publication, Published
from dockerbuild_lib.store.wheel_file import WheelFacts

_REGISTER = """INSERT INTO instances (package, instance, size, registered_by, registered_ts)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ATTACH = """INSERT INTO tags (package, tag, instance, registered_by, registered_ts)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_WHEEL = "SELECT filename, package, instance FROM wheels WHERE filename = ? AND sha256 <> ?"
_PUBLISH_WHEEL = "INSERT INTO wheels (filename, sha256, package, instance) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_FIX = "raise `revision` of this version in its recipe"
_SET_REF = """INSERT INTO refs (package, ref, instance, modified_by, modified_ts) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (package, ref) DO UPDATE
    SET instance = excluded.instance, modified_by = excluded.modified_by, modified_ts = excluded.modified_ts
    WHERE instance <> excluded.instance"""


def check_publication(publication: Publication) -> None:
    """Refuse names and tags that no store takes.

    Raises:
        UsageError: a name or tag is not valid, the unique tag names no version, or the file is missing.

    """
    if not publication.file.is_file():
        raise UsageError("there is no such package file", where=str(publication.file))
    check_package(publication.package)
    for tag in publication.all_tags:
        check_tag(tag)
    if publication.unique_tag is not None and version_of(publication.unique_tag) is None:
        raise UsageError(f"the unique tag {publication.unique_tag!r} is no {VERSION_KEY}: tag")


class IndexWriter(IndexReader):
    """Registers, tags and refers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._who = _principal()

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
        with self._transaction():
            now = int(time.time())
            new = self._connection.execute(_REGISTER, (pin.package, pin.instance_id, size, self._who, now)).rowcount
            self._connection.executemany(
                _ATTACH, [(pin.package, tag, pin.instance_id, self._who, now) for tag in publication.all_tags]
            )
            if wheel:
                values = (wheel.filename, wheel.sha256, pin.package, pin.instance_id)
                self._connection.execute(_PUBLISH_WHEEL, values)
            moved = self._move_refs(pin.package, now) if publication.unique_tag else ()
        return Published(pin, is_new=bool(new), moved_refs=moved)

    def _move_refs(self, package: str, now: int) -> tuple[str, ...]:
        """Point every ref to where all the package's versions say, whatever happened to earlier runs."""
        owners = self.tags_with_key(package, VERSION_KEY)
        refs = refs_of(tag.partition(":")[2] for tag in owners)
        return tuple(ref for ref, version in refs.items() if self._set_ref(package, ref, owners, version, now))

    def _set_ref(self, package: str, ref: str, owners: Mapping[str, str], version: str, now: int) -> bool:
        instance = owners[f"{VERSION_KEY}:{version}"]
        values = (package, check_ref(ref), instance, self._who, now)
        return self._connection.execute(_SET_REF, values).rowcount > 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself when the disk is full
                self._connection.execute("ROLLBACK")
            raise


def _principal() -> str:
    """Return who publishes, in the form of CIPD's identities."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user needs no name
        user = str(os.getuid())
    return f"user:{user}@{platform.node() or 'localhost'}"
