"""Wheels that would have to be there before themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def way_between(
    start: str, end: str, needs: Callable[[str], Iterable[str]], seen: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return the names on a way from *start* to *end*, both included, along what each needs; empty: there is none."""
    if start == end:
        return (end,)
    for needed in needs(start):
        if needed not in seen and (way := way_between(needed, end, needs, seen | {start})):
            return (start, *way)
    return ()
