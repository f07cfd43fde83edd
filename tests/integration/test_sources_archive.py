"""Archives at plain addresses: mirrors over real HTTP servers, good ones and broken ones."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import ArchiveFile
from dockerbuild_lib.catalog.sources import ArchiveSource
from dockerbuild_lib.core.errors import DockerbuildError, HashMismatchError, LockError, NetworkError
from dockerbuild_lib.core.events import Event, Notice
from dockerbuild_lib.core.http import RefusedError
from dockerbuild_lib.core.retries import RetryPolicy
from dockerbuild_lib.sources.archive_source import pin_archive
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.sources.outside import Origins, Outside, Wanted
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.upstream import MachineUpstream
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.sources_packages import InternedSources
from tests.support.local_server import Answer, LocalServer, body, serving, status
from tests.support.logs import KeptLog
from tests.support.sdists import member, write_tar

NOWHERE = "http://127.0.0.1:9/demo-1.0"


def archive_bytes(folder: Path, suffix: str = ".tar.gz") -> bytes:
    if suffix == ".zip":
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as opened:
            opened.writestr("demo-1.0/pyproject.toml", "")
        return written.getvalue()
    return write_tar(folder / f"made{suffix}", member("demo-1.0/pyproject.toml")).read_bytes()


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return archive_bytes(tmp_path)


def outside(events: list[Event] | None = None) -> Outside:
    downloader = Downloader(HttpSettings(), policy=RetryPolicy(sleep=lambda _: None))
    index = PackageIndex(IndexConfiguration(("http://127.0.0.1:9/simple",)), downloader)
    return Outside(Path(), Origins(index), emit=([] if events is None else events).append)


def pinned(folder: Path, *urls: str, events: list[Event] | None = None) -> tuple[ArchiveFile, Path]:
    folder.mkdir(exist_ok=True)
    wanted = Wanted("demo", "1.0", ArchiveSource(type="archive", urls=urls))
    return pin_archive(outside(events), wanted, folder)


def locked(content: bytes, *urls: str) -> ArchiveFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return ArchiveFile(
        name="demo", version="1.0", filename="demo-1.0.tar.gz", sha256=sha256, size=len(content), urls=urls
    )


def fetcher(folder: Path) -> SourceFetcher:
    return SourceFetcher(folder / "work", InternedSources(LocalStore(folder / "store")), MachineUpstream(outside()))


def test_an_archive_is_pinned_with_its_version_in_the_address(tmp_path: Path, content: bytes) -> None:
    with serving(**{"v1.0/demo.tgz": body(content)}) as server:
        pin, place = pinned(tmp_path / "a", f"{server.url}/v{{version}}/demo.tgz")
    assert pin == locked(content, f"{server.url}/v1.0/demo.tgz")
    assert place.read_bytes() == content


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".tar.xz", ".tar", ".zip"])
def test_an_archives_name_says_what_it_is_whatever_its_address_says(tmp_path: Path, suffix: str) -> None:
    with serving(download=body(archive_bytes(tmp_path, suffix))) as server:
        pin, _ = pinned(tmp_path / "a", f"{server.url}/download")
    assert pin.filename == f"demo-1.0{suffix}"


@pytest.mark.parametrize("page", [b"<!doctype html><p>Sign in", b"", b"#!/bin/sh\n"])
def test_what_is_no_archive_is_not_pinned(tmp_path: Path, page: bytes) -> None:
    with serving(demo=body(page)) as server, pytest.raises(LockError, match=r"demo-1\.0: .* is no archive"):
        pinned(tmp_path / "a", f"{server.url}/demo")


def test_a_mirror_that_is_down_is_passed_over_when_pinning_and_that_is_told(tmp_path: Path, content: bytes) -> None:
    events: list[Event] = []
    with serving(demo=body(content)) as server:
        pin, _ = pinned(tmp_path / "a", NOWHERE, f"{server.url}/demo", events=events)
    assert pin.urls == (NOWHERE, f"{server.url}/demo")
    (told,) = events
    assert isinstance(told, Notice)
    assert told.warning
    assert told.text == f"demo-1.0: a mirror was passed over: {NOWHERE}: the host refuses the connection"


def test_an_address_that_nobody_serves_is_not_pinned(tmp_path: Path) -> None:
    with serving() as server, pytest.raises(NetworkError, match=r"no mirror serves it: .*404.*; .*refuses"):
        pinned(tmp_path / "a", f"{server.url}/demo", NOWHERE)


BROKEN = {
    "is gone": (status(404), "404"),
    "has other bytes": (body(b"x"), "1 of"),
    "has other bytes of that length": (body(b"x" * 10_240), "sha256 is"),
    "has a page": (body(b"<html>"), "web page"),
    "is forbidden": (status(403), "403"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_mirror_is_passed_over_and_the_reason_told(tmp_path: Path, fault: str) -> None:
    content = write_tar(tmp_path / "a.tar", member("demo-1.0/pyproject.toml")).read_bytes()
    answer, said = BROKEN[fault]
    log = KeptLog()
    with serving(bad=answer, good=body(content)) as server:
        pin = locked(content, f"{server.url}/bad", f"{server.url}/good")
        place = fetcher(tmp_path).fetch(pin, log)
    assert place.read_bytes() == content
    (line,) = log.lines
    assert line.startswith(f"demo-1.0.tar.gz: a mirror was passed over: {server.url}/bad: ")
    assert said in line
    assert log.steps[-1] == (len(content), len(content))


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([body(b"x"), body(b"y")], HashMismatchError),
        ([body(b"x"), status(404)], HashMismatchError),
        ([status(404), status(410)], RefusedError),
        ([status(404), None], NetworkError),
        ([body(b"x"), None], NetworkError),
    ],
)
def test_when_no_mirror_has_it_nothing_is_left(
    tmp_path: Path, content: bytes, answers: list[Answer | None], error: type[DockerbuildError]
) -> None:
    with serving() as server:
        urls = [_served(server, f"/{number}", answer) for number, answer in enumerate(answers)]
        with pytest.raises(error) as caught:
            fetcher(tmp_path).fetch(locked(content, *urls))
    assert caught.type is error
    assert all(url in str(caught.value) for url in urls)
    assert LocalStore(tmp_path / "store").packages() == ()
    assert [path.suffix for path in (tmp_path / "work").rglob("*")] == [".lock"]


def _served(server: LocalServer, path: str, answer: Answer | None) -> str:
    if answer is None:
        return f"{NOWHERE}{path}"
    server.answers[path] = answer
    return f"{server.url}{path}"


def test_the_store_is_asked_before_any_mirror(tmp_path: Path, content: bytes) -> None:
    with serving(demo=body(content)) as server:
        pin = locked(content, f"{server.url}/demo")
        fetcher(tmp_path).fetch(pin)
        again = SourceFetcher(
            tmp_path / "elsewhere", InternedSources(LocalStore(tmp_path / "store")), MachineUpstream(outside())
        )
        assert again.fetch(pin).read_bytes() == content
        assert server.requests == ["/demo"]
    assert LocalStore(tmp_path / "store").packages() == ("infra/third_party/source/demo",)


def test_force_asks_again_and_changes_nothing(tmp_path: Path, content: bytes) -> None:
    with serving(demo=body(content)) as server:
        pin = locked(content, f"{server.url}/demo")
        fetcher(tmp_path).fetch(pin)
        store = LocalStore(tmp_path / "store")
        before = store.instances("infra/third_party/source/demo")
        assert fetcher(tmp_path).fetch(pin, force=True).read_bytes() == content
        assert server.requests == ["/demo", "/demo"]
        server.answers["/demo"] = body(b"x" * len(content))
        with pytest.raises(HashMismatchError):
            fetcher(tmp_path).fetch(pin, force=True)
    assert store.instances("infra/third_party/source/demo") == before
    assert fetcher(tmp_path).fetch(pin).read_bytes() == content
    with tarfile.open(fetcher(tmp_path).fetch(pin)) as opened:
        assert opened.getnames() == ["demo-1.0/pyproject.toml"]
