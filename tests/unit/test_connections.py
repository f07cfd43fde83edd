"""Where connections are forbidden, no room connects: each says what it would have needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.catalog.machines import ImageRecipe
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.cli.environment import make_environment
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.core.connections import CONNECTIONS, Connections
from dockerbuild_lib.core.errors import OfflineError
from dockerbuild_lib.core.events import silent
from dockerbuild_lib.core.machine import install_packages
from dockerbuild_lib.core.processes import Processes
from dockerbuild_lib.images.generate import ImageMaker
from dockerbuild_lib.plan.steps import BaseWork, ImageWork
from dockerbuild_lib.sources.apt import AptConfiguration
from dockerbuild_lib.sources.apt_entries import AptEntry
from dockerbuild_lib.sources.debian import debian_entries
from dockerbuild_lib.sources.download import Downloader, Expected
from dockerbuild_lib.sources.git_program import Git
from dockerbuild_lib.sources.git_repository import Repository, resolve_revision
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.partial import partial_path
from dockerbuild_lib.sources.resolve import resolve
from dockerbuild_lib.sources.trees import SourceTrees
from dockerbuild_lib.sources.upstream import MachineUpstream
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.sources_packages import InternedSources
from tests.support.local_server import LocalServer, dripping, serving

COMMIT = "0123456789" * 4
LOCKED = IndexFile(distribution="six", version="1.0", filename="six-1.0.tar.gz", sha256="a" * 64, size=1)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with serving() as server:
        yield server


def package_index(url: str) -> PackageIndex:
    return PackageIndex(IndexConfiguration((f"{url}/simple",)), Downloader(HttpSettings()))


def fetch(url: str, folder: Path) -> None:
    upstream = MachineUpstream(Outside(folder, Origins(index=package_index(url))))
    SourceFetcher(folder, InternedSources(MemoryStore()), upstream).fetch(LOCKED)


def ask_apt(url: str, folder: Path) -> None:
    entry = AptEntry(f"{url}/", "bookworm", ("main",))
    debian_entries(AptConfiguration(folder / "apt.conf", folder / "parts", (entry,), HttpSettings()), "bookworm")


def maker(folder: Path) -> ImageMaker:
    def never(*_: object) -> str:
        raise AssertionError

    trees = SourceTrees(ArchiveLimits(), folder)
    return ImageMaker(Engine("run"), Processes(), folder, sources_list=never, mmdebstrap=never, trees=trees)


def make_base(_url: str, folder: Path) -> None:
    maker(folder).make_base(BaseWork(ImageRecipe(suite="bookworm", base_packages=("gcc",)), "key"), silent)


def make_image(_url: str, folder: Path) -> None:
    maker(folder).make_image(ImageWork("linux-arm64", "base", "key", (), ()), (), {}, silent)


def set_up(_url: str, folder: Path) -> None:
    def never(command: Sequence[str]) -> None:
        raise AssertionError(command)

    (folder / "requirements.lock").touch()
    make_environment(folder, say=pytest.fail, run=never)


BORDERS: dict[str, tuple[Callable[[str, Path], object], str]] = {
    "download": (
        lambda url, folder: Downloader(HttpSettings()).download(f"{url}/file", folder / "file", Expected(None, None)),
        "/file: connections",
    ),
    "page": (lambda url, _: package_index(url).files("six"), "/simple/six/: connections"),
    "fetch": (fetch, "six-1.0.tar.gz: it is not in the store, and connections"),
    "apt": (ask_apt, "Debian mirror: connections"),
    "uv": (
        lambda url, _: resolve(("six>=1",), "3.11", IndexConfiguration((f"{url}/simple",))),
        "requirements six>=1 for Python 3.11: connections",
    ),
    "git tags": (lambda url, _: resolve_revision(Git(), f"{url}/repository", "v1"), "/repository: connections"),
    "git commits": (lambda url, folder: Repository(Git(), url, folder / "git").fetch(COMMIT), "1:"),
    "packages": (lambda _url, _folder: install_packages(["git", "gcc"], say=pytest.fail), "git, gcc: not installed"),
    "base image": (make_base, "the base image bookworm: it must be made from Debian packages, and connections"),
    "image": (make_image, "the image of linux-arm64: it must be made from Debian packages, and connections"),
    "environment": (set_up, ".venv: it must be made from requirements.lock, and connections"),
}


@pytest.mark.parametrize("border", BORDERS)
def test_no_border_is_crossed(server: LocalServer, tmp_path: Path, border: str) -> None:
    cross, said = BORDERS[border]
    with CONNECTIONS.judged_by(lambda: "--offline"), pytest.raises(OfflineError) as caught:
        cross(server.url, tmp_path)
    assert said in str(caught.value)
    assert "connections are forbidden (--offline); " in str(caught.value)
    assert caught.value.fix
    assert server.requests == []


def test_a_failed_fetch_leaves_no_file(server: LocalServer, tmp_path: Path) -> None:
    with CONNECTIONS.judged_by(lambda: "--offline"), pytest.raises(OfflineError, match=r"sources\.fetch"):
        fetch(server.url, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [f"{LOCKED.sha256}.lock"]


def test_a_repository_of_this_machine_is_no_connection() -> None:
    with CONNECTIONS.judged_by(lambda: "--offline"):
        Git().require_connection("file:///srv/repository")


def test_the_judge_is_asked_once_and_only_when_somebody_wants_to_connect() -> None:
    asked = []
    connections = Connections()
    with connections.judged_by(lambda: asked.append("judge")):
        assert asked == []
        connections.require("a host")
        connections.require("another")
    assert asked == ["judge"]


def test_what_is_being_received_breaks_off_when_connections_end(server: LocalServer, tmp_path: Path) -> None:
    server.answers["/file"] = dripping(b"x" * 1000, pause=0.01)

    def come(done: int, _total: int | None) -> None:
        if done >= 3:
            CONNECTIONS.end("the run was stopped")

    downloader = Downloader(HttpSettings())
    with CONNECTIONS.judged_by(lambda: None), pytest.raises(OfflineError, match="the run was stopped"):
        downloader.download(f"{server.url}/file", tmp_path / "file", Expected("0" * 64, 1000), come)
    assert 3 <= partial_path(tmp_path / "file").stat().st_size < 1000
    CONNECTIONS.require("a host")


def test_the_judgement_ends_with_the_block() -> None:
    connections = Connections()
    with connections.judged_by(lambda: "a test"):
        pass
    connections.require("a host")
