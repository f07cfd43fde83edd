"""Pages of package indexes, as JSON and as HTML."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import NetworkError
from dockerbuild_lib.sources.index_page import JSON_TYPE, IndexEntry, parse_page

PAGE = "https://index.example/root/simple/six/"
SHA256 = "ab" * 32


def json_page(**file: object) -> bytes:
    base = {"filename": "six-1.0.tar.gz", "url": "six-1.0.tar.gz", "hashes": {"sha256": SHA256}}
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "six", "files": [{**base, **file}]}).encode()


def html_page(links: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{links}</body></html>".encode()


def only(content_type: str, body: bytes, page: str = PAGE) -> IndexEntry:
    (entry,) = parse_page(page, content_type, body)
    return entry


def test_json_tells_everything() -> None:
    told = {"size": 7, "yanked": False, "upload-time": "2026-01-02T03:04:05.678901Z"}
    entry = only(JSON_TYPE, json_page(url="https://files.example/a/six-1.0.tar.gz", **told))
    uploaded = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert entry == IndexEntry("six-1.0.tar.gz", "https://files.example/a/six-1.0.tar.gz", SHA256, 7, None, uploaded)


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"])
def test_times_of_uploads_have_a_time_zone(text: str) -> None:
    assert only(JSON_TYPE, json_page(**{"upload-time": text})).uploaded == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_time_of_an_upload_that_is_none_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"files\.0\.upload-time"):
        only(JSON_TYPE, json_page(**{"upload-time": "yesterday"}))


def test_json_may_leave_size_and_hash_out() -> None:
    entry = only(JSON_TYPE, json_page(hashes={"md5": "x"}))
    assert (entry.sha256, entry.size) == (None, None)


@pytest.mark.parametrize(("yanked", "expected"), [(False, None), (True, ""), ("broken", "broken"), ("", "")])
def test_json_yanked(yanked: object, expected: object) -> None:
    assert only(JSON_TYPE, json_page(yanked=yanked)).yanked == expected


def test_html_tells_name_and_hash() -> None:
    body = html_page(f'<a href="https://f.example/six-1.0%2Blocal.tar.gz#sha256={SHA256}">six</a>')
    assert only("text/html", body) == IndexEntry(
        "six-1.0+local.tar.gz", "https://f.example/six-1.0%2Blocal.tar.gz", SHA256, None
    )


@pytest.mark.parametrize("fragment", ["", "#md5=abc", "#sha256=short", "#egg=six"])
def test_html_without_a_sha256(fragment: str) -> None:
    assert only("text/html", html_page(f'<a href="six-1.0.tar.gz{fragment}">six</a>')).sha256 is None


@pytest.mark.parametrize(
    ("attribute", "expected"), [("", None), ("data-yanked", ""), ('data-yanked="broken"', "broken")]
)
def test_html_yanked_by_an_attribute(attribute: str, expected: str | None) -> None:
    entry = only("text/html", html_page(f'<a {attribute} href="six-1.0.tar.gz">six</a>'))
    assert (entry.yanked, entry.uploaded) == (expected, None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("six-1.0.tar.gz", f"{PAGE}six-1.0.tar.gz"),
        ("../../files/six-1.0.tar.gz", "https://index.example/root/files/six-1.0.tar.gz"),
        ("/files/six-1.0.tar.gz", "https://index.example/files/six-1.0.tar.gz"),
        ("//cdn.example/six-1.0.tar.gz", "https://cdn.example/six-1.0.tar.gz"),
    ],
)
def test_relative_addresses_stand_on_the_page(url: str, expected: str) -> None:
    assert only(JSON_TYPE, json_page(url=url)).url == expected
    assert only("text/html", html_page(f'<a href="{url}">six</a>')).url == expected


def test_html_base_moves_relative_addresses() -> None:
    body = html_page('<a href="six-1.0.tar.gz">six</a>', head='<base href="/elsewhere/">')
    assert only("text/html", body).url == "https://index.example/elsewhere/six-1.0.tar.gz"


def test_credentials_go_to_the_same_host_only() -> None:
    page = "https://me:secret@index.example/simple/six/"
    assert only(JSON_TYPE, json_page(), page).url == "https://me:secret@index.example/simple/six/six-1.0.tar.gz"
    same = only(JSON_TYPE, json_page(url="https://index.example/f/six-1.0.tar.gz"), page)
    assert same.url == "https://me:secret@index.example/f/six-1.0.tar.gz"
    other = only(JSON_TYPE, json_page(url="https://files.example/f/six-1.0.tar.gz"), page)
    assert other.url == "https://files.example/f/six-1.0.tar.gz"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"files": 3}', b'{"files": [{}]}', b"\xff", b"{"])
def test_what_is_no_page_is_refused_with_its_address(body: bytes) -> None:
    with pytest.raises(NetworkError, match=r"index\.example.*no page of a package index"):
        parse_page(PAGE, JSON_TYPE, body)


def test_a_page_without_links_has_no_files() -> None:
    assert parse_page(PAGE, "text/html", html_page("<p>nothing</p>")) == ()


@given(st.binary(max_size=300), st.sampled_from([JSON_TYPE, "text/html", ""]))
def test_any_bytes_are_a_page_or_refused(body: bytes, content_type: str) -> None:
    try:
        entries = parse_page(PAGE, content_type, body)
    except NetworkError:
        return
    assert all(urlsplit(entry.url).scheme for entry in entries)


@given(st.text(max_size=60))
def test_any_link_is_an_entry_or_refused(href: str) -> None:
    body = json_page(url=href)
    try:
        parse_page(PAGE, JSON_TYPE, body)
        parse_page(PAGE, "text/html", html_page(f'<a href="{href}">x</a>'))
    except NetworkError:
        return
