"""The simple index for pip and uv: the store's folder ``simple``, with content negotiation (PEP 503, 691, 658)."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import canonicalize_name
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

V1_JSON, V1_HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
HTML = "text/html"
_ANSWERS = {
    V1_JSON: V1_JSON,
    "application/vnd.pypi.simple.latest+json": V1_JSON,
    V1_HTML: V1_HTML,
    "application/vnd.pypi.simple.latest+html": V1_HTML,
    HTML: HTML,
    "application/*": V1_JSON,
    "text/*": HTML,
    "*/*": HTML,
}
"""What a client may accept -> the content type that it gets; the first of equals wins."""
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!-]{0,254}")
_CONTENT_TYPES = {".html": HTML, ".json": V1_JSON, ".metadata": "text/plain"}
_BINARY = "application/octet-stream"


class SimpleEndpoint:
    """The index in *folder*. Only what has the name of a project or a file is looked for there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def projects(self, request: Request) -> Response:
        """Answer with all projects."""
        return _page(self._folder, request)

    def project(self, request: Request) -> Response:
        """Answer with a project's files; a name that is not normalised is sent to the one that is."""
        name = request.path_params["project"]
        if name != canonicalize_name(name):
            return RedirectResponse(f"../{canonicalize_name(name)}/", 301)
        return _page(self._folder / _checked(name), request)

    def file(self, request: Request) -> Response:
        """Answer with a wheel, its metadata, or a page of the index as it is on disk."""
        path = self._folder / _checked(request.path_params["project"]) / _checked(request.path_params["file"])
        return _file(path, _CONTENT_TYPES.get(path.suffix, _BINARY))


def accepted(header: str) -> str | None:
    """Return the content type that suits an Accept header (RFC 9110, 12.5.1) best, None when none does."""
    wanted = {kind: quality for kind, quality in map(_media_range, header.split(",")) if quality > 0}
    ranked = sorted((kind for kind in _ANSWERS if kind in wanted), key=lambda kind: -wanted[kind])
    return _ANSWERS[ranked[0]] if ranked else None


def _media_range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip() for part in text.lower().split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return kind, float(quality)
    except ValueError:
        return kind, 0.0


def _page(folder: Path, request: Request) -> Response:
    answer = accepted(request.headers.get("accept") or "*/*")
    if answer is None:
        raise HTTPException(406, f"there is {V1_JSON}, {V1_HTML} and {HTML}")
    return _file(folder / ("index.json" if answer == V1_JSON else "index.html"), answer, {"Vary": "Accept"})


def _file(path: Path, content_type: str, headers: dict[str, str] | None = None) -> Response:
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=content_type, headers=headers, stat_result=path.stat())


def _checked(name: str) -> str:
    """Return *name* when it can be one of this folder: it leads nowhere else, and no temporary file has such a name."""
    if _FILE_NAME.fullmatch(name) is None:
        raise HTTPException(404)
    return name
