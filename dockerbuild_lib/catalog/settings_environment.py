"""``INVOKE_DOCKERBUILD_*`` variables -> the section of settings that they give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from yaml.nodes import ScalarNode

from dockerbuild_lib.catalog.plain_values import TAG
from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.settings_file import DockerbuildSection
from dockerbuild_lib.catalog.shapes import bare, follow
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wording import Refusal, explain
from dockerbuild_lib.core.text import FLAGS

PREFIX = "INVOKE_DOCKERBUILD_"

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")

_Way = tuple[str, ...]


def section_of(environ: Mapping[str, str], problems: Problems) -> DockerbuildSection:
    """Return the settings that *environ* gives; unknown and wrong variables are noted."""
    ways = dict(_variables(DockerbuildSection, ()))
    values: dict[str, Any] = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        if variable in ways:
            _place(values, ways[variable], environ[variable])
        else:
            problems.add(variable, None, "unknown setting", suggestion(variable, ways))
    try:
        return DockerbuildSection.model_validate(values)
    except ValidationError as error:
        _note(error, environ, problems)
        return DockerbuildSection()


def _variables(model: type[BaseModel], way: _Way) -> Iterator[tuple[str, _Way]]:
    for name, field in model.model_fields.items():
        inner = bare(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _variables(inner, (*way, name))
        else:
            yield _variable((*way, name)), (*way, name)


def _variable(way: _Way) -> str:
    return PREFIX + "_".join(way).upper()


def _place(values: dict[str, Any], way: _Way, text: str) -> None:
    for name in way[:-1]:
        values = values.setdefault(name, {})
    values[way[-1]] = _value(text, bare(follow(DockerbuildSection, way)[1]))


def _value(text: str, wanted: object) -> object:
    """Return what *text* says to a setting of the type *wanted*; what says nothing stays a text, and is refused."""
    if wanted is bool:
        return FLAGS.get(text, text)
    return int(text) if wanted is int and _WHOLE_NUMBER.fullmatch(text) else text


def _note(error: ValidationError, environ: Mapping[str, str], problems: Problems) -> None:
    for details in error.errors(include_url=False):
        steps, annotation, _on_key = follow(DockerbuildSection, details["loc"])
        variable = _variable(tuple(map(str, steps)))
        node = ScalarNode(TAG + "int" if bare(annotation) is int else TAG + "str", environ[variable])
        context = details.get("ctx", {})
        refusal = Refusal(details["type"], context, details["msg"], variable, annotation, node, on_key=False)
        problems.add(variable, None, *explain(refusal))
