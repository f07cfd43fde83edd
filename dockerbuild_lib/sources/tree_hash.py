"""The hash of a tree: the same for the same paths, contents, programs and links, however the tree was packed."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import replace

from dockerbuild_lib.sources.archives import Kind, Member

_TYPES = {Kind.FOLDER: stat.S_IFDIR, Kind.FILE: stat.S_IFREG, Kind.SYMBOLIC_LINK: stat.S_IFLNK}


class TreeHash:
    """Takes the members of a tree as they pass.

    It is the sha256 of ``PATH NUL MODE SPACE WHAT NUL`` for every path, sorted. MODE is octal, with its type bits as
    git has them. WHAT is the sha256 of a file, the target of a symbolic link, and nothing for a folder. A hard link
    counts as the file that it is.
    """

    def __init__(self) -> None:
        self._entries: dict[str, str] = {}

    def passing(self, member: Member) -> Member:
        """Return *member*, to be used in its place: its content is hashed while it is read, and must be read whole."""
        if member.kind is Kind.FILE:
            return replace(member, content=self._hashed(member))
        if member.kind is Kind.HARD_LINK:
            self._entries[member.name] = self._entries[member.link]
        else:
            self._note(member, member.link)
        return member

    def _hashed(self, member: Member) -> Iterator[bytes]:
        sha256 = hashlib.sha256()
        for chunk in member.content:
            sha256.update(chunk)
            yield chunk
        self._note(member, sha256.hexdigest())

    def _note(self, member: Member, what: str) -> None:
        self._entries[member.name] = f"{_TYPES[member.kind] | member.mode:o} {what}"

    def hexdigest(self) -> str:
        """Return the hash of all members that have passed."""
        tree = hashlib.sha256()
        for path, entry in sorted(self._entries.items()):
            tree.update(f"{path}\0{entry}\0".encode())
        return tree.hexdigest()
