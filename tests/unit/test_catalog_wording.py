"""No word of pydantic's reaches a user: every refusal that the models can make has words of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pydantic import TypeAdapter
from yaml.nodes import ScalarNode

from dockerbuild_lib.catalog.kinds import LIBRARIES_LOCK, TABLES, TOOLS_LOCK, WHEEL_LOCK, WHEELS, adapter
from dockerbuild_lib.catalog.settings_file import INVOKE_FILE
from dockerbuild_lib.catalog.shapes import discriminator_of
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.catalog.wording import PATTERNS, Refusal, explain

_KINDS = (*TABLES, WHEELS, WHEEL_LOCK, LIBRARIES_LOCK, TOOLS_LOCK, INVOKE_FILE)

# Each keyword of JSON Schema that constrains, and who has words for it.
_WORDED = {
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "required",
    "pattern",
    "minLength",
    "minItems",
    "minProperties",
    "minimum",
    "maximum",
    "const",
    "enum",
    "oneOf",
    "anyOf",
    "type",
}
_HARMLESS = {"$defs", "$ref", "default", "description", "discriminator", "items", "mapping", "properties", "title"}


def _objects(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            yield from _objects(list(inner.values()) if key in ("$defs", "properties", "patternProperties") else inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _schemas() -> list[dict[str, object]]:
    return [part for kind in _KINDS for part in _objects(adapter(kind).json_schema())]


def test_every_pattern_of_the_models_has_words() -> None:
    used = {pattern for part in _schemas() if isinstance(pattern := part.get("pattern"), str)}
    used |= {key for part in _schemas() if isinstance(keys := part.get("patternProperties"), dict) for key in keys}
    assert used <= PATTERNS.keys()
    assert PATTERNS.keys() <= used


def test_every_kind_of_constraint_of_the_models_has_words() -> None:
    used = {key for part in _schemas() if "type" in part or "properties" in part for key in part}
    assert used <= _WORDED | _HARMLESS


def test_every_union_of_the_models_is_told_apart_by_a_key() -> None:
    for part in _schemas():
        several = part.get("anyOf", [])
        assert isinstance(several, list)
        assert len([member for member in several if member != {"type": "null"}]) <= 1, json.dumps(part)


def test_a_refusal_without_words_still_says_something() -> None:
    node = ScalarNode("tag:yaml.org,2002:str", "x")
    refusal = Refusal("new_type", {}, "Input is new", "key", str, node, on_key=False)
    assert explain(refusal) == ("this is refused: Input is new", None)


def test_the_key_that_tells_a_union_apart_is_found() -> None:
    from dockerbuild_lib.catalog.wheels import SourceWheel, UniversalWheel  # noqa: PLC0415 -- only here

    assert discriminator_of([SourceWheel, UniversalWheel]) == "kind"


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("trail", ["trial", "kind"], "did you mean 'trial'?"),
        ("LINUX_ARM64", ["linux-arm64"], "did you mean 'linux-arm64'?"),
        ("qqq", ["b", "a"], "known are: a, b"),
        ("", ["a"], "known are: a"),
        ("qqq", [], "none is known"),
        ("qqq", [f"a{n:02}" for n in range(20)], "known are: " + ", ".join(f"a{n:02}" for n in range(12)) + ", ..."),
    ],
)
def test_a_suggestion_names_the_nearest_or_all(name: str, known: list[str], said: str) -> None:
    assert suggestion(name, known) == said


def test_adapters_are_made_once() -> None:
    assert isinstance(adapter(WHEELS), TypeAdapter)
    assert adapter(WHEELS) is adapter(WHEELS)
