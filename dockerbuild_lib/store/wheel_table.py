"""The published wheels in the store's index: what the pages of the simple index are made from."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from dockerbuild_lib.store.protocol import Pin, PublishedWheel
from dockerbuild_lib.store.wheel_file import WheelFacts

_SELECT = """SELECT filename, sha256, package, instance, project, size, requires_python, metadata_sha256, published_us,
    yanked FROM wheels"""
_ALL = f"{_SELECT} WHERE project IS NOT NULL ORDER BY filename"
_OF_PROJECT = f"{_SELECT} WHERE project = ? ORDER BY filename"
_PROJECTS = "SELECT DISTINCT project FROM wheels WHERE project IS NOT NULL ORDER BY project"
_WITHOUT_FACTS = "SELECT filename, sha256, package, instance FROM wheels WHERE project IS NULL AND filename = ?"
_STALE = "SELECT filename FROM stale_pages ORDER BY filename"
_IS_FRESH = """SELECT 1 FROM wheels WHERE project = ? AND filename NOT IN (SELECT filename FROM stale_pages) LIMIT 1"""
_OTHER_OWNER = "SELECT package, instance FROM wheels WHERE filename = ? AND sha256 <> ?"
_KNOWN = "SELECT 1 FROM wheels WHERE filename = ?"
_ADD = """INSERT INTO wheels
    (filename, sha256, package, instance, project, size, requires_python, metadata_sha256, published_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (filename) DO UPDATE SET project = excluded.project, size = excluded.size,
    requires_python = excluded.requires_python, metadata_sha256 = excluded.metadata_sha256"""
_MARK_STALE = "INSERT INTO stale_pages (filename) VALUES (?) ON CONFLICT DO NOTHING"
_MARK_FRESH = "DELETE FROM stale_pages WHERE filename = ?"
_YANK = "UPDATE wheels SET yanked = ? WHERE filename = ?"


class WheelTable:
    """Questions and changes over one connection; whoever changes has begun a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[PublishedWheel, ...]:
        """Return all published wheels, by file name."""
        return tuple(_wheel(row) for row in self._rows(_ALL))

    def of_project(self, project: str) -> tuple[PublishedWheel, ...]:
        """Return the wheels of a project, by file name."""
        return tuple(_wheel(row) for row in self._rows(_OF_PROJECT, project))

    def projects(self) -> tuple[str, ...]:
        """Return the projects that have wheels, sorted."""
        return tuple(row[0] for row in self._rows(_PROJECTS))

    def has(self, filename: str) -> bool:
        """Tell whether a wheel of that name is published."""
        return bool(self._rows(_KNOWN, filename))

    def owner_of_other_bytes(self, wheel: WheelFacts) -> Pin | None:
        """Return the instance that a wheel of the same name but with other bytes was published with."""
        rows = self._rows(_OTHER_OWNER, wheel.filename, wheel.sha256)
        return Pin(*rows[0]) if rows else None

    def stale(self) -> tuple[str, ...]:
        """Return the names of wheels whose pages do not say yet what the index says."""
        return tuple(row[0] for row in self._rows(_STALE))

    def lacks_facts(self, filename: str) -> tuple[str, Pin] | None:
        """Return the sha256 and the instance of a wheel of which an older program recorded nothing else."""
        rows = self._rows(_WITHOUT_FACTS, filename)
        return (rows[0][1], Pin(*rows[0][2:])) if rows else None

    def has_fresh_page(self, project: str) -> bool:
        """Tell whether some page says what the index says of a wheel of *project*: the project is no new one."""
        return bool(self._rows(_IS_FRESH, project))

    def add(self, wheel: WheelFacts, pin: Pin, now: int) -> None:
        """Record a wheel, and that its page is to be written; one that is there stays, and gets facts it lacks."""
        facts = (wheel.project, wheel.size, wheel.requires_python, wheel.metadata_sha256, now)
        self._connection.execute(_ADD, (wheel.filename, wheel.sha256, pin.package, pin.instance_id, *facts))
        self.mark_stale((wheel.filename,))

    def yank(self, filename: str, reason: str | None) -> bool:
        """Set or take back the mark of a wheel, and tell whether there is one of that name."""
        self.mark_stale((filename,))
        return self._connection.execute(_YANK, (reason, filename)).rowcount > 0

    def mark_stale(self, filenames: Iterable[str]) -> None:
        """Note that the pages of these wheels are to be written."""
        self._connection.executemany(_MARK_STALE, [(filename,) for filename in filenames])

    def mark_fresh(self, filenames: Iterable[str]) -> None:
        """Note that the pages of these wheels say what the index says."""
        self._connection.executemany(_MARK_FRESH, [(filename,) for filename in filenames])

    def _rows(self, statement: str, *values: str) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()


def _wheel(row: tuple[Any, ...]) -> PublishedWheel:
    filename, sha256, package, instance, *facts = row
    return PublishedWheel(filename, sha256, Pin(package, instance), *facts)
