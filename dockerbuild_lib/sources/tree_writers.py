"""Where the members of a tree go: into a plain tar for a container, or into a folder of this machine."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import BinaryIO, Protocol

from dockerbuild_lib.sources.archives import Kind, Member
from dockerbuild_lib.sources.tree_archive import MTIME

_TYPES = {
    Kind.FOLDER: tarfile.DIRTYPE,
    Kind.FILE: tarfile.REGTYPE,
    Kind.SYMBOLIC_LINK: tarfile.SYMTYPE,
    Kind.HARD_LINK: tarfile.LNKTYPE,
}


class TreeWriter(Protocol):
    """Takes checked members, each folder before what is in it."""

    def add(self, member: Member) -> None:
        """Write one member."""

    def finish(self) -> None:
        """Write what belongs behind the last one."""


class TarWriter:
    """Writes a plain tar whose one top folder is *place*, everything in it owned by *owner* (user and group)."""

    def __init__(self, stream: BinaryIO, place: str, owner: int) -> None:
        self._stream = stream
        self._place = place
        self._owner = owner
        self.add(Member("", Kind.FOLDER, mode=0o755))

    def add(self, member: Member) -> None:
        """Write one member."""
        header = tarfile.TarInfo(f"{self._place}/{member.name}".rstrip("/"))
        header.type = _TYPES[member.kind]
        header.mode = member.mode
        header.uid = header.gid = self._owner
        header.mtime = MTIME
        header.linkname = f"{self._place}/{member.link}" if member.kind is Kind.HARD_LINK else member.link
        header.size = member.size if member.kind is Kind.FILE else 0
        self._stream.write(header.tobuf(tarfile.PAX_FORMAT))
        self._stream.writelines(member.content)
        self._stream.write(bytes(-header.size % tarfile.BLOCKSIZE))

    def finish(self) -> None:
        """Write the two blocks of zeros that end a tar."""
        self._stream.write(bytes(2 * tarfile.BLOCKSIZE))


class FolderWriter:
    """Writes into *folder*, which is new and empty. Symbolic links come last: nothing is written through one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._links: list[Member] = []

    def add(self, member: Member) -> None:
        """Write one member."""
        path = self._folder / member.name
        match member.kind:
            case Kind.FOLDER:
                path.mkdir(member.mode)
            case Kind.FILE:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, member.mode)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.writelines(member.content)
            case Kind.HARD_LINK:
                path.hardlink_to(self._folder / member.link)
            case _:
                self._links.append(member)

    def finish(self) -> None:
        """Write the symbolic links."""
        for link in self._links:
            (self._folder / link.name).symlink_to(link.link)
