"""Pages for people: what the store holds. They only read, and every name on them is escaped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.store.protocol import Store
from dockerbuild_lib.store.serve.status import told

_TEMPLATES = Path(__file__).parent / "templates"


class Browser:
    """Shows prefixes, packages and instances."""

    def __init__(self, store: Store, say: Callable[[str], None]) -> None:
        self._store = store
        self._say = say
        self._pages = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._pages.filters |= {"time": _time, "path": quote}

    def show(self, request: Request) -> Response:
        """Answer with a prefix (``a/b/``), a package (``a/b/c``) or an instance (``a/b/c/+/<version>``)."""
        path = request.path_params.get("path", "")
        package, instance, version = path.partition("/+/")
        try:
            if instance:
                return self._instance(package, version)
            return self._package(package) if package and not package.endswith("/") else self._prefix(package)
        except DockerbuildError as error:
            refusal = told(error, self._say)
            return self._page("error.html", refusal.http_status, path=path, message=refusal.message)

    def style(self, _request: Request) -> Response:
        """Answer with the style sheet of all pages."""
        return FileResponse(_TEMPLATES / "style.css", media_type="text/css")

    def _prefix(self, prefix: str) -> Response:
        return self._page("prefix.html", path=prefix, listing=self._store.listing(prefix))

    def _package(self, package: str) -> Response:
        instances = self._store.instances(package)
        refs: dict[str, list[str]] = {}
        for ref in self._store.refs(package):
            refs.setdefault(ref.instance_id, []).append(ref.ref)
        tags = self._store.tags_of(instance.pin for instance in instances)
        return self._page("package.html", path=package, instances=instances, refs=refs, tags=tags)

    def _instance(self, package: str, version: str) -> Response:
        return self._page("instance.html", path=package, found=self._store.describe(package, version))

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401  # a template's
        return HTMLResponse(self._pages.get_template(template).render(values), status)


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
