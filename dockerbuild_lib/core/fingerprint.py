"""What files and folders hold, as one hash: so an answer that was worked out from them is known to be true still."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_WRITTEN_BY_PYTHON = "__pycache__"


@dataclass(frozen=True)
class Fingerprint:
    """The sha256 of names and bytes, and when the newest of the files was last changed."""

    digest: str
    changed_at: float
    """Seconds since 1970, as the kernel counts (ctime): no program can set it back."""


def fingerprint(places: Iterable[Path], texts: Iterable[str]) -> Fingerprint:
    """Return the fingerprint of *places* (files, whole folders, or nothing that is there yet) and of *texts*.

    Links are followed. Raises OSError when something cannot be read.
    """
    reading = _Reading()
    for text in texts:
        reading.add("text", text)
    for place in places:
        reading.add_place(str(place))
    return Fingerprint(reading.digest(), reading.changed_at)


class _Reading:
    """The hash so far. Whatever was read is asked for its time afterwards: so no change in between is missed."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._folders: set[tuple[int, int]] = set()
        self.changed_at = 0.0

    def digest(self) -> str:
        return self._hash.hexdigest()

    def add(self, kind: str, name: str, content: bytes = b"") -> None:
        """Add one thing; sizes stand first, so that no two lists of things look alike."""
        encoded = os.fsencode(name)
        self._hash.update(f"{kind} {len(encoded)} {len(content)} ".encode() + encoded)
        self._hash.update(content)

    def add_place(self, path: str) -> None:
        """Add what is at *path*."""
        try:
            status = os.stat(path)  # noqa: PTH116 - of hundreds of files: Path would double the time
        except FileNotFoundError:
            self.add("nothing", path)
            return
        if stat.S_ISDIR(status.st_mode):
            self._add_folder(path, (status.st_dev, status.st_ino))
        elif stat.S_ISREG(status.st_mode):
            self._add_file(path)
        else:
            self.add("other", path)  # reading a pipe would never end

    def _add_folder(self, path: str, identity: tuple[int, int]) -> None:
        self.add("folder", path)
        if identity in self._folders:
            return  # a link that leads back
        self._folders.add(identity)
        for name in sorted(os.listdir(path)):  # noqa: PTH208
            if name != _WRITTEN_BY_PYTHON:
                self.add_place(f"{path}/{name}")
        self._note(os.stat(path))  # noqa: PTH116

    def _add_file(self, path: str) -> None:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
            self.add("file", path, stream.readall())
            self._note(os.fstat(stream.fileno()))

    def _note(self, status: os.stat_result) -> None:
        self.changed_at = max(self.changed_at, status.st_ctime)
