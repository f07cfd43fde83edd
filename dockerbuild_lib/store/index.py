"""The store's index: who is registered, tagged and referred to. Every question is one SQL statement."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeVar

from dockerbuild_lib.core.errors import NotInStoreError, StoreAmbiguousError
from dockerbuild_lib.store.keep import Keep, Unreachable
from dockerbuild_lib.store.names import check_package, check_prefix, check_tag, check_version, is_instance_id
from dockerbuild_lib.store.protocol import (
    AttachedMetadata,
    Description,
    Instance,
    Metadata,
    Pin,
    Ref,
    Tag,
    TagQuery,
)
from dockerbuild_lib.store.quarantine_table import QuarantineTable
from dockerbuild_lib.store.wheel_table import WheelTable

_Key = TypeVar("_Key", bound=Hashable)
_Answer = TypeVar("_Answer", bound=Hashable)
_END_OF_TIME = 1 << 40  # seconds; as microseconds still an integer of SQLite's

_INSTANCE = """SELECT instance, registered_by, registered_us / 1000000 FROM instances
    WHERE package = ? AND instance = ?"""
_ANY_INSTANCE = "SELECT 1 FROM instances WHERE package = ? LIMIT 1"
_INSTANCES = """SELECT instance, registered_by, registered_us / 1000000 FROM instances
    WHERE package = ? ORDER BY registered_us DESC, sequence DESC"""
_SIZES = """SELECT instances.package, instances.instance, instances.size FROM json_each(?) AS asked CROSS JOIN instances
    ON instances.package = asked.value ->> 0 AND instances.instance = asked.value ->> 1"""
_ALL_SIZES = """SELECT package, instance, size FROM instances
    WHERE package >= ? AND package < ? ORDER BY package, sequence"""
_SIZES_WITHOUT_REFS = """SELECT package, instance, size FROM instances
    WHERE registered_us < ? AND NOT EXISTS
    (SELECT 1 FROM refs WHERE refs.package = instances.package AND refs.instance = instances.instance)
    ORDER BY package, sequence"""
_INSTANCE_IDS = "SELECT DISTINCT instance FROM instances"
_PACKAGES = "SELECT DISTINCT package FROM instances WHERE package >= ? AND package < ? ORDER BY package"
_BY_REF = "SELECT instance FROM refs WHERE package = ? AND ref = ?"
# The plus keeps SQLite from reading all packages' rows of a tag for the sake of their order.
_BY_TAG = "SELECT instance FROM tags WHERE package = ? AND tag = ? ORDER BY +sequence"
_TAGS_OF = """SELECT tag, registered_by, registered_us / 1000000 FROM tags
    WHERE package = ? AND instance = ? ORDER BY substr(tag, 1, instr(tag, ':') - 1), registered_us DESC, tag"""
_REFS_OF = """SELECT ref, instance, modified_by, modified_us / 1000000 FROM refs
    WHERE package = ? AND instance = ? ORDER BY modified_us DESC, ref"""
_REFS = """SELECT ref, instance, modified_by, modified_us / 1000000 FROM refs
    WHERE package = ? ORDER BY modified_us DESC, ref"""
_METADATA_OF = """SELECT key, value, content_type, fingerprint, attached_by, attached_us / 1000000 FROM metadata
    WHERE package = ? AND instance = ? ORDER BY attached_us DESC, key, fingerprint"""
_WHEELS_OF_MANY = """SELECT wheels.package, wheels.instance, wheels.filename FROM json_each(?) AS asked JOIN wheels
    ON wheels.package = asked.value ->> 0 AND wheels.instance = asked.value ->> 1 ORDER BY wheels.filename"""
_OF_ID = "SELECT 1 FROM instances WHERE instance = ? LIMIT 1"
_WITH_KEY = "SELECT tag, instance FROM tags WHERE package = ? AND tag >= ? AND tag < ? ORDER BY sequence"
# CROSS JOIN keeps the questions outside and the index inside: one search of the index for each question.
_BY_TAGS = """SELECT asked.key, tags.instance FROM json_each(?) AS asked CROSS JOIN tags
    ON tags.package = asked.value ->> 0 AND tags.tag = asked.value ->> 1 ORDER BY tags.sequence"""
_TAGS_OF_MANY = """SELECT tags.package, tags.instance, tags.tag FROM json_each(?) AS asked CROSS JOIN tags
    ON tags.package = asked.value ->> 0 AND tags.instance = asked.value ->> 1
    ORDER BY substr(tags.tag, 1, instr(tags.tag, ':') - 1), tags.registered_us DESC, tags.tag"""
_ANYWHERE = """SELECT tags.tag, tags.package, tags.instance FROM json_each(?) AS asked CROSS JOIN tags
    ON tags.tag = asked.value ORDER BY tags.sequence"""


class IndexReader:
    """Answers questions over one connection, on which nothing is written here."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.wheels = WheelTable(connection)
        self.quarantine = QuarantineTable(connection)

    def resolve(self, package: str, version: str) -> Pin:
        """Return the instance that *version* means, in CIPD's order, with CIPD's words for what is missing."""
        check_package(package)
        check_version(version)
        if is_instance_id(version):
            found, kind = self._rows(_INSTANCE, package, version), "instance"
        else:
            found, kind = self._rows(_BY_REF, package, version), "ref"
            if not found and ":" in version:
                found, kind = self._rows(_BY_TAG, package, version), "tag"
        if len(found) > 1:
            raise _ambiguous(package, version, [row[0] for row in found])
        if not found:
            raise self._missing(package, version, kind)
        return Pin(package, found[0][0])

    def _missing(self, package: str, version: str, kind: str) -> NotInStoreError:
        if not self._rows(_ANY_INSTANCE, package):
            return NotInStoreError(f"no such package: {package}", fix="store.list shows the packages")
        return NotInStoreError(f"no such {kind}: {version}", where=package, fix="store.describe shows what there is")

    def describe(self, package: str, version: str) -> Description:
        """Return all that is known of the instance that *version* means."""
        pin = self.resolve(package, version)
        asked = (pin.package, pin.instance_id)
        return Description(
            self.instance(pin),
            refs=tuple(Ref(*row) for row in self._rows(_REFS_OF, *asked)),
            tags=tuple(Tag(*row) for row in self._rows(_TAGS_OF, *asked)),
            metadata=tuple(AttachedMetadata(Metadata(*row[:3]), *row[3:]) for row in self._rows(_METADATA_OF, *asked)),
        )

    def instance(self, pin: Pin) -> Instance:
        """Return the record of a registered instance."""
        rows = self._rows(_INSTANCE, pin.package, pin.instance_id)
        if not rows:
            raise self._missing(pin.package, pin.instance_id, "instance")
        return Instance(pin, *rows[0][1:])

    def packages(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the packages below *prefix*, sorted."""
        return tuple(row[0] for row in self._rows(_PACKAGES, *_range_below(prefix)))

    def instances(self, package: str) -> tuple[Instance, ...]:
        """Return the instances of *package*, the newest first."""
        rows = self._rows(_INSTANCES, check_package(package))
        if not rows:
            raise self._missing(package, "", "instance")
        return tuple(Instance(Pin(package, row[0]), *row[1:]) for row in rows)

    def sizes(self, pins: Iterable[Pin]) -> Mapping[Pin, int]:
        """Return the sizes of these package files, in one statement."""
        asked = json.dumps([[pin.package, pin.instance_id] for pin in pins])
        return {Pin(*row[:2]): row[2] for row in self._rows(_SIZES, asked)}

    def sizes_below(self, prefix: str) -> Mapping[Pin, int]:
        """Return the sizes of the package files of all packages below *prefix*."""
        return {Pin(*row[:2]): row[2] for row in self._rows(_ALL_SIZES, *_range_below(prefix))}

    def instance_ids(self) -> frozenset[str]:
        """Return the ids of all instances of all packages."""
        return frozenset(row[0] for row in self._rows(_INSTANCE_IDS))

    def unreachable(self, keep: Keep) -> tuple[Unreachable, ...]:
        """Return the instances that are older than *keep* says, that no ref points to, and that it does not reach."""
        before = min(keep.registered_since, _END_OF_TIME) * 1_000_000
        sizes = {Pin(*row[:2]): row[2] for row in self._connection.execute(_SIZES_WITHOUT_REFS, (int(before),))}
        tags, wheels = self.tags_of(sizes), self.wheels_of(sizes)
        return tuple(
            Unreachable(pin, tags.get(pin, ()), wheels.get(pin, ()), size)
            for pin, size in sizes.items()
            if not keep.reaches(pin, tags.get(pin, ()))
        )

    def refs(self, package: str) -> tuple[Ref, ...]:
        """Return the refs of *package*, the last moved first."""
        if not self._rows(_ANY_INSTANCE, check_package(package)):
            raise self._missing(package, "", "ref")
        return tuple(Ref(*row) for row in self._rows(_REFS, package))

    def tags(self, pin: Pin) -> tuple[str, ...]:
        """Return the tags of an instance."""
        self.instance(pin)
        return tuple(row[0] for row in self._rows(_TAGS_OF, pin.package, pin.instance_id))

    def tags_of(self, pins: Iterable[Pin]) -> Mapping[Pin, tuple[str, ...]]:
        """Return the tags of each instance, in one statement."""
        asked = json.dumps([[pin.package, pin.instance_id] for pin in pins])
        rows = self._rows(_TAGS_OF_MANY, asked)
        return _grouped((Pin(package, instance), tag) for package, instance, tag in rows)

    def search(self, package: str, tags: Iterable[str]) -> tuple[Pin, ...]:
        """Return the instances that carry all *tags*, by the time that they got the first of them, newest first."""
        check_package(package)
        wanted = [check_tag(tag) for tag in tags]
        carriers = [[row[0] for row in self._rows(_BY_TAG, package, tag)] for tag in wanted]
        if not carriers:
            return ()
        in_all = set(carriers[0]).intersection(*carriers[1:])
        return tuple(Pin(package, instance) for instance in reversed(carriers[0]) if instance in in_all)

    def pins_by_tags(self, queries: Iterable[TagQuery]) -> Mapping[TagQuery, tuple[Pin, ...]]:
        """Return the carriers of each (package, tag), in one statement."""
        asked = list(dict.fromkeys(queries))
        texts = json.dumps([[check_package(query.package), check_tag(query.tag)] for query in asked])
        carriers = _grouped(self._rows(_BY_TAGS, texts))
        return {
            asked[number]: tuple(Pin(asked[number].package, instance) for instance in instances)
            for number, instances in carriers.items()
        }

    def pins_by_tag_anywhere(self, tags: Iterable[str]) -> Mapping[str, tuple[Pin, ...]]:
        """Return the carriers of each tag in all packages, in one statement."""
        rows = self._rows(_ANYWHERE, json.dumps([check_tag(tag) for tag in tags]))
        return _grouped((tag, Pin(package, instance)) for tag, package, instance in rows)

    def tags_with_key(self, package: str, key: str) -> Mapping[str, str]:
        """Return tag -> the instance that got it first, for all tags of *package* with that key."""
        rows = self._rows(_WITH_KEY, package, f"{key}:", f"{key};")  # ";" follows ":"
        return dict(reversed(rows))  # of equal tags the last one given stays: the first that was attached

    def is_registered(self, pin: Pin) -> bool:
        """Tell whether the instance is there."""
        return bool(self._rows(_INSTANCE, pin.package, pin.instance_id))

    def has_instance_of_id(self, instance_id: str) -> bool:
        """Tell whether an instance of some package has this id."""
        return bool(self._rows(_OF_ID, instance_id))

    def wheels_of(self, pins: Iterable[Pin]) -> Mapping[Pin, tuple[str, ...]]:
        """Return the file names of the wheels that were published with each instance, in one statement."""
        asked = json.dumps([[pin.package, pin.instance_id] for pin in pins])
        return _grouped((Pin(*row[:2]), row[2]) for row in self._rows(_WHEELS_OF_MANY, asked))

    def problems(self) -> tuple[str, ...]:
        """Return what SQLite finds wrong with the index itself."""
        broken = [str(row[0]) for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]
        dangling = [f"a row of {row[0]} has no instance" for row in self._rows("PRAGMA foreign_key_check")]
        return (*broken, *dangling)

    def _rows(self, statement: str, *values: str) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()


def _range_below(prefix: str) -> tuple[str, str]:
    """Return the names between which all packages below *prefix* are."""
    folder = check_prefix(prefix)
    return (f"{folder}/", f"{folder}0") if folder else ("", "\x7f")  # "0" follows "/", DEL follows all


def _grouped(answers: Iterable[tuple[_Key, _Answer]]) -> dict[_Key, tuple[_Answer, ...]]:
    """Gather the answers of each key; a question that was asked twice is answered once."""
    groups: dict[_Key, dict[_Answer, None]] = {}
    for key, answer in answers:
        groups.setdefault(key, {})[answer] = None
    return {key: tuple(group) for key, group in groups.items()}


def _ambiguous(package: str, tag: str, instances: Iterable[str]) -> StoreAmbiguousError:
    return StoreAmbiguousError(
        f"ambiguity when resolving the tag {tag}, more than one instance has it: {', '.join(instances)}",
        where=package,
        fix="name the instance id",
    )
