"""What ``sources.verify`` prints: which interned sources are damaged, and what the catalogue needs and is not there."""

from __future__ import annotations

from collections.abc import Sequence

from dockerbuild_lib.plan.source_uses import NeededSource
from dockerbuild_lib.report.listing import Column, render_listing
from dockerbuild_lib.report.source_views import source_document
from dockerbuild_lib.report.units import byte_size, counted
from dockerbuild_lib.store.sources_check import SourcesCheck

_COLUMNS = (Column("DAMAGED PACKAGE"), Column("FILE"), Column("EXPECTED"), Column("ACTUAL"))


def render_check(check: SourcesCheck, missing: Sequence[NeededSource]) -> str:
    """Return the damages as aligned text, what is missing, and a line that sums it up."""
    rows = [(damage.pin.package, damage.file, damage.expected, damage.actual) for damage in check.damages]
    damaged = render_listing(_COLUMNS, rows) if rows else ""
    lines = [f"not interned: {_called(source)}\n" for source in missing]
    read = f"{counted(check.sources, 'interned source')} read ({byte_size(check.size)}): {len(rows)} damaged"
    return f"{damaged}{''.join(lines)}{read}, {len(missing)} not interned\n"


def check_document(check: SourcesCheck, missing: Sequence[NeededSource]) -> dict[str, object]:
    """Return the same as JSON's types; ``size`` in bytes."""
    damaged = [
        {
            "package": damage.pin.package,
            "instance_id": damage.pin.instance_id,
            "file": damage.file,
            "expected": damage.expected,
            "actual": damage.actual,
        }
        for damage in check.damages
    ]
    absent = [source_document(source) for source in missing]
    return {"sources": check.sources, "size": check.size, "damaged": damaged, "not_interned": absent}


def _called(source: NeededSource) -> str:
    return source.file.filename if source.file else f"{source.name} {source.version}".rstrip() + ", not locked either"
