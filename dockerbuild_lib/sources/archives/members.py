"""What archives hold, whatever their format, and how they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from dockerbuild_lib.core.errors import UnsafeArchiveError

_SHOWN = 160
_ADVICE = "do not use this archive: take another version, or ask its authors"


class Kind(Enum):
    """What a member is, in words that follow "is"."""

    FILE = "a file"
    FOLDER = "a folder"
    SYMBOLIC_LINK = "a symbolic link"
    HARD_LINK = "a hard link"
    CHARACTER_DEVICE = "a character device"
    BLOCK_DEVICE = "a block device"
    FIFO = "a named pipe"
    SPARSE = "a sparse file"
    UNKNOWN = "neither a file, nor a folder, nor a link"


@dataclass(frozen=True)
class Member:
    """One member, as the archive has it (*name* may be anything) or as it was found harmless."""

    name: str
    kind: Kind
    size: int = 0
    """Bytes of its content, as its header says."""
    mode: int = 0o644
    """Permission bits, with setuid, setgid and sticky."""
    link: str = ""
    """Where a link leads: a symbolic one from its own folder, a hard one from the top of the archive."""
    content: Iterator[bytes] = field(default_factory=lambda: iter(()))
    """The bytes of a file, to be read once, and before the next member is asked for."""


def refused(what: str, fix: str = _ADVICE) -> UnsafeArchiveError:
    """Return the error for an archive as a whole; whoever opened the archive adds which one it is."""
    return UnsafeArchiveError(what, fix=fix)


def refused_member(name: str | bytes, what: str, fix: str = _ADVICE) -> UnsafeArchiveError:
    """Return the error for one member."""
    return refused(f"its member {shown(name)} {what}", fix)


def shown(name: str | bytes) -> str:
    """Return a foreign name fit for a message: quoted, what cannot be shown as escapes, not too long."""
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    quoted = repr(text[:_SHOWN])
    return quoted if len(text) <= _SHOWN else f"{quoted}..."
