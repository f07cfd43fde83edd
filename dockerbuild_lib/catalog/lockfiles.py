"""Reading ``locks/``: JSON that tasks write; a missing file is an empty lock."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dockerbuild_lib.catalog.documents import parse_document
from dockerbuild_lib.catalog.files import files_below
from dockerbuild_lib.catalog.kinds import (
    BASES_LOCK,
    IMAGES_LOCK,
    LIBRARIES_LOCK,
    PYTHONS_LOCK,
    TOOLS_LOCK,
    WHEEL_LOCK,
    FileKind,
    adapter,
)
from dockerbuild_lib.catalog.locks import Locks
from dockerbuild_lib.catalog.problems import Position, Problems, shown
from dockerbuild_lib.catalog.validation import note_refusals
from dockerbuild_lib.catalog.yaml_nodes import decode

_SERDE_PLACE = re.compile(r" at line (\d+) column (\d+)$")


def read_locks(folder: Path, problems: Problems) -> Locks:
    """Read every lock below *folder*; what is wrong is noted, and the lock taken for empty."""
    wheels = {
        path.stem: _read(path, WHEEL_LOCK, problems) for path in files_below(folder / "wheels", ".json", problems)
    }
    return Locks(
        wheels=wheels,
        libraries=_read(folder / "libraries.json", LIBRARIES_LOCK, problems),
        pythons=_read(folder / "pythons.json", PYTHONS_LOCK, problems),
        images=_read(folder / "images.json", IMAGES_LOCK, problems),
        tools=_read(folder / "tools.json", TOOLS_LOCK, problems),
        bases=_read(folder / "bases.json", BASES_LOCK, problems),
    )


def _read(path: Path, kind: FileKind, problems: Problems) -> Any:  # noqa: ANN401 -- the kind's own type
    label = shown(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return kind.annotation()
    except OSError as error:
        problems.add(label, None, f"cannot be read: {error.strerror or error}")
        return kind.annotation()
    try:
        return adapter(kind).validate_json(content, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        _note(error, content, label, kind, problems)
        return kind.annotation()


def _fix(kind: FileKind) -> str:
    return f"restore the file, or remove it and run {'mirror' if kind is BASES_LOCK else 'sources'}.lock"


def _note(error: ValidationError, content: bytes, label: str, kind: FileKind, problems: Problems) -> None:
    details = error.errors(include_url=False)[0]
    if details["type"] == "json_invalid":
        said = str(details["ctx"]["error"])
        place = _SERDE_PLACE.search(said)
        position = Position(int(place[1]), max(1, int(place[2]))) if place else None
        problems.add(label, position, f"is no valid JSON: {_SERDE_PLACE.sub('', said)}", _fix(kind))
        return
    # JSON is YAML, but for rarities: read as such, it gives the places that pydantic does not know.
    text = decode(content, label, problems)
    document = None if text is None else parse_document(text, label, problems)
    if document is not None:
        note_refusals(error, document, kind, problems, _fix(kind))
