"""Aligned tables of plain text, for listings and wherever there is no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dockerbuild_lib.core.text import displayable


@dataclass(frozen=True)
class Column:
    """One column of a table; numbers align right."""

    title: str
    align: Literal["left", "right"] = "left"


def render_listing(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, empty: str = "nothing") -> str:
    """Return the rows as aligned text with a line of titles; only the word *empty* when there are none.

    Cells are made safe to show, each on one line; lines do not end with spaces.
    """
    if not rows:
        return f"{empty}\n"
    cells = [[column.title for column in columns], *([_one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(f"{_line(columns, row, widths)}\n" for row in cells)


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if column.align == "right" else cell.ljust(width)
        for column, cell, width in zip(columns, row, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def _one_line(cell: str) -> str:
    return " ".join(displayable(cell).split())
