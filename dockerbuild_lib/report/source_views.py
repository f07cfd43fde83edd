"""What the tasks ``sources.*`` print: sources and where they are, who uses them, and what is damaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockerbuild_lib.plan.source_uses import NeededSource, Use
from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.units import byte_size

_COLUMNS = (
    *(Column("NAME"), Column("VERSION"), Column("TYPE"), Column("FILE"), Column("SIZE", "right"), Column("SHA256")),
    *(Column("LOCKED"), Column("INTERNED"), Column("REMOTE")),
)
_SHORT = 12
"""Digits of a sha256 in tables: enough to tell sources apart, and for ``sources.why``."""


@dataclass(frozen=True)
class SourceRow:
    """A source, and where it is."""

    source: NeededSource
    interned: bool
    shared: bool | None
    """Whether the remote store has it; None: there is no remote store."""


def render_sources(rows: Sequence[SourceRow]) -> str:
    """Return the sources as aligned text."""
    return render_listing(_COLUMNS, [_cells(row) for row in rows], empty="no sources")


def sources_document(rows: Sequence[SourceRow]) -> list[dict[str, object]]:
    """Return the sources as JSON's types; what is not known, or not asked, is null."""
    return [
        {
            **source_document(row.source),
            "locked": row.source.file is not None,
            "interned": row.interned,
            "remote": row.shared,
        }
        for row in rows
    ]


def source_document(source: NeededSource) -> dict[str, object]:
    """Return a source and its uses as JSON's types."""
    file = source.file
    return {
        "name": source.name,
        "version": source.version or None,
        "type": source.type,
        "filename": file.filename if file else None,
        "size": file.size if file else None,
        "sha256": file.sha256 if file else None,
        "used_by": [_use(use) for use in source.uses],
    }


def _use(use: Use) -> dict[str, str | None]:
    user = {"kind": use.kind, "name": use.name, "version": use.version or None}
    return {**user, "as": use.role, "for": use.detail or None}


def render_uses(sources: Sequence[NeededSource]) -> str:
    """Return each source with a line for each of its uses."""
    return "\n".join(line for source in sources for line in _uses_lines(source)) + "\n"


def _cells(row: SourceRow) -> tuple[str, ...]:
    source, file = row.source, row.source.file
    pin = (file.filename, byte_size(file.size), file.sha256[:_SHORT]) if file else ("-", "-", "-")
    locked = "no" if file is None else "yes" if source.uses else "unused"
    shared = "-" if row.shared is None else _yes(row.shared)
    return source.name, source.version or "-", source.type, *pin, locked, _yes(row.interned), shared


def _yes(value: bool) -> str:  # noqa: FBT001 - the answer itself
    return "yes" if value else "no"


def _uses_lines(source: NeededSource) -> Iterator[str]:
    file = source.file
    pin = f"{file.filename}, {byte_size(file.size)}, sha256 {file.sha256}" if file else "not locked"
    yield f"{' '.join(filter(None, (source.name, source.version)))} ({source.type}): {pin}"
    for use in source.uses:
        yield f"  {use.user}: {use.role}{f' for {use.detail}' if use.detail else ''}"
    if not source.uses:
        yield "  nothing uses it any more: sources.lock forgets it"
