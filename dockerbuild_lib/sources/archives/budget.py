"""How much an archive may unpack to: counted while it is read, so that a bomb fills neither disk nor memory."""

from __future__ import annotations

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.sources.archives.members import refused, refused_member

FREE_SIZE = 64 << 20
"""Bytes that every archive may unpack to, however small it is: a file of zeros is no bomb yet."""
_TRUST = "in invoke.yaml if you trust this archive"


class Budget:
    """What is left for one archive. *packed* is the archive's own size in bytes."""

    def __init__(self, limits: ArchiveLimits, packed: int) -> None:
        by_ratio = max(limits.ratio * packed, FREE_SIZE)
        self._size = min(limits.size, by_ratio)
        self._limits = limits
        self._bytes = self._size
        self._members = limits.members

    @property
    def members_left(self) -> int:
        """Members that may still come."""
        return self._members

    def take(self, count: int) -> None:
        """Count bytes that were unpacked."""
        self._bytes -= count
        if self._bytes < 0:
            raise self._too_much(None)

    def announce(self, name: str, size: int) -> None:
        """Refuse a member whose header says that it does not fit, before any of it is read."""
        if size > self._bytes:
            raise self._too_much(name)

    def take_members(self, count: int = 1) -> None:
        """Count members, and folders that they stand for."""
        self._members -= count
        if self._members < 0:
            what = f"it holds more than {self._limits.members} members, as an archive bomb does"
            raise refused(what, f"raise archives.members {_TRUST}")

    def _too_much(self, name: str | None) -> UnsafeArchiveError:
        by_size = self._size == self._limits.size
        more = f"{self._size} bytes" if by_size else f"{self._limits.ratio} times its size"
        what = f"unpacks to more than {more}, as an archive bomb does"
        fix = f"raise archives.{'size' if by_size else 'ratio'} {_TRUST}"
        return refused_member(name, f"is too much: the archive {what}", fix) if name else refused(f"it {what}", fix)
