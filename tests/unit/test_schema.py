"""The JSON Schemas in config/schema say what the models say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.schema import schemas, write_schemas

COMMITTED = Path(__file__).parents[2] / "config" / "schema"


@pytest.mark.parametrize("name", schemas())
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    path = COMMITTED / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == schemas()[name], f"config/schema/{name} is not what the models say: run ./dockerbuild catalog.schema"


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == schemas().keys()


def test_there_is_a_schema_for_each_kind_of_file() -> None:
    config = COMMITTED.parent
    kinds = {path.stem for path in config.glob("*.yaml")} | {"wheels"}
    assert {name.removesuffix(".json") for name in schemas()} == kinds


def _parts(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- any part of a JSON document
    if isinstance(value, dict):
        return [value, *(part for inner in value.values() for part in _parts(inner))]
    return [part for inner in value for part in _parts(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", schemas())
def test_a_schema_refuses_unknown_keys_and_writes_them_with_hyphens(name: str) -> None:
    schema = json.loads(schemas()[name])
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for part in _parts(schema):
        if part.get("type") == "object":
            assert "additionalProperties" in part
            if "properties" in part:
                assert part["additionalProperties"] is False
                assert not any("_" in key for key in part["properties"])


def test_only_changed_schemas_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    assert {path.name for path in write_schemas(folder)} == schemas().keys()
    (folder / "wheels.json").write_text("{}", encoding="utf-8")
    assert write_schemas(folder) == [folder / "wheels.json"]
    assert write_schemas(folder) == []
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == schemas()
