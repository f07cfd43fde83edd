"""What a plan asks about, as tests want it: an inventory of nothing, or of images that are somewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dockerbuild_lib.plan.inventory import PackageVersion, Published
from dockerbuild_lib.plan.keys import ContentKey
from dockerbuild_lib.plan.products import Goal, LibraryWork, PythonWork


@dataclass
class World:
    """An inventory in which some files are interned, images are everywhere or nowhere, and nothing else is."""

    in_engine: bool = False
    uploaded: bool = False
    sha256s: frozenset[str] = frozenset()
    questions: int = 0
    """How often it was asked for files."""

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        self.questions += 1
        return self.sha256s.intersection(sha256s)

    def published(self, _wanted: Collection[PackageVersion]) -> Mapping[PackageVersion, Published]:
        return {}

    def built(self, _goal: Goal) -> tuple[ContentKey, ...]:
        return ()

    def library(self, _work: LibraryWork) -> bool:
        return False

    def python(self, _work: PythonWork) -> bool:
        return False

    def image(self, _key: str) -> bool:
        return self.in_engine

    def in_registry(self, _platform: str, _key: str) -> bool:
        return self.uploaded
