"""The simple repository API's page of one project: JSON (PEP 691, PEP 700) or HTML (PEP 503, PEP 592)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Annotated
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

from pydantic import BaseModel, Field, ValidationError

from dockerbuild_lib.catalog.base import SHA256_PATTERN
from dockerbuild_lib.core.errors import NetworkError
from dockerbuild_lib.core.http import RefusedError, redacted

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True)
class IndexEntry:
    """One file of a project; what the index does not tell is None."""

    filename: str
    url: str
    sha256: str | None
    size: int | None
    yanked: str | None = None
    """Why its authors took it back (PEP 592), empty where they do not say; None: they did not."""
    uploaded: datetime | None = None


class _Hashes(BaseModel):
    sha256: Annotated[str, Field(pattern=SHA256_PATTERN)] | None = None


class _File(BaseModel):
    filename: str
    url: str
    hashes: _Hashes
    size: int | None = None
    yanked: bool | str = False
    uploaded: Annotated[datetime | None, Field(alias="upload-time")] = None

    def entry(self, page: str) -> IndexEntry:
        """Return it with the address that it has on the page at *page*."""
        # An empty reason for yanking still yanks (PEP 592).
        yanked = self.yanked if isinstance(self.yanked, str) else "" if self.yanked else None
        url = _file_url(page, self.url)
        return IndexEntry(self.filename, url, self.hashes.sha256, self.size, yanked, _in_utc(self.uploaded))


def _in_utc(time: datetime | None) -> datetime | None:
    """Return *time* as one with a time zone: UTC, which PEP 700 asks for, where it has none."""
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


class _Page(BaseModel):
    files: tuple[_File, ...]


def parse_page(url: str, content_type: str, body: bytes) -> tuple[IndexEntry, ...]:
    """Return the files of the page *body*, which was found at *url*.

    Raises:
        NetworkError: it is no page of a package index.

    """
    if content_type.endswith(("+json", "/json")):
        return _parse_json(url, body)
    return _parse_html(url, body)


def _parse_json(url: str, body: bytes) -> tuple[IndexEntry, ...]:
    try:
        page = _Page.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise _not_an_index(url, f"{at}: {first['msg']}") from error
    return tuple(file.entry(url) for file in page.files)


class _Links(HTMLParser):
    """Collects the links of a page, and the base that they stand on."""

    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.links: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "base" and self.base is None:
            self.base = attributes.get("href")
        elif tag == "a" and attributes.get("href"):
            self.links.append(attributes)


def _parse_html(url: str, body: bytes) -> tuple[IndexEntry, ...]:
    parser = _Links()
    parser.feed(body.decode("utf-8", errors="replace"))
    parser.close()
    base = urljoin(url, parser.base) if parser.base else url
    return tuple(_html_entry(base, link) for link in parser.links)


def _html_entry(base: str, link: dict[str, str]) -> IndexEntry:
    try:
        address, fragment = urldefrag(_file_url(base, link["href"]))
        filename = unquote(urlsplit(address).path.rpartition("/")[2])
    except ValueError as error:
        raise _not_an_index(base, str(error)) from error
    algorithm, _, digest = fragment.partition("&")[0].partition("=")
    sha256 = digest if algorithm == "sha256" and len(digest) == 64 else None  # noqa: PLR2004  # hexadecimal digits of a sha256
    return IndexEntry(filename, address, sha256, None, link.get("data-yanked"))


def _file_url(page: str, url: str) -> str:
    """Return the file's absolute URL, with the page's credentials where it is on the same host."""
    try:
        absolute = urlsplit(urljoin(page, url))
        credentials, at, host = urlsplit(page).netloc.rpartition("@")
    except ValueError as error:
        raise _not_an_index(page, str(error)) from error
    if at and absolute.netloc == host:
        return urlunsplit(absolute._replace(netloc=f"{credentials}@{host}"))
    return urlunsplit(absolute)


def _not_an_index(url: str, why: str) -> NetworkError:
    return RefusedError(
        f"this is no page of a package index ({why})", where=redacted(url), fix="check pip's index-url on this machine"
    )
