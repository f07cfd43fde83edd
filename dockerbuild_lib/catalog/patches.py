"""``patches/<distribution>/<version>/``: every patch there is listed by its recipe, and every listed one is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.patch_lines import PatchProblem
from dockerbuild_lib.catalog.patch_text import parse_patch
from dockerbuild_lib.catalog.problems import Position, Problems, shown
from dockerbuild_lib.catalog.suggestions import suggestion

_Listed = tuple[str, str, Document, Position]
"""Folder below ``patches/``, file name, and where it is listed."""


def check_patches(folder: Path, wheels: Mapping[str, Document], unread: Iterable[str], problems: Problems) -> None:
    """Note listed patches that do not exist or cannot be applied by anybody, and patch files that no recipe uses.

    Nothing is said about the files of the distributions *unread*, whose recipes could not be read.
    """
    present: dict[str, set[str]] = {}
    for parent, name in _patch_files(folder):
        present.setdefault(parent, set()).add(name)
    unused = {(parent, name) for parent, names in present.items() for name in names}
    for parent, name, document, position in _listed(wheels):
        unused.discard((parent, name))
        there = present.get(parent, set())
        if name not in there and not problems.noted_at(document.label, position):
            advice = suggestion(name, there) if there else "add the file, or remove it from the list"
            problems.add(document.label, position, f"there is no file {shown(folder / parent)}/{name}", advice)
        if name in there:
            _check_text(folder / parent / name, problems)
    for parent, name in unused:
        if parent.partition("/")[0] not in set(unread):
            what, fix = "no recipe uses this patch", "list it under 'patches:' of its version, or remove it"
            problems.add(shown(folder / parent / name), None, what, fix)


def _check_text(patch: Path, problems: Problems) -> None:
    try:
        parse_patch(patch.read_bytes())
    except OSError as error:
        problems.add(shown(patch), None, f"cannot be read: {error.strerror or error}")
    except PatchProblem as problem:
        problems.add(shown(patch), Position(problem.line, 1), problem.what, problem.fix)


def _listed(wheels: Mapping[str, Document]) -> Iterator[_Listed]:
    for wheel, document in wheels.items():
        for version, _position in document.keys(wheel, "versions"):
            for patch, position in document.texts(wheel, "versions", version, "patches"):
                yield f"{wheel}/{version}", patch, document, position


def _patch_files(folder: Path) -> Iterator[tuple[str, str]]:
    for parent, _folders, names in os.walk(folder):
        for name in names:
            if name.endswith((".patch", ".diff")):
                yield Path(parent).relative_to(folder).as_posix(), name
