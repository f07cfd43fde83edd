"""What a model's annotations say about a place in it: the way there, its keys, its choices.

pydantic reports a problem by a chain of keys, indices and union tags. The tags stand in no file, so the chain
is followed along the annotations. Unions must be told apart by the first of their fields that has literal values,
as the tests check.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

_KEY = "[key]"
"""pydantic's mark for "the key itself, not its value"."""


def follow(annotation: Any, loc: Sequence[str | int]) -> tuple[list[str | int], Any, bool]:  # noqa: ANN401 -- annotations have no common type
    """Follow pydantic's *loc* from *annotation*.

    Return the steps without union tags, the annotation at the end, and whether a key itself is meant.
    """
    steps: list[str | int] = []
    for element in loc:
        if element == _KEY:
            return steps, str, True
        members = union_members(annotation)
        if members:
            annotation = next((member for member in members if element in choices_of_union([member])), Any)
            continue
        steps.append(element)
        annotation = _inside(annotation, element)
    return steps, annotation, False


def known_keys(annotation: Any) -> list[str]:  # noqa: ANN401 -- see follow
    """Return the keys that a model takes, as they are written in YAML."""
    core = bare(annotation)
    if not _is_model(core):
        return []
    return [field.alias or name for name, field in core.model_fields.items()]


def choices(annotation: Any) -> list[str]:  # noqa: ANN401 -- see follow
    """Return the values that a literal takes."""
    core = bare(annotation)
    return [str(value) for value in get_args(core)] if get_origin(core) is Literal else []


def union_members(annotation: Any) -> list[Any]:  # noqa: ANN401 -- see follow
    """Return the members of a union of several types, ``None`` not counted."""
    core = bare(annotation)
    return list(_without_none(core)) if get_origin(core) in (Union, types.UnionType) else []


def discriminator_of(members: Sequence[Any]) -> str:
    """Return the key that tells the members of a union apart."""
    first = bare(members[0])
    return next(key for key, _values in _literal_fields(first))


def choices_of_union(members: Sequence[Any]) -> list[str]:
    """Return the values of the key that tells the members of a union apart."""
    return [value for member in members for value in _tags_of(bare(member))]


def _tags_of(member: Any) -> list[str]:  # noqa: ANN401 -- see follow
    return next(values for _key, values in _literal_fields(member))


def bare(annotation: Any) -> Any:  # noqa: ANN401 -- see follow
    """Return *annotation* without its metadata and without "or None"."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = list(_without_none(annotation))
        return bare(members[0]) if len(members) == 1 else annotation
    return annotation


def _inside(annotation: Any, element: str | int) -> Any:  # noqa: ANN401 -- see follow
    core = bare(annotation)
    if _is_model(core):
        fields = core.model_fields.items()
        return next((field.annotation for name, field in fields if element in (field.alias, name)), Any)
    arguments = get_args(core)
    if get_origin(core) is dict:
        return arguments[1]
    return arguments[0] if get_origin(core) is tuple else Any


def _is_model(core: Any) -> bool:  # noqa: ANN401 -- see follow
    return isinstance(core, type) and issubclass(core, BaseModel)


def _literal_fields(core: Any) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401 -- see follow
    for name, field in core.model_fields.items():
        if values := choices(field.annotation):
            yield field.alias or name, values


def _without_none(core: Any) -> Iterator[Any]:  # noqa: ANN401 -- see follow
    return (member for member in get_args(core) if member is not type(None))
