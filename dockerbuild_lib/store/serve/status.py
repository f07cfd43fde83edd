"""Errors as gRPC status codes, the way the ``cipd`` client must see them.

The client tries the codes UNKNOWN, INTERNAL and UNAVAILABLE again for 17 minutes, and FAILED_PRECONDITION of a tag,
ref or metadata for three. So no error of ours has one of the former, and a writing call never the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    NoSpaceError,
    NotInStoreError,
    StoreAmbiguousError,
    StoreDamagedError,
    UsageError,
    VersionConflictError,
)


class Code(IntEnum):
    """The codes that are used here (google.rpc.Code)."""

    OK = 0
    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    UNIMPLEMENTED = 12
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


HTTP_STATUS: Mapping[Code, int] = {
    Code.OK: 200,
    Code.INVALID_ARGUMENT: 400,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.UNIMPLEMENTED: 501,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}

_CODES: tuple[tuple[type[DockerbuildError], Code], ...] = (
    (UsageError, Code.INVALID_ARGUMENT),
    (NotInStoreError, Code.NOT_FOUND),
    (StoreAmbiguousError, Code.FAILED_PRECONDITION),
    (VersionConflictError, Code.ALREADY_EXISTS),
    (NoSpaceError, Code.RESOURCE_EXHAUSTED),
    (StoreDamagedError, Code.DATA_LOSS),
)


class RpcError(Exception):
    """A call ends with *code* and *message*."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The HTTP status that goes with the code."""
        return HTTP_STATUS[self.code]


def told(error: DockerbuildError, say: Callable[[str], None]) -> RpcError:
    """Return how a client is told of *error*: what is wrong, without the server's paths and without its remedies.

    The server's operator hears the whole, from *say*, when the client can do nothing about it.
    """
    code = next((code for kind, code in _CODES if isinstance(error, kind)), Code.ABORTED)
    if code in (Code.ABORTED, Code.DATA_LOSS, Code.RESOURCE_EXHAUSTED):
        say(str(error))
    return RpcError(code, f"{error.what}; {error.fix}" if isinstance(error, UsageError) and error.fix else error.what)
