"""Damaged instances in the store's index: their rows leave every other table, and come back whole."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from dockerbuild_lib.store.names import version_of
from dockerbuild_lib.store.protocol import Pin, Quarantined

_Row = Mapping[str, Any]
_Record = Mapping[str, Sequence[_Row]]

_OF_INSTANCE = ("tags", "refs", "metadata", "wheels")
"""The tables whose rows belong to an instance. They refer to it, so they go before it and come after it."""

_ALL = "SELECT package, instance, problem, quarantined_by, quarantined_us / 1000000 FROM quarantine ORDER BY 1, 2"
_PUT = "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?)"
_RECORD = "SELECT record FROM quarantine WHERE package = ? AND instance = ?"
_RECORDS = "SELECT instance, record FROM quarantine WHERE package = ?"
_REMOVE = "DELETE FROM quarantine WHERE package = ? AND instance = ?"
_HAS_TAG = "SELECT 1 FROM tags WHERE package = ? AND tag = ?"


class QuarantineTable:
    """Questions and changes over one connection; whoever changes has begun a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Quarantined, ...]:
        """Return the instances in quarantine, by package."""
        return tuple(Quarantined(Pin(*row[:2]), *row[2:]) for row in self._connection.execute(_ALL))

    def tags_of_owners(self, package: str, tag: str) -> Mapping[str, tuple[str, ...]]:
        """Return instance -> its tags, for the instances of *package* in quarantine that had *tag*."""
        records = {row[0]: _tags(_decoded(row[1])) for row in self._connection.execute(_RECORDS, (package,))}
        return {instance: tags for instance, tags in records.items() if tag in tags}

    def wheels(self) -> frozenset[str]:
        """Return the file names of all wheels that are in quarantine."""
        records = [_decoded(row[0]) for row in self._connection.execute("SELECT record FROM quarantine")]
        return frozenset(row["filename"] for record in records for row in record["wheels"])

    def put(self, pin: Pin, problem: str, who: str, now: int) -> _Record:
        """Move all rows of an instance here, and return them."""
        record = {table: self._rows_of(table, pin) for table in ("instances", *_OF_INSTANCE)}
        for table in (*_OF_INSTANCE, "instances"):
            self._connection.execute(f"DELETE FROM {table} WHERE package = ? AND instance = ?", _key(pin))  # noqa: S608  # a name from above
        self._connection.execute(_PUT, (*_key(pin), problem, who, now, _encoded(record)))
        return record

    def release(self, pin: Pin) -> _Record | None:
        """Move the rows of an instance back, and return them; None when it is not in quarantine.

        What others took meanwhile stays theirs: a version, a ref, the name of a wheel.
        """
        found = self._connection.execute(_RECORD, _key(pin)).fetchone()
        if found is None:
            return None
        self._connection.execute(_REMOVE, _key(pin))
        record = _decoded(found[0])
        for table in ("instances", *_OF_INSTANCE):
            for row in record[table]:
                if table != "tags" or self._may_take(pin.package, row["tag"]):
                    self._insert(table, row)
        return record

    def _may_take(self, package: str, tag: str) -> bool:
        return version_of(tag) is None or not self._connection.execute(_HAS_TAG, (package, tag)).fetchall()

    def _insert(self, table: str, row: _Row) -> None:
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608  # our own names
        self._connection.execute(statement, tuple(row.values()))

    def _rows_of(self, table: str, pin: Pin) -> list[_Row]:
        cursor = self._connection.execute(f"SELECT * FROM {table} WHERE package = ? AND instance = ?", _key(pin))  # noqa: S608  # a name from above
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor]
        return [{name: value for name, value in row.items() if name != "sequence"} for row in rows]


def _key(pin: Pin) -> tuple[str, str]:
    return pin.package, pin.instance_id


def _tags(record: _Record) -> tuple[str, ...]:
    return tuple(row["tag"] for row in record["tags"])


def _encoded(record: _Record) -> str:
    """Return the record as JSON; bytes, which it does not have, become ``{"base64": ...}``."""
    return json.dumps(record, default=lambda value: {"base64": b64encode(value).decode()})


def _decoded(text: str) -> _Record:
    record: _Record = json.loads(
        text, object_hook=lambda value: b64decode(value["base64"]) if set(value) == {"base64"} else value
    )
    return record
