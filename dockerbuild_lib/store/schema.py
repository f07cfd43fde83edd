"""How the file of the store's index is opened, and brought to the tables of this program.

Tables of a newer version are never touched; those of an older one are brought up to date by whoever opens them first.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dockerbuild_lib.core.errors import DockerbuildError, NoSpaceError, PermissionDeniedError, StoreDamagedError
from dockerbuild_lib.store.tables import SCHEMA_VERSION, STEPS

BUSY_SECONDS = 60
"""How long to wait for another process's transaction; each takes some milliseconds."""

_ROOM = 1 << 16
_FULL = (sqlite3.SQLITE_FULL,)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def translated_sqlite_errors(where: str) -> Iterator[None]:
    """Turn SQLite's errors into the project's own, naming the index *where*."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, where) from error


def _translate(error: sqlite3.Error, where: str) -> DockerbuildError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest are details of the same error
    if code in _FULL or (code == sqlite3.SQLITE_IOERR and _is_full(Path(where).parent)):
        return NoSpaceError("no space left on the device", where=where, fix="free space, then run it again")
    if code in _FORBIDDEN:
        return PermissionDeniedError(str(error), where=where, fix="make the store writable for this user")
    if code in _BUSY:
        return DockerbuildError("another process holds the store's index", where=where, fix="run it again")
    return StoreDamagedError(f"the store's index cannot be used: {error}", where=where, fix="restore it from a copy")


def _is_full(folder: Path) -> bool:
    """Tell whether a disk has no room for SQLite's shared memory; it calls that an I/O error."""
    try:
        return shutil.disk_usage(folder).free < _ROOM
    except OSError:
        return False


def connect_to_write(file: Path | str, *, shared: bool = False) -> sqlite3.Connection:
    """Open the index *file* (or ``:memory:``) for reading and writing; its tables are made, or brought up to date.

    One that is made to be *shared* keeps a rollback journal: a write-ahead log needs memory that all who use the
    index share, so it fails on a network's file system (sqlite.org/wal.html).
    """
    with translated_sqlite_errors(str(file)):
        connection = _connect(str(file), uri=False)
        with _closed_on_error(connection):
            version = _schema_version(connection, str(file))
            if version == 0:
                connection.execute(f"PRAGMA journal_mode = {'DELETE' if shared else 'WAL'}")
            if version < SCHEMA_VERSION:
                _bring_up_to_date(connection, str(file))
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut
        return connection


def connect_to_read(file: Path) -> sqlite3.Connection | None:
    """Open the index *file* for reading; None when there is none yet.

    Tables of an older version are brought up to date first, which whoever may only read cannot do
    (:class:`PermissionDeniedError`).
    """
    if not file.exists():
        return None
    with translated_sqlite_errors(str(file)):
        connection = _connect_read_only(file)
        with _closed_on_error(connection):
            version = _schema_version(connection, str(file))
        if version == SCHEMA_VERSION:
            return connection
        connection.close()
        # Without tables, a first writer was stopped before it had made them.
        return connect_to_write(file) if version else None


def _connect_read_only(file: Path) -> sqlite3.Connection:
    """Connect and read once.

    Where the folder may not be written, SQLite cannot make its shared memory beside the index. Then nobody
    can be writing either, so the index is read as the unchanging file that it is.
    """
    address = file.absolute().as_uri()
    connection = _connect(f"{address}?mode=rw", uri=True)
    try:
        with _closed_on_error(connection):
            _schema_version(connection, str(file))
    except sqlite3.OperationalError as error:
        wal = file.with_name(f"{file.name}-wal")
        if error.sqlite_errorcode & 0xFF not in _FORBIDDEN or (wal.exists() and wal.stat().st_size):
            raise
        return _connect(f"{address}?immutable=1", uri=True)
    return connection


def _connect(address: str, *, uri: bool) -> sqlite3.Connection:
    # Transactions are begun and ended by hand; the store lends its connection to one thread at a time.
    return sqlite3.connect(address, timeout=BUSY_SECONDS, isolation_level=None, uri=uri, check_same_thread=False)


def _schema_version(connection: sqlite3.Connection, where: str) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not 0 <= version <= SCHEMA_VERSION or (version == 0 and tables):
        raise StoreDamagedError(
            f"the store's index has version {version} of its tables, this program knows version {SCHEMA_VERSION}",
            where=where,
            fix="use the dockerbuild that wrote it, or a newer one",
        )
    return version


def _bring_up_to_date(connection: sqlite3.Connection, where: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[_schema_version(connection, where) :]:  # another process may have been quicker
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
