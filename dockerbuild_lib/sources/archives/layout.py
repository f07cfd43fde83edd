"""The tree that an archive's members make: each path once, each folder before what is in it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from dockerbuild_lib.sources.archives.budget import Budget
from dockerbuild_lib.sources.archives.members import Kind, Member, refused, refused_member, shown
from dockerbuild_lib.sources.archives.names import check_symbolic_link, hard_link_target, plain_path, same_file_key

MAX_NAMES = 64 << 20
"""Characters of all paths together: they are held in memory."""
FOLDER_MODE, PROGRAM_MODE, FILE_MODE, LINK_MODE = 0o755, 0o755, 0o644, 0o777
_USUAL = (Kind.FILE, Kind.FOLDER, Kind.SYMBOLIC_LINK, Kind.HARD_LINK)


class _Place(NamedTuple):
    path: str
    kind: Kind
    mode: int


class Layout:
    """The members so far of an archive that has one top folder, or (*flat*) may have several, or none."""

    def __init__(self, budget: Budget, *, flat: bool = False) -> None:
        self._budget = budget
        self._flat = flat
        self._taken: dict[str, _Place] = {}  # by what file systems compare
        self._names = 0
        self.top = ""

    def add(self, member: Member) -> Iterator[Member]:
        """Yield *member*, found harmless and normalised, after the folders that it needs and no member made yet.

        Its name and link start below the top folder. Modes become 0755, 0644 or 0777. A folder that comes again
        is dropped.

        Raises:
            UnsafeArchiveError: it is not harmless, or not beside those that were added before.

        """
        self._budget.take_members()
        path = plain_path(member.name)
        if member.kind not in _USUAL:
            raise refused_member(member.name, f"is {member.kind.value}")
        if member.kind is not Kind.FOLDER and (not path or member.name.endswith("/")):
            raise refused_member(member.name, f"is {member.kind.value} with the name of a folder")
        _refuse_special_bits(member)
        if path:
            yield from self._folders(path, member)
            yield from self._placed(path, member)

    def add_inside(self, member: Member) -> Iterator[Member]:
        """Do as :meth:`add` does for a member whose name starts below the top folder."""
        return self.add(replace(member, name=f"{self.top}/{member.name}" if self.top else member.name))

    def finish(self) -> None:
        """Refuse a tree without a top folder.

        Raises:
            UnsafeArchiveError: there is none.

        """
        if not self._flat and not self.top:
            raise refused("it must hold one top folder, and holds nothing")

    def _folders(self, path: str, member: Member) -> Iterator[Member]:
        """Yield the folders around *path* that are not there yet."""
        missing: list[str] = []
        folder = path.rpartition("/")[0]
        while folder and not self._is_folder(folder, member):
            missing.append(folder)
            folder = folder.rpartition("/")[0]
        for folder in reversed(missing):
            self._budget.take_members()
            yield from self._placed(folder, replace(member, kind=Kind.FOLDER))

    def _is_folder(self, path: str, member: Member) -> bool:
        """Tell whether *path* is a folder already; another kind of thing there is refused."""
        there = self._taken.get(same_file_key(path))
        if there and there.kind is not Kind.FOLDER:
            raise refused_member(member.name, f"lies below {shown(there.path)}, which is {there.kind.value}")
        return there is not None and there.path == path

    def _placed(self, path: str, member: Member) -> Iterator[Member]:
        """Take *path*, and yield the member there; nothing for a folder that is there already."""
        key = same_file_key(path)
        there = self._taken.get(key)
        if there and there.path == path and there.kind is member.kind is Kind.FOLDER:
            return
        if there:
            raise refused_member(member.name, _collision(path, member, there))
        self._names += len(path)
        if self._names > MAX_NAMES:
            raise refused("its names are too long, all together, as in an archive bomb")
        inside = path if self._flat else self._below_top(path, member)
        placed = self._normalised(inside, member)
        self._taken[key] = _Place(path, member.kind, placed.mode)
        if inside:
            yield placed

    def _below_top(self, path: str, member: Member) -> str:
        top, _, inside = path.partition("/")
        if not inside and member.kind is not Kind.FOLDER:
            raise refused_member(member.name, f"is {member.kind.value}, where the archive's one top folder must be")
        self.top = self.top or top
        if top != self.top:
            raise refused_member(member.name, f"is not below {shown(self.top)}: an archive must hold one top folder")
        return inside

    def _normalised(self, inside: str, member: Member) -> Member:
        match member.kind:
            case Kind.FOLDER:
                return Member(inside, Kind.FOLDER, mode=FOLDER_MODE)
            case Kind.FILE:
                mode = PROGRAM_MODE if member.mode & 0o111 else FILE_MODE
                return replace(member, name=inside, mode=mode, link="")
            case Kind.HARD_LINK:
                target = self._linked_file(member)
                link = target.path if self._flat else target.path.partition("/")[2]
                return Member(inside, Kind.HARD_LINK, mode=target.mode, link=link)
            case _:
                check_symbolic_link(member.name, member.link, inside.count("/"))
                return Member(inside, member.kind, mode=LINK_MODE, link=member.link)

    def _linked_file(self, member: Member) -> _Place:
        """Return the file that a hard link means, which stands before the link."""
        target = hard_link_target(member.name, member.link)
        there = self._taken.get(same_file_key(target))
        if there is None or there.path != target or there.kind not in (Kind.FILE, Kind.HARD_LINK):
            raise refused_member(member.name, f"is a hard link to {shown(member.link)}, which is no file before it")
        return there


def _collision(path: str, member: Member, there: _Place) -> str:
    if there.path != path:
        return f"is {shown(there.path)} too, where case or Unicode's normal forms do not count"
    if Kind.FOLDER in (there.kind, member.kind):
        return f"is {member.kind.value}, and {there.kind.value} as well"
    return "comes twice"


def _refuse_special_bits(member: Member) -> None:
    """Refuse programs that run as somebody else.

    Of a folder setgid and sticky are dropped, like all of its mode: a tree that was packed in a group's folder or
    below /tmp has them, and means no harm.
    """
    refused_bits = stat.S_ISUID if member.kind is Kind.FOLDER else stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
    if member.mode & refused_bits:
        raise refused_member(member.name, f"has the mode {member.mode & 0o7777:04o}: setuid, setgid or sticky")
