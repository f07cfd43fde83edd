"""Trees of sources: archives unpacked and patched. The only way from an archive into a container or onto the disk.

Members are streamed: read, checked, patched, hashed and written in one pass. Nothing of a refused archive stays.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.sources.archives import open_archive
from dockerbuild_lib.sources.patching import patched_members
from dockerbuild_lib.sources.tree_hash import TreeHash
from dockerbuild_lib.sources.tree_writers import FolderWriter, TarWriter, TreeWriter


@dataclass(frozen=True)
class PackedTree:
    """A tree as a plain tar, to be read from its start, and the tree's hash (see :class:`TreeHash`)."""

    tar: BinaryIO
    sha256: str


@dataclass(frozen=True)
class SourceTrees:
    """Makes trees within *limits*; what is large lies in the folder *scratch* for as long as it is used."""

    limits: ArchiveLimits
    scratch: Path

    @contextmanager
    def packed(self, archive: Path, place: str, owner: int, patches: Sequence[Path] = ()) -> Iterator[PackedTree]:
        """Yield what is below the top folder of *archive*, patched, as a tar with the one top folder *place*.

        All that is in it belongs to *owner* (user and group); modes are 0755 and 0644, times are 1980-01-01.

        Raises:
            UnsafeArchiveError: the archive is damaged, hostile, or too much.
            PatchFailedError: a patch does not apply exactly.
            NoSpaceError, PermissionDeniedError: *scratch* cannot be written.

        """
        # Without a name: whoever is killed leaves nothing behind.
        with translated_os_errors(self.scratch):
            self.scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.scratch) as stream:
                sha256 = self._write(archive, patches, TarWriter(stream, place, owner))
                stream.seek(0)
                yield PackedTree(stream, sha256)

    def unpack(self, archive: Path, folder: Path, patches: Sequence[Path] = ()) -> str:
        """Make *folder*, absent or empty before, of what is below the top folder of *archive*; return the tree's hash.

        It appears whole, by one rename, or not at all.

        Raises:
            UsageError: *folder* holds something already.
            UnsafeArchiveError, PatchFailedError, NoSpaceError, PermissionDeniedError: as :meth:`packed`.

        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError("the folder to unpack to is not empty", where=str(folder), fix="name a new one")
        with translated_os_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
            try:
                tree = staging / "tree"
                tree.mkdir()
                sha256 = self._write(archive, patches, FolderWriter(tree))
                tree.rename(folder)
            finally:
                shutil.rmtree(staging)
        return sha256

    def _write(self, archive: Path, patches: Sequence[Path], writer: TreeWriter) -> str:
        tree = TreeHash()
        with open_archive(archive, self.limits) as opened:
            for member in patched_members(opened, patches):
                writer.add(tree.passing(member))
        writer.finish()
        return tree.hexdigest()
