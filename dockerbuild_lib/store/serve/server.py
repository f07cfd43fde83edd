"""Running the server: its address, its end, and its log."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from uvicorn import Config, Server

from dockerbuild_lib.core.errors import PermissionDeniedError, UsageError
from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.serve.access import Access
from dockerbuild_lib.store.serve.app import application
from dockerbuild_lib.store.serve.patience import PatientProtocol
from dockerbuild_lib.store.serve.uploads import Uploads

CONNECTIONS = 512
"""At a time; whoever comes then is asked to come again."""
GRACE_SECONDS = 10
"""That requests have to end in, when the server is stopped."""

TIDY_SECONDS = 3600
"""Between two looks for uploads that were given up; the first is at the start."""

Say = Callable[[str], None]


@contextmanager
def listening(host: str, port: int, *, has_token: bool) -> Iterator[socket.socket]:
    """Yield a socket that listens at an address of this machine; port 0 takes any that is free.

    Raises:
        UsageError: the address is in use, none of this machine's, or public while there is no token.
        PermissionDeniedError: the port needs more rights.

    """
    family, address = _address(host, port)
    if not has_token and not ipaddress.ip_address(address[0]).is_loopback:
        raise UsageError(
            f"{host} can be reached from other machines", where="--host", fix="name a --token-file, or serve 127.0.0.1"
        )
    try:
        listener = socket.create_server(address, family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise _listen_error(error, host, port) from None
    with closing(listener):
        yield listener


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise UsageError(f"{host} is no address: {error.strerror}", where="--host", fix="name 127.0.0.1") from None
    return family, (str(address[0]), port)


def _listen_error(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"the port {port} of {host} is in use", where="--port", fix="name another one; 0: any free")
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"{host} is no address of this machine", where="--host", fix="name 127.0.0.1")
    if error.errno == errno.EACCES:
        return PermissionDeniedError(f"port {port} may not be served", where="--port", fix="name one above 1023")
    return error


def url_of(listener: socket.socket) -> str:
    """Return how the server is reached from this machine or, at an address of its own, from others."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(store: LocalStore, access: Access, say: Say) -> Server:
    """Return the server of *store*, ready to run."""
    uploads = Uploads(store.folder / "uploads")

    async def tidy() -> None:
        await run_in_threadpool(uploads.remove_expired)

    config = Config(
        application(store, uploads, access, say),
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,  # the addresses of uploads are secrets
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        callback_notify=tidy,
        timeout_notify=TIDY_SECONDS,
    )
    return Server(config)


def run_server(listener: socket.socket, folder: Path, access: Access, say: Say) -> None:
    """Serve the store in *folder* until SIGINT, SIGTERM or SIGHUP; requests that are going on may end then."""
    with LocalStore(folder) as store, _log_told_to(say):
        server = server_of(store, access, say)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, server.handle_exit)
        with suppress(KeyboardInterrupt):  # uvicorn raises the signals again that it has obeyed
            server.run(sockets=[listener])


class _Teller(logging.Handler):
    """Tells of what uvicorn logs, one line each, and without tracebacks."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of one record; that a request was cut off by the server's end is no news."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, asyncio.CancelledError):
            cause = f": {type(error).__name__}: {error}" if error else ""
            self._say(f"{record.getMessage().strip()}{cause}")


@contextmanager
def _log_told_to(say: Say) -> Iterator[None]:
    logger, teller = logging.getLogger("uvicorn.error"), _Teller(say)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(teller)
    try:
        yield
    finally:
        logger.removeHandler(teller)
        logger.propagate = before
