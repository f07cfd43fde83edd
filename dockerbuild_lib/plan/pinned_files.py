"""Every pin inside a value: a lock, or a step's work. What is added to either later is found too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass

from dockerbuild_lib.catalog.base import Model
from dockerbuild_lib.catalog.locks import LockedFile

Way = tuple[str, ...]
"""How a pin is reached: names of fields and keys of mappings, from the outside in."""


def pinned_files(value: object) -> Iterator[tuple[Way, LockedFile]]:
    """Yield every pin inside models, dataclasses, mappings and tuples, with the way to it."""
    if isinstance(value, LockedFile):
        yield (), value
        return
    for name, inner in _parts(value):
        for way, file in pinned_files(inner):
            yield (*name, *way), file


def _parts(value: object) -> Iterable[tuple[Way, object]]:
    if isinstance(value, Model):
        return [((name,), getattr(value, name)) for name in type(value).model_fields]
    if is_dataclass(value):
        return [((field.name,), getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return [((str(key),), inner) for key, inner in value.items()]
    return [((), inner) for inner in value] if isinstance(value, tuple) else ()
