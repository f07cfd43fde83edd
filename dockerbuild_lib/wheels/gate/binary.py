"""Reading structures out of a file that may have been made to mislead: nothing outside of it is ever looked at."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from dockerbuild_lib.core.errors import WheelRefusedError
from dockerbuild_lib.wheels.gate.elf import Budget

_MAX_NAME = 1 << 14
_NAME_STEP = 64  # bytes of a name that cost as much as an entry


@dataclass(frozen=True)
class Bounded:
    """The bytes of a file from *start* to *end*; *kind* is what a damaged one is called: ``Mach-O``.

    Offsets count from the start. What is read of tables and names is taken from the *budget*.
    """

    content: bytes
    kind: str
    budget: Budget
    start: int
    end: int

    @classmethod
    def whole(cls, content: bytes, kind: str, budget: Budget) -> Bounded:
        """Return all bytes of a file."""
        return cls(content, kind, budget, 0, len(content))

    def damaged(self, why: str) -> WheelRefusedError:
        """Return the error that refuses the file."""
        return WheelRefusedError(f"it is a damaged {self.kind} file ({why})")

    def part(self, offset: int, size: int) -> Bounded:
        """Return *size* bytes from *offset*.

        Raises:
            WheelRefusedError: they are not all there.

        """
        start, end = self.start + offset, self.start + offset + size
        if end > self.end:
            raise self.damaged(f"{size} bytes at {start:#x} are not in it")
        return Bounded(self.content, self.kind, self.budget, start, end)

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Return the numbers that lie at *offset* in the *layout* of :mod:`struct`; raises as :meth:`part` does."""
        return struct.unpack_from(layout, self.content, self.part(offset, struct.calcsize(layout)).start)

    def rows(self, layout: str, offset: int, count: int) -> Iterator[tuple[int, ...]]:
        """Yield the rows of a table at *offset*; raises as :meth:`part` does, or because the budget is spent."""
        self.budget.spend(count)
        table = self.part(offset, count * struct.calcsize(layout))
        return struct.iter_unpack(layout, memoryview(self.content)[table.start : table.end])

    def starts_with(self, text: bytes, offset: int) -> bool:
        """Tell whether *text* lies at *offset*."""
        return self.content.startswith(text, self.start + offset, self.end)

    def name(self, offset: int) -> str:
        """Return the text at *offset* up to its zero byte.

        Raises:
            WheelRefusedError: it does not end, or is longer than any real name, or the budget is spent.

        """
        start = self.start + offset
        end = self.content.find(b"\0", start, min(self.end, start + _MAX_NAME))
        if end < 0:
            raise self.damaged(f"a name at {start:#x} has no end")
        self.budget.spend(1 + (end - start) // _NAME_STEP)
        return self.content[start:end].decode("utf-8", "backslashreplace")
