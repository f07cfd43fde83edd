"""Sources come from the store, or from upstream into the store; each once, and none that is wrong."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import DebianFile, IndexFile, LockedFile
from dockerbuild_lib.core.errors import HashMismatchError, NetworkError, StoreDamagedError
from dockerbuild_lib.core.events import ProgressLog, silent
from dockerbuild_lib.core.files import sha256_of, write_atomic
from dockerbuild_lib.plan.naming import source_name
from dockerbuild_lib.sources.intern import SourceFetcher

CONTENT = b"an sdist"


def locked_file(content: bytes = CONTENT, filename: str = "six-1.0.tar.gz") -> IndexFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return IndexFile(distribution="six", version="1.0", filename=filename, sha256=sha256, size=len(content))


class FolderStore:
    """A store that is a folder of files, named by their sha256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.calls: list[tuple[str, str, str]] = []

    def interned(self, sha256s: Collection[str]) -> frozenset[str]:
        return frozenset(sha256 for sha256 in sha256s if (self.folder / sha256).exists())

    def fetch(self, sha256: str, target: Path) -> None:
        shutil.copyfile(self.folder / sha256, target)

    def intern(self, name: str, version: str, filename: str, path: Path, sha256: str) -> None:
        assert sha256_of(path) == sha256
        self.calls.append((name, version, filename))
        write_atomic(self.folder / sha256, path.read_bytes())


class Upstream:
    """Serves one content for everything, slowly, and counts in a file, so that processes are counted too."""

    def __init__(self, count: Path, content: bytes = CONTENT, *, error: Exception | None = None) -> None:
        self.count = count
        self.content = content
        self.error = error

    def download(self, locked: LockedFile, target: Path, log: ProgressLog = silent) -> None:
        log("asked")
        with self.count.open("a") as count:
            count.write("x")
        time.sleep(0.05)
        if self.error:
            raise self.error
        log.progress(len(self.content), locked.size)
        write_atomic(target, self.content)
        assert hashlib.sha256(self.content).hexdigest() == locked.sha256

    @property
    def downloads(self) -> int:
        return len(self.count.read_text()) if self.count.exists() else 0


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "count")


def test_what_is_kept_need_not_come_from_upstream(tmp_path: Path, store: FolderStore, upstream: Upstream) -> None:
    (tmp_path / "made").write_bytes(CONTENT)
    fetcher = SourceFetcher(tmp_path / "work", store, upstream)
    for _ in range(2):
        fetcher.keep(locked_file(), tmp_path / "made")
    assert store.calls == [("six", "1.0", "six-1.0.tar.gz")]
    assert fetcher.fetch(locked_file()).read_bytes() == CONTENT
    assert upstream.downloads == 0


def test_what_nobody_has_comes_from_upstream_and_is_interned(
    tmp_path: Path, store: FolderStore, upstream: Upstream
) -> None:
    locked = locked_file()
    place = SourceFetcher(tmp_path / "work", store, upstream).fetch(locked)
    assert place.read_bytes() == CONTENT
    assert place.name == locked.filename
    assert store.interned([locked.sha256]) == {locked.sha256}
    assert store.calls == [("six", "1.0", "six-1.0.tar.gz")]


def test_what_the_store_has_is_not_asked_for_outside(tmp_path: Path, store: FolderStore, upstream: Upstream) -> None:
    locked = locked_file()
    (store.folder / locked.sha256).write_bytes(CONTENT)
    assert SourceFetcher(tmp_path / "work", store, upstream).fetch(locked).read_bytes() == CONTENT
    assert (upstream.downloads, store.calls) == (0, [])


def test_the_second_time_nothing_is_moved(tmp_path: Path, store: FolderStore, upstream: Upstream) -> None:
    fetcher = SourceFetcher(tmp_path / "work", store, upstream)
    first = fetcher.fetch(locked_file())
    before = first.stat()
    assert fetcher.fetch(locked_file()) == first
    assert first.stat() == before
    assert (upstream.downloads, len(store.calls)) == (1, 1)


def test_a_local_file_is_interned_where_the_store_is_another(
    tmp_path: Path, store: FolderStore, upstream: Upstream
) -> None:
    SourceFetcher(tmp_path / "work", store, upstream).fetch(locked_file())
    second = FolderStore(tmp_path / "second")
    SourceFetcher(tmp_path / "work", second, upstream).fetch(locked_file())
    assert second.interned([locked_file().sha256])
    assert upstream.downloads == 1


@pytest.mark.parametrize("touched", [b"", b"an sdisT", b"an sdist and more"])
def test_a_local_file_that_somebody_touched_is_not_used(
    tmp_path: Path, store: FolderStore, upstream: Upstream, touched: bytes
) -> None:
    fetcher = SourceFetcher(tmp_path / "work", store, upstream)
    fetcher.fetch(locked_file()).write_bytes(touched)
    assert fetcher.fetch(locked_file()).read_bytes() == CONTENT


@pytest.mark.parametrize("error", [HashMismatchError("wrong"), NetworkError("none"), KeyboardInterrupt()])
def test_a_failed_download_leaves_nothing(tmp_path: Path, store: FolderStore, error: Exception) -> None:
    with pytest.raises(type(error)):
        SourceFetcher(tmp_path / "work", store, Upstream(tmp_path / "count", error=error)).fetch(locked_file())
    assert not list(store.folder.iterdir())
    assert [path.name for path in (tmp_path / "work").rglob("*")] == [f"{locked_file().sha256}.lock"]


def test_a_store_with_another_file_under_the_hash_is_damaged(
    tmp_path: Path, store: FolderStore, upstream: Upstream
) -> None:
    (store.folder / locked_file().sha256).write_bytes(b"other")
    with pytest.raises(StoreDamagedError, match=r"six-1\.0\.tar\.gz"):
        SourceFetcher(tmp_path / "work", store, upstream).fetch(locked_file())
    assert upstream.downloads == 0


def test_force_asks_upstream_and_leaves_a_whole_copy_in_the_store(
    tmp_path: Path, store: FolderStore, upstream: Upstream
) -> None:
    fetcher = SourceFetcher(tmp_path / "work", store, upstream)
    fetcher.fetch(locked_file())
    assert fetcher.fetch(locked_file(), force=True).read_bytes() == CONTENT
    assert (upstream.downloads, len(store.calls)) == (2, 1)


def test_force_replaces_a_damaged_copy_in_the_store(tmp_path: Path, store: FolderStore, upstream: Upstream) -> None:
    kept = store.folder / locked_file().sha256
    kept.write_bytes(b"other")
    SourceFetcher(tmp_path / "work", store, upstream).fetch(locked_file(), force=True)
    assert kept.read_bytes() == CONTENT


def test_force_changes_nothing_where_upstream_has_another_file(tmp_path: Path, store: FolderStore) -> None:
    (store.folder / locked_file().sha256).write_bytes(b"damaged")
    upstream = Upstream(tmp_path / "count", error=HashMismatchError("another file"))
    with pytest.raises(HashMismatchError):
        SourceFetcher(tmp_path / "work", store, upstream).fetch(locked_file(), force=True)
    assert (store.folder / locked_file().sha256).read_bytes() == b"damaged"


def test_threads_share_one_download(tmp_path: Path, store: FolderStore, upstream: Upstream) -> None:
    fetcher = SourceFetcher(tmp_path / "work", store, upstream)
    barrier = threading.Barrier(8)

    def fetch(_: int) -> Path:
        barrier.wait()
        return fetcher.fetch(locked_file())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fetch, range(8)))) == 1
    assert (upstream.downloads, len(store.calls)) == (1, 1)


def _fetch_in_process(folder: Path) -> None:
    SourceFetcher(folder / "work", FolderStore(folder / "store"), Upstream(folder / "count")).fetch(locked_file())


def test_processes_share_one_download(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fetch_in_process, args=(tmp_path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert Upstream(tmp_path / "count").downloads == 1


def test_different_files_are_fetched_at_the_same_time(tmp_path: Path, store: FolderStore) -> None:
    meeting = threading.Barrier(2)

    class Meeting(Upstream):
        def download(self, locked: LockedFile, target: Path, log: ProgressLog = silent) -> None:
            log("asked")
            meeting.wait(timeout=10)
            write_atomic(target, locked.filename.encode())

    fetcher = SourceFetcher(tmp_path / "work", store, Meeting(tmp_path / "count"))
    names = ["a-1.tar.gz", "b-1.tar.gz"]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda name: fetcher.fetch(locked_file(name.encode(), name)), names))
    assert [place.name for place in found] == names


def test_the_name_of_a_source() -> None:
    debian = DebianFile(
        path="pool/main/l/lib/lib_1.orig.tar.gz", version="1", filename="lib_1.orig.tar.gz", sha256="0" * 64, size=1
    )
    assert source_name(debian) == "lib"
    assert source_name(locked_file()) == "six"
