"""Downloads from a real server that misbehaves: what is whole and right arrives, of anything else nothing stays."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.core.errors import HashMismatchError, NetworkError, NoSpaceError
from dockerbuild_lib.core.http import BusyError, RefusedError
from dockerbuild_lib.core.retries import RetryPolicy
from dockerbuild_lib.sources.download import Downloader, Expected, Received, time_limit
from dockerbuild_lib.sources.http import HttpSettings, TooSlowError
from dockerbuild_lib.sources.index_page import JSON_TYPE
from dockerbuild_lib.sources.intern import SourceFetcher
from dockerbuild_lib.sources.outside import Origins, Outside
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from dockerbuild_lib.sources.upstream import MachineUpstream
from dockerbuild_lib.store.memory import MemoryStore
from dockerbuild_lib.store.sources_packages import InternedSources
from tests.support.local_server import Answer, LocalServer, body, dripping, in_turn, reset, serving, status, truncated

CONTENT = bytes(range(256)) * 4096
FACTS = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)}
EXPECTED = Expected(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Waits:
    """Takes the place of sleep, and remembers for how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def fetch(
    answer: Answer, folder: Path, *, expected: Expected = EXPECTED, waits: Waits | None = None
) -> tuple[Path, LocalServer]:
    policy = RetryPolicy(sleep=waits or Waits())
    target = folder / "sub" / "file.tar.gz"
    with serving(file=answer) as server:
        try:
            Downloader(HttpSettings(), policy=policy, time_limit=1.5).download(f"{server.url}/file", target, expected)
        except Exception as error:
            error.add_note(f"{len(server.requests)} requests")
            assert not target.exists()
            raise
    return target, server


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def requests_of(caught: pytest.ExceptionInfo[Exception]) -> str:
    return caught.value.__notes__[0]


def test_a_good_file_arrives_whole(tmp_path: Path) -> None:
    target, server = fetch(body(CONTENT), tmp_path)
    assert target.read_bytes() == CONTENT
    assert [file.name for file in target.parent.iterdir()] == ["file.tar.gz"]
    assert server.headers[0]["Accept-Encoding"] == "identity"


def test_what_is_not_known_yet_is_measured(tmp_path: Path) -> None:
    with serving(file=body(CONTENT)) as server:
        received = Downloader(HttpSettings()).download(f"{server.url}/file", tmp_path / "f", Expected(None, None))
    assert received == Received(EXPECTED.sha256 or "", len(CONTENT))


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 416, 451])
def test_a_refusal_is_final_at_once(tmp_path: Path, code: int) -> None:
    with pytest.raises(RefusedError, match=f"the host answered {code}") as caught:
        fetch(status(code), tmp_path)
    assert requests_of(caught) == "1 requests"
    assert caught.value.exit_code == 6
    assert not caught.value.transient
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("code", [408, 429, 500, 501, 502, 503, 504, 522])
def test_a_failure_that_may_pass_is_tried_again(tmp_path: Path, code: int) -> None:
    target, server = fetch(in_turn(status(code), status(code), body(CONTENT)), tmp_path)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_a_failure_that_does_not_pass_ends(tmp_path: Path) -> None:
    waits = Waits()
    with pytest.raises(BusyError, match="503") as caught:
        fetch(status(503), tmp_path, waits=waits)
    assert requests_of(caught) == "4 requests"
    assert waits.seconds == [0.5, 1.0, 2.0]


def test_the_host_says_when_to_come_back(tmp_path: Path) -> None:
    waits = Waits()
    fetch(in_turn(status(429, Retry_After="7"), body(CONTENT)), tmp_path, waits=waits)
    assert waits.seconds == [7.0]


def test_the_host_says_when_to_come_back_by_a_date(tmp_path: Path) -> None:
    waits = Waits()
    soon = formatdate(time.time() + 10, usegmt=True)
    fetch(in_turn(status(503, Retry_After=soon), body(CONTENT)), tmp_path, waits=waits)
    assert 7 < waits.seconds[0] <= 10


def test_nobody_waits_for_an_hour(tmp_path: Path) -> None:
    with pytest.raises(BusyError) as caught:
        fetch(status(429, Retry_After="3600"), tmp_path)
    assert requests_of(caught) == "1 requests"


def test_a_web_page_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HashMismatchError, match="it is a web page") as caught:
        fetch(body(b"<!DOCTYPE html><html>Please log in", content_type="text/html"), tmp_path)
    assert requests_of(caught) == "1 requests"
    assert caught.value.exit_code == 7
    assert left_in(tmp_path) == []


def test_other_bytes_of_the_same_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HashMismatchError, match="the sha256 is") as caught:
        fetch(body(CONTENT[:-1] + b"x"), tmp_path)
    assert requests_of(caught) == "1 requests"
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(("content", "said"), [(CONTENT + b"x", "more than the"), (CONTENT[:-1], "only")])
def test_another_length_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(HashMismatchError, match=said) as caught:
        fetch(body(content), tmp_path)
    assert requests_of(caught) == "1 requests"
    assert left_in(tmp_path) == []


def test_an_endless_file_is_cut_off(tmp_path: Path) -> None:
    sent = [0]

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            sent[0] += handler.wfile.write(CONTENT)

    with pytest.raises(HashMismatchError, match="more than the 4"):
        fetch(endless, tmp_path, expected=Expected("0" * 64, 4))
    assert sent[0] < 100 * len(CONTENT)  # what the sockets' buffers take


@pytest.mark.parametrize("broken", [truncated(CONTENT, 70_000), reset(CONTENT, 70_000), reset(CONTENT, 0)])
def test_a_connection_that_breaks_is_tried_again(tmp_path: Path, broken: Answer) -> None:
    target, server = fetch(in_turn(broken, broken, body(CONTENT)), tmp_path)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 3


@pytest.mark.parametrize("broken", [truncated(CONTENT, 70_000), reset(CONTENT, 70_000)])
def test_a_connection_that_always_breaks_ends(tmp_path: Path, broken: Answer) -> None:
    with pytest.raises(NetworkError) as caught:
        fetch(broken, tmp_path)
    assert requests_of(caught) == "4 requests"
    assert left_in(tmp_path) == ["file.tar.gz.part"]


FAULTS: dict[str, Answer] = {
    "404": status(404),
    "a web page": body(b"<html>Please log in", content_type="text/html"),
    "503 for ever": status(503),
    "reset mid-body": reset(CONTENT, 70_000),
    "truncated": truncated(CONTENT, 70_000),
    "slow": dripping(CONTENT, pause=0.05),
    "redirect loop": status(302, Location="/f/six-1.0.tar.gz"),
    "wrong hash": body(CONTENT[:-1] + b"x"),
    "too short": body(CONTENT[:-1]),
    "too long": body(CONTENT + b"x"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_leaves_anything_in_the_store_or_under_the_files_name(tmp_path: Path, fault: str) -> None:
    store = MemoryStore()
    locked = IndexFile.model_validate({"distribution": "six", "version": "1.0", "filename": "six-1.0.tar.gz", **FACTS})
    page = {"files": [{"filename": locked.filename, "url": f"/f/{locked.filename}", "hashes": {}}]}
    answers = {
        "simple/six/": body(json.dumps(page).encode(), content_type=JSON_TYPE),
        f"f/{locked.filename}": FAULTS[fault],
    }
    with serving(**answers) as server:
        downloader = Downloader(HttpSettings(), policy=RetryPolicy(sleep=Waits()), time_limit=0.4)
        index = PackageIndex(IndexConfiguration((f"{server.url}/simple",)), downloader)
        upstream = MachineUpstream(Outside(tmp_path, Origins(index=index)))
        fetcher = SourceFetcher(tmp_path / "sources", InternedSources(store), upstream)
        with pytest.raises((NetworkError, HashMismatchError)):
            fetcher.fetch(locked)
    assert store.packages() == ()
    assert [path for path in tmp_path.rglob("*") if path.name == locked.filename] == []


def test_a_host_that_drips_hits_the_time_limit(tmp_path: Path) -> None:
    target = tmp_path / "file"
    begun = time.monotonic()
    with serving(file=dripping(CONTENT, pause=0.05)) as server:
        downloader = Downloader(HttpSettings(), time_limit=0.4)
        with pytest.raises(TooSlowError, match="too slowly"):
            downloader.download(f"{server.url}/file", target, EXPECTED)
    assert len(server.requests) == 1
    assert time.monotonic() - begun < 10
    assert left_in(tmp_path) == ["file.part"]


def test_a_silent_host_hits_the_read_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        downloader = Downloader(HttpSettings(read_timeout=0.2), policy=RetryPolicy(attempts=1))
        with pytest.raises(NetworkError, match="does not answer in time"):
            downloader.download(f"http://127.0.0.1:{silent.getsockname()[1]}/f", tmp_path / "file", EXPECTED)


def test_a_closed_port_is_tried_again_and_then_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    waits = Waits()
    with pytest.raises(NetworkError, match="refuses the connection"):
        Downloader(HttpSettings(), policy=RetryPolicy(sleep=waits)).download(
            f"http://127.0.0.1:{port}/f", tmp_path / "file", EXPECTED
        )
    assert len(waits.seconds) == 3


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with serving(a=status(302, Location="/b"), b=body(CONTENT)) as server:
        Downloader(HttpSettings()).download(f"{server.url}/a", tmp_path / "file", EXPECTED)
    assert server.requests == ["/a", "/b"]


def test_a_redirect_loop_ends(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="redirects in a loop") as caught:
        fetch(status(302, Location="/file"), tmp_path)
    assert requests_of(caught) == "11 requests"
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "file:///etc/hostname", "nonsense", "http://"])
def test_what_is_no_http_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(RefusedError):
        Downloader(HttpSettings()).download(url, tmp_path / "file", EXPECTED)


def test_a_password_in_the_address_is_used_and_never_told(tmp_path: Path) -> None:
    downloader = Downloader(HttpSettings())
    with serving() as server, pytest.raises(RefusedError) as caught:
        downloader.download(server.url.replace("//", "//me:secret@") + "/none", tmp_path / "file", EXPECTED)
    assert "secret" not in str(caught.value)
    assert server.headers[0]["Authorization"].startswith("Basic ")


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with serving(file=body(CONTENT)) as server, pytest.raises(NoSpaceError):
        Downloader(HttpSettings()).download(f"{server.url}/file", tmp_path / "file", EXPECTED)
    assert not list(tmp_path.iterdir())
    assert len(server.requests) == 1


def test_the_time_limit_grows_with_the_size() -> None:
    assert time_limit(0) == 60
    assert time_limit(8 * 1024 * 1000) == 1060
