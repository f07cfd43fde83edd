"""Trees of sources: the tar for containers, the folder on this machine, and the hash that both have."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import NoSpaceError, PermissionDeniedError, UnsafeArchiveError, UsageError
from dockerbuild_lib.sources import tree_writers
from dockerbuild_lib.sources.archives import Kind, Member
from dockerbuild_lib.sources.tree_archive import MTIME
from dockerbuild_lib.sources.trees import SourceTrees
from tests.support.archives import FORMATS, Item, folder, symlink, write_archive
from tests.support.sdists import member, write_tar

ITEMS = (
    Item("p-1/setup.py", b"import this\n", stat.S_IFREG | 0o664),
    Item("p-1/configure", b"#!/bin/sh\n", stat.S_IFREG | 0o744),
    folder("p-1/empty", 0o700),
    symlink("p-1/d/link", "../setup.py"),
    Item("p-1/" + "long" * 50 + "/é", b"x" * 3000),
)


@pytest.fixture
def trees(tmp_path: Path) -> SourceTrees:
    return SourceTrees(ArchiveLimits(), tmp_path / "scratch")


def packed(trees: SourceTrees, archive: Path) -> tuple[bytes, str]:
    with trees.packed(archive, "src", 1234) as tree:
        return tree.tar.read(), tree.sha256


def hash_of(trees: SourceTrees, archive: Path) -> str:
    return packed(trees, archive)[1]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_packed_tree_has_one_owner_time_and_top_and_plain_modes(
    trees: SourceTrees, tmp_path: Path, suffix: str
) -> None:
    data, _ = packed(trees, write_archive(tmp_path / f"a.{suffix}", *ITEMS))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        found = {each.name.removeprefix("src/").removeprefix("p-1/"): each for each in tar}
        setup = tar.extractfile(found["setup.py"])
        assert setup
        assert setup.read() == b"import this\n"
    assert {(each.uid, each.gid, each.uname, each.gname, each.mtime) for each in found.values()} == {
        (1234, 1234, "", "", MTIME)
    }
    modes = {"src": 0o755, "setup.py": 0o644, "configure": 0o755, "empty": 0o755, "d": 0o755, "d/link": 0o777}
    assert {name: found[name].mode for name in modes} == modes
    assert (found["d/link"].issym(), found["d/link"].linkname) == (True, "../setup.py")
    assert found["long" * 50 + "/é"].size == 3000


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_tree_is_the_same_whatever_it_was_packed_in(trees: SourceTrees, tmp_path: Path, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", *ITEMS)
    data, sha256 = packed(trees, archive)
    assert packed(trees, archive) == (data, sha256)
    assert trees.unpack(archive, tmp_path / "unpacked") == sha256
    if suffix != "whl":  # its top folder is part of the tree
        assert sha256 == hash_of(trees, write_archive(tmp_path / "b.tar", *ITEMS))


def test_the_hash_is_of_what_the_documentation_says(trees: SourceTrees, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar", Item("p/b/f", b"x"), symlink("p/a", "b/f"), Item("p/c", b"", 0o100755))
    x, empty = (hashlib.sha256(content).hexdigest() for content in (b"x", b""))
    entries = f"a\x00120777 b/f\x00b\x0040755 \x00b/f\x00100644 {x}\x00c\x00100755 {empty}\x00"
    assert hash_of(trees, archive) == hashlib.sha256(entries.encode()).hexdigest()


@pytest.mark.parametrize(
    "items",
    [
        (Item("p/f", b"y"),),
        (Item("p/g", b"x"),),
        (Item("p/f", b"x", stat.S_IFREG | 0o755),),
        (Item("p/f", b"x"), folder("p/d")),
        (symlink("p/f", "x"),),
        (Item("p/f", b""), Item("p/x")),
    ],
    ids=["content", "name", "program", "folder", "link", "file"],
)
def test_the_hash_tells_trees_apart(trees: SourceTrees, tmp_path: Path, items: tuple[Item, ...]) -> None:
    one = write_archive(tmp_path / "a.tar", Item("p/f", b"x"))
    assert hash_of(trees, one) != hash_of(trees, write_archive(tmp_path / "b.tar", *items))


def test_the_hash_does_not_depend_on_order_times_owners_and_hard_links(trees: SourceTrees, tmp_path: Path) -> None:
    plain = write_archive(tmp_path / "a.tar", Item("p/a/f"), Item("p/b"), Item("p/c"))
    other = write_tar(
        tmp_path / "b.tar.gz",
        member("q/c", b"x", mtime=99, uid=7, uname="me", mode=0o600),
        member("q/b", type=tarfile.LNKTYPE, linkname="q/c"),
        member("q/a", type=tarfile.DIRTYPE, mode=0o777),
        member("q/a/f", type=tarfile.LNKTYPE, linkname="q/b"),
    )
    assert hash_of(trees, plain) == hash_of(trees, other)


def test_hard_links_are_one_file(trees: SourceTrees, tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", member("p/f", b"x"), member("p/d/l", type=tarfile.LNKTYPE, linkname="p/f"))
    trees.unpack(archive, tmp_path / "unpacked")
    assert (tmp_path / "unpacked/f").samefile(tmp_path / "unpacked/d/l")
    with tarfile.open(fileobj=io.BytesIO(packed(trees, archive)[0])) as tar:
        tar.extractall(tmp_path / "again", filter="data")
    assert (tmp_path / "again/src/f").samefile(tmp_path / "again/src/d/l")


def test_a_folder_gets_modes_less_the_umask(trees: SourceTrees, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", *ITEMS)
    before = os.umask(0o027)
    try:
        trees.unpack(archive, tmp_path / "unpacked")
    finally:
        os.umask(before)
    modes = {
        name: stat.S_IMODE((tmp_path / "unpacked" / name).stat().st_mode) for name in ("setup.py", "configure", "d")
    }
    assert modes == {"setup.py": 0o640, "configure": 0o750, "d": 0o750}


@pytest.mark.parametrize("there", ["file", "folder"])
def test_nothing_is_unpacked_over_something(trees: SourceTrees, tmp_path: Path, there: str) -> None:
    target = tmp_path / "unpacked"
    if there == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").touch()
    with pytest.raises(UsageError, match="not empty"):
        trees.unpack(write_archive(tmp_path / "a.tar", *ITEMS), target)
    assert target.is_file() or [path.name for path in target.iterdir()] == ["mine"]


def test_an_empty_folder_is_unpacked_to(trees: SourceTrees, tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    trees.unpack(write_archive(tmp_path / "a.tar", *ITEMS), tmp_path / "unpacked")
    assert (tmp_path / "unpacked/d/link").read_bytes() == b"import this\n"


def test_a_tree_appears_as_a_whole(trees: SourceTrees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Watched(tree_writers.FolderWriter):
        def add(self, each: Member) -> None:
            seen.append((tmp_path / "unpacked").exists())
            super().add(each)

    monkeypatch.setattr("dockerbuild_lib.sources.trees.FolderWriter", Watched)
    trees.unpack(write_archive(tmp_path / "a.tar", *ITEMS), tmp_path / "unpacked")
    assert set(seen) == {False}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "unpacked"]


def test_links_are_written_behind_everything_else(tmp_path: Path) -> None:
    """A second line of defence: should a member ever get past the checks, there is no link to be written through."""
    (tmp_path / "away").mkdir()
    writer = tree_writers.FolderWriter(tmp_path)
    writer.add(Member("l", Kind.SYMBOLIC_LINK, link="away"))
    with pytest.raises(FileNotFoundError):
        writer.add(Member("l/f", Kind.FILE, content=iter((b"x",))))
    writer.finish()
    assert (tmp_path / "l").readlink() == Path("away")


def test_a_tar_that_is_packed_has_no_name(trees: SourceTrees, tmp_path: Path) -> None:
    with trees.packed(write_archive(tmp_path / "a.tar", *ITEMS), "src", 0):
        assert list(trees.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "error"), [(28, NoSpaceError), (13, PermissionDeniedError)], ids=["full disk", "forbidden"]
)
def test_a_folder_that_cannot_be_written_is_told(
    trees: SourceTrees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tree_writers.FolderWriter, "add", failing)
    monkeypatch.setattr(tree_writers.TarWriter, "finish", failing)
    archive = write_archive(tmp_path / "a.tar", *ITEMS)
    with pytest.raises(error, match="unpacked"):
        trees.unpack(archive, tmp_path / "unpacked")
    with pytest.raises(error, match="scratch"):
        packed(trees, archive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "scratch"]


def test_an_interruption_leaves_nothing(trees: SourceTrees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tree_writers.FolderWriter, "finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trees.unpack(write_archive(tmp_path / "a.tar", *ITEMS), tmp_path / "unpacked")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_limits_are_those_that_were_set(tmp_path: Path) -> None:
    trees = SourceTrees(ArchiveLimits(members=2), tmp_path)
    with pytest.raises(UnsafeArchiveError, match="more than 2 members"):
        trees.unpack(write_archive(tmp_path / "a.tar", *ITEMS), tmp_path / "unpacked")
