"""The whole server as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.serve.access import Access
from dockerbuild_lib.store.serve.browse import Browser
from dockerbuild_lib.store.serve.methods import methods_of
from dockerbuild_lib.store.serve.package_endpoint import PackageEndpoint
from dockerbuild_lib.store.serve.prpc import Prpc
from dockerbuild_lib.store.serve.reading import Reading
from dockerbuild_lib.store.serve.simple_endpoint import SimpleEndpoint
from dockerbuild_lib.store.serve.upload_endpoint import UploadEndpoint
from dockerbuild_lib.store.serve.uploads import Uploads
from dockerbuild_lib.store.serve.writing import Writing

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def application(store: LocalStore, uploads: Uploads, access: Access, say: Callable[[str], None]) -> ASGIApp:
    """Return the server of *store*; *say* tells its operator what is changed and what fails."""
    prpc = Prpc(methods_of(Reading(store), Writing(store, uploads, say)), access, say)
    simple = SimpleEndpoint(store.simple_index.folder)
    browser = Browser(store, say)
    routes = [
        Route("/prpc/{service}/{method}", prpc.answer, methods=["POST"]),
        Route("/upload/{operation}", UploadEndpoint(uploads, say).put, methods=["PUT"]),
        Route("/dl/{path:path}", PackageEndpoint(store, say), methods=["GET"]),
        Route("/simple/", simple.projects),
        Route("/simple/{project}/", simple.project),
        Route("/simple/{project}/{file}", simple.file),
        Route("/", browser.show),
        Route("/p/{path:path}", browser.show),
        Route("/style.css", browser.style),
    ]
    return _Guarded(Starlette(routes=routes), say)


@dataclass(frozen=True)
class _Guarded:
    """Adds the headers of every answer, and lets no exception reach the server below: it was answered already."""

    inner: ASGIApp
    say: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            await self.inner(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001  # whatever it is, the server goes on
            self.say(f"unexpected {type(error).__name__}: {error}")
