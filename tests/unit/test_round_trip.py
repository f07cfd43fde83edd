"""A folder that travels to a remote engine and back: what was changed there is made here, and nothing else."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockerbuild_lib.containers.round_trip import bring_back, packed_folder
from dockerbuild_lib.core.errors import DockerbuildError, UnsafeArchiveError

OWNER = (1001, 1002)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    (folder / "deep" / "empty").mkdir(parents=True)
    (folder / "plain").write_text("one")
    (folder / "deep" / "script").write_text("two")
    (folder / "deep" / "script").chmod(0o755)
    (folder / "link").symlink_to("deep/script")
    os.link(folder / "plain", folder / "second name")
    os.mkfifo(folder / "pipe")
    return folder


def travel(here: Path, there: Path, command: Callable[[], None]) -> None:
    """Send the folder to *there*, which plays the container, run *command*, and bring the changes back."""
    with packed_folder(here, there.name, OWNER) as (stream, sent), tarfile.open(fileobj=stream) as tar:
        members = tar.getmembers()
        assert {(member.uid, member.gid) for member in members} == {OWNER}
        tar.extractall(there.parent, filter="tar")
    command()
    bring_back(packed(there), here, sent)


def packed(folder: Path) -> Iterator[bytes]:
    """Yield a tar of a folder, as the engine sends it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(folder, ".")
    yield stream.getvalue()


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (
            f"-> {path.readlink()}" if path.is_symlink() else path.read_text() if path.is_file() else "",
            path.lstat().st_mode,
        )
        for path in folder.rglob("*")
    }


def test_a_command_that_changes_nothing_changes_nothing(here: Path, tmp_path: Path) -> None:
    before, inode = snapshot(here), (here / "plain").stat().st_ino
    travel(here, tmp_path / "there", lambda: None)
    assert snapshot(here) == before
    assert (here / "plain").stat().st_ino == inode


def test_every_kind_of_change_comes_back(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"

    def command() -> None:
        (there / "plain").write_text("changed")
        (there / "deep/script").chmod(0o700)
        (there / "link").unlink()
        (there / "link").symlink_to("/nowhere")
        (there / "deep/empty").rmdir()
        (there / "new/er").mkdir(parents=True)
        (there / "new/er/file").write_text("new")
        os.link(there / "new/er/file", there / "new/twice")
        (there / "second name").unlink()
        (there / "second name").mkdir()

    travel(here, there, command)
    (here / "pipe").unlink()
    assert snapshot(here) == snapshot(there)


def test_what_changed_on_both_sides_stays_as_it_is_here_and_is_told(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"

    def command() -> None:
        for folder, text in ((here, "mine"), (there, "its")):
            (folder / "plain").write_text(text)
            (folder / "new").write_text(text)
        (here / "deep/script").write_text("mine")
        (there / "deep/script").unlink()
        (there / "other").write_text("its")

    with pytest.raises(DockerbuildError, match=r"changed here while the command ran, and there too: .*plain"):
        travel(here, there, command)
    assert [(here / name).read_text() for name in ("plain", "new", "deep/script", "other")] == ["mine"] * 3 + ["its"]


def test_what_came_meanwhile_stays(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"

    def command() -> None:
        (here / "deep/empty/mine").write_text("mine")
        (there / "deep/empty").rmdir()

    travel(here, there, command)
    assert (here / "deep/empty/mine").read_text() == "mine"


@pytest.mark.parametrize("name", ["../out", "away/out"])
def test_nothing_is_written_outside_of_the_folder(here: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        link = tarfile.TarInfo("away")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "elsewhere")
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(UnsafeArchiveError):
        bring_back([stream.getvalue()], here, {})
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "elsewhere/out").exists()
