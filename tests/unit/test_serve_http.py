"""The served store over plain HTTP: the index, package files, the pages for people, and what hostile clients try."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.protocol import Metadata, Pin, Publication
from dockerbuild_lib.store.serve.simple_endpoint import HTML, V1_HTML, V1_JSON, accepted
from tests.support.store_samples import PACKAGE, package_file, publication, wheel_file
from tests.support.store_server import RunningServer, serving_store

WHEEL = "markupsafe-3.0.4-py3-none-any.whl"
SECONDS = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve a store that has one wheel, published with its package."""
    folder = tmp_path_factory.mktemp("served")
    with LocalStore(folder / "store") as store:
        wheel = wheel_file(folder / "w")
        store.publish(Publication(PACKAGE, package_file(folder), (), "version:3.0.4", wheel))
    with serving_store(folder / "store") as running:
        yield running


@pytest.fixture
def published(server: RunningServer) -> Pin:
    with LocalStore(server.folder) as store:
        return store.resolve(PACKAGE, "latest")


def get(server: RunningServer, path: str, accept: str | None = None, **headers: str) -> requests.Response:
    sent = {"Accept": accept, **headers} if accept else headers
    return requests.get(server.url + path, headers=sent, timeout=SECONDS)


PIP = f"{V1_JSON}, {V1_HTML}; q=0.1, text/html; q=0.01"
UV = f"{V1_JSON}, {V1_HTML};q=0.2, text/html;q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "content_type"),
    [
        (PIP, V1_JSON),
        (UV, V1_JSON),
        (BROWSER, HTML),
        ("*/*", HTML),
        ("text/*", HTML),
        ("application/*", V1_JSON),
        ("text/html", HTML),
        (f"{V1_HTML}, text/html", V1_HTML),
        (f"text/html, {V1_HTML};q=0.9", HTML),
        ("application/vnd.pypi.simple.latest+json", V1_JSON),
        ("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", V1_JSON),
        (f"{V1_JSON};q=0, text/html;q=0.1", HTML),
        ("application/pdf", None),
        ("text/html;q=0", None),
        ("text/html;q=nonsense", None),
        (",;,", None),
    ],
)
def test_the_best_answer_is_found(header: str, content_type: str | None) -> None:
    assert accepted(header) == content_type


@given(st.text(max_size=60))
def test_any_header_has_an_answer(header: str) -> None:
    assert accepted(header) in {None, HTML, V1_HTML, V1_JSON}


@pytest.mark.parametrize("path", ["/simple/", "/simple/markupsafe/"])
def test_the_index_is_negotiated(path: str, server: RunningServer) -> None:
    for accept, content_type in ((PIP, V1_JSON), (V1_HTML, V1_HTML), (BROWSER, HTML)):
        page = get(server, path, accept)
        assert page.status_code == 200
        assert page.headers["Content-Type"].partition(";")[0] == content_type
        assert page.headers["Vary"] == "Accept"
        assert "markupsafe" in page.text.lower()
        assert page.text.startswith("{") == (content_type == V1_JSON)
    assert get(server, path, "application/pdf").status_code == 406


@pytest.mark.parametrize("path", ["/simple", "/simple/markupsafe", "/simple/MarkupSafe/", "/simple/markup_safe/"])
def test_other_spellings_lead_to_the_page(path: str, server: RunningServer) -> None:
    first = requests.get(server.url + path, timeout=SECONDS, allow_redirects=False)
    assert first.status_code in (301, 307)
    assert get(server, path.replace("markup_safe", "markupSAFE")).status_code == 200


def test_wheels_are_served_whole_and_in_parts(server: RunningServer) -> None:
    content = (server.folder / "simple" / "markupsafe" / WHEEL).read_bytes()
    whole = get(server, f"/simple/markupsafe/{WHEEL}")
    assert whole.content == content
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = get(server, f"/simple/markupsafe/{WHEEL}", Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    assert get(server, f"/simple/markupsafe/{WHEEL}", Range="bytes=99999999-").status_code == 416
    head = requests.head(f"{server.url}/simple/markupsafe/{WHEEL}", timeout=SECONDS)
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(content)))


def test_metadata_and_the_files_of_the_index_are_served(server: RunningServer) -> None:
    metadata = get(server, f"/simple/markupsafe/{WHEEL}.metadata")
    assert metadata.text.startswith("Metadata-Version: 2.1\nName: markupsafe\n")
    assert metadata.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert get(server, "/simple/markupsafe/index.json", BROWSER).headers["Content-Type"] == V1_JSON


@pytest.mark.parametrize(
    "path",
    [
        "/simple/..%2Findex.sqlite",
        "/simple/../index.sqlite",
        "/simple/markupsafe/../../index.sqlite",
        "/simple/markupsafe/..%2F..%2Findex.sqlite",
        "/simple/markupsafe/%2E%2E",
        "/simple/%2E%2E/index.sqlite",
        "/simple/./index.html",
        "/simple/markupsafe/.hidden",
        "/simple/markupsafe/%00",
        "/simple/markupsafe/..%5C..%5Cindex.sqlite",
        "/simple//etc/passwd",
        "/simple/markupsafe/" + "a" * 300,
        "/simple/markupsafe/other.whl",
        "/simple/other/",
        "/upload/../index.sqlite",
        "/style.css/../../index.sqlite",
        "/index.sqlite",
        "/instances/",
        "/uploads/",
        "/dl/../../index.sqlite",
        "/dl/..%2F/+/..%2Findex.sqlite",
        "/p/../index.sqlite",
    ],
)
def test_nothing_else_is_reached(path: str, server: RunningServer) -> None:
    (server.folder / "simple" / "markupsafe" / ".hidden").write_text("hidden")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:  # no library tidies up the path
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"301"), answer
    assert b"SQLite" not in answer
    assert b"hidden" not in answer.partition(b"\r\n\r\n")[2]
    assert server.said == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
@pytest.mark.parametrize("path", ["/", "/simple/", "/p/infra/", "/style.css", f"/simple/markupsafe/{WHEEL}"])
def test_pages_are_for_reading(method: str, path: str, server: RunningServer) -> None:
    assert requests.request(method, server.url + path, timeout=SECONDS).status_code == 405
    assert get(server, "/prpc/cipd.Repository/ListPrefix").status_code == 405
    assert get(server, "/upload/x").status_code == 405


def test_package_files_are_fetched_by_version(server: RunningServer, published: Pin) -> None:
    content = (server.folder / "instances" / published.instance_id).read_bytes()
    for version in ("latest", "version:3.0.4", published.instance_id):
        answer = get(server, f"/dl/{PACKAGE}/+/{version}")
        assert answer.content == content
        assert answer.headers["ETag"] == f'"{published.instance_id}"'
        assert answer.headers["Content-Disposition"] == 'attachment; filename="linux-arm64_cp311_cp311.cipd"'
    assert get(server, f"/dl/{PACKAGE}/+/latest", Range="bytes=0-3").content == b"PK\x03\x04"
    for path, status in ((f"{PACKAGE}/+/none", 404), ("other/+/latest", 404), (f"{PACKAGE}/+/", 400), (PACKAGE, 400)):
        assert get(server, f"/dl/{path}").status_code == status


def test_people_find_packages_instances_tags_and_refs(server: RunningServer, published: Pin) -> None:
    assert '<a href="/p/infra/">infra/</a>' in get(server, "/").text
    assert f'<a href="/p/{PACKAGE}">{PACKAGE}</a>' in get(server, f"/p/{PACKAGE.rpartition('/')[0]}/").text
    package = get(server, f"/p/{PACKAGE}").text
    for text in (published.instance_id, "<code>version:3.0.4</code>", "<code>latest</code>", "user:"):
        assert text in package
    instance = get(server, f"/p/{PACKAGE}/+/latest")
    assert f"/dl/{PACKAGE}/+/{published.instance_id}" in instance.text
    assert instance.headers["Content-Type"] == "text/html; charset=utf-8"
    assert get(server, "/p/none/").text.count("Nothing is here") == 1
    for path, status in (("none", 404), (f"{PACKAGE}/+/none", 404), (f"{PACKAGE}/+/Bad Version", 400), ("Bad//", 400)):
        assert get(server, f"/p/{path}").status_code == status
    assert get(server, "/style.css").headers["Content-Type"].startswith("text/css")


def test_names_are_escaped_on_pages(server: RunningServer, tmp_path: Path) -> None:
    hostile = "k:<script>alert(1)</script>$()*+,=@\\_{}~"
    with LocalStore(server.folder, who="user:<b>me</b>@host") as store:
        pin = store.publish(publication(tmp_path, "9", "z", hostile, package="own/p")).pin
        store.attach_metadata(pin, [Metadata("note", b"<script>", "text/html")])
    for path in ("/p/own/p", "/p/own/p/+/latest", "/p/<script>alert(1)</script>", f"/p/own/p/+/{hostile}"):
        page = get(server, path).text
        assert "<script" not in page
        assert "<b>" not in page
        assert "&lt;script&gt;" in page or "note" in page
    assert "default-src 'none'" in get(server, "/p/own/p").headers["Content-Security-Policy"]
    assert get(server, "/p/own/p").headers["X-Content-Type-Options"] == "nosniff"


def test_a_store_that_cannot_be_read_is_told_to_its_operator_and_not_to_others(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"no index" * 1000)
    with serving_store(tmp_path) as server:
        for path in (f"/p/{PACKAGE}", f"/dl/{PACKAGE}/+/latest"):
            page = get(server, path)
            assert page.status_code == 500
            assert str(tmp_path) not in page.text
            assert str(tmp_path) in server.said.pop()
