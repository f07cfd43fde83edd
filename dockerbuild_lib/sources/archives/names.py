"""Names and link targets from archives, held to what is one path inside of a folder everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.core.text import displayable
from dockerbuild_lib.sources.archives.members import refused_member

MAX_PART = 255
"""Bytes of one part of a path, as Linux takes it."""
MAX_PATH = 3000
"""Bytes of a path: Linux takes 4095, with the path of the folder that the archive is unpacked to."""
MAX_DEPTH = 200
"""Parts of a path. Who removes a tree goes down into it, folder by folder, and must not run out of stack."""
_DRIVE = re.compile(r"[A-Za-z]:")
_PROBLEMS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda name: not name, "that is empty"),
    (lambda name: any("\ud800" <= character <= "\udfff" for character in name), "that is not UTF-8"),
    (lambda name: displayable(name) != name or "\n" in name or "\t" in name, "with control characters"),
    (lambda name: "\\" in name, "with a backslash, which Windows takes for a slash"),
    (lambda name: len(name.encode()) > MAX_PATH, f"that is too long: a path may have {MAX_PATH} bytes"),
    (lambda name: name.count("/") >= MAX_DEPTH, f"that is too deep: a path may have {MAX_DEPTH} parts"),
    (
        lambda name: any(len(part.encode()) > MAX_PART for part in name.split("/")),
        f"that is too long: a part of a path may have {MAX_PART} bytes",
    ),
)
"""What is wrong with a name by itself, the first that applies."""


def plain_path(name: str) -> str:
    """Return a member's name without ``.``, doubled slashes and a last one; empty for the top itself.

    Raises:
        UnsafeArchiveError: it leads out of the folder that it is unpacked to, or cannot be a name everywhere.

    """
    if problem := _problem(name):
        raise refused_member(name, f"has a name {problem}")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or _DRIVE.match(name):
        raise refused_member(name, "is outside of the archive's folder")
    return "/".join(parts)


def _problem(name: str) -> str | None:
    return next((problem for is_wrong, problem in _PROBLEMS if is_wrong(name)), None)


def check_symbolic_link(name: str, target: str, depth: int) -> None:
    """Refuse a link of which following it may leave the tree; *depth* is the number of folders around it.

    ``..`` may stand at the start only, where it climbs from a true folder of the tree. Behind the name of another
    link it would climb from wherever that link leads. So every link leads inside, and with it every chain of them.

    Raises:
        UnsafeArchiveError: it may.

    """
    if problem := _problem(target):
        raise refused_member(name, f"is a link to something with a name {problem}")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    if target.startswith("/") or climbs > depth or ".." in parts[climbs:] or _DRIVE.match(target):
        raise _leads_out(name)


def hard_link_target(name: str, target: str) -> str:
    """Return the path, from the top of the archive, of the member that a hard link means.

    Raises:
        UnsafeArchiveError: it leads out of the archive.

    """
    try:
        return plain_path(target)
    except UnsafeArchiveError as error:
        raise _leads_out(name) from error


def _leads_out(name: str) -> UnsafeArchiveError:
    return refused_member(name, "is a link that leads out of the archive's folder")


def same_file_key(path: str) -> str:
    """Return what paths share that some file system takes for one: a canonical caseless match (Unicode, D145)."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
