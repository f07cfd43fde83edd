"""Where package files are uploaded: Google Storage's resumable uploads, as far as the ``cipd`` client uses them.

A PUT brings the next bytes (``Content-Range: bytes 0-4194303/9000000``); 308 means that more are expected, 200 that
all are there. After a cut the client asks how far it came (``Content-Range: bytes */9000000``): the answer is 308
with ``Range: bytes=0-N``. The 308 never bears a Location, which would make it a redirect. The client tries 5xx again
for 40 seconds, and gives up at once on 4xx.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from dockerbuild_lib.core.errors import DockerbuildError, NoSpaceError
from dockerbuild_lib.store.serve.bodies import Body, BodyTooSlowError
from dockerbuild_lib.store.serve.status import told
from dockerbuild_lib.store.serve.uploads import MAX_PACKAGE, Uploads

_RANGE = re.compile(r"bytes (?:(?P<start>[0-9]{1,18})-(?P<end>[0-9]{1,18})|\*)/(?P<total>[0-9]{1,18})")


@dataclass(frozen=True)
class ContentRange:
    """Bytes *start* to *end* (exclusive) of *total*; no bytes: the question how far the upload came."""

    start: int
    end: int
    total: int

    @property
    def is_question(self) -> bool:
        """Tell whether it brings nothing."""
        return self.start == self.end


class RefusedError(Exception):
    """A request for which there is nothing but an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response: Response = PlainTextResponse(message, status)


class UploadEndpoint:
    """Takes the bytes of uploads. The name of an upload is the permission to send them."""

    def __init__(self, uploads: Uploads, say: Callable[[str], None]) -> None:
        self._uploads = uploads
        self._say = say
        self._lock = asyncio.Lock()
        self._senders: dict[str, asyncio.Task[Any] | None] = {}
        """The one request of each upload that may add to it."""

    async def put(self, request: Request) -> Response:
        """Take the next bytes of an upload, or tell how far it came."""
        body = Body(request)
        try:
            return await self._take(request, body)
        except ClientDisconnect:
            return Response()  # nobody reads it
        except RefusedError as error:
            response = error.response
        except DockerbuildError as error:
            response = self._failed(error)
        await body.drain()  # else the client is interrupted in sending, and may not hear the answer
        return response

    def _failed(self, error: DockerbuildError) -> Response:
        refusal = told(error, self._say)
        return PlainTextResponse(refusal.message, 413 if isinstance(error, NoSpaceError) else refusal.http_status)

    async def _take(self, request: Request, body: Body) -> Response:
        operation = request.path_params["operation"]
        asked = content_range(request.headers.get("content-range", ""))
        task = asyncio.current_task()
        async with self._lock:
            received = await run_in_threadpool(self._uploads.received, operation)
            if earlier := self._senders.get(operation):
                earlier.cancel()  # its client has given it up, which a cut connection does not always tell
            self._senders[operation] = task
        try:
            if not asked.is_question:
                received = await self._append(body, operation, asked, received)
        finally:
            if self._senders.get(operation) is task:
                del self._senders[operation]
        if received == asked.total:
            return Response()
        return Response(status_code=308, headers={"Range": f"bytes=0-{received - 1}"} if received else {})

    async def _append(self, body: Body, operation: str, asked: ContentRange, received: int) -> int:
        """Add the body to what was received, and return how many bytes there are now."""
        if asked.start != received:
            raise RefusedError(503, f"{received} bytes have come so far")  # the client asks, and goes on from there
        while chunk := await _next(body):
            if received + len(chunk) > asked.end:
                raise RefusedError(400, "the body is longer than its Content-Range")
            async with self._lock:
                await run_in_threadpool(self._uploads.append, operation, chunk)
            received += len(chunk)
        if received != asked.end:
            raise RefusedError(503, "the body is shorter than its Content-Range")
        return received


def content_range(header: str) -> ContentRange:
    """Parse a Content-Range header (RFC 9110, 14.4); raises RefusedError for one that makes no sense."""
    found = _RANGE.fullmatch(header)
    if found is None:
        raise RefusedError(400, "a Content-Range is needed: bytes START-END/TOTAL")
    total = int(found["total"])
    start, end = (int(found["start"]), int(found["end"]) + 1) if found["start"] else (0, 0)
    if end > total or start > end or (found["start"] and start == end):
        raise RefusedError(400, "the Content-Range is of no bytes, or of more than there are")
    if total > MAX_PACKAGE:
        raise RefusedError(413, f"packages have at most {MAX_PACKAGE} bytes")
    return ContentRange(start, end, total)


async def _next(body: Body) -> bytes:
    try:
        return await body.next()
    except BodyTooSlowError:
        raise RefusedError(408, "the next bytes took too long to arrive") from None
