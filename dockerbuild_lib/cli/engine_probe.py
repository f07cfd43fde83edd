"""Asks a Docker engine whether it answers, in a millisecond: one request on a bare socket, without the SDK."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from dockerbuild_lib.core.errors import EngineUnavailableError

DEFAULT_SOCKET = "/var/run/docker.sock"
_TIMEOUT = 5.0  # seconds: an engine under load may take its time
_PLAIN_PORT, _TLS_PORT = 2375, 2376
_REQUEST = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"


class Answer(Enum):
    """What became of the question."""

    YES = auto()
    ABSENT = auto()
    DENIED = auto()
    NO = auto()


@dataclass(frozen=True)
class Probe:
    """An answer, and in a few words what was seen."""

    answer: Answer
    seen: str = ""


def probe_host(host: str, environ: Mapping[str, str]) -> Probe:
    """Ask the engine at *host*, as DOCKER_HOST gives it; one reached over SSH is taken to be there.

    Raises EngineUnavailableError when *host* is no address.
    """
    address = urlsplit(host)
    if address.scheme == "ssh":
        return Probe(Answer.YES, "not asked")
    if address.scheme == "unix" and address.path:
        return probe_socket(address.netloc + address.path)
    if address.scheme in ("tcp", "http", "https"):
        encrypted = address.scheme == "https" or bool(environ.get("DOCKER_TLS_VERIFY"))
        return _probe_tcp(host, encrypted=encrypted)
    raise EngineUnavailableError(
        f"DOCKER_HOST={host} is no address of a Docker engine",
        fix="write it as unix:///PATH, tcp://HOST:PORT or ssh://HOST",
    )


def probe_socket(path: str = DEFAULT_SOCKET) -> Probe:
    """Ask the engine that listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        return _ask(connection, path)


def _probe_tcp(host: str, *, encrypted: bool) -> Probe:
    address = urlsplit(host)
    try:
        port = address.port or (_TLS_PORT if encrypted else _PLAIN_PORT)
    except ValueError as error:
        return Probe(Answer.NO, str(error))
    try:
        connection = socket.create_connection((address.hostname or "127.0.0.1", port), timeout=_TIMEOUT)
    except OSError as error:
        return _refused(error)
    with connection:
        # Whether certificates fit is left to the SDK, which has them.
        return Probe(Answer.YES) if encrypted else _ask(connection, None)


def _ask(connection: socket.socket, path: str | None) -> Probe:
    connection.settimeout(_TIMEOUT)
    try:
        if path is not None:
            connection.connect(path)
        connection.sendall(_REQUEST)
        status = connection.makefile("rb").readline(200).split()
    except OSError as error:
        return _refused(error)
    if len(status) >= 2 and status[0].startswith(b"HTTP/") and status[1] == b"200":  # noqa: PLR2004 - version and code
        return Probe(Answer.YES)
    return Probe(Answer.NO, f"it answered {b' '.join(status).decode(errors='replace') or 'nothing'}")


def _refused(error: OSError) -> Probe:
    seen = error.strerror or str(error)
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return Probe(Answer.ABSENT, seen)
    if isinstance(error, PermissionError):
        return Probe(Answer.DENIED, seen)
    return Probe(Answer.NO, f"no answer within {_TIMEOUT:g} s" if isinstance(error, TimeoutError) else seen)
