"""Opening an archive: one way for all formats, every member checked before it is handed out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.archives.budget import Budget
from dockerbuild_lib.sources.archives.layout import Layout
from dockerbuild_lib.sources.archives.members import Member, refused_member
from dockerbuild_lib.sources.archives.streams import Stream, unpacked_pieces
from dockerbuild_lib.sources.archives.tar import tar_members
from dockerbuild_lib.sources.archives.zip import zip_members

MAX_READ_SIZE = 16 << 20
"""Bytes of a file that is read into memory."""
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
DEFAULT_LIMITS = ArchiveLimits()


class OpenArchive:
    """An archive that is being read, from its first member to its last."""

    def __init__(self, members: Iterator[Member], layout: Layout) -> None:
        self._members = members
        self.layout = layout

    @property
    def top(self) -> str:
        """The one folder that everything is below; known once a member was read, empty for wheels."""
        return self.layout.top

    def members(self) -> Iterator[Member]:
        """Yield the members below the top folder: each path once, folders before what is in them, modes normalised.

        What the archive is may only be relied on when all of them were read.

        Raises:
            UnsafeArchiveError: it is damaged, hostile, too much, or has not one top folder.

        """
        for member in self._members:
            yield from self.layout.add(member)
        self.layout.finish()


@contextmanager
def open_archive(archive: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[OpenArchive]:
    """Yield *archive*, opened: a tar, plain or packed by gzip, bzip2, xz or zstd, a zip, or a wheel.

    Its first bytes tell which, whatever it is called. Only a wheel (``.whl``) may hold more than one top folder.

    Raises:
        UnsafeArchiveError: also whatever reading it raises, with the archive's path.
        PermissionDeniedError: it may not be read.

    """
    with _opened(archive) as file, _naming(archive):
        size = os.fstat(file.fileno()).st_size
        budget = Budget(limits, size)
        yield OpenArchive(_members(file, size, budget), Layout(budget, flat=archive.suffix == ".whl"))


def _opened(archive: Path) -> BinaryIO:
    with translated_os_errors(archive):
        return archive.open("rb")


def _members(file: BinaryIO, size: int, budget: Budget) -> Iterator[Member]:
    magic = file.read(4)
    file.seek(0)
    if magic in _ZIP_MAGICS:
        return zip_members(file, size, budget)
    return tar_members(Stream(unpacked_pieces(file), budget), budget)


@contextmanager
def _naming(archive: Path) -> Iterator[None]:
    try:
        yield
    except UnsafeArchiveError as error:
        error.where = error.where or str(archive)
        raise


def top_folder(archive: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> str:
    """Return the one folder that everything in *archive* is below.

    Raises:
        UnsafeArchiveError: it is damaged, hostile, or has not one top folder.

    """
    with open_archive(archive, limits) as opened:
        for _ in opened.members():
            pass
        return opened.top


def read_content(member: Member) -> bytes:
    """Return the bytes of a file.

    Raises:
        UnsafeArchiveError: they are too many to be read into memory.

    """
    if member.size > MAX_READ_SIZE:
        raise refused_member(
            member.name, f"has {member.size} bytes, more than the {MAX_READ_SIZE} that are read at once"
        )
    return b"".join(member.content)
