"""Bombs: refused while they are read, before they fill anything; and what only looks like one is not refused."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import UnsafeArchiveError
from dockerbuild_lib.sources.archives import Member, budget, layout, reader
from dockerbuild_lib.sources.patching import read_member
from dockerbuild_lib.sources.trees import SourceTrees
from tests.support.archives import (
    END,
    FORMATS,
    TAR_FORMATS,
    Item,
    folder,
    packed,
    raw_member,
    write_archive,
    write_bytes,
)
from tests.support.refusals import World
from tests.support.zips import ZipMember, zipped

ZEROS = bytes(3 << 20)
FREE = 1 << 20


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def little_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ratio count from 1 MiB on, so that these bombs are small ones."""
    monkeypatch.setattr(budget, "FREE_SIZE", FREE)


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != "tar"])
def test_a_member_that_unpacks_to_too_many_times_the_archives_size_is_refused(
    world: World, tmp_path: Path, suffix: str
) -> None:
    said = world.refuses(write_archive(tmp_path / f"a.{suffix}", Item("p/a"), Item("p/zeros", ZEROS)))
    assert "'p/zeros' is too much: the archive unpacks to more than 200 times its size, as an archive bomb does" in said


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != "tar"])
def test_the_ratio_counts_all_members_together(world: World, tmp_path: Path, suffix: str) -> None:
    members = [Item(f"p/{number}", ZEROS[: FREE // 2]) for number in range(6)]
    archive = write_archive(tmp_path / f"a.{suffix}", *members)
    assert re.search("'p/[1-5]' is too much", world.refuses(archive, ArchiveLimits(ratio=50)))


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize("suffix", FORMATS)
def test_the_ratio_can_be_set(tmp_path: Path, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", Item("p/zeros", ZEROS))
    assert read_member(archive, _below_top("p/zeros", suffix), ArchiveLimits(ratio=100_000)) == ZEROS


def test_a_small_archive_may_hold_a_file_of_zeros(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", Item("p/zeros", ZEROS))
    assert len(ZEROS) > 200 * archive.stat().st_size
    assert read_member(archive, "zeros") == ZEROS


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_size_is_limited(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", Item("p/a", b"1" * 9000), Item("p/b", b"2" * 9000))
    said = world.refuses(archive, ArchiveLimits(size=16_000))
    assert "'p/b' is too much: the archive unpacks to more than 16000 bytes" in said
    assert read_member(archive, _below_top("p/b", suffix), ArchiveLimits(size=32_000)) == b"2" * 9000


def _below_top(path: str, suffix: str) -> str:
    return path if suffix == "whl" else path.partition("/")[2]


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_number_of_members_is_limited(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", *[Item(f"p/{number}") for number in range(20)])
    assert "more than 20 members" in world.refuses(archive, ArchiveLimits(members=20)), "20 files and their folder"
    assert read_member(archive, _below_top("p/19", suffix), ArchiveLimits(members=21)) == b"x"


@pytest.mark.parametrize("suffix", FORMATS)
def test_folders_that_names_stand_for_are_members(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", *[Item(f"p/{number}/" + "d/" * 50 + "f") for number in range(9)])
    assert "more than 100 members" in world.refuses(archive, ArchiveLimits(members=100))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_folder_that_comes_again_is_a_member(world: World, tmp_path: Path, suffix: str) -> None:
    archive = write_archive(tmp_path / f"a.{suffix}", *[folder("p/d")] * 30)
    assert "more than 20 members" in world.refuses(archive, ArchiveLimits(members=20))


def test_names_are_limited_all_together(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", *[Item(f"p/{number}" + "n" * 200) for number in range(9)])
    monkeypatch.setattr(layout, "MAX_NAMES", 1000)
    assert "its names are too long" in world.refuses(archive)


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize("suffix", TAR_FORMATS[1:])
def test_zeros_behind_the_end_count(world: World, tmp_path: Path, suffix: str) -> None:
    archive = tmp_path / f"a.{suffix}"
    data = raw_member(tarfile.TarInfo("p/f"), b"x") + END
    write_bytes(archive, packed(archive, data + ZEROS))
    assert "bomb" in world.refuses(archive)


@pytest.mark.parametrize("said", [1 << 20, 1 << 33])
def test_what_a_zip_says_of_its_sizes_is_not_believed(world: World, tmp_path: Path, said: int) -> None:
    sizes = {"size": said & 0xFFFFFFFF}
    member = ZipMember(b"p/zeros", ZEROS, local={**sizes}, central={**sizes})
    assert "p/zeros" in world.refuses(write_bytes(tmp_path / "a.zip", zipped([member])))


def test_a_bomb_is_refused_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header of 60 GiB is enough: not a byte behind it is read."""
    written: list[int] = []

    class Writer:
        def __init__(self, *_: object) -> None:
            """Take what a true one takes."""

        def add(self, member: Member) -> None:
            written.append(sum(map(len, member.content)))

        def finish(self) -> None:
            pytest.fail("it was not refused")

    monkeypatch.setattr("dockerbuild_lib.sources.trees.FolderWriter", Writer)
    archive = tmp_path / "a.tar.gz"
    members = (raw_member(tarfile.TarInfo("p/a"), b"x" * 10), raw_member(tarfile.TarInfo("p/b"), b"x", size=60 << 30))
    write_bytes(archive, packed(archive, b"".join(members)))
    with pytest.raises(UnsafeArchiveError, match=r"raise archives\.size in invoke.yaml if you trust this"):
        SourceTrees(ArchiveLimits(size=1 << 20), tmp_path).unpack(archive, tmp_path / "unpacked")
    assert written == [10]


def test_a_file_is_not_read_into_memory_without_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", Item("p/setup.py", b"0123456789"))
    monkeypatch.setattr(reader, "MAX_READ_SIZE", 9)
    with pytest.raises(UnsafeArchiveError, match=r"'setup\.py' has 10 bytes, more than the 9 that are read"):
        read_member(archive, "setup.py")
