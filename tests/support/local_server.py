"""A real HTTP server on the loopback, whose answers tests write themselves: good ones and broken ones."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class LocalServer:
    """A running server: its address, its answers by path, and the requests that came."""

    url: str
    answers: dict[str, Answer]
    requests: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


@contextmanager
def serving(**answers: Answer) -> Iterator[LocalServer]:
    """Serve each answer at the path of its name; more can be added to ``answers`` later."""
    server = LocalServer("", {f"/{name}": answer for name, answer in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class names it so
            server.requests.append(self.path)
            server.headers.append(dict(self.headers))
            server.answers.get(self.path, status(404))(self)

        def do_HEAD(self) -> None:  # as above; whoever wants less than the whole is told to ask for the whole
            self.send_response(405)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            """Say nothing."""

    running = _QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{running.server_port}"
    try:
        yield server
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients of these tests hang up on purpose."""


def body(content: bytes, *, content_type: str = "application/octet-stream") -> Answer:
    """Answer 200 with *content*."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _start(handler, 200, len(content), content_type)
        handler.wfile.write(content)

    return answer


def file_body(file: Path) -> Answer:
    """Answer 200 with the file's bytes."""
    return body(file.read_bytes())


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and a short page."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"no")

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Give one answer after the other, and the last for ever."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def truncated(content: bytes, sent: int) -> Answer:
    """Promise *content*, send its first bytes only, and close."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _start(handler, 200, len(content))
        handler.wfile.write(content[:sent])

    return answer


def reset(content: bytes, sent: int) -> Answer:
    """Promise *content*, send its first bytes only, and reset the connection."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        truncated(content, sent)(handler)
        handler.wfile.flush()
        connection: socket.socket = handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return answer


def dripping(content: bytes, *, pause: float) -> Answer:
    """Send a byte every *pause* seconds until the client has enough of it."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _start(handler, 200, len(content))
        for byte in content:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if _STOP.wait(pause):
                return

    return answer


def ranged(content: bytes, *, at_most: int | None = None) -> Answer:
    """Answer with the part of *content* that is asked for, and close the connection after *at_most* bytes of it."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if first >= len(content):
            status(416)(handler)
            return
        rest = content[first:]
        handler.send_response(206 if "Range" in handler.headers else 200)
        handler.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[:at_most])

    return answer


def part(content: bytes, content_range: str | None) -> Answer:
    """Answer 206 with *content*, whatever part was asked for."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(206)
        if content_range is not None:
            handler.send_header("Content-Range", content_range)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


_STOP = threading.Event()  # never set: waiting on it is a sleep that ends with the process


def _start(handler: BaseHTTPRequestHandler, code: int, length: int, content_type: str = "text/plain") -> None:
    handler.send_response(code)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
