"""One file's change by a patch: exactly at the lines that the patch names, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerbuild_lib.catalog.patch_text import Action, FileChange, Hunk

_SHOWN = 60


class MismatchError(Exception):
    """A change does not fit: which line of the patch it is about, what is wrong, and how to put it right."""

    def __init__(self, line: int, what: str, fix: str = "renew the patch: it was made for another source") -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.fix = fix


def changed(content: bytes | None, change: FileChange) -> bytes | None:
    """Return what *change* makes of a file's *content*; None stands for no file.

    Raises:
        MismatchError: it does not fit; there is no looking for a place that is like the one named.

    """
    new = tuple(line for hunk in change.hunks for line in hunk.new)
    if change.action is Action.CREATE:
        if content:
            _refuse_repetition(change, already=content == b"".join(new))
            raise MismatchError(change.line, f"it creates {change.path}, which is there already")
        return b"".join(new)
    if content is None:
        _refuse_repetition(change, already=change.action is Action.DELETE)
        raise MismatchError(change.line, f"there is no file {change.path}")
    result = b"".join(_replaced(_lines(content), change))
    if change.action is Action.CHANGE:
        return result
    if result:
        raise MismatchError(change.line, f"it deletes {change.path}, which has more lines than the patch takes away")
    return None


def _lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends; only a newline ends one."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _replaced(lines: Sequence[bytes], change: FileChange) -> Iterator[bytes]:
    position = 0
    for number, hunk in enumerate(change.hunks, start=1):
        end = hunk.skipped + len(hunk.old)
        if hunk.skipped < position:
            raise MismatchError(hunk.line, f"hunk {number} of {change.path} begins inside of the one before it")
        if hunk.skipped > len(lines) or tuple(lines[hunk.skipped : end]) != hunk.old:
            raise _mismatch(lines, change, number, hunk)
        yield from lines[position : hunk.skipped]
        yield from hunk.new
        position = end
    yield from lines[position:]


def _refuse_repetition(change: FileChange, *, already: bool) -> None:
    if already:
        what = f"what it does with {change.path} is done already, in the source or by a patch before it"
        raise MismatchError(change.line, what, "remove the patch, or reverse it if it was written backwards")


def _mismatch(lines: Sequence[bytes], change: FileChange, number: int, hunk: Hunk) -> MismatchError:
    """Say why a hunk does not fit where it says."""
    _refuse_repetition(change, already=_fits_reversed(lines, change))
    which = f"hunk {number} of {change.path}"
    size = len(hunk.old)
    places = [place for place in range(len(lines) - size + 1) if tuple(lines[place : place + size]) == hunk.old]
    if places and size:
        nearest = min(places, key=lambda place: abs(place - hunk.skipped))
        what = (
            f"{which} is for line {hunk.skipped + 1}, and its lines are at line {nearest + 1}: offsets are not allowed"
        )
        return MismatchError(hunk.line, what, "renew the patch, so that it names the lines that it is for")
    for index, expected in enumerate(hunk.old, start=hunk.skipped):
        found = lines[index] if index < len(lines) else b""
        if found != expected:
            what = f"{which} expects {_shown(expected)} in line {index + 1}, where {_shown(found)} is"
            return MismatchError(hunk.line, what)
    return MismatchError(hunk.line, f"{which} is for line {hunk.skipped}, and there are {len(lines)} lines")


def _fits_reversed(lines: Sequence[bytes], change: FileChange) -> bool:
    """Tell whether all lines that the change makes are there, at the places where it would have made them."""
    shift = 0
    for hunk in change.hunks:
        place = hunk.skipped + shift
        if tuple(lines[place : place + len(hunk.new)]) != hunk.new:
            return False
        shift += len(hunk.new) - len(hunk.old)
    return True


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...") if text else "no line"
