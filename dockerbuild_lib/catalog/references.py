"""Names in one file that must be in another: checked on what was written, so that one wrong entry hides no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import product

from packaging.utils import canonicalize_name

from dockerbuild_lib.catalog.architectures import architecture_of
from dockerbuild_lib.catalog.documents import Document
from dockerbuild_lib.catalog.problems import Position, Problems
from dockerbuild_lib.catalog.python_names import is_free_threaded, target_name
from dockerbuild_lib.catalog.suggestions import suggestion
from dockerbuild_lib.core.errors import CatalogError


def check_references(tables: Mapping[str, Document], wheels: Mapping[str, Document], problems: Problems) -> None:
    """Note every name that is defined nowhere, and every platform of an unknown processor.

    *tables* are the catalogue's files by kind, *wheels* those of ``wheels/`` by distribution. Names are not looked
    for in a table that is missing because it could not be read.
    """
    checker = _Checker({kind: table.keys() for kind, table in tables.items()}, problems)
    if "platforms" in tables:
        checker.foreign = _foreign_platforms(tables["platforms"])
        checker.check_platforms(tables["platforms"])
    if "libraries" in tables:
        checker.check_libraries(tables["libraries"])
    if "pythons" in tables:
        checker.check_pythons(tables["pythons"])
    if "toolchains" in tables:
        checker.check_toolchains(tables["toolchains"])
    if {"platforms", "images", "toolchains"} <= tables.keys():
        checker.check_bases(tables["images"], tables["platforms"], tables["toolchains"])
    for name, document in wheels.items():
        checker.check_wheel(name, document)


def _foreign_platforms(document: Document) -> frozenset[str]:
    names = [name for name, _position in document.keys()]  # noqa: SIM118 -- Document.keys is no mapping's
    return frozenset(name for name in names for system, _ in document.texts(name, "system") if system != "linux")


class _Checker:
    def __init__(self, keys: Mapping[str, Iterable[tuple[str, Position]]], problems: Problems) -> None:
        self.known = {kind: {key for key, _position in places} for kind, places in keys.items()}
        self.foreign: frozenset[str] = frozenset()
        self.problems = problems

    def check_platforms(self, document: Document) -> None:
        for name in self.known["platforms"]:
            self._check_names(document, document.texts(name, "image"), "images", "image")
            self._check_names(document, document.texts(name, "toolchain"), "toolchains", "toolchain")
            self._check_triple(document, name)

    def check_libraries(self, document: Document) -> None:
        """Note libraries that are not there, or that would be needed before themselves."""
        needs = {name: tuple(document.texts(name, "libraries")) for name in self.known["libraries"]}
        for name in sorted(needs):
            self._check_names(document, needs[name], "libraries", "library")
            for needed, position in needs[name]:
                if name in _reached(needed, needs):
                    self._note(document, position, f"{name!r} would be built with itself", "break the circle")

    def check_pythons(self, document: Document) -> None:
        for name, _position in document.keys():  # noqa: SIM118 -- Document.keys is no mapping's
            self._check_names(document, document.texts(name, "upstream", "libraries"), "libraries", "library")
            self._check_free_threaded(document, name)

    def _check_free_threaded(self, document: Document, name: str) -> None:
        """Hold that a Python is called as what it is: its name gives its wheels their tags."""
        upstream = document.value
        for key in (name, "upstream"):
            upstream = upstream.get(key) if isinstance(upstream, dict) else None
        if isinstance(upstream, dict) and bool(upstream.get("free-threaded")) is not is_free_threaded(name):
            fix = "write free-threaded: true" if is_free_threaded(name) else f"call it {name}t"
            position = dict(document.keys())[name]
            self._note(document, position, f"the name {name!r} and its free-threaded do not agree", fix)

    def check_toolchains(self, document: Document) -> None:
        for name, _position in document.keys():  # noqa: SIM118 -- Document.keys is no mapping's
            self._check_names(document, document.keys(name, "skip"), "platforms", "platform")

    def check_bases(self, images: Document, platforms: Document, toolchains: Document) -> None:
        """Hold that an image with bases has one for each platform that names it, and that their toolchain is there."""
        bases = {name: images.keys(name, "bases") for name in self.known["images"]}
        for named in bases.values():
            self._check_names(images, named, "platforms", "platform")
        for platform in self.known["platforms"]:
            for image, position in platforms.texts(platform, "image"):
                if bases.get(image) and platform not in dict(bases[image]):
                    fix = f"add one to its bases in {images.label}, or name another image"
                    self._note(platforms, position, f"the image {image!r} has no base for {platform}", fix)
                self._check_toolchain_of_base(platforms, toolchains, platform, has_base=bool(bases.get(image)))

    def _check_toolchain_of_base(
        self, platforms: Document, toolchains: Document, platform: str, *, has_base: bool
    ) -> None:
        for toolchain, position in platforms.texts(platform, "toolchain"):
            if not has_base and "base" in dict(toolchains.texts(toolchain, "compiler")):
                what = f"the toolchain {toolchain!r} is that of a base, and the platform's image has none"
                self._note(platforms, position, what, "name an image with bases, or another toolchain")

    def check_wheel(self, name: str, document: Document) -> None:
        self._check_names(document, document.texts(name, "libraries"), "libraries", "library")
        self._check_names(document, document.texts(name, "toolchain"), "toolchains", "toolchain")
        self._check_patterns(document, name)
        self._check_places(document, name)
        self._check_spelling(document, name)
        for version, _position in document.keys(name, "versions"):
            tagged = document.keys(name, "versions", version, "tags")
            self._check_names(document, tagged, "platforms", "platform")
            self._check_skips(document, document.keys(name, "versions", version, "skip"))

    def _check_skips(self, document: Document, skips: Iterable[tuple[str, Position]]) -> None:
        """Note what is no platform, and no platform with a Python."""
        if {"platforms", "pythons"} <= self.known.keys():
            pairs = product(self.known["platforms"], self.known["pythons"])
            targets = {target_name(platform, python) for platform, python in pairs}
            platforms = [(name, position) for name, position in skips if name not in targets]
            self._check_names(document, platforms, "platforms", "platform")

    def _check_names(self, document: Document, used: Iterable[tuple[str, Position]], kind: str, noun: str) -> None:
        if kind not in self.known:
            return
        for text, position in used:
            if text not in self.known[kind]:
                self._note(document, position, f"unknown {noun} {text!r}", suggestion(text, self.known[kind]))

    def _check_patterns(self, document: Document, name: str) -> None:
        if "platforms" not in self.known:
            return
        platforms = self.known["platforms"]
        used = (*document.texts(name, "platforms"), *document.texts(name, "prebuilt"))
        for pattern, position in (*used, *document.keys(name, "platform-extensions")):
            if not any(fnmatchcase(platform, pattern) for platform in platforms):
                is_pattern = "*" in pattern or "?" in pattern
                what = f"{pattern!r} matches no platform" if is_pattern else f"unknown platform {pattern!r}"
                self._note(document, position, what, suggestion(pattern, platforms))

    def _check_places(self, document: Document, name: str) -> None:
        """Note where a wheel is to be built and cannot be."""
        if any(kind != "source" for kind, _position in document.texts(name, "kind")):
            return
        for pattern, position in document.texts(name, "platforms"):
            matching = {platform for platform in self.known.get("platforms", ()) if fnmatchcase(platform, pattern)}
            if matching and matching <= self.foreign:
                what = f"nothing can be built for {', '.join(sorted(matching))}, which has no image"
                fix = f"write 'prebuilt: [{pattern}]' to take the package index's wheels"
                self._note(document, position, what, fix)

    def _check_spelling(self, document: Document, name: str) -> None:
        for spelling, position in document.texts(name, "spelling"):
            if canonicalize_name(spelling) != name:
                self._note(document, position, f"{spelling!r} is no spelling of {name!r} (PEP 503)", None)

    def _check_triple(self, document: Document, platform: str) -> None:
        for triple, position in document.texts(platform, "triple"):
            try:
                architecture_of(triple)
            except CatalogError as error:
                self._note(document, position, error.what, error.fix)

    def _note(self, document: Document, position: Position, what: str, fix: str | None) -> None:
        if not self.problems.noted_at(document.label, position):
            self.problems.add(document.label, position, what, fix)


def _reached(name: str, needs: Mapping[str, Iterable[tuple[str, Position]]]) -> frozenset[str]:
    """Return what is behind *name*, itself included."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        if (here := waiting.pop()) not in reached:
            reached.add(here)
            waiting += [needed for needed, _position in needs.get(here, ())]
    return frozenset(reached)
