"""Names in one file that must be in another: checked on what was written, so that one wrong entry hides no other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.problems import Problems, shown
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.core.errors import CatalogError

_PATTERN_SIGNS = frozenset("*?")


def check_references(
    folder: Path, tables: Mapping[str, Document | None], wheels: Mapping[str, Document | None], problems: Problems
) -> None:
    """Note every name that is defined nowhere, and every patch that is missing or that no recipe uses.

    *tables* are the files of the catalogue by kind, *wheels* those of ``wheels/`` by distribution. A table that is
    None could not be read; names are not looked for in it.
    """
    _Checker(tables, problems).check(wheels)
    _check_patches(folder / "patches", wheels, problems)


class _Checker:
    def __init__(self, tables: Mapping[str, Document | None], problems: Problems) -> None:
        self.tables = tables
        self.problems = problems
        self.known = {kind: [key for key, _ in table.keys()] for kind, table in tables.items() if table}  # noqa: SIM118 -- Document.keys is no mapping's

    def check(self, wheels: Mapping[str, Document | None]) -> None:
        self._check_platforms()
        for name, document in wheels.items():
            if document is not None:
                self._check_wheel(name, document)

    def _check_platforms(self) -> None:
        document = self.tables["platforms"]
        for name in self.known.get("platforms", []):
            assert document is not None  # noqa: S101 -- its names are known
            self._check_names(document, (name, "image"), "images", "image")
            self._check_names(document, (name, "toolchain"), "toolchains", "toolchain")
            self._check_triple(document, name)

    def _check_triple(self, document: Document, platform: str) -> None:
        for triple, position in document.texts(platform, "triple"):
            try:
                architecture_of(triple)
            except CatalogError as error:
                self.problems.add(document.label, position, error.what, error.fix)

    def _check_wheel(self, name: str, document: Document) -> None:
        self._check_names(document, (name, "libraries"), "libraries", "library")
        self._check_names(document, (name, "toolchain"), "toolchains", "toolchain")
        self._check_patterns(document, name)
        for version, _position in document.keys(name, "versions"):
            self._check_skips(document, (name, "versions", version, "skip"))

    def _check_names(self, document: Document, steps: tuple[str, ...], kind: str, noun: str) -> None:
        if kind not in self.known:
            return
        for text, position in document.texts(*steps):
            if text not in self.known[kind]:
                advice = suggestion(text, self.known[kind])
                self.problems.add(document.label, position, f"unknown {noun} {text!r}", advice)

    def _check_patterns(self, document: Document, name: str) -> None:
        platforms = self.known.get("platforms")
        for pattern, position in document.texts(name, "platforms") if platforms is not None else ():
            if not any(fnmatchcase(platform, pattern) for platform in platforms or ()):
                is_pattern = not _PATTERN_SIGNS.isdisjoint(pattern)
                what = f"{pattern!r} matches no platform" if is_pattern else f"unknown platform {pattern!r}"
                self.problems.add(document.label, position, what, suggestion(pattern, platforms or ()))

    def _check_skips(self, document: Document, steps: tuple[str, ...]) -> None:
        platforms = self.known.get("platforms")
        for platform, position in document.keys(*steps) if platforms is not None else ():
            if platform not in (platforms or ()):
                advice = suggestion(platform, platforms or ())
                self.problems.add(document.label, position, f"unknown platform {platform!r}", advice)


def _check_patches(folder: Path, wheels: Mapping[str, Document | None], problems: Problems) -> None:
    present = set(_patches_below(folder))
    listed: set[str] = set()
    for name, document in wheels.items():
        for version, _position in document.keys(name, "versions") if document else ():
            of_version = [patch.rpartition("/")[2] for patch in present if patch.startswith(f"{name}/{version}/")]
            for patch, position in document.texts(name, "versions", version, "patches") if document else ():
                listed.add(f"{name}/{version}/{patch}")
                if patch not in of_version:
                    what = f"there is no patch {patch!r} in {shown(folder / name / version)}"
                    problems.add(document.label if document else "", position, what, suggestion(patch, of_version))
    unread = {name for name, document in wheels.items() if document is None}
    for patch in present - listed:
        if patch.partition("/")[0] not in unread:
            problems.add(
                shown(folder / patch), None, "no recipe uses this patch", "list it under 'patches:', or remove it"
            )


def _patches_below(folder: Path) -> Iterable[str]:
    for parent, _folders, names in os.walk(folder):
        for name in names:
            if name.endswith((".patch", ".diff")):
                yield Path(parent, name).relative_to(folder).as_posix()
