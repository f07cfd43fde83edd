"""What to say about a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12
"""More known names than this are not listed: the line would no longer be read."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the advice that follows "unknown ... *name*": the nearest known name, or all of them."""
    candidates = sorted(set(known))
    nearest = difflib.get_close_matches(name, candidates, n=1) or _same_but_for_signs(name, candidates)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    if not candidates:
        return "none is known"
    more = ", ..." if len(candidates) > _LISTED else ""
    return f"known are: {', '.join(candidates[:_LISTED])}{more}"


def _same_but_for_signs(name: str, candidates: list[str]) -> list[str]:
    plain = _letters(name)
    return [candidate for candidate in candidates if plain and _letters(candidate) == plain]


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
