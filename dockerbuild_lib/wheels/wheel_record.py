"""A wheel's RECORD: every member listed once, with its right hash and size, and nothing else listed.

The rules are those of the "Recording installed projects" and "Binary distribution format" specifications of PyPA.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockerbuild_lib.wheels.wheel_members import shown

_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_FIELDS = 3


@dataclass(frozen=True)
class Fingerprint:
    """What the bytes of a member are."""

    sha256: str
    """In hexadecimal."""
    size: int
    head: bytes
    """The first bytes, by which a file's kind is known."""


@dataclass(frozen=True)
class _Row:
    digest: str
    size: str


def fingerprint(chunks: Iterator[bytes], head_size: int = 4) -> Fingerprint:
    """Return the fingerprint of the bytes that *chunks* yields."""
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        head = head or chunk[:head_size]
    return Fingerprint(digest.hexdigest(), size, head)


def record_problems(record: bytes, dist_info: str, members: Mapping[str, Fingerprint]) -> Iterator[str]:
    """Yield what is wrong with *record* as the list of *members*; nothing when it is right."""
    try:
        rows = list(csv.reader(record.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"{dist_info}/RECORD: it cannot be read ({shown(str(error))})"
        return
    unlisted = {f"{dist_info}/{name}" for name in ("RECORD", *_SIGNATURES)}
    listed: dict[str, _Row] = {}
    for row in filter(None, rows):
        yield from _row_problems(row, listed, members)
    for name, found in members.items():
        if name in listed and name not in unlisted:
            yield from _content_problems(name, listed[name], found)
        elif name not in listed and not (name in unlisted and not name.endswith("RECORD")):
            yield f"{shown(name)}: RECORD does not list it"
    yield from _unhashed_problems(f"{dist_info}/RECORD", listed)


def _row_problems(row: list[str], listed: dict[str, _Row], members: Mapping[str, Fingerprint]) -> Iterator[str]:
    """Enter *row* into *listed*, and yield what is wrong with it by itself."""
    if len(row) != _FIELDS:
        yield f"RECORD: a line has {len(row)} fields instead of {_FIELDS}: {shown(','.join(row))}"
    elif row[0] in listed:
        yield f"{shown(row[0])}: RECORD lists it twice"
    elif row[0] not in members:
        yield f"{shown(row[0])}: RECORD lists it, but the wheel does not have it"
    else:
        listed[row[0]] = _Row(row[1], row[2])


def _content_problems(name: str, row: _Row, found: Fingerprint) -> Iterator[str]:
    expected = base64.urlsafe_b64encode(binascii.unhexlify(found.sha256)).rstrip(b"=").decode()
    algorithm, _, digest = row.digest.partition("=")
    if algorithm != "sha256":
        yield f"{shown(name)}: RECORD gives no sha256 of it"
    elif digest.rstrip("=") != expected:
        yield f"{shown(name)}: its sha256 is not the one in RECORD"
    if row.size != str(found.size):
        yield f"{shown(name)}: it has {found.size} bytes, RECORD says {shown(row.size) or 'nothing'}"


def _unhashed_problems(record: str, listed: Mapping[str, _Row]) -> Iterator[str]:
    own = listed.get(record)
    if own and (own.digest or own.size):
        yield f"{record}: it lists a hash or size of itself, which cannot be right"
