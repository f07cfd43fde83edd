"""Zip archives written byte by byte, so that each of their records can be made wrong by itself."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]
"""Fields of a record: numbers and bytes."""


@dataclass
class ZipMember:
    """A member of a zip; *local* and *central* change fields of one of its two headers only."""

    name: bytes
    content: bytes = b"x"
    mode: int = stat.S_IFREG | 0o644
    method: int = 8
    flags: int = 0x800
    data: bytes | None = None
    """What stands for the packed content, where that is something else."""
    extra: bytes = b""
    behind: bytes = b""
    """What lies behind the packed content, such as a data descriptor."""
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)

    def packed(self) -> bytes:
        if self.data is not None:
            return self.data
        if self.method != 8:  # deflated
            return self.content
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return compressor.compress(self.content) + compressor.flush()

    def fields(self, changes: Fields) -> Fields:
        said = {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "packed": len(self.packed()),
            "size": len(self.content),
            "extra": self.extra,
            "mode": self.mode,
            "disk": 0,
        }
        return said | changes


def zipped(
    members: Sequence[ZipMember],
    *,
    before: bytes = b"",
    after: bytes = b"",
    **end: Any,  # noqa: ANN401 - numbers and bytes, as in Fields
) -> bytes:
    """Return a zip; *end* changes fields of its last record: count, here, disk, size, start, comment, between."""
    body, directory = bytearray(before), bytearray()
    for member in members:
        directory += _central({"start": len(body)} | member.fields(member.central))
        body += _local(member.fields(member.local)) + member.packed() + member.behind
    said: Fields = {"count": len(members), "here": len(members), "disk": 0, "comment": b"", "between": b""}
    said |= {"size": len(directory), "start": len(body)} | end
    numbers = (said["disk"], 0, said["here"], said["count"], said["size"], said["start"], len(said["comment"]))
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", *numbers) + bytes(said["comment"])
    return bytes(body + directory) + bytes(said["between"]) + last + after


def _local(says: Fields) -> bytes:
    numbers = (20, says["flags"], says["method"], 0, 0x21, says["crc"], says["packed"], says["size"])
    lengths = (len(says["name"]), len(says["extra"]))
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", *numbers, *lengths) + bytes(says["name"] + says["extra"])


def _central(says: Fields) -> bytes:
    numbers = (0x314, 20, says["flags"], says["method"], 0, 0x21, says["crc"], says["packed"], says["size"])
    lengths = (len(says["name"]), len(says["extra"]), 0)
    where = (says["disk"], 0, says["mode"] << 16, says["start"])
    packed = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *numbers, *lengths, *where)
    return packed + bytes(says["name"] + says["extra"])
