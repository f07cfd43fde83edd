"""Harmless archives are read, whatever their format; what is read of them is what is asked for."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import PermissionDeniedError, UnsafeArchiveError
from dockerbuild_lib.sources.archives import Kind, Member, open_archive, top_folder
from dockerbuild_lib.sources.patching import read_member
from tests.support.archives import FORMATS, Item, folder, symlink, write_archive
from tests.support.sdists import member, write_tar


def members(archive: Path) -> list[tuple[str, Kind, int, str]]:
    """Return what is found, without the contents."""
    with open_archive(archive) as opened:
        return [(each.name, each.kind, each.mode, each.link) for each in opened.members()]


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_archive_is_looked_into(tmp_path: Path, suffix: str) -> None:
    files = (Item("p-1/a/pyproject.toml", b"no"), Item("p-1/pyproject.toml", b"yes"))
    archive = write_archive(tmp_path / f"a.{suffix}", *files)
    below = "p-1/" if suffix == "whl" else ""
    assert top_folder(archive) == ("" if suffix == "whl" else "p-1")
    assert read_member(archive, f"{below}pyproject.toml") == b"yes"
    assert read_member(archive, f"{below}setup.py") is None
    assert read_member(archive, f"{below}a") is None


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != "whl"])
def test_what_is_harmless_passes(tmp_path: Path, suffix: str) -> None:
    long = "a-name-that-needs-a-header-of-its-own-" * 5
    archive = write_archive(
        tmp_path / f"a.{suffix}",
        folder("./p-1", 0o2775),
        folder("p-1/empty", 0o1777),
        Item("./p-1/setup.py", b"import this\n", stat.S_IFREG | 0o600),
        Item("p-1/configure", b"#!/bin/sh\n", stat.S_IFREG | 0o700),
        Item("p-1/deep/er/f", b""),
        folder("p-1/deep"),
        symlink("p-1/deep/link", "../setup.py"),
        symlink("p-1/deep/er/top", "../.."),
        symlink("p-1/loop", "loop"),
        symlink("p-1/nowhere", "not/there"),
        Item(f"p-1/{long}/{long}"),
        Item("p-1/naïve/日本語/🎉"),
        Item("p-1/with blank"),
        Item("p-1/C:"),
        Item("p-1/...", b"x"),
        Item("p-1/aux.c"),
    )
    assert members(archive) == [
        ("empty", Kind.FOLDER, 0o755, ""),
        ("setup.py", Kind.FILE, 0o644, ""),
        ("configure", Kind.FILE, 0o755, ""),
        ("deep", Kind.FOLDER, 0o755, ""),
        ("deep/er", Kind.FOLDER, 0o755, ""),
        ("deep/er/f", Kind.FILE, 0o644, ""),
        ("deep/link", Kind.SYMBOLIC_LINK, 0o777, "../setup.py"),
        ("deep/er/top", Kind.SYMBOLIC_LINK, 0o777, "../.."),
        ("loop", Kind.SYMBOLIC_LINK, 0o777, "loop"),
        ("nowhere", Kind.SYMBOLIC_LINK, 0o777, "not/there"),
        (long, Kind.FOLDER, 0o755, ""),
        (f"{long}/{long}", Kind.FILE, 0o644, ""),
        ("naïve", Kind.FOLDER, 0o755, ""),
        ("naïve/日本語", Kind.FOLDER, 0o755, ""),
        ("naïve/日本語/🎉", Kind.FILE, 0o644, ""),
        ("with blank", Kind.FILE, 0o644, ""),
        ("C:", Kind.FILE, 0o644, ""),
        ("...", Kind.FILE, 0o644, ""),
        ("aux.c", Kind.FILE, 0o644, ""),
    ]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_is_read(tmp_path: Path, form: int) -> None:
    long = f"p/{'d' * 40}/{'f' * 50}" if form == tarfile.USTAR_FORMAT else f"p/{'d' * 90}/{'f' * 90}"
    source = tmp_path / "content"
    source.write_bytes(b"long")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=form) as archive:
        archive.add(source, long)
        link = tarfile.TarInfo("p/hard")
        link.type, link.linkname = tarfile.LNKTYPE, long
        archive.addfile(link)
    found = members(tmp_path / "a.tar.gz")
    assert found[1:] == [(long[2:], Kind.FILE, 0o644, ""), ("hard", Kind.HARD_LINK, 0o644, long[2:])]


def test_a_hard_link_has_the_mode_of_its_file(tmp_path: Path) -> None:
    archive = write_tar(
        tmp_path / "a.tar.gz",
        member("p/program", b"x", mode=0o755),
        member("p/one", type=tarfile.LNKTYPE, linkname="./p//program", mode=0o600),
        member("p/two", type=tarfile.LNKTYPE, linkname="p/one"),
    )
    assert members(archive)[1:] == [
        ("one", Kind.HARD_LINK, 0o755, "program"),
        ("two", Kind.HARD_LINK, 0o755, "one"),
    ]


def test_links_are_not_followed(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar", Item("p/file"), symlink("p/link", "file"))
    assert read_member(archive, "link") is None


def test_a_wheel_needs_no_top_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        for name in ("six.py", "six-1.dist-info/RECORD"):
            archive.writestr(name, "x")
    found = members(tmp_path / "a.whl")
    assert [name for name, *_ in found] == ["six.py", "six-1.dist-info", "six-1.dist-info/RECORD"]


def test_an_archive_is_what_its_bytes_are(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.xz", Item("p/f", b"content"))
    assert read_member(archive.rename(tmp_path / "a.zip"), "f") == b"content"


def test_contents_that_are_not_read_are_passed_over(tmp_path: Path) -> None:
    def beginning(each: Member) -> bytes:
        return next(each.content, b"")[:3]

    contents = [bytes([number]) * (1 << 20) for number in range(3)]
    archive = write_archive(tmp_path / "a.tar.gz", *[Item(f"p/{content[0]}", content) for content in contents])
    with open_archive(archive) as opened:
        found = [beginning(each) if each.name == "1" else each.name for each in opened.members()]
    assert found == ["0", b"\1\1\1", "2"]


def test_a_missing_archive_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        top_folder(tmp_path / "none.tar.gz")


def test_a_forbidden_archive_is_no_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(PermissionDeniedError):
        top_folder(tmp_path / "a.tar.gz")


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", b"BZh", b"PK\x03\x04", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"<html>"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.tar.gz"
    file.write_bytes(content)
    with pytest.raises(UnsafeArchiveError, match=r"a\.tar\.gz: it is (truncated|damaged|no archive)"):
        top_folder(file)
