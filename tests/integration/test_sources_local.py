"""Folders of this machine as sources: with git around them and without."""

from __future__ import annotations

import os
import shutil
import socket
import tarfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerbuild_lib.catalog.locks import LocalArchive
from dockerbuild_lib.catalog.sources import LocalSource
from dockerbuild_lib.core.errors import LockError, PermissionDeniedError, UnsafeArchiveError
from dockerbuild_lib.core.events import silent
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.git_program import Git
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.local_source import fetch_local, has_changed, local_version, pin_local
from dockerbuild_lib.sources.local_tree import local_tree
from dockerbuild_lib.sources.outside import Origins, Outside, Wanted
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.tree_archive import write_tree_archive
from tests.support.git_repositories import GitRepository

PROJECT: dict[str, str | bytes] = {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n', "src/demo.c": "x"}


def outside(config: Path) -> Outside:
    index = PackageIndex(IndexConfiguration(("http://127.0.0.1:9/simple",)), Downloader(HttpSettings()))
    return Outside(config, Origins(index))


def pinned(config: Path, folder: str = "../demo") -> tuple[LocalArchive, Path]:
    config.mkdir(exist_ok=True)
    scratch = config / "scratch"
    scratch.mkdir(exist_ok=True)
    return pin_local(outside(config), Wanted("demo", "1.0", LocalSource(type="local", folder=folder)), scratch)


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return [name.partition("/")[2] for name in opened.getnames()]


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_a_folder_is_pinned_by_its_files(tmp_path: Path) -> None:
    write(tmp_path / "demo", PROJECT)
    pin, archive = pinned(tmp_path / "config")
    assert (pin.name, pin.version, pin.filename, pin.folder) == ("demo", "1.0", "demo-1.0.tar", "../demo")
    assert names(archive) == ["pyproject.toml", "src/demo.c"]
    source = LocalSource(type="local", folder="../demo")
    assert local_version(outside(tmp_path / "config"), source) == "1.0"


def test_what_is_made_beside_a_source_is_left_out(tmp_path: Path) -> None:
    junk = [
        ".git/config",
        "src/__pycache__/demo.pyc",
        "demo.pyc",
        ".mypy_cache/x",
        ".tox/x",
        "demo.egg-info/PKG-INFO",
        "env/pyvenv.cfg",
        "env/bin/python",
        ".DS_Store",
        "src/demo.c~",
        ".dockerbuild/store/x",
    ]
    write(tmp_path / "demo", PROJECT | dict.fromkeys(junk, "junk") | {"build/kept.py": "", "dist/kept": "", "venv": ""})
    shutil.rmtree(tmp_path / "demo" / ".git")
    (tmp_path / "demo" / ".hg").mkdir()
    (tmp_path / "demo" / "empty").mkdir()
    _, archive = pinned(tmp_path / "config")
    assert names(archive) == ["build/kept.py", "dist/kept", "pyproject.toml", "src/demo.c", "venv"]


def test_in_a_git_work_tree_the_tracked_files_are_taken_as_they_are_now(tmp_path: Path) -> None:
    tracked = PROJECT | {"gone.txt": "", "demo.egg-info/kept": "", "__pycache__/never.pyc": "", ".gitignore": "*.log"}
    repository = GitRepository.made(tmp_path / "demo", tracked)
    write(tmp_path / "demo", {"untracked.py": "", "a.log": "", "src/demo.c": "changed"})
    (tmp_path / "demo" / "gone.txt").unlink()
    pin, archive = pinned(tmp_path / "config")
    assert names(archive) == [".gitignore", "demo.egg-info/kept", "pyproject.toml", "src/demo.c"]
    repository.commit({"new.py": ""})
    assert pinned(tmp_path / "config")[0].sha256 != pin.sha256


def test_no_program_that_a_work_trees_configuration_names_is_run(tmp_path: Path) -> None:
    repository = GitRepository.made(tmp_path / "demo", PROJECT)
    hook = tmp_path / "hooks" / "post-index-change"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(hook))
    repository.git("config", "core.hooksPath", str(hook.parent))
    (tmp_path / "ran").unlink(missing_ok=True)
    pinned(tmp_path / "config")
    assert not (tmp_path / "ran").exists()
    repository.git("status")
    assert (tmp_path / "ran").exists()  # so it would have been


def test_a_folder_of_a_repository_is_taken_alone(tmp_path: Path) -> None:
    GitRepository.made(tmp_path / "all", {"demo/pyproject.toml": "", "other/x": "", "d\u00e9mo/\u00fc.py": ""})
    _, archive = pinned(tmp_path / "config", "../all/demo")
    assert names(archive) == ["pyproject.toml"]
    _, archive = pinned(tmp_path / "config", "../all/d\u00e9mo")
    assert names(archive) == ["\u00fc.py"]


def test_a_submodules_files_are_taken_and_missing_ones_told(tmp_path: Path) -> None:
    GitRepository.made(tmp_path / "inner", {"inner.txt": ""})
    outer = GitRepository.made(tmp_path / "demo", PROJECT)
    outer.git("submodule", "--quiet", "add", "../inner", "inner")
    outer.commit({})
    _, archive = pinned(tmp_path / "config")
    assert "inner/inner.txt" in names(archive)
    outer.git("submodule", "--quiet", "deinit", "--force", "inner")
    with pytest.raises(LockError, match="this submodule has no files here; run git submodule update"):
        pinned(tmp_path / "config")


def test_the_same_files_give_the_same_bytes_with_git_and_without(tmp_path: Path) -> None:
    write(tmp_path / "demo", PROJECT)
    (tmp_path / "demo" / "src" / "demo.c").chmod(0o700)
    plain, _ = pinned(tmp_path / "config")
    repository = GitRepository.made(tmp_path / "elsewhere", {})
    shutil.copytree(tmp_path / "demo", tmp_path / "elsewhere", dirs_exist_ok=True)
    repository.commit({})
    tracked, _ = pinned(tmp_path / "config", "../elsewhere")
    assert tracked.sha256 == plain.sha256


_NAMES = st.text("abc\u00e9.-_ ", min_size=1, max_size=6).filter(lambda name: name.strip("."))
_FILES = st.dictionaries(
    st.lists(_NAMES, min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=300), st.booleans()),
    min_size=1,
    max_size=6,
)


@given(_FILES, st.randoms(), st.sampled_from([0o000, 0o022, 0o027, 0o077]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_making_umask_and_times_do_not_matter(
    tmp_path: Path, files: dict[str, tuple[bytes, bool]], random: Random, umask: int
) -> None:
    paths = [path for path in files if not any(other.startswith(f"{path}/") for other in files)]
    received = []
    for mask in (0o022, umask):
        folder = tmp_path / "tree"
        shutil.rmtree(folder, ignore_errors=True)
        random.shuffle(paths)
        before = os.umask(mask)
        try:
            for path in paths:
                write(folder, {path: files[path][0]})
                (folder / path).chmod((0o777 if files[path][1] else 0o666) & ~mask | 0o600)
                os.utime(folder / path, (random.randrange(2**31), random.randrange(2**31)))
            received.append(write_tree_archive(tmp_path / "a.tar", "a-1", local_tree(folder, Git()), "a"))
        finally:
            os.umask(before)
    assert received[0] == received[1]


def test_a_folder_that_changed_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path / "demo", PROJECT)
    pin, archive = pinned(tmp_path / "config")
    world = outside(tmp_path / "config")
    fetch_local(world, pin, tmp_path / "again", silent)
    assert (tmp_path / "again").read_bytes() == archive.read_bytes()
    assert not has_changed(world, pin)
    write(tmp_path / "demo", {"src/demo.c": "y"})
    assert has_changed(world, pin)
    with pytest.raises(LockError, match=r"changed since it was locked; run sources\.lock --name=demo"):
        fetch_local(world, pin, tmp_path / "changed", silent)
    assert not (tmp_path / "changed").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="there is no such folder; correct 'folder'"):
        pinned(tmp_path / "config")
    with pytest.raises(LockError, match="there is no such folder; correct 'folder'"):
        local_version(outside(tmp_path / "config"), LocalSource(type="local", folder="../demo"))


def test_a_folder_of_which_git_tracks_nothing(tmp_path: Path) -> None:
    GitRepository.made(tmp_path / "demo")
    write(tmp_path / "demo", PROJECT)
    with pytest.raises(LockError, match="git tracks no file in it; run git add there"):
        pinned(tmp_path / "config")


def test_a_git_work_tree_that_git_cannot_read(tmp_path: Path) -> None:
    write(tmp_path / "demo", {**PROJECT, ".git": "gitdir: /nowhere"})
    with pytest.raises(LockError, match=r"git cannot tell its files: .*; try git status there"):
        pinned(tmp_path / "config")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, target: str) -> None:
    write(tmp_path / "demo", PROJECT)
    (tmp_path / "demo" / "src" / "link").symlink_to(target)
    with pytest.raises(UnsafeArchiveError, match="'src/link' is a link that leads out of it"):
        pinned(tmp_path / "config")


def test_a_link_inside_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "demo", PROJECT)
    (tmp_path / "demo" / "folder").symlink_to("src")
    _, archive = pinned(tmp_path / "config")
    with tarfile.open(archive) as opened:
        assert opened.getmember("demo-1.0/folder").linkname == "src"


def test_a_pipe_or_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "demo", PROJECT)
    os.mkfifo(tmp_path / "demo" / "pipe")
    with pytest.raises(LockError, match="neither a file, a folder nor a link"):
        pinned(tmp_path / "config")
    (tmp_path / "demo" / "pipe").unlink()
    monkeypatch.chdir(tmp_path / "demo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        with pytest.raises(LockError, match="neither a file, a folder nor a link"):
            pinned(tmp_path / "config")


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "demo", PROJECT)
    Path(os.fsdecode(os.fsencode(tmp_path / "demo") + b"/\xff")).touch()
    with pytest.raises(UnsafeArchiveError, match="cannot be written everywhere"):
        pinned(tmp_path / "config")


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "demo", PROJECT)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", "demo.c")

    monkeypatch.setattr("dockerbuild_lib.sources.local_tree._opened", refuse)
    with pytest.raises(PermissionDeniedError, match=r"demo\.c: Permission denied"):
        pinned(tmp_path / "config")
