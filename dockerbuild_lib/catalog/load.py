"""``config/`` -> ``Catalog``: every problem of every file is found before any is reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dockerbuild_lib.catalog.catalog import Catalog
from dockerbuild_lib.catalog.documents import Document, parse_document, read_document
from dockerbuild_lib.catalog.files import files_below, is_missing, refuse_strange_files, refuse_yml
from dockerbuild_lib.catalog.floors import check_floors
from dockerbuild_lib.catalog.here import check_here
from dockerbuild_lib.catalog.image_additions import check_additions
from dockerbuild_lib.catalog.kinds import TABLES, WHEELS, FileKind
from dockerbuild_lib.catalog.lockfiles import read_locks
from dockerbuild_lib.catalog.locks import Locks
from dockerbuild_lib.catalog.patches import check_patches
from dockerbuild_lib.catalog.problems import Position, Problems, shown
from dockerbuild_lib.catalog.references import check_references
from dockerbuild_lib.catalog.trials import check_trials
from dockerbuild_lib.catalog.validation import validate


def load_catalog(config_dir: Path) -> Catalog:
    """Read the catalogue in *config_dir*.

    Raises:
        CatalogError: something in it is wrong. The message has a line for each problem of each file,
            ``file:line:column: what; fix``, sorted by file and position.

    """
    problems = Problems()
    _check_folder(config_dir, problems)
    problems.raise_any()
    tables = {kind.name: _read_table(config_dir, kind, problems) for kind in TABLES}
    refuse_strange_files(config_dir, [f"{kind.name}.yaml" for kind in TABLES], problems)
    wheels = _read_wheels(config_dir / "wheels", problems)
    values = {kind.name: _value(tables[kind.name], kind, problems) for kind in TABLES}
    recipes = _recipes(wheels, problems)
    locks = read_locks(config_dir / "locks", problems)
    read_wheels = _present(wheels)
    check_references(_present(tables), read_wheels, problems)
    check_here(recipes, read_wheels, problems)
    check_trials(recipes, read_wheels, problems)
    if images := tables["images"]:
        check_additions(config_dir, images, problems)
    check_floors(recipes, read_wheels, values["platforms"], values["toolchains"], problems)
    check_patches(config_dir / "patches", read_wheels, wheels.keys() - read_wheels.keys(), problems)
    problems.raise_any()
    return Catalog(folder=config_dir, wheels=recipes, locks=Locks(), **values).with_locks(locks)


def _check_folder(folder: Path, problems: Problems) -> None:
    fix = "set config_dir in invoke.yaml"
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:
        problems.add(shown(folder), None, "there is no such folder", fix)
    except OSError as error:
        problems.add(shown(folder), None, f"cannot be read: {error.strerror or error}", fix)


def _present(documents: Mapping[str, Document | None]) -> dict[str, Document]:
    return {name: document for name, document in documents.items() if document is not None}


def _read_table(folder: Path, kind: FileKind, problems: Problems) -> Document | None:
    path = folder / f"{kind.name}.yaml"
    if not is_missing(path):
        return read_document(path, problems)
    if not kind.required:
        return parse_document("{}", shown(path), problems)
    problems.add(shown(path), None, "there is no such file", f"write the catalogue's {kind.name} into it")
    return None


def _value(document: Document | None, kind: FileKind, problems: Problems) -> Mapping[str, Any]:
    value = validate(document, kind, problems) if document else {}
    return MappingProxyType(value or {})


def _read_wheels(folder: Path, problems: Problems) -> dict[str, Document | None]:
    refuse_yml(folder, problems)
    return {path.stem: read_document(path, problems) for path in files_below(folder, ".yaml", problems)}


def _recipes(documents: Mapping[str, Document | None], problems: Problems) -> Mapping[str, Any]:
    recipes: dict[str, Any] = {}
    for name, document in documents.items():
        if document is not None:
            recipes |= validate(document, WHEELS, problems) or {}
            _check_name(name, document, problems)
    return MappingProxyType(recipes)


def _check_name(name: str, document: Document, problems: Problems) -> None:
    """Hold that the file's only top-level key is *name*, so that a recipe is found by its file's name."""
    if document.value == {}:
        problems.add(document.label, Position(1, 1), "the file holds no recipe", f"write one under '{name}:'")
    for key, position in document.keys():  # noqa: SIM118 -- Document.keys is no mapping's
        if key != name and not problems.noted_at(document.label, position):
            what = f"{key!r} stands in the file of {name!r}"
            fix = f"write '{name}:', or move it to {key}.yaml"
            problems.add(document.label, position, what, fix)
