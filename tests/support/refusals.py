"""A small world around the place that archives are unpacked to, which must look the same after each refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.sources.archives import top_folder
from dockerbuild_lib.sources.patching import read_member
from dockerbuild_lib.sources.trees import SourceTrees
from tests.support.archives import snapshot

OWNER = 1234


class World:
    """Files, folders and a link, with the place for unpacked trees among them."""

    def __init__(self, root: Path) -> None:
        self.root = root / "world"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/passwd").write_text("root\n")
        (self.root / "place").mkdir()
        (self.root / "place/neighbour").write_text("untouched\n")
        (self.root / "place/away").symlink_to("../etc")
        self.scratch = self.root / "scratch"
        self.scratch.mkdir()
        self.target = self.root / "place/unpacked"

    def refuses(self, archive: Path, limits: ArchiveLimits | None = None) -> str:
        """See every way of using *archive* fail and leave nothing; return what was said, the same each time."""
        trees = SourceTrees(limits or ArchiveLimits(), self.scratch)
        before = snapshot(self.root)
        said = set()
        for use in (
            lambda: trees.unpack(archive, self.target),
            lambda: trees.packed(archive, "src", OWNER).__enter__(),
            lambda: read_member(archive, "none", trees.limits),
            lambda: top_folder(archive, trees.limits),
        ):
            with pytest.raises(UnsafeArchiveError) as caught:
                use()
            assert caught.value.where == str(archive)
            said.add(caught.value.what)
            after = snapshot(self.root)
            # Unpacking made and removed a folder beside the target, and a nameless file: their folders' times changed.
            for changed in ("place", "scratch"):
                after[changed] = before[changed]
            assert after == before
        (what,) = said
        return what
