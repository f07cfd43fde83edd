"""Give zig a cache of its own that begins with the image's, then become the command in the arguments, if any.

Results are links into the image, which zig may replace; records (h) are copies, which it writes to. Its parsed sources
(z) are left out: it opens them to write, which a link into the image refuses, and parses what it must compile anew.

zig takes a file for changed when its inode is another than its record's. An engine that has pulled the image has other
inodes than the one that made it: there the records are told its own.
"""

import os
import shutil
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

IMAGE = "/opt/dockerbuild/zig-cache"
LIBRARY = "/opt/dockerbuild/tools/ziglang/lib"
OF_LIBRARY = 1
"""zig's number of the folder that a path starts from; 2 and 3 are its caches."""
FILE = struct.Struct("<QQq16sB")
"""In a record (zig 0.17, std.Build.Cache.Manifest.File): size, inode, mtime in ns, digest, flags; then path and NUL."""
INODE_AND_MTIME = struct.Struct("<Qq")
FOLDER_OR_METADATA = 0b11
"""Flags of what is no file, or is hashed by its inode: no record of a C library has them."""


class Recorded(NamedTuple):
    """A file in a record: where it stands there, and what is said of it."""

    offset: int
    flags: int
    path: str
    size: int
    inode: int


def main(command: list[str]) -> None:
    """Fill the cache, and become *command*."""
    if os.path.isdir(f"{IMAGE}/h"):  # not so in an image without zig
        fill(os.environ["ZIG_GLOBAL_CACHE_DIR"])
    if command:
        become(command)


def fill(own: str) -> None:
    """Fill the folder *own*. Where records are not as they are known here it stays empty, and zig compiles all anew."""
    for kind in os.listdir(IMAGE):
        if kind not in {"h", "z"}:
            link(f"{IMAGE}/{kind}", f"{own}/{kind}")
    if are_of_this_engine():
        shutil.copytree(f"{IMAGE}/h", f"{own}/h")
        return
    try:
        adopt(own)
    except (OSError, ValueError, struct.error):
        shutil.rmtree(own)


def link(folder: str, target: str) -> None:
    """Make the folder *target* with the folders of *folder* and links to its files."""
    for parent, _folders, names in os.walk(folder):
        place = target + parent.removeprefix(folder)
        os.makedirs(place)
        for name in names:
            os.symlink(f"{parent}/{name}", f"{place}/{name}")


def are_of_this_engine() -> bool:
    """Tell whether the records have the inodes of this engine, by the first file of zig's library in one of them."""
    for name in sorted(os.listdir(f"{IMAGE}/h")):
        for file in files_of(read(f"{IMAGE}/h/{name}")):
            if file.flags >> 2 == OF_LIBRARY:
                return os.stat(f"{LIBRARY}/{file.path}").st_ino == file.inode
    return True


def adopt(own: str) -> None:
    """Write the records to *own* with the inodes and times that their files have here.

    Raises ValueError where a record is none that is known, or a file has another size.
    """
    folders = {OF_LIBRARY: LIBRARY, 2: own, 3: own}
    known: dict[tuple[int, str], os.stat_result] = {}
    os.mkdir(f"{own}/h")
    for name in os.listdir(f"{IMAGE}/h"):
        content = bytearray(read(f"{IMAGE}/h/{name}"))
        for offset, flags, path, size, _inode in files_of(content):
            status = known.get((flags, path))
            if status is None:
                status = known[flags, path] = os.stat(f"{folders[flags >> 2]}/{path}")
            if flags & FOLDER_OR_METADATA or status.st_size != size:
                raise ValueError(path)
            INODE_AND_MTIME.pack_into(content, offset + 8, status.st_ino, status.st_mtime_ns)
        with open(f"{own}/h/{name}", "wb") as stream:
            stream.write(content)


def files_of(record: bytes | bytearray) -> Iterator[Recorded]:
    """Yield each file of a record, which ends with one more NUL."""
    offset = 0
    while len(record) - offset > FILE.size:
        size, inode, _mtime, _digest, flags = FILE.unpack_from(record, offset)
        start = offset + FILE.size
        end = record.index(0, start)
        yield Recorded(offset, flags, record[start:end].decode(), size, inode)
        offset = end + 1
    if record[offset:] not in (b"", b"\0"):  # a bytearray has no hash
        raise ValueError("a record has another end than one of zig 0.17")


def read(path: str) -> bytes:
    """Return what a file holds."""
    with open(path, "rb") as stream:
        return stream.read()


def become(command: list[str]) -> None:
    """Run *command* in the place of this program; where that fails, end as a shell would."""
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main(sys.argv[1:])
