"""Any archive at all: it is refused and leaves no trace, or what comes out is inside, and what a reference says."""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.sources.trees import SourceTrees
from tests.support.archives import FORMATS, TAR_FORMATS, Item, folder, snapshot, symlink, write_archive
from tests.support.refusals import World

PARTS = st.sampled_from(
    ["a", "b", "A", "é", "e\u0301", "É", "ß", "ss", "..", ".", "", "l", "\\", "C:", "\x1b", "\udcff", " ", "x" * 256]
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
NAMES = PATHS.map(lambda path: f"p/{path}") | PATHS
TARGETS = NAMES | st.sampled_from(["/etc/passwd", "../../etc/passwd", "..", "../..", "../world"])
FILES = st.builds(
    Item, NAMES, st.binary(max_size=600), st.sampled_from([0o644, 0o755, 0o600, 0o4755, 0]).map(stat.S_IFREG.__or__)
)
# Mostly harmless ones, so that enough of them pass.
TAME_NAMES = st.lists(st.sampled_from("abcl"), min_size=1, max_size=3).map(lambda parts: "/".join(("p", *parts)))
TAME = st.one_of(
    st.builds(Item, TAME_NAMES, st.binary(max_size=600)),
    st.builds(folder, TAME_NAMES),
    st.builds(symlink, TAME_NAMES, st.lists(st.sampled_from(["..", "a", "b"]), min_size=1, max_size=3).map("/".join)),
)
WILD = st.one_of(FILES, st.builds(folder, NAMES), st.builds(symlink, NAMES, TARGETS))

Tree = dict[str, tuple[str, bytes | str]]
"""Path -> what is there: a kind, and the content or target."""


@contextmanager
def a_world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder_name:
        yield World(Path(folder_name))


def tree_of(root: Path) -> Tree:
    """Return what lies below *root*; see that following any link stays there."""
    found: Tree = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))  # noqa: PTH115  # Path.readlink would clean the text up
            assert Path(os.path.realpath(path)).is_relative_to(root)
        elif path.is_dir():
            found[name] = ("folder", "")
        else:
            found[name] = ("program" if path.stat().st_mode & 0o100 else "file", path.read_bytes())
    return found


def reference(items: list[Item], *, flat: bool) -> Tree:
    """Return the tree of members that do not get in each other's way, told in the shortest way that there is."""
    found: Tree = {}
    for item in items:
        parts = [part for part in item.name.split("/") if part not in ("", ".")][0 if flat else 1 :]
        for end in range(1, len(parts)):
            found["/".join(parts[:end])] = ("folder", "")
        if not parts:
            continue
        if item.is_file:
            found["/".join(parts)] = ("program" if item.mode & 0o111 else "file", item.content)
        elif item.is_link:
            found["/".join(parts)] = ("link", item.content.decode())
        else:
            found["/".join(parts)] = ("folder", "")
    return found


@settings(deadline=None, max_examples=150)
@given(items=st.lists(TAME, max_size=6) | st.lists(TAME | WILD, max_size=4), suffix=st.sampled_from(FORMATS))
def test_any_members_are_refused_or_become_the_tree_that_they_say(items: list[Item], suffix: str) -> None:
    with a_world() as world:
        archive = write_archive(world.root.parent / f"a.{suffix}", *items)
        before = snapshot(world.root)
        try:
            SourceTrees(ArchiveLimits(), world.scratch).unpack(archive, world.target)
        except UnsafeArchiveError:
            assert not world.target.exists()
        else:
            assert tree_of(world.target) == reference(items, flat=suffix == "whl")
        after = snapshot(world.root)
        outside = {name for name in after if not name.startswith("place/unpacked")}
        before.pop("place")
        assert {name: after[name] for name in outside - {"place"}} == before


@settings(deadline=None, max_examples=60)
@given(items=st.lists(TAME, min_size=1, max_size=8), suffix=st.sampled_from(TAR_FORMATS[:4]))
def test_what_passes_is_what_tarfile_unpacks(items: list[Item], suffix: str) -> None:
    with a_world() as world:
        archive = write_archive(world.root.parent / f"a.{suffix}", *items)
        try:
            SourceTrees(ArchiveLimits(), world.scratch).unpack(archive, world.target)
        except UnsafeArchiveError:
            return
        with tarfile.open(archive) as opened:
            opened.extractall(world.scratch, filter="data")
        assert tree_of(world.target) == tree_of(world.scratch / "p")


@settings(deadline=None, max_examples=60)
@given(
    contents=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=3000), min_size=1),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_what_zipfile_writes_is_read(contents: dict[str, bytes], method: int) -> None:
    with a_world() as world:
        archive = world.root.parent / "a.zip"
        with zipfile.ZipFile(archive, "w", method) as opened:
            for name, content in contents.items():
                opened.writestr(f"p/{name}", content)
        SourceTrees(ArchiveLimits(), world.scratch).unpack(archive, world.target)
        assert {name: content for name, (_, content) in tree_of(world.target).items()} == contents


@settings(deadline=None, max_examples=150)
@given(suffix=st.sampled_from(FORMATS), data=st.data())
def test_damaged_bytes_are_refused_or_make_no_difference_to_what_is_inside(suffix: str, data: st.DataObject) -> None:
    items = (
        Item("p/a", b"import this\n" * 30),
        folder("p/d"),
        symlink("p/d/l", "../a"),
        Item("p/b", bytes(range(256))),
    )
    with a_world() as world:
        archive = write_archive(world.root.parent / f"a.{suffix}", *items)
        whole = archive.read_bytes()
        position = data.draw(st.integers(0, len(whole) - 1))
        junk = data.draw(st.binary(max_size=8))
        cut = data.draw(st.integers(0, 8))
        archive.write_bytes(whole[:position] + junk + whole[position + cut :])
        try:
            SourceTrees(ArchiveLimits(size=10 << 20), world.scratch).unpack(archive, world.target)
        except UnsafeArchiveError:
            assert not world.target.exists()
        else:
            tree_of(world.target)
        assert sorted(path.name for path in world.target.parent.iterdir()) in (
            ["away", "neighbour"],
            ["away", "neighbour", "unpacked"],
        )


@settings(deadline=None, max_examples=100)
@given(
    beginning=st.sampled_from([b"", b"\x1f\x8b\x08", b"BZh9", b"PK\x03\x04", b"\xfd7zXZ\0"]),
    junk=st.binary(max_size=2000),
)
def test_any_bytes_are_refused(beginning: bytes, junk: bytes) -> None:
    with a_world() as world:
        archive = world.root.parent / "a.tar.gz"
        archive.write_bytes(beginning + junk)
        assert world.refuses(archive)
