"""pRPC: one POST per call, protocol buffers in binary, the gRPC status in a header (luci-go, ``grpc/prpc``)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.store.serve.access import Access
from dockerbuild_lib.store.serve.bodies import Body, BodyTooLongError, BodyTooSlowError
from dockerbuild_lib.store.serve.methods import Methods
from dockerbuild_lib.store.serve.reading import Call
from dockerbuild_lib.store.serve.status import Code, RpcError, told
from dockerbuild_lib.store.serve.wire import encode

BINARY = "application/prpc; encoding=binary"
MAX_QUESTION = 64 << 10
"""Bytes of a call that anybody may make."""
MAX_CHANGE = 16 << 20
"""Bytes of a call that writes: metadata has up to 512 KiB each."""

_SPOKEN = frozenset(("", "*/*", "application/prpc", BINARY.replace(" ", "")))


class Prpc:
    """The endpoint of all calls; *say* tells the server's operator what went wrong on this side."""

    def __init__(self, methods: Methods, access: Access, say: Callable[[str], None]) -> None:
        self._methods = methods
        self._access = access
        self._say = say

    async def answer(self, request: Request) -> Response:
        """Carry out a call, and answer it whatever happens: what bears no status is tried again for ever."""
        name = f"{request.path_params['service']}.{request.path_params['method']}"
        try:
            return Response(await self._answer(request, name), media_type=BINARY, headers=_status_header(Code.OK))
        except ClientDisconnect:
            return Response()  # nobody reads it
        except RpcError as error:
            return _failed(error)
        except DockerbuildError as error:
            return _failed(told(error, self._say))
        except Exception as error:  # noqa: BLE001  # a bug of ours must not make clients wait for hours
            self._say(f"{name!r}: unexpected {type(error).__name__}: {error}")
            return _failed(RpcError(Code.ABORTED, "an unexpected error of the server, which its log tells"))

    async def _answer(self, request: Request, name: str) -> bytes:
        method = self._methods.get(name)
        authorization = request.headers.get("authorization")
        may_write = self._access.may_write(authorization)
        body = await _body(request, MAX_CHANGE if may_write else MAX_QUESTION)
        if method is None:
            raise RpcError(Code.UNIMPLEMENTED, f"this server has no {name}")
        if method.writes:
            self._access.check_may_write(authorization)
        if body is None:
            raise RpcError(Code.INVALID_ARGUMENT, "the request is too long")
        _check_format(request)
        call = Call(str(request.base_url).rstrip("/"), may_write)
        return encode(await run_in_threadpool(method, body, call))


def _failed(error: RpcError) -> Response:
    return PlainTextResponse(error.message, error.http_status, _status_header(error.code))


def _status_header(code: Code) -> dict[str, str]:
    return {"X-Prpc-Grpc-Code": str(int(code))}


def _check_format(request: Request) -> None:
    """Refuse other encodings than the one that the client uses."""
    for header in ("content-type", "accept"):
        kind = request.headers.get(header, "")
        if kind.replace(" ", "").lower() not in _SPOKEN:
            raise RpcError(Code.INVALID_ARGUMENT, f"{header} {kind!r} is not spoken here, only {BINARY!r}")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RpcError(Code.INVALID_ARGUMENT, "compressed requests are not taken")


async def _body(request: Request, limit: int) -> bytes | None:
    """Return the whole body, None when it is longer than *limit* bytes."""
    try:
        return await Body(request).whole(limit)
    except BodyTooLongError:
        return None
    except BodyTooSlowError:
        raise RpcError(Code.ABORTED, "the request took too long to arrive") from None
