"""The lines of a patch, one after the other, and the smallest things that they say."""

from __future__ import annotations

import re
from datetime import datetime

_EPOCH = re.compile(rb"\t((?:1969-12-31|1970-01-01) \d\d:\d\d:\d\d)(?:\.0+)?( [+-]\d{4})$")
"""diff's time of a file that is not there: 1970-01-01 00:00:00 UTC, in some time zone."""

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
_LETTERS = dict(zip((b"a", b"b", b"f", b"n", b"r", b"t", b"v", b'"', b"\\"), b'\a\b\f\n\r\t\v"\\', strict=True))


class PatchProblem(Exception):  # noqa: N818 - it becomes a Problem of the catalogue, or an error
    """What is wrong with a patch, in which line of it (counted from 1), and how to put it right."""

    def __init__(self, line: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.fix = fix


class PatchLines:
    """The lines of a patch, without their ends, and the place of the next one."""

    def __init__(self, content: bytes) -> None:
        self._lines = content.split(b"\n")
        if not self._lines[-1]:
            self._lines.pop()
        self._next = 0

    @property
    def more(self) -> bool:
        """Whether there is another line."""
        return self._next < len(self._lines)

    @property
    def number(self) -> int:
        """The number of the next line, counted from 1."""
        return self._next + 1

    @property
    def line(self) -> bytes:
        """The next line; empty at the end."""
        return self._lines[self._next] if self.more else b""

    def starts(self, beginning: bytes | tuple[bytes, ...]) -> bool:
        """Tell whether the next line begins like that."""
        return self.line.startswith(beginning)

    def next_starts(self, beginning: bytes) -> bool:
        """Tell whether the line after the next one begins like that."""
        return self._next + 1 < len(self._lines) and self._lines[self._next + 1].startswith(beginning)

    def take(self) -> tuple[int, bytes]:
        """Return the next line with its number, and go on."""
        self._next += 1
        return self._next, self._lines[self._next - 1]

    def take_hunk(self, header: int, old_count: int, new_count: int) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Return so many old and new lines with their ends, and go on; *header* is the number of their header.

        Raises:
            PatchProblem: there are more, or fewer.

        """
        old: list[bytes] = []
        new: list[bytes] = []
        sides: tuple[list[bytes], ...] = ()
        while len(old) < old_count or len(new) < new_count or self.starts(b"\\"):
            if not self.more:
                raise PatchProblem(header, "a hunk is cut off: the patch ends before it does", "restore the patch")
            number, line = self.take()
            if line.startswith(b"\\"):  # "No newline at end of file": of the line before
                for side in sides:
                    side[-1] = side[-1].removesuffix(b"\n")
                sides = ()
                continue
            # Editors take the blank off an empty line.
            sides = {b"": (old, new), b" ": (old, new), b"-": (old,), b"+": (new,)}.get(line[:1], ())
            for side in sides:
                side.append(line[1:] + b"\n")
            if not sides or len(old) > old_count or len(new) > new_count:
                raise PatchProblem(number, "this is no line of the hunk that it stands in", "restore the patch")
        return tuple(old), tuple(new)


def file_name(text: bytes) -> bytes:
    """Return the name in a line that names a file, without the time behind it."""
    return _unquoted(text) or text.partition(b"\t")[0]


def git_names(text: bytes) -> tuple[bytes, bytes]:
    """Return both names behind ``diff --git``. Unquoted ones are of the same length, else git would quote or rename."""
    quoted = _QUOTED.match(text)
    half = quoted.end() if quoted else len(text) // 2
    old, new = text[:half], text[half + 1 :]
    return _unquoted(old) or old, _unquoted(new) or new


def _unquoted(text: bytes) -> bytes | None:
    """Return the name that *text* begins with when it is quoted, as in C: by GNU diff already for a blank."""
    quoted = _QUOTED.match(text)
    return _ESCAPE.sub(_character, quoted[1]) if quoted else None


def _character(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes((_LETTERS[code] if code in _LETTERS else int(code, 8) & 0xFF,))


def is_absent(text: bytes) -> bool:
    """Tell whether a line that names a file means one that is not there: /dev/null, or diff's time of 1970."""
    time = _EPOCH.search(text)
    if time is None:
        return text.partition(b"\t")[0] == b"/dev/null"
    return datetime.strptime((time[1] + time[2]).decode(), "%Y-%m-%d %H:%M:%S %z").timestamp() == 0
