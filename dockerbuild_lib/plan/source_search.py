"""Finding sources: by who uses them, or by what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.plan.source_uses import NeededSource

_SHA256_START = re.compile(r"[0-9a-f]{4,64}")
_LISTED = 12


def select_sources(sources: Sequence[NeededSource], users: Iterable[str]) -> tuple[NeededSource, ...]:
    """Return the sources that *users* use: wheels, ``NAME==VERSION``, libraries, ``tools``, or patterns; none: all.

    Raises:
        UsageError: one of them names nothing that uses a source.

    """
    patterns = tuple(users)
    known = {selector for source in sources for use in source.uses for selector in use.selectors}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            what = f"unknown wheel or library {pattern!r}"
            raise UsageError(what, where="--name", fix=suggestion(pattern, known))
    return tuple(source for source in sources if not patterns or _is_used_by(source, patterns))


def _is_used_by(source: NeededSource, patterns: Iterable[str]) -> bool:
    selectors = {selector for use in source.uses for selector in use.selectors}
    return any(fnmatchcase(selector, pattern) for selector in selectors for pattern in patterns)


def find_sources(sources: Sequence[NeededSource], text: str) -> tuple[NeededSource, ...]:
    """Return all files of the source called *text*, or the one with that file name or start of a sha256.

    Raises:
        UsageError: there is none, or the sha256 of several starts so.

    """
    named = tuple(source for source in sources if text in _names(source))
    if named:
        return named
    found = [source for source in sources if source.file and source.file.sha256.startswith(text)]
    if not _SHA256_START.fullmatch(text) or not found:
        known = [name for source in sources for name in _names(source)]
        raise UsageError(f"the catalogue needs no source {text!r}", fix=suggestion(text, known))
    if len({source.file.sha256 for source in found if source.file}) > 1:
        raise _ambiguous(text, found)
    return tuple(found)


def _names(source: NeededSource) -> tuple[str, ...]:
    return (source.name, source.file.filename) if source.file else (source.name,)


def _ambiguous(text: str, found: Sequence[NeededSource]) -> UsageError:
    files = [f"{source.file.sha256[: len(text) + 8]} ({source.file.filename})" for source in found if source.file]
    more = ", ..." if len(files) > _LISTED else ""
    return UsageError(
        f"the sha256 of {len(files)} sources starts with {text}",
        fix=f"write more of it: {', '.join(files[:_LISTED])}{more}",
    )
