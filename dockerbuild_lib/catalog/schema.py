"""JSON Schemas of the catalogue's files, for editors: generated from the models, committed in config/schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dockerbuild_lib.catalog.kinds import TABLES, WHEELS, FileKind, adapter
from dockerbuild_lib.core.files import translated_os_errors, write_atomic

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """Return the text of each schema by its file's name, such as ``wheels.json``."""
    return {f"{kind.name}.json": _text(kind) for kind in (*TABLES, WHEELS)}


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema whose text has changed into *folder*; return the files that were written.

    Raises:
        NoSpaceError, PermissionDeniedError: a file cannot be written.

    """
    written = []
    for name, text in schemas().items():
        path = folder / name
        with translated_os_errors(path):
            if path.exists() and path.read_bytes() == text.encode():
                continue
            write_atomic(path, text)
        written.append(path)
    return written


def _text(kind: FileKind) -> str:
    schema = {"$schema": DIALECT, "title": kind.title, **_closed(adapter(kind).json_schema(by_alias=True))}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return *schema* with its tables refusing other keys: pydantic leaves that out beside patternProperties."""
    closed = {key: _closed_inside(value) for key, value in schema.items()}
    if "patternProperties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def _closed_inside(value: object) -> object:
    if isinstance(value, dict):
        return _closed(value)
    return [_closed_inside(item) for item in value] if isinstance(value, list) else value
