"""What a recipe adds to an image, in its build context."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from dockerbuild_lib.images import layout
from dockerbuild_lib.plan.image_additions import AddedSource, Additions
from dockerbuild_lib.sources.trees import SourceTrees

ROOT = 0


@contextmanager
def unpacked(trees: SourceTrees, archives: Mapping[str, Path]) -> Iterator[tuple[BinaryIO, ...]]:
    """Yield the trees of *archives* (folder in the image -> file) as tars, each at its place in the build context.

    Raises:
        UnsafeArchiveError: an archive is damaged, hostile, or too much.

    """
    with ExitStack() as stack:
        packed = (trees.packed(archive, f"{layout.ADDED}{folder}", ROOT) for folder, archive in archives.items())
        yield tuple(stack.enter_context(tree).tar for tree in packed)


def add_additions(context: tarfile.TarFile, added: Additions, trees: Sequence[BinaryIO]) -> None:
    """Write what is added into *context*; *trees* are tars of its sources."""
    for file in added.files:
        _add(context, file.path, file.content, 0o755 if file.executable else 0o644)
    for tree in trees:
        with tarfile.open(fileobj=tree) as members:
            for member in members:
                context.addfile(member, members.extractfile(member) if member.isreg() else None)
    if added.sources:
        _add(context, str(layout.SOURCES), sources_text(added.sources).encode(), 0o644)


def sources_text(sources: Sequence[AddedSource]) -> str:
    """Return what an image tells of the sources in it: a line for each, with name, version, sha256 and folder."""
    return "".join(f"{one.name}\t{one.version}\t{one.file.sha256}\t{one.folder}\n" for one in sources)


def _add(context: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(f"{layout.ADDED}{path}")
    member.size, member.mode = len(content), mode
    context.addfile(member, io.BytesIO(content))
