"""Tar archives with what only they can hold: hard links, headers that describe members, and their own damage."""

from __future__ import annotations

import lzma
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.sources.archives.tar import MAX_DESCRIPTION
from dockerbuild_lib.sources.patching import read_member
from tests.support.archives import (
    END,
    TAR_FORMATS,
    described,
    extension,
    filled,
    packed,
    pax_header,
    pax_record,
    raw_member,
    symlink,
    tar_member,
    write_bytes,
)
from tests.support.refusals import World

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEADS_OUT = "is a link that leads out of the archive's folder"
NO_FILE = "which is no file before it"
UNREADABLE = "has pax records that cannot be read"


def file(name: str, content: bytes = b"x") -> bytes:
    return raw_member(tarfile.TarInfo(name), content)


def typed(name: str, kind: bytes, **fields: object) -> bytes:
    """Return a member of any type."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return raw_member(info)


def hard_link(name: str, target: str) -> bytes:
    return typed(name, tarfile.LNKTYPE, linkname=target)


def with_size(name: str, size: int) -> bytes:
    return raw_member(tarfile.TarInfo(name), size=size)


def pax(name: str, **records: bytes) -> bytes:
    """Return a file behind a pax header."""
    return described(tarfile.TarInfo(name), records, b"x")


LONG = "d" * 70
USTAR = tarfile.TarInfo(f"../{LONG}/{LONG}").tobuf(tarfile.USTAR_FORMAT)
DESCRIPTION = tarfile.TarInfo("d")
DESCRIPTION.type = tarfile.XHDTYPE
MEMBERS: dict[str, tuple[str, str, bytes]] = {
    "hard link out": ("p/l", LEADS_OUT, hard_link("p/l", "../etc/passwd")),
    "hard link out by the top": ("p/l", LEADS_OUT, hard_link("p/l", "p/../../etc/passwd")),
    "hard link to an absolute path": ("p/l", LEADS_OUT, hard_link("p/l", "/etc/passwd")),
    "hard link by backslashes": ("p/l", LEADS_OUT, hard_link("p/l", "..\\x")),
    "hard link to nothing": ("p/l", LEADS_OUT, hard_link("p/l", "")),
    "hard link to no member": ("p/l", NO_FILE, hard_link("p/l", "p/none")),
    "hard link to a member after it": ("p/l", NO_FILE, hard_link("p/l", "p/f") + file("p/f")),
    "hard link to itself": ("p/l", NO_FILE, hard_link("p/l", "p/l")),
    "hard link to a folder": ("p/l", NO_FILE, hard_link("p/l", "p")),
    "hard link to a symbolic link": ("p/l", NO_FILE, tar_member(symlink("p/s", "f")) + hard_link("p/l", "p/s")),
    "hard link to a link that leads out": (
        "p/s",
        LEADS_OUT,
        tar_member(symlink("p/s", "../../etc/passwd")) + hard_link("p/l", "p/s"),
    ),
    "hard link through a link": ("p/l", NO_FILE, tar_member(symlink("p/s", ".")) + hard_link("p/l", "p/s/harmless")),
    "hard link by another case": ("p/l", NO_FILE, hard_link("p/l", "p/HARMLESS")),
    "hard link, then a file in its place": ("p/l", "comes twice", hard_link("p/l", "p/harmless") + file("p/l")),
    "hard link with setuid": (
        "p/l",
        "setuid",
        typed("p/l", tarfile.LNKTYPE, linkname="p/harmless", mode=0o4755),
    ),
    "sparse": ("p/f", "is a sparse file", typed("p/f", tarfile.GNUTYPE_SPARSE)),
    "sparse by pax 0.0": ("p/f", "is a sparse file", pax("p/f", **{"GNU.sparse.size": b"1099511627776"})),
    "sparse by pax 1.0": (
        "p/f",
        "is a sparse file",
        pax("p/f", **{"GNU.sparse.major": b"1", "GNU.sparse.realsize": b"1099511627776"}),
    ),
    "multi-volume": ("p/f", "is neither a file", typed("p/f", b"M")),
    "volume's name": ("p", "is neither a file", typed("p", b"V")),
    "incremental folder": ("p/f", "is neither a file", typed("p/f", b"D")),
    "unknown type": ("p/f", "is neither a file", typed("p/f", b"Z")),
    "file with the name of a folder": ("p/f/", "with the name of a folder", pax("p/f", path=b"p/f/")),
    "path in a pax header": ("../x", "is outside", pax("p/f", path=b"../x")),
    "path in a GNU header": ("../x", "is outside", extension(b"L", b"../x\0") + file("p/f")),
    "link in a GNU header": ("p/l", LEADS_OUT, extension(b"K", b"/etc/passwd\0") + typed("p/l", b"2", linkname="x")),
    "NUL in a GNU header": ("p/a\0b", "control characters", extension(b"L", b"p/a\0b\0") + file("p/f")),
    "path in a header's prefix": (f"../{LONG}/{LONG}", "is outside", USTAR),
    "two pax headers": ("described", "comes twice", pax_header({"path": b"p/a"}) + pax("p/f", path=b"p/b")),
    "two GNU headers": ("described", "comes twice", extension(b"L", b"p/a\0") * 2 + file("p/f")),
    "a thousand headers": ("described", "comes twice", pax_header({"a": b"b"}) * 1000 + file("p/f")),
    "huge pax header": ("described", "more than names", pax_header({"comment": b"x" * MAX_DESCRIPTION}) + file("p/f")),
    "huge GNU header": ("described", "more than names", extension(b"L", b"x" * (MAX_DESCRIPTION + 1)) + file("p/f")),
    "pax header that lies about its size": ("d", "more than names", raw_member(DESCRIPTION, size=1 << 40)),
    "pax record without a length": ("described", UNREADABLE, extension(b"x", b"path=p/f\n") + file("p/f")),
    "pax record that is too long": ("described", UNREADABLE, extension(b"x", b"99 path=p/f\n") + file("p/f")),
    "pax record of length 0": ("described", UNREADABLE, extension(b"x", b"0 path=p/f\n") + file("p/f")),
    "pax record without a newline": ("described", UNREADABLE, extension(b"x", b"10 path=p/") + file("p/f")),
    "pax record without a keyword": ("described", UNREADABLE, extension(b"x", pax_record(b"", b"x")) + file("p/f")),
    "pax size that is negative": ("p/f", "a size that is no number", pax("p/f", size=b"-1")),
    "pax size that is no number": ("p/f", "a size that is no number", pax("p/f", size=b"1e3")),
    "pax size in other digits": ("p/f", "a size that is no number", pax("p/f", size="\u0661".encode())),
    "pax size that is too long": ("p/f", "a size that is no number", pax("p/f", size=b"9" * 5000)),
    "pax size beyond the limit": ("p/f", "bomb", pax("p/f", size=b"9" * 18)),
    "header's size beyond the limit": ("p/f", "bomb", with_size("p/f", 1 << 60)),
    "global path": ("described", "renames or resizes", pax_header({"path": b"p/x"}, b"g") + file("p/f")),
    "global link": ("described", "renames or resizes", pax_header({"linkpath": b"/x"}, b"g") + file("p/f")),
    "global size": ("described", "renames or resizes", pax_header({"size": b"0"}, b"g") + file("p/f")),
    "global sparse": ("described", "renames or resizes", pax_header({"GNU.sparse.size": b"9"}, b"g") + file("p/f")),
    "content that is cut off": ("p/f", "is truncated", with_size("p/f", 20_000)),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def write_tar(archive: Path, *members: bytes, end: bytes = END) -> Path:
    return write_bytes(archive, packed(archive, b"".join(members) + end))


@pytest.mark.parametrize(("name", "why", "members"), MEMBERS.values(), ids=MEMBERS)
def test_a_hostile_member_is_refused_by_its_name(
    world: World, tmp_path: Path, name: str, why: str, members: bytes
) -> None:
    said = world.refuses(write_tar(tmp_path / "a.tar.gz", file("p/harmless"), members))
    assert why in said
    assert repr(name) in said


NEGATIVE = tarfile.TarInfo("p/f")
NEGATIVE.size = -512
DAMAGED = {
    "no header at all": (b"x" * 2000, "no archive of a known format"),
    "less than a header": (b"x" * 100, "no archive of a known format"),
    "wrong checksum": (b"q" + file("p/f")[1:], "no archive of a known format"),
    "wrong checksum in the middle": (file("p/a") + b"q" + file("p/f")[1:] + END, "a header cannot be read"),
    "text between members": (file("p/a") + filled(b"text") + file("p/f") + END, "a header cannot be read"),
    "zeros between members": (file("p/a") + END + file("p/f") + END, "something follows its end"),
    "another archive behind it": ((file("p/a") + END) * 2, "something follows its end"),
    "text behind it": (file("p/a") + END + b"x", "something follows its end"),
    "no end": (file("p/a"), "its end is missing"),
    "half a header": (file("p/a") + file("p/b")[:300], "its end is missing"),
    "header that describes nothing": (file("p/a") + pax_header({"path": b"p/x"}) + END, "describes no member"),
    "negative size": (file("p/a") + NEGATIVE.tobuf(tarfile.GNU_FORMAT) + END, "a header cannot be read"),
    "size that is no number": (
        file("p/a") + tarfile.TarInfo("p/f").tobuf().replace(b"00000000000\0", b"0x000000000\0", 1) + END,
        "a header cannot be read",
    ),
}


@pytest.mark.parametrize(("data", "why"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_refused(world: World, tmp_path: Path, data: bytes, why: str) -> None:
    archive = tmp_path / "a.tar.gz"
    assert why in world.refuses(write_bytes(archive, packed(archive, data)))


NUMBERS = b"".join(number.to_bytes(4, "big") for number in range(20_000))


@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("suffix", TAR_FORMATS)
def test_a_truncated_archive_is_refused(world: World, tmp_path: Path, suffix: str, part: float) -> None:
    archive = write_tar(tmp_path / f"a.{suffix}", file("p/a", NUMBERS), file("p/b", NUMBERS), end=END[:1024])
    whole = archive.read_bytes()
    said = world.refuses(write_bytes(archive, whole[: int(len(whole) * part)]))
    assert "truncated" in said or "no archive" in said


@pytest.mark.parametrize("suffix", TAR_FORMATS[1:])
def test_a_compressed_archive_without_its_last_byte_is_refused(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_tar(tmp_path / f"a.{suffix}", file("p/a", NUMBERS))
    assert "truncated" in world.refuses(write_bytes(archive, archive.read_bytes()[:-1]))


@pytest.mark.parametrize("suffix", TAR_FORMATS[1:])
def test_what_follows_compressed_data_must_be_compressed_too(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_tar(tmp_path / f"a.{suffix}", file("p/a"))
    data = archive.read_bytes()
    assert read_member(write_bytes(archive, data + bytes(1024)), "a") == b"x"
    assert "damaged" in world.refuses(write_bytes(archive, data + b"garbage" * 100))


@pytest.mark.parametrize("suffix", TAR_FORMATS[1:])
def test_damaged_compressed_data_is_refused(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_tar(tmp_path / f"a.{suffix}", file("p/a", NUMBERS))
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0x55
    world.refuses(write_bytes(archive, bytes(data)))


@pytest.mark.parametrize("suffix", TAR_FORMATS[1:])
def test_compressed_data_in_several_parts_is_read_to_its_end(tmp_path: Path, suffix: str) -> None:
    archive = tmp_path / f"a.{suffix}"
    data = file("p/a", NUMBERS) + file("p/b", b"end") + END
    parts = [packed(archive, data[begin : begin + 30_000]) for begin in range(0, len(data), 30_000)]
    write_bytes(archive, b"".join(parts))
    assert read_member(archive, "a") == NUMBERS
    assert read_member(archive, "b") == b"end"


def test_the_memory_that_an_xz_file_may_ask_for_is_bounded(world: World, tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "mode": lzma.MODE_FAST, "nice_len": 8, "depth": 1}]
    small = {**filters[0], "dict_size": 1 << 16}
    data = bytearray(lzma.compress(file("p/a") + END, filters=[small]))
    header = bytearray(data[12:24])  # the block's header: its size, flags, filter, properties, padding, checksum
    header[4] = 36  # a dictionary of 1 GiB
    header[8:12] = zlib.crc32(header[:8]).to_bytes(4, "little")
    data[12:24] = header
    assert "Memory usage limit exceeded" in world.refuses(write_bytes(tmp_path / "a.tar.xz", bytes(data)))


def test_the_memory_that_a_zst_file_may_ask_for_is_bounded(world: World, tmp_path: Path) -> None:
    window = {int(zstd.CompressionParameter.window_log): 30, int(zstd.CompressionParameter.content_size_flag): 0}
    compressor = zstd.ZstdCompressor(options=window)
    data = compressor.compress(file("p/a")) + compressor.compress(END) + compressor.flush()
    assert "zstd data cannot be unpacked" in world.refuses(write_bytes(tmp_path / "a.tar.zst", data))


def test_headers_count_as_members(world: World, tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", pax_header({"comment": b"x"}, b"g") * 100, file("p/a"))
    assert read_member(archive, "a") == b"x"
    assert "more than 50 members" in world.refuses(archive, ArchiveLimits(members=50))


def test_a_commit_in_a_global_header_is_harmless(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", pax_header({"comment": b"0123abc"}, b"g"), file("p/a", b"git's"))
    assert read_member(archive, "a") == b"git's"
