"""Downloads by real processes: killed in the middle, and several at once."""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest

from dockerbuild_lib.catalog.locks import IndexFile, VersionLock, WheelLock
from dockerbuild_lib.core.files import sha256_of
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.index_page import JSON_TYPE
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.sources.lock_files import write_lock
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.partial import partial_path
from dockerbuild_lib.sources.upstream import MachineUpstream
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.sources_packages import InternedSources
from tests.support.forged_wheels import Forge
from tests.support.local_server import Answer, LocalServer, body, dripping, ranged, serving
from tests.support.projects import Done, Project

LARGE = Forge(name="large", tag="py3-none-any", purelib=True, members={"large.py": Random(3).randbytes(1 << 20)})  # noqa: S311 - incompressible, no secret
PAGE, FILE = "/simple/large/", "/f/large"
_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Setting:
    """A project with one large universal wheel in its catalogue, and the package index that has it."""

    project: Project
    server: LocalServer
    wheel: Path

    @property
    def place(self) -> Path:
        """Where the fetched wheel lies in the work area."""
        return self.project.area / "sources" / sha256_of(self.wheel) / self.wheel.name

    @property
    def environment(self) -> dict[str, str]:
        """What leads pip's configuration to the index."""
        return {"PIP_INDEX_URL": f"{self.server.url}/simple", "PIP_CONFIG_FILE": "/dev/null", "NO_PROXY": "127.0.0.1"}

    def build(self) -> Done:
        """Run the task to its end."""
        return self.project.succeed("wheel.build", "--name=large", **self.environment)

    def asked(self) -> list[str | None]:
        """Return which parts of the file were asked for; None for the whole."""
        came = zip(self.server.requests, self.server.headers, strict=True)
        return [headers.get("Range") for path, headers in came if path == FILE]


def locked(wheel: Path) -> IndexFile:
    facts = {"filename": wheel.name, "sha256": sha256_of(wheel), "size": wheel.stat().st_size}
    return IndexFile.model_validate({"distribution": "large", "version": "1.0", **facts})


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    wheel = LARGE.write(tmp_path)
    project = Project.checked_out(tmp_path / "project")
    config = project.folder / "config"
    (config / "wheels/large.yaml").write_text('large: {kind: universal, versions: {"1.0": {}}}\n')
    lock = WheelLock(versions={"1.0": VersionLock(source=locked(wheel))})
    write_lock(config / "locks/wheels/large.json", lock)
    file = {"filename": wheel.name, "url": FILE, "hashes": {"sha256": sha256_of(wheel)}}
    page = body(json.dumps({"files": [file]}).encode(), content_type=JSON_TYPE)
    with serving(**{PAGE[1:]: page, FILE[1:]: ranged(wheel.read_bytes())}) as server:
        yield Setting(project, server, wheel)


def wait_for(condition: Callable[[], object], *running: subprocess.Popen[str]) -> None:
    """Wait until *condition* holds, while all of *running* run."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert all(process.poll() is None for process in running), [process.communicate() for process in running]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def held_after(content: bytes, sent: int, release: threading.Event) -> Answer:
    """Send the first bytes, and the rest when *release* is set."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:sent])
        release.wait(_PATIENCE)
        handler.wfile.write(content[sent:])

    return answer


def test_the_run_after_a_killed_one_goes_on_where_the_download_ended(setting: Setting) -> None:
    half = setting.wheel.stat().st_size // 2
    serve_all, never = setting.server.answers[FILE], threading.Event()
    setting.server.answers[FILE] = held_after(setting.wheel.read_bytes(), half, never)
    partial = partial_path(setting.place)
    with setting.project.start("wheel.build", "--name=large", **setting.environment) as process:
        wait_for(lambda: partial.exists() and partial.stat().st_size == half, process)
        process.kill()
    never.set()
    assert not setting.place.exists()
    assert setting.project.succeed("store.list", "--json").json == []
    setting.project.succeed("store.verify")

    setting.server.answers[FILE] = serve_all
    setting.build()

    assert setting.asked() == [None, f"bytes={half}-"]
    assert sha256_of(setting.place) == sha256_of(setting.wheel)
    assert not partial.exists()
    setting.project.succeed("store.verify")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_breaks_its_downloads_off_and_keeps_what_came(setting: Setting, number: signal.Signals) -> None:
    setting.server.answers[FILE] = dripping(setting.wheel.read_bytes(), pause=0.01)
    partial = partial_path(setting.place)
    with setting.project.start("wheel.build", "--name=large", **setting.environment) as process:
        wait_for(lambda: partial.exists() and partial.stat().st_size > 0, process)
        process.send_signal(number)
        _, told = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130, told
    assert "fetch large-1.0-py3-none-any.whl: stopped while it ran" in told  # not: did not stop in time
    assert partial.stat().st_size > 0
    assert not setting.place.exists()


def fetch_in_process(url: str, folder: Path, locked: IndexFile, begun: Path) -> None:
    index = PackageIndex(IndexConfiguration((f"{url}/simple",)), Downloader(HttpSettings()))
    upstream = MachineUpstream(Outside(folder, Origins(index=index)))
    fetcher = SourceFetcher(folder / "sources", InternedSources(LocalStore(folder / "store")), upstream)
    begun.touch()
    fetcher.fetch(locked)


def test_processes_that_want_a_file_at_once_share_one_download(setting: Setting, tmp_path: Path) -> None:
    release = threading.Event()
    setting.server.answers[FILE] = held_after(setting.wheel.read_bytes(), 1000, release)
    marks = [tmp_path / f"begun-{number}" for number in range(3)]
    arguments = (setting.server.url, tmp_path, locked(setting.wheel))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=fetch_in_process, args=(*arguments, mark)) for mark in marks]
    for process in processes:
        process.start()
    wait_for(lambda: all(mark.exists() for mark in marks) and setting.asked())
    release.set()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert setting.asked() == [None]
    assert len(LocalStore(tmp_path / "store").packages()) == 1
