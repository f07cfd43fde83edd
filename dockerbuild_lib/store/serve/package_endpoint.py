"""Package files by version: for the ``cipd`` client, which is sent here, and for ``curl``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.store.protocol import Pin, Store
from dockerbuild_lib.store.serve.status import told


class PackageEndpoint:
    """Answers ``/dl/<package>/+/<version>``, as CIPD's service does. An ASGI application."""

    def __init__(self, store: Store, say: Callable[[str], None]) -> None:
        self._store = store
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the package file; whoever gets it compares it with the instance id."""
        package, _, version = Request(scope).path_params["path"].partition("/+/")
        with ExitStack() as stack:
            try:
                pin = await run_in_threadpool(self._store.resolve, package, version)
                path = await run_in_threadpool(stack.enter_context, self._store.opened(pin))
            except DockerbuildError as error:
                refusal = told(error, self._say)
                await PlainTextResponse(refusal.message, refusal.http_status)(scope, receive, send)
                return
            response = FileResponse(path, media_type="application/octet-stream", filename=_file_name(pin))
            response.headers["ETag"] = f'"{pin.instance_id}"'
            await response(scope, receive, send)


def _file_name(pin: Pin) -> str:
    return f"{pin.package.rpartition('/')[2]}.cipd"
