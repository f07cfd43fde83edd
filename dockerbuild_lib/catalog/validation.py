"""Documents -> models; what pydantic refuses becomes problems at their places in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.kinds import FileKind, adapter
from dockerbuild_lib.catalog.plain_values import UNREADABLE
from dockerbuild_lib.catalog.problems import Position, Problems
from dockerbuild_lib.catalog.shapes import discriminator_of, follow, union_members
from dockerbuild_lib.catalog.wording import Refusal, explain

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ABOUT_THE_KEY = ("extra_forbidden", "missing")


def validate(document: Document, kind: FileKind, problems: Problems) -> Any:  # noqa: ANN401 -- the kind's own type
    """Return the value of *document* as the models of *kind*; None when they refuse it, which is noted.

    Keys must be written as in the documentation: a field's Python name is not taken instead.
    """
    try:
        return adapter(kind).validate_python(document.value, by_alias=True, by_name=False)
    except ValidationError as error:
        note_refusals(error, document, kind, problems)
        return None


def note_refusals(
    error: ValidationError, document: Document, kind: FileKind, problems: Problems, fix: str | None = None
) -> None:
    """Note every error of pydantic's at its place in *document*, with *fix* where one helps against them all."""
    for details in error.errors(include_url=False):
        if not _is_noted(details):
            refusal, position = _refusal(details, document, kind)
            told_by_items = refusal.type == "too_short" and bool(refusal.node.value)  # pydantic leaves wrong ones out
            if not told_by_items and not (refusal.on_key and problems.noted_at(document.label, position)):
                what, own_fix = explain(refusal)
                problems.add(document.label, position, what, fix or own_fix)


def _is_noted(details: ErrorDetails) -> bool:
    given = details["input"]
    if details["type"].startswith("union_tag") and isinstance(given, dict):
        return any(value is UNREADABLE for value in given.values())
    return given is UNREADABLE


def _refusal(details: ErrorDetails, document: Document, kind: FileKind) -> tuple[Refusal, Position]:
    about = details["type"]
    steps, annotation, on_key = follow(kind.annotation, details["loc"])
    around = follow(kind.annotation, details["loc"][:-1])[1] if about in _ABOUT_THE_KEY else annotation
    if about.startswith("union_tag"):
        position = _tag_position(document, steps, annotation)
    elif on_key or about in _ABOUT_THE_KEY:
        position = document.key_position(steps)
    else:
        position = document.value_position(steps)
    key = str(steps[-1]) if steps else ""
    refusal = Refusal(about, details.get("ctx", {}), details["msg"], key, around, document.locate(steps)[1], on_key)
    return refusal, position


def _tag_position(document: Document, steps: list[str | int], annotation: Any) -> Position:  # noqa: ANN401 -- as in shapes
    key = discriminator_of(union_members(annotation))
    return document.value_position([*steps, key])
