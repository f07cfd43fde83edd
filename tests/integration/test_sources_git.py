"""Commits of real git repositories as sources: over files, git's daemon and plain HTTP, from whoever's clone."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dockerbuild_lib.catalog.locks import GitArchive
from dockerbuild_lib.catalog.sources import GitSource
from dockerbuild_lib.core.errors import (
    DockerbuildError,
    HashMismatchError,
    InterruptedRunError,
    LockError,
    NetworkError,
    UnsafeArchiveError,
)
from dockerbuild_lib.core.events import Event, Notice
from dockerbuild_lib.core.http import RefusedError
from dockerbuild_lib.core.processes import Processes
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.git_program import Git
from dockerbuild_lib.sources.git_repository import Repository, resolve_revision
from dockerbuild_lib.sources.git_source import fetch_git, pin_git
from dockerbuild_lib.sources.git_tree import GitCommit, git_tree
from dockerbuild_lib.sources.http import HttpSettings, TooSlowError
from dockerbuild_lib.sources.outside import Origins, Outside, Wanted
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.tree_archive import write_tree_archive
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.sources_packages import intern_file
from tests.support.git_repositories import GitRepository, git_daemon

FILES: dict[str, str | bytes] = {
    "pyproject.toml": "[project]\nname = 'demo'\n",
    "src/demo.c": b"int demo;\r\n$Format:%H$ $Id$\n",
    "docs/left-out.txt": "exported all the same",
    ".gitattributes": "* text=auto\n*.c export-subst ident\ndocs export-ignore\n*.bin filter=lfs\n",
    "data.bin": "large",
}


def outside(git: Git | None = None, events: list[Event] | None = None) -> Outside:
    """Return a world outside with git and nothing else."""
    index = PackageIndex(IndexConfiguration(("http://127.0.0.1:9/simple",)), Downloader(HttpSettings()))
    return Outside(Path(), Origins(index, git=git or Git()), emit=([] if events is None else events).append)


def pinned(folder: Path, address: str, revision: str = "main", **options: Any) -> tuple[GitArchive, Path]:  # noqa: ANN401 - a source's
    """Pin a revision of the repository at *address*, whatever transport that names."""
    world = outside(options.pop("git", None), options.pop("events", None))
    source = GitSource(type="git", repository="file:///replaced", revision=revision, **options)
    folder.mkdir(exist_ok=True)
    return pin_git(world, Wanted("demo", "1.0", source.model_copy(update={"repository": address})), folder)


def contents(archive: Path) -> dict[str, bytes]:
    """Return path -> bytes of each file, ``-> target`` of each link, below the top folder."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            stream = opened.extractfile(member) if member.isfile() else None
            found[member.name.partition("/")[2]] = stream.read() if stream else f"-> {member.linkname}".encode()
    return found


def archived(git: Git, address: str, commit: str, folder: Path) -> bytes:
    """Return the archive of a commit, over whatever transport *git* may use."""
    folder.mkdir()
    with git_tree(git, GitCommit(address, commit, None, submodules=True), folder / "copy") as tree:
        write_tree_archive(folder / "archive", "demo-1.0", tree.entries, address)
    return (folder / "archive").read_bytes()


def silent(line: str) -> None:
    """Take a line of a log."""
    assert line


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository.made(tmp_path / "origin", FILES)


def test_a_commit_is_its_bytes_whatever_attributes_say(tmp_path: Path, repository: GitRepository) -> None:
    pin, archive = pinned(tmp_path / "a", repository.address)
    assert pin.commit == repository.head
    assert (pin.filename, pin.revision, archive.name) == ("demo-1.0.tar", "main", "demo-1.0.tar")
    blobs = {name: repository.git("cat-file", "blob", f"HEAD:{name}") for name in FILES}
    assert {name: content.decode().strip() for name, content in contents(archive).items()} == blobs


def clone_of_another(source: GitRepository, folder: Path) -> GitRepository:
    """Clone under another umask, time and configuration, for another user where the tests may make it so."""
    command = ("git", "-c", "core.autocrlf=true", "clone", "--quiet", source.address, str(folder))
    subprocess.run(command, env={**os.environ, "TZ": "Asia/Kathmandu"}, umask=0o077, check=True)
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1, 1), follow_symlinks=False)
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534, follow_symlinks=False)
    return GitRepository(folder)


def test_every_clone_gives_the_same_bytes(
    tmp_path: Path, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, archive = pinned(tmp_path / "a", repository.address)
    other = clone_of_another(repository, tmp_path / "elsewhere" / "clone")
    home = tmp_path / "home"
    home.mkdir()
    marker = tmp_path / "ran"
    hook = home / "hooks" / "post-checkout"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\tautocrlf = true\n\thooksPath = {hook.parent}\n\tfsmonitor = touch {marker}\n"
        f'[filter "lfs"]\n\tsmudge = touch {marker}\n[url "file:///nowhere"]\n\tinsteadOf = {other.address}\n'
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    before = os.umask(0o077)
    try:
        second, again = pinned(tmp_path / "b", other.address)
    finally:
        os.umask(before)
    assert (second.sha256, second.size, second.commit) == (first.sha256, first.size, first.commit)
    assert not marker.exists()
    facts = {"package": "demo", "filename": first.filename, "sha256": first.sha256, "version": "1.0"}
    stores = [LocalStore(tmp_path / name) for name in ("one", "two")]
    pins = {intern_file(store, path=path, **facts) for store, path in zip(stores, (archive, again), strict=True)}
    assert len(pins) == 1  # with its instance id


@pytest.mark.parametrize("revision", ["v1", "refs/tags/v1", "release", "light", "commit", "tag object"])
def test_a_revision_is_a_tag_a_branch_or_a_commit(tmp_path: Path, repository: GitRepository, revision: str) -> None:
    repository.git("tag", "--annotate", "--message=v1", "v1")
    repository.git("tag", "light")
    repository.git("branch", "release")
    wanted = repository.head
    tag = repository.git("rev-parse", "v1")
    repository.commit({"new": "later"})
    named = {"commit": wanted, "tag object": tag}.get(revision, revision)
    pin, archive = pinned(tmp_path / "a", repository.address, named)
    assert pin.commit == wanted
    assert "new" not in contents(archive)


def test_a_version_is_filled_into_the_revision(tmp_path: Path, repository: GitRepository) -> None:
    repository.git("tag", "v1.0")
    pin, _ = pinned(tmp_path / "a", repository.address, "v{version}")
    assert pin.revision == "v1.0"


@pytest.mark.parametrize("revision", ["v2", "abcdef1", "refs/heads/none", "HEA"])
def test_a_revision_that_is_not_there(tmp_path: Path, repository: GitRepository, revision: str) -> None:
    with pytest.raises(LockError, match=f"no tag or branch '{revision}'"):
        pinned(tmp_path / "a", repository.address, revision)


def test_a_commit_that_is_not_there(tmp_path: Path, repository: GitRepository) -> None:
    with pytest.raises(RefusedError, match="does not have the commit 1111"):
        pinned(tmp_path / "a", repository.address, "1" * 40)


def test_a_repository_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="check the repository's address"):
        pinned(tmp_path / "a", (tmp_path / "none").as_uri())
    with pytest.raises(NetworkError, match="git cannot read the repository") as caught:
        pinned(tmp_path / "a", "https://127.0.0.1:9/none")
    assert caught.value.transient


def test_a_locked_commit_is_made_again_after_its_branch_moved(tmp_path: Path, repository: GitRepository) -> None:
    pin, archive = pinned(tmp_path / "a", repository.address)
    repository.commit({"new": "later"})
    fetch_git(outside(), pin, tmp_path / "again", silent)
    assert (tmp_path / "again").read_bytes() == archive.read_bytes()


def test_another_archive_than_the_locked_one_is_refused(tmp_path: Path, repository: GitRepository) -> None:
    pin, _ = pinned(tmp_path / "a", repository.address)
    (tmp_path / "b").mkdir()
    with pytest.raises(HashMismatchError, match=f"but {'0' * 64} is locked"):
        fetch_git(outside(), pin.model_copy(update={"sha256": "0" * 64}), tmp_path / "b" / "c", silent)
    assert not list((tmp_path / "b").iterdir())


def with_submodules(folder: Path) -> GitRepository:
    """Return a repository with a submodule that has a submodule, both named beside it, and both moved on since."""
    inner = GitRepository.made(folder / "inner", {"inner.txt": "inner"})
    middle = GitRepository.made(folder / "middle", {"middle.txt": "middle"})
    middle.git("submodule", "--quiet", "add", "../inner", "deps/inner")
    middle.commit({})
    outer = GitRepository.made(folder / "outer", {"python/setup.py": "", "LICENSE": "free"})
    outer.git("submodule", "--quiet", "add", "../middle", "python/vendor/middle")
    outer.git("submodule", "--quiet", "add", "../inner", "unneeded")
    outer.commit({})
    for moved in (inner, middle):
        moved.commit({"later.txt": "later"})
    return outer


def test_submodules_are_those_that_the_commit_pins(tmp_path: Path) -> None:
    outer = with_submodules(tmp_path / "git")
    _, archive = pinned(tmp_path / "a", outer.address)
    assert set(contents(archive)) == {
        ".gitmodules",
        "LICENSE",
        "python/setup.py",
        "python/vendor/middle/.gitmodules",
        "python/vendor/middle/middle.txt",
        "python/vendor/middle/deps/inner/inner.txt",
        "unneeded/inner.txt",
    }
    _, bare = pinned(tmp_path / "b", outer.address, submodules=False)
    assert set(contents(bare)) == {".gitmodules", "LICENSE", "python/setup.py"}


def test_of_a_subfolder_only_its_own_submodules_are_fetched(tmp_path: Path) -> None:
    outer = with_submodules(tmp_path / "git")
    outer.git("config", "--file=.gitmodules", "submodule.unneeded.url", "../gone")
    outer.commit({})
    _, archive = pinned(tmp_path / "a", outer.address, subfolder="python")
    assert set(contents(archive)) == {
        "setup.py",
        "vendor/middle/.gitmodules",
        "vendor/middle/middle.txt",
        "vendor/middle/deps/inner/inner.txt",
    }
    _, deep = pinned(tmp_path / "b", outer.address, subfolder="python/vendor/middle/deps")
    assert set(contents(deep)) == {"inner/inner.txt"}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ext::sh -c touch% ran", "is no address of a git repository"),
        ("http://git.example/x", "is no address of a git repository"),
        ("--upload-pack=touch ran", "is no address of a git repository"),
        ("../" * 20 + "x", "leads out of"),
    ],
)
def test_a_submodule_at_a_forbidden_address_is_refused(tmp_path: Path, address: str, said: str) -> None:
    outer = with_submodules(tmp_path / "git")
    outer.git("config", "--file=.gitmodules", "submodule.unneeded.url", address)
    outer.commit({})
    with pytest.raises(LockError, match=said) as caught:
        pinned(tmp_path / "a", outer.address)
    assert caught.value.where == f"submodule unneeded of {outer.address}"


def test_submodules_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = with_submodules(tmp_path / "git")
    monkeypatch.setattr("dockerbuild_lib.sources.git_tree._MAX_SUBMODULES", 2)
    with pytest.raises(LockError, match="there are more than 2 submodules"):
        pinned(tmp_path / "a", outer.address)


def test_a_submodule_that_nothing_says_the_address_of(tmp_path: Path) -> None:
    outer = with_submodules(tmp_path / "git")
    outer.git("rm", "--quiet", "--cached", ".gitmodules")
    outer.git("commit", "--quiet", "--message=Without")
    with pytest.raises(LockError, match=r"\.gitmodules does not say where it is"):
        pinned(tmp_path / "a", outer.address)


def test_a_link_to_a_file_beside_the_subfolder_becomes_the_file(tmp_path: Path, repository: GitRepository) -> None:
    folder = repository.folder / "python"
    folder.mkdir()
    (folder / "LICENSE").symlink_to("../LICENSE")
    (folder / "inside").symlink_to("setup.py")
    repository.commit({"LICENSE": "free", "python/setup.py": "x"})
    _, archive = pinned(tmp_path / "a", repository.address, subfolder="python")
    assert contents(archive) == {"LICENSE": b"free", "inside": b"-> setup.py", "setup.py": b"x"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "../src"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, repository: GitRepository, target: str) -> None:
    (repository.folder / "python").mkdir()
    (repository.folder / "python/link").symlink_to(target)
    repository.commit({"python/setup.py": "x"})
    with pytest.raises(UnsafeArchiveError, match="'python/link' leads out"):
        pinned(tmp_path / "a", repository.address, subfolder="python")


def test_a_subfolder_that_is_not_there(tmp_path: Path, repository: GitRepository) -> None:
    with pytest.raises(LockError, match="there is no file in python at the commit"):
        pinned(tmp_path / "a", repository.address, subfolder="python")


@pytest.mark.parametrize("name", [".git", "..", ".GIT"])
def test_a_tree_with_names_that_no_tree_may_have_is_refused(
    tmp_path: Path, repository: GitRepository, name: str
) -> None:
    blob = repository.git("rev-parse", "HEAD:pyproject.toml")
    made = subprocess.run(
        ("git", "mktree"),
        input=f"100644 blob {blob}\t{name}\n",
        cwd=repository.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    commit = repository.git("commit-tree", "-m", "hostile", made.stdout.strip())
    with pytest.raises(UnsafeArchiveError, match="has a name that no tree of files may have"):
        pinned(tmp_path / "a", repository.address, commit)


def test_files_that_lie_elsewhere_are_told(tmp_path: Path, repository: GitRepository) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    repository.commit({"weights": pointer})
    events: list[Event] = []
    pinned(tmp_path / "a", repository.address, events=events)
    (told,) = events
    assert isinstance(told, Notice)
    assert told.warning
    assert told.text.startswith("demo-1.0: 1 of its files, such as weights, are Git LFS pointers")


@contextmanager
def plain_http(folder: Path) -> Iterator[str]:
    """Serve *folder* as files, as any web server does."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_gives_one_commit_without_its_history(tmp_path: Path, repository: GitRepository) -> None:
    repository.commit({"new": "later"})
    git = Git(protocols=("git",))
    with git_daemon(tmp_path) as address:
        copy = Repository(git, f"{address}/origin", tmp_path / "copy")
        assert copy.fetch(repository.head) == repository.head
        over_the_net = archived(git, f"{address}/origin", repository.head, tmp_path / "b")
    assert GitRepository(tmp_path / "copy").git("rev-list", "--count", repository.head) == "1"
    assert over_the_net == pinned(tmp_path / "a", repository.address)[1].read_bytes()


def test_a_server_that_cannot_give_one_commit_gives_all(tmp_path: Path, repository: GitRepository) -> None:
    wanted = repository.head
    repository.commit({"new": "later"})
    repository.git("update-server-info")
    git = Git(protocols=("http",))
    with plain_http(tmp_path) as address:
        over_the_net = archived(git, f"{address}/origin/.git", wanted, tmp_path / "b")
        with pytest.raises(RefusedError, match="does not have the commit 1111"):
            archived(git, f"{address}/origin/.git", "1" * 40, tmp_path / "c")
    assert over_the_net == pinned(tmp_path / "a", repository.address, wanted)[1].read_bytes()


@pytest.mark.parametrize("address", ["ext::touch ran", "git://127.0.0.1:9/x", "http://127.0.0.1:9/x", "fd::7"])
def test_git_itself_refuses_other_transports(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefusedError, match="not allowed"):
        resolve_revision(Git(), address, "main")
    assert not list(tmp_path.iterdir())


@contextmanager
def silent_server() -> Iterator[int]:
    """Accept connections and never say anything; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with silent_server() as port, pytest.raises(TooSlowError, match="git ls-remote has no end after"):
        pinned(tmp_path / "a", f"git://127.0.0.1:{port}/x", git=Git(protocols=("git",), time_limit=0.3))


def test_git_ends_when_the_run_is_stopped(tmp_path: Path) -> None:
    processes = Processes()
    failures: list[DockerbuildError] = []

    def ask(port: int) -> None:
        try:
            pinned(tmp_path / "a", f"git://127.0.0.1:{port}/x", git=Git(protocols=("git",), processes=processes))
        except DockerbuildError as error:
            failures.append(error)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=ask, args=(server.getsockname()[1],))
        thread.start()
        connection, _ = server.accept()
        processes.stop_all()
        thread.join(timeout=30)
        connection.close()
    assert [type(failure) for failure in failures] == [InterruptedRunError]


def test_nothing_is_left_in_the_folder_for_temporary_files(
    tmp_path: Path, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    pinned(tmp_path / "a", repository.address)
    shutil.rmtree(repository.folder / ".git" / "objects")
    with pytest.raises(DockerbuildError):
        pinned(tmp_path / "b", repository.address)
    assert not list(scratch.iterdir())
