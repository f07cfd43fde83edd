"""Looking into archives: what is asked for is found, what is hostile is refused."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import PermissionDeniedError, UnsafeArchiveError
from dockerbuild_lib.sources import archives
from dockerbuild_lib.sources.archives import read_member, top_folder
from tests.support.sdists import member, write_sdist, write_tar


def write_zip(file: Path, *names: str, mode: int = 0o100644, content: str = "x") -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return file


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tar.xz", "tar.bz2"])
def test_a_tar_archive_is_looked_into(tmp_path: Path, suffix: str) -> None:
    archive = write_tar(
        tmp_path / f"a.{suffix}", member("p-1/a/pyproject.toml", b"no"), member("p-1/pyproject.toml", b"yes")
    )
    assert top_folder(archive) == "p-1"
    assert read_member(archive, "pyproject.toml") == b"yes"
    assert read_member(archive, "setup.py") is None


def test_a_zip_archive_is_looked_into(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", "p-1/", "p-1/pyproject.toml", content="yes")
    assert top_folder(archive) == "p-1"
    assert read_member(archive, "pyproject.toml") == b"yes"


def test_links_inside_are_harmless(tmp_path: Path) -> None:
    archive = write_tar(
        tmp_path / "a.tar.gz",
        member("./p-1", type=tarfile.DIRTYPE),
        member("./p-1/sub/link", type=tarfile.SYMTYPE, linkname="../file"),
        member("./p-1/hard", type=tarfile.LNKTYPE, linkname="p-1/file"),
        member("./p-1/file", b"x"),
    )
    assert top_folder(archive) == "p-1"
    assert read_member(archive, "sub/link") is None, "a link is not followed"


HOSTILE_MEMBERS = {
    "absolute": member("/etc/passwd"),
    "parent": member("../x"),
    "parent inside": member("p/../../x"),
    "parent that stays inside": member("p/../x"),
    "backslash": member("p\\..\\x"),
    "drive": member("C:/x"),
    "control characters": member("p/\x1b[2J"),
    "newline": member("p/a\nb"),
    "symbolic link out": member("p/l", type=tarfile.SYMTYPE, linkname="../../x"),
    "symbolic link to an absolute path": member("p/l", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "symbolic link out and back": member("l", type=tarfile.SYMTYPE, linkname="../p"),
    "symbolic link to nothing": member("p/l", type=tarfile.SYMTYPE, linkname="/"),
    "hard link out": member("p/l", type=tarfile.LNKTYPE, linkname="../x"),
    "hard link to an absolute path": member("p/l", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "fifo": member("p/f", type=tarfile.FIFOTYPE),
    "character device": member("p/d", type=tarfile.CHRTYPE),
    "block device": member("p/d", type=tarfile.BLKTYPE),
}


@pytest.mark.parametrize("kind", HOSTILE_MEMBERS)
@pytest.mark.parametrize("asked", ["top", "member"])
def test_a_hostile_member_is_refused_by_name(tmp_path: Path, kind: str, asked: str) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", member("p/pyproject.toml", b"x"), HOSTILE_MEMBERS[kind])
    with pytest.raises(UnsafeArchiveError, match=r"a\.tar\.gz: its member"):
        top_folder(archive) if asked == "top" else read_member(archive, "pyproject.toml")


def test_a_file_that_comes_twice_is_refused(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", member("p/f", b"1"), member("./p//f", b"2"))
    with pytest.raises(UnsafeArchiveError, match="comes twice"):
        read_member(archive, "f")


@pytest.mark.parametrize("name", ["../x", "/x", "p/../../x", "C:/x"])
def test_a_hostile_name_in_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeArchiveError, match="its member"):
        top_folder(write_zip(tmp_path / "a.zip", "p/a", name))


@pytest.mark.parametrize(("mode", "content"), [(stat.S_IFLNK, "../../x"), (stat.S_IFLNK, "/x"), (stat.S_IFIFO, "")])
def test_a_hostile_kind_in_a_zip_is_refused(tmp_path: Path, mode: int, content: str) -> None:
    with pytest.raises(UnsafeArchiveError, match="its member"):
        top_folder(write_zip(tmp_path / "a.zip", "p/a", mode=mode | 0o644, content=content))


@pytest.mark.parametrize(("limit", "value"), [("MAX_MEMBERS", 2), ("MAX_TOTAL_SIZE", 20), ("MAX_READ_SIZE", 9)])
def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", *[member(f"p/{name}", b"0123456789") for name in "abc"])
    assert read_member(archive, "a") == b"0123456789"
    monkeypatch.setattr(archives, limit, value)
    with pytest.raises(UnsafeArchiveError):
        read_member(archive, "a")


def test_there_must_be_one_top_folder(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match="holds p, q"):
        top_folder(write_tar(tmp_path / "two.tar", member("p/a"), member("q/a")))
    with pytest.raises(UnsafeArchiveError, match="holds nothing"):
        top_folder(write_tar(tmp_path / "none.tar"))


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.bz2", "zip"])
def test_a_truncated_archive_is_refused(tmp_path: Path, suffix: str) -> None:
    content = b"".join(number.to_bytes(4, "big") for number in range(40_000))
    archive = tmp_path / f"a.{suffix}"
    if suffix == "zip":
        write_zip(archive, "p/a", content=content.hex())
    else:
        write_tar(archive, member("p/a", content), member("p/b", content))
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(UnsafeArchiveError):
        read_member(archive, "b")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", "p/a")
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    raw[raw.index(b"PK\x03\x04") + 6] |= 1
    archive.write_bytes(raw)
    with pytest.raises(UnsafeArchiveError):
        read_member(archive, "a")


def test_a_missing_archive_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        top_folder(tmp_path / "none.tar.gz")


def test_a_forbidden_archive_is_no_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(PermissionDeniedError):
        top_folder(tmp_path / "a.tar.gz")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_read(tmp_path: Path, data: st.DataObject) -> None:
    whole = write_sdist(tmp_path, "p", "1", "[build-system]\nrequires = []\n").read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=8))
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(whole[:position] + junk + whole[position + len(junk) :])
    try:
        read_member(damaged, "pyproject.toml")
    except UnsafeArchiveError:
        return


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=2000))
def test_any_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "junk"
    file.write_bytes(content)
    with pytest.raises(UnsafeArchiveError):
        top_folder(file)
