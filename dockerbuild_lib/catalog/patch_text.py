"""Patches, parsed strictly: unified diffs with one leading folder in their paths (``patch -p1``).

What GNU patch passes over (renames, modes, binary files, lines that belong to no hunk) is refused: a patch does all
that it says, or it is an error. The format is that of GNU diffutils' manual, "Detailed Description of Unified
Format", with the extended headers of ``git diff``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from dockerbuild_lib.catalog.patch_lines import PatchLines, PatchProblem, file_name, git_names, is_absent

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_ANYWHERE = (
    (re.compile(rb"@@ -"), "a hunk stands here with no file names in front of it"),
    (re.compile(rb"\+\+\+ "), "a new file's name stands here without the old one's"),
    (re.compile(rb"(Binary files .* differ|GIT binary patch)$"), "it changes a binary file"),
    (re.compile(rb"Only in [^:]+: "), "a file that is in one of the two folders only is not part of it"),
    (re.compile(rb"\*{15}"), "it is a context diff"),
)
_IN_GIT_HEADERS = (
    (re.compile(rb"(old|new) mode "), "it changes the mode of a file"),
    (re.compile(rb"(similarity index|(rename|copy) (from|to)) "), "it renames or copies a file"),
    (re.compile(rb"(new|deleted) file mode 1[26]0000"), "it makes or removes a link"),
)
_HARMLESS_GIT_HEADERS = (b"index ", b"dissimilarity index ", b"new file mode ", b"deleted file mode ")
_SIGNATURES = (b"-- ", b"--")
"""What git puts behind the last hunk of a mail, in front of its version."""
_FIX = "write it with `diff -ruN`, or with `git diff --no-renames`"


class Action(Enum):
    """What a patch does with a file."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True)
class Hunk:
    """Lines that take the place of others. *old* begins behind the first *skipped* lines of the old file."""

    line: int
    """Of the patch, counted from 1."""
    skipped: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


@dataclass(frozen=True)
class FileChange:
    """What a patch does with one file. *path* is below the top folder of the source."""

    path: str
    line: int
    """Of the patch, counted from 1."""
    action: Action
    hunks: tuple[Hunk, ...]
    executable: bool = False


def parse_patch(content: bytes) -> tuple[FileChange, ...]:
    """Return what a patch does, in its order.

    Raises:
        PatchProblem: it is no unified diff, does nothing, leaves its tree, or says what would not be done.

    """
    lines = PatchLines(content)
    changes: list[FileChange] = []
    text_allowed = True  # in front of the first file, and behind what begins another mail
    while lines.more:
        if lines.starts(b"diff --git "):
            changes.append(_git_change(lines))
            text_allowed = False
        elif lines.starts(b"--- ") and lines.next_starts(b"+++ "):
            changes.append(_change(lines))
            text_allowed = False
        else:
            text_allowed = _pass_over(lines, text_allowed=text_allowed)
    if not changes:
        raise PatchProblem(1, "it changes nothing: there is no unified diff in it", _FIX)
    return tuple(changes)


def _pass_over(lines: PatchLines, *, text_allowed: bool) -> bool:
    """Pass over a line that is no change; return whether text may follow it."""
    _refuse(lines, _ANYWHERE)
    number, line = lines.take()
    if text_allowed or line in _SIGNATURES or line.startswith((b"diff ", b"Index: ", b"From ")):
        return True
    if line.startswith((b"+", b"-", b" ", b"\\", b"@")):
        raise PatchProblem(number, "this line belongs to no hunk: the numbers in the header before it are wrong", _FIX)
    return False


def _refuse(lines: PatchLines, reasons: tuple[tuple[re.Pattern[bytes], str], ...]) -> None:
    for pattern, reason in reasons:
        if pattern.match(lines.line):
            raise PatchProblem(lines.number, reason, _FIX)


def _git_change(lines: PatchLines) -> FileChange:
    number, first = lines.take()
    headers = []
    while lines.more and not lines.starts(b"--- "):
        _refuse(lines, _IN_GIT_HEADERS + _ANYWHERE)
        if not lines.starts(_HARMLESS_GIT_HEADERS):
            break
        headers.append(lines.take()[1])
    creates = next((header[-6:] for header in headers if header.startswith(b"new file mode ")), None)
    executable = creates == b"100755"
    path = _the_path(number, *git_names(first.removeprefix(b"diff --git ").rstrip(b"\r")))
    if lines.starts(b"--- "):
        change = _change(lines, executable=executable)
        if change.path != path:
            raise PatchProblem(number, f"it names two files, {path} and {change.path}", _FIX)
        return change
    # A file without a line has no hunks: it begins or ends as an empty one.
    if not creates and not any(header.startswith(b"deleted file mode ") for header in headers):
        raise PatchProblem(number, "it names a file, and changes nothing in it", _FIX)
    return FileChange(path, number, Action.CREATE if creates else Action.DELETE, (), executable)


def _change(lines: PatchLines, *, executable: bool = False) -> FileChange:
    number, old_line = lines.take()
    if not lines.starts(b"+++ "):
        raise PatchProblem(number, "an old file's name stands here without the new one's", _FIX)
    old, new = old_line[4:].rstrip(b"\r"), lines.take()[1][4:].rstrip(b"\r")
    hunks = tuple(_hunks(lines))
    if not hunks:
        raise PatchProblem(number, "it names a file, and changes nothing in it", _FIX)
    names = [name for name in (file_name(old), file_name(new)) if name != b"/dev/null"]
    if not names:
        raise PatchProblem(number, "it names no file", _FIX)
    action = _action(number, old, new, hunks)
    return FileChange(_the_path(number, names[0], names[-1]), number, action, hunks, executable)


def _action(number: int, old: bytes, new: bytes, hunks: tuple[Hunk, ...]) -> Action:
    first, *others = hunks
    if is_absent(old) or (not first.old and not first.skipped):
        if first.old or others:
            raise PatchProblem(number, "it creates a file, and yet changes lines of it", _FIX)
        return Action.CREATE
    if is_absent(new):
        if first.new or others:
            raise PatchProblem(number, "it deletes a file, and yet leaves lines of it", _FIX)
        return Action.DELETE
    return Action.CHANGE


def _the_path(number: int, old: bytes, new: bytes) -> str:
    """Return the path that both names come to without their first folder."""
    paths = {_stripped(number, old), _stripped(number, new)}
    if len(paths) != 1:
        raise PatchProblem(number, f"it names two files, {' and '.join(sorted(paths))}", _FIX)
    return paths.pop()


def _stripped(number: int, name: bytes) -> str:
    _, slash, path = name.decode("utf-8", "backslashreplace").partition("/")
    if name.startswith(b"/") or any(part in ("", ".", "..") for part in path.split("/")):
        what = "has no leading folder to be left out (-p1)" if not slash else "is outside of the source's folder"
        raise PatchProblem(number, f"the name {name.decode('utf-8', 'backslashreplace')} {what}", _FIX)
    return path


def _hunks(lines: PatchLines) -> Iterator[Hunk]:
    while lines.starts(b"@@"):
        yield _hunk(lines)


def _hunk(lines: PatchLines) -> Hunk:
    number, header = lines.take()
    found = _HUNK.match(header)
    if found is None:
        raise PatchProblem(number, "the header of a hunk cannot be read", _FIX)
    start, old_count, new_count = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    old, new = lines.take_hunk(number, old_count, new_count)
    if old == new:
        raise PatchProblem(number, "a hunk changes nothing", _FIX)
    if old and not start:
        raise PatchProblem(number, "a hunk begins at line 0; lines are counted from 1", _FIX)
    return Hunk(number, start - 1 if old else start, old, new)
