"""Zip archives and wheels: whatever two readers could see differently is refused, and so are lies about sizes."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.sources.archives import open_archive, top_folder
from dockerbuild_lib.sources.archives.members import shown
from dockerbuild_lib.sources.archives.streams import Inflater
from dockerbuild_lib.sources.patching import read_member
from tests.support.archives import ZIP_FORMATS, write_bytes
from tests.support.refusals import World
from tests.support.zips import Fields, ZipMember, zipped

DIFFERS = "is something else in the archive's directory than in its own header"
OTHER_BYTES = "has other bytes than its header says"
GAP = "is followed by bytes that belong to no member"
FILE = ZipMember(b"p/f")


def deflated(content: bytes) -> bytes:
    return ZipMember(b"", content).packed()


def descriptor(content: bytes) -> bytes:
    return struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(content), len(deflated(content)), len(content))


def zip64(*numbers: int) -> bytes:
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def unicode_path(name: bytes) -> bytes:
    return struct.pack("<2HBL", 0x7075, 5 + len(name), 1, 0) + name


def hidden(member: ZipMember) -> bytes:
    """Return a member as it lies in an archive, without an entry in the directory."""
    return zipped([member]).partition(b"PK\x01\x02")[0]


# Each is the second member, between two that are harmless; why it is refused.
MEMBERS = {
    "encrypted": (ZipMember(b"p/f", flags=0x801), "is encrypted"),
    "strongly encrypted": (ZipMember(b"p/f", flags=0x841), "is encrypted"),
    "encrypted headers": (ZipMember(b"p/f", flags=0x2800), "is encrypted"),
    "encrypted in the directory only": (ZipMember(b"p/f", central={"flags": 0x801}), "is encrypted"),
    "encrypted in its header only": (ZipMember(b"p/f", local={"flags": 0x801}), DIFFERS),
    "bzip2": (ZipMember(b"p/f", method=12), "is packed by method 12"),
    "LZMA": (ZipMember(b"p/f", method=14), "is packed by method 14"),
    "unknown method": (ZipMember(b"p/f", method=99), "is packed by method 99"),
    "another name in its header": (ZipMember(b"p/f", local={"name": b"p/g"}), DIFFERS),
    "a name that leads out in its header": (ZipMember(b"p/f", local={"name": b"../x"}), DIFFERS),
    "another method in its header": (ZipMember(b"p/f", local={"method": 0}), DIFFERS),
    "another size in its header": (ZipMember(b"p/f", local={"size": 7}), DIFFERS),
    "another packed size in its header": (ZipMember(b"p/f", local={"packed": 7}), DIFFERS),
    "another checksum in its header": (ZipMember(b"p/f", local={"crc": 7}), DIFFERS),
    "another alphabet in its header": (ZipMember(b"p/f", local={"flags": 0}), DIFFERS),
    "no size in its header, and none behind it": (ZipMember(b"p/f", local={"size": 0}), DIFFERS),
    "a wrong checksum": (ZipMember(b"p/f", local={"crc": 7}, central={"crc": 7}), OTHER_BYTES),
    "more bytes than it says": (ZipMember(b"p/f", b"x" * 9, local={"size": 5}, central={"size": 5}), OTHER_BYTES),
    "more bytes, with the checksum of fewer": (
        ZipMember(b"p/f", b"x" * 5, data=deflated(b"x" * 9)),
        OTHER_BYTES,
    ),
    "fewer bytes, with the checksum of those": (
        ZipMember(b"p/f", b"x" * 5, local={"size": 9}, central={"size": 9}),
        OTHER_BYTES,
    ),
    "fewer bytes than it says": (ZipMember(b"p/f", b"x" * 9, data=deflated(b"x" * 5)), OTHER_BYTES),
    "stored with two sizes": (ZipMember(b"p/f", b"x" * 9, method=0, data=b"x" * 5), OTHER_BYTES),
    "cut off": (ZipMember(b"p/f", b"x" * 999, data=deflated(b"x" * 999)[:-3]), "is truncated"),
    "damaged": (ZipMember(b"p/f", b"x" * 9, data=b"\xff" * 9), "is damaged"),
    "bytes behind its end": (ZipMember(b"p/f", data=deflated(b"x") + b"hidden"), "has bytes behind its end"),
    "two names": (ZipMember(b"p/f", extra=unicode_path(b"../x")), "has two names that differ"),
    "a name of no known alphabet": (ZipMember("p/é".encode("cp437"), flags=0), "not marked as such"),
    "UTF-8 that is not marked": (ZipMember("p/é".encode(), flags=0), "not marked as such"),
    "a name that is not UTF-8": (ZipMember(b"p/\xff"), "that is not UTF-8"),
    "overlong UTF-8": (ZipMember(b"p/\xc0\xaf"), "that is not UTF-8"),
    "NUL, and a harmless end": (ZipMember(b"p/f\0.txt"), "control characters"),
    "folder with content": (ZipMember(b"p/f/", mode=stat.S_IFDIR | 0o755), "is a folder with content"),
    "file by its mode, folder by its name": (ZipMember(b"p/f/", b""), "is a file by its mode"),
    "folder by its mode, file by its name": (ZipMember(b"p/f", b"", stat.S_IFDIR | 0o755), "is a folder by its mode"),
    "socket": (ZipMember(b"p/f", b"", stat.S_IFSOCK | 0o644), "is neither a file"),
    "link with a huge target": (ZipMember(b"p/f", b"a/" * 9999, stat.S_IFLNK | 0o777), "is a link to a name of 19998"),
    "link that lies about its target": (
        ZipMember(b"p/f", b"x", stat.S_IFLNK | 0o777, data=deflated(b"../../etc/passwd")),
        OTHER_BYTES,
    ),
    "in another part": (ZipMember(b"p/f", central={"disk": 1}), "a divided archive"),
    "header elsewhere": (ZipMember(b"p/f", central={"start": 1}), "is not where the archive's directory says"),
    "header behind the end": (ZipMember(b"p/f", central={"start": 1 << 30}), "is not where the archive's directory"),
    "a member hidden behind it": (ZipMember(b"p/f", behind=hidden(ZipMember(b"p/evil"))), GAP),
    "bytes hidden behind it": (ZipMember(b"p/f", behind=b"x" * 16), GAP),
    "more than a descriptor behind it": (ZipMember(b"p/f", flags=0x808, behind=b"x" * 25), GAP),
    "reaching into what lies behind it": (
        ZipMember(b"p/f", method=0, content=b"x" * 90, data=b"x", local={"packed": 90}, central={"packed": 90}),
        "overlaps",
    ),
    "size in a zip64 field that is missing": (
        ZipMember(b"p/f", local={"size": 0xFFFFFFFF}, central={"size": 0xFFFFFFFF}),
        "lacks its size",
    ),
    "two sizes in zip64 fields": (
        ZipMember(
            b"p/f", extra=zip64(1, 9), local={"size": 0xFFFFFFFF}, central={"size": 0xFFFFFFFF, "extra": zip64(2)}
        ),
        DIFFERS,
    ),
    "size beyond the limit": (ZipMember(b"p/f", local={"size": 1 << 31}, central={"size": 1 << 31}), "bomb"),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("suffix", ZIP_FORMATS)
@pytest.mark.parametrize(("member", "why"), MEMBERS.values(), ids=MEMBERS)
def test_a_hostile_member_is_refused_by_its_name(
    world: World, tmp_path: Path, member: ZipMember, why: str, suffix: str
) -> None:
    data = zipped([ZipMember(b"p/harmless"), member, ZipMember(b"p/later")])
    said = world.refuses(write_bytes(tmp_path / f"a.{suffix}", data))
    assert why in said
    assert shown(member.name) in said


def test_no_more_bytes_are_handed_out_than_were_announced(tmp_path: Path) -> None:
    member = ZipMember(b"p/f", b"x" * 5, data=deflated(bytes(9_000_000)))
    archive = write_bytes(tmp_path / "a.zip", zipped([member]))
    found: list[bytes] = []
    with open_archive(archive) as opened:
        contents = (piece for each in opened.members() for piece in each.content)
        with pytest.raises(UnsafeArchiveError):
            found.extend(contents)
    assert sum(map(len, found)) <= 5


TWO = [ZipMember(b"p/f"), ZipMember(b"p/g")]
NOWHERE = "its directory is not where its end says"
ARCHIVES = {
    "no directory": (zipped(TWO)[:50], "it has no directory"),
    "something in front": (zipped(TWO, before=b"#!/bin/sh\n"), "no archive of a known format"),
    "a member hidden in front": (
        zipped(TWO, before=hidden(ZipMember(b"p/evil"))),
        "something lies in front of its first member",
    ),
    "something behind": (zipped(TWO, after=b"x"), "something follows its end"),
    "an end in its comment": (zipped(TWO, comment=zipped([])), NOWHERE),
    "an archive in its comment": (zipped(TWO, comment=zipped([ZipMember(b"p/evil")])), NOWHERE),
    "an end without its comment": (zipped(TWO, after=b"PK\x05\x06"), "it has no directory"),
    "more members than its directory has": (zipped(TWO, count=3, here=3), "its directory cannot be read"),
    "fewer members than its directory has": (zipped(TWO, count=1, here=1), "has another length than its end says"),
    "another start": (zipped(TWO, start=0), NOWHERE),
    "another size": (zipped(TWO, size=5), NOWHERE),
    "another part": (zipped(TWO, disk=1), NOWHERE),
    "members in other parts": (zipped(TWO, here=1), "one part of a divided archive"),
    "a member at the place of another": (
        zipped([ZipMember(b"p/f"), ZipMember(b"p/f", central={"start": 0})]),
        "overlaps",
    ),
    "a hundred members at one place": (
        zipped([ZipMember(b"p/f", b"x" * 9999), *[ZipMember(b"p/f", b"x" * 9999, central={"start": 0})] * 99]),
        "overlaps",
    ),
    "a zip64 end that is missing": (
        zipped(TWO, between=struct.pack("<4sLQL", b"PK\x06\x07", 0, 5, 1)),
        "its zip64 end is missing",
    ),
}


@pytest.mark.parametrize("suffix", ZIP_FORMATS)
@pytest.mark.parametrize(("data", "why"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_ambiguous_archive_is_refused(world: World, tmp_path: Path, data: bytes, why: str, suffix: str) -> None:
    assert why in world.refuses(write_bytes(tmp_path / f"a.{suffix}", data))


@pytest.mark.parametrize("suffix", ZIP_FORMATS)
@pytest.mark.parametrize("part", [0.01, 0.3, 0.6, 0.9, 0.9999])
def test_a_truncated_archive_is_refused(world: World, tmp_path: Path, suffix: str, part: float) -> None:
    data = zipped([ZipMember(b"p/%d" % number, b"%d" % number * 999) for number in range(99)])
    said = world.refuses(write_bytes(tmp_path / f"a.{suffix}", data[: int(len(data) * part)]))
    assert "truncated" in said or "follows its end" in said


def end64(members: list[ZipMember], plain: Fields | None = None, /, **changes: int) -> bytes:
    """Return an archive with a zip64 end, whose usual end leaves everything to it, but for what *plain* says."""
    usual = zipped(members)
    start, end = usual.index(b"PK\x01\x02"), usual.index(b"PK\x05\x06")
    said: Fields = {"own": 44, "count": len(members), "size": end - start, "start": start, "at": end, **changes}
    record = (said["own"], 45, 45, 0, 0, said["count"], said["count"], said["size"], said["start"])
    between = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *record) + struct.pack("<4sLQL", b"PK\x06\x07", 0, said["at"], 1)
    masked: Fields = {"count": 0xFFFF, "here": 0xFFFF, "size": 0xFFFFFFFF, "start": 0xFFFFFFFF}
    return zipped(members, between=between, **masked | (plain or {}))


def test_a_zip64_archive_is_read(tmp_path: Path) -> None:
    big = ZipMember(
        b"p/f",
        b"content",
        extra=zip64(7, 9),
        local={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF},
        central={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF},
    )
    assert len(big.packed()) == 9
    assert read_member(write_bytes(tmp_path / "a.zip", end64([big, ZipMember(b"p/g")])), "f") == b"content"


@pytest.mark.parametrize("changes", [{"count": 1}, {"size": 1}, {"start": 1}, {"at": 3}, {"at": 1 << 40}, {"own": 9}])
def test_a_zip64_end_that_lies_is_refused(world: World, tmp_path: Path, changes: dict[str, int]) -> None:
    world.refuses(write_bytes(tmp_path / "a.zip", end64(TWO, **changes)))


def test_two_ends_must_say_the_same(world: World, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    assert read_member(write_bytes(archive, end64(TWO, {"count": 2, "here": 2})), "f") == b"x"
    assert "it has two ends that differ" in world.refuses(write_bytes(archive, end64(TWO, {"count": 1, "here": 1})))


@pytest.mark.parametrize("signature", [True, False])
def test_sizes_may_stand_behind_a_member(tmp_path: Path, *, signature: bool) -> None:
    behind = descriptor(b"content")[0 if signature else 4 :]
    later = dict.fromkeys(("size", "packed", "crc"), 0)
    member = ZipMember(b"p/f", b"content", flags=0x808, behind=behind, local={**later})
    assert read_member(write_bytes(tmp_path / "a.zip", zipped([member, ZipMember(b"p/g")])), "f") == b"content"


def test_a_streamed_archive_of_pythons_is_read(tmp_path: Path) -> None:
    class Pipe:
        def __init__(self) -> None:
            self.data = bytearray()

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

        def flush(self) -> None:
            """Do nothing: there is no buffer."""

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # it cannot seek
        archive.writestr("p/f", b"content" * 99)
        with archive.open("p/big", "w", force_zip64=True) as stream:
            stream.write(b"more")
    archive_file = write_bytes(tmp_path / "a.zip", bytes(pipe.data))
    assert read_member(archive_file, "f") == b"content" * 99
    assert read_member(archive_file, "big") == b"more"


@pytest.mark.parametrize("step", [1, 2, 3, 100])
@pytest.mark.parametrize("size", [21, 3000])
def test_what_is_ready_is_asked_for_before_more_is_read(size: int, step: int) -> None:
    """When all packed bytes are in, some that were unpacked may still be waiting."""
    content = bytes(size)
    packed, inflater, found = iter((deflated(content),)), Inflater(-zlib.MAX_WBITS), b""
    while not inflater.eof:
        found += inflater.decompress(next(packed) if inflater.needs_input else b"", step)
    assert found == content


def test_a_comment_is_harmless(tmp_path: Path) -> None:
    assert top_folder(write_bytes(tmp_path / "a.zip", zipped(TWO, comment=b"made by hand"))) == "p"


def test_the_number_of_members_is_refused_before_they_are_read(world: World, tmp_path: Path) -> None:
    archive = write_bytes(tmp_path / "a.zip", zipped([], count=60_000, here=60_000))
    assert "more than 50000 members" in world.refuses(archive, ArchiveLimits(members=50_000))
