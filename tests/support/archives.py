"""Archives made for tests, right or wrong in one chosen way, in every format."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.zips import ZipMember, zipped

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TAR_FORMATS = ("tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst")
ZIP_FORMATS = ("zip", "whl")
FORMATS = (*TAR_FORMATS, *ZIP_FORMATS)
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gz": lambda data: gzip.compress(data, 1, mtime=0),
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": lambda data: zstd.compress(data, options={int(zstd.CompressionParameter.checksum_flag): 1}),
}
_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}


@dataclass(frozen=True)
class Item:
    """A member that every format can hold; *mode* has its type bits."""

    name: str
    content: bytes = b"x"
    mode: int = stat.S_IFREG | 0o644

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


def folder(name: str, mode: int = 0o755) -> Item:
    """Return a folder."""
    return Item(name, b"", stat.S_IFDIR | mode)


def symlink(name: str, target: str) -> Item:
    """Return a symbolic link."""
    return Item(name, target.encode("utf-8", "surrogateescape"), stat.S_IFLNK | 0o777)


def special(name: str, kind: int) -> Item:
    """Return a device, a pipe or the like."""
    return Item(name, b"", kind | 0o644)


def write_archive(file: Path, *items: Item) -> Path:
    """Write an archive in the format that the file's name says."""
    if file.suffix.removeprefix(".") in ZIP_FORMATS:
        return write_bytes(file, zipped([zip_member(item) for item in items]))
    return write_bytes(file, packed(file, b"".join(map(tar_member, items)) + END))


def packed(file: Path, data: bytes) -> bytes:
    """Return *data*, compressed as the file's name says."""
    return COMPRESSORS[file.suffix.removeprefix(".")](data)


def write_bytes(file: Path, data: bytes) -> Path:
    """Write a file, and return where."""
    file.write_bytes(data)
    return file


def zip_member(item: Item) -> ZipMember:
    """Return what a zip makes of a member."""
    name = item.name + "/" * (stat.S_ISDIR(item.mode) and not item.name.endswith("/"))
    return ZipMember(name.encode("utf-8", "surrogateescape"), item.content, item.mode)


END = bytes(2 * tarfile.BLOCKSIZE)


def tar_member(item: Item) -> bytes:
    """Return a member of a tar: its name stands in a pax header, so that it can be anything."""
    info = tarfile.TarInfo("member")
    info.type = _TYPES[stat.S_IFMT(item.mode)]
    info.mode = stat.S_IMODE(item.mode)
    records = {"path": item.name.encode("utf-8", "surrogateescape")}
    if item.is_link:
        records["linkpath"] = item.content
    return described(info, records, item.content if item.is_file else b"")


def described(info: tarfile.TarInfo, records: dict[str, bytes], content: bytes = b"") -> bytes:
    """Return a member of a tar behind a pax header with *records*."""
    return pax_header(records) + raw_member(info, content)


def raw_member(info: tarfile.TarInfo, content: bytes = b"", size: int | None = None) -> bytes:
    """Return a member of a tar as its header says; *size* is another one than that of its content."""
    info.size = len(content) if size is None else size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + filled(content)


def pax_header(records: dict[str, bytes], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Return a pax header."""
    return extension(kind, b"".join(pax_record(keyword.encode(), value) for keyword, value in records.items()))


def pax_record(keyword: bytes, value: bytes) -> bytes:
    """Return one record, beginning with its own length."""
    rest = b" " + keyword + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def extension(kind: bytes, data: bytes) -> bytes:
    """Return a header of its own with *data*, which describes the member behind it."""
    info = tarfile.TarInfo("described")
    info.type = kind
    return raw_member(info, data)


def filled(content: bytes) -> bytes:
    """Return content as it lies in a tar, filled up with zeros to whole blocks."""
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def snapshot(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return path -> mode, time of change and content of everything below *root*, links not followed."""
    found = {}
    for path in (root, *sorted(root.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        target = str(path.readlink()).encode() if path.is_symlink() else b""
        found[str(path.relative_to(root))] = (status.st_mode, status.st_mtime_ns, content + target)
    return found
