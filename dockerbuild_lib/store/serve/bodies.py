"""Reading what a client sends, with bounds on bytes and time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

SECONDS = 60.0
"""For the next bytes of a body to arrive, or the whole of a short one."""


class BodyTooLongError(Exception):
    """The body has more bytes than are taken."""


class BodyTooSlowError(Exception):
    """The body did not arrive in time."""


class Body:
    """The body of a request, which can be read once."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream()

    async def next(self) -> bytes:
        """Return the next bytes, none at the end."""
        try:
            async with asyncio.timeout(SECONDS):
                return await anext(self._stream, b"")
        except TimeoutError:
            raise BodyTooSlowError from None

    async def whole(self, limit: int) -> bytes:
        """Return all of it, at most *limit* bytes.

        A longer one is read to its end all the same: whoever is interrupted in sending may not hear the answer.
        """
        received, length = bytearray(), 0
        try:
            async with asyncio.timeout(SECONDS):
                while chunk := await self.next():
                    length += len(chunk)
                    if length <= limit:
                        received += chunk
        except TimeoutError:
            raise BodyTooSlowError from None
        if length > limit:
            raise BodyTooLongError
        return bytes(received)

    async def drain(self) -> None:
        """Read what is left of it, and forget it."""
        with suppress(BodyTooLongError, BodyTooSlowError, ClientDisconnect):
            await self.whole(0)
