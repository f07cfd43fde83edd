"""The store's server, in a thread of the test, with a real socket; and a proxy that cuts connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from uvicorn import Server

from dockerbuild_lib.store.local import LocalStore
from dockerbuild_lib.store.serve.access import Access, read_token
from dockerbuild_lib.store.serve.server import listening, server_of, url_of

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of servers that end with their test


@dataclass
class RunningServer:
    """A server of the store in *folder*; *said* is what its operator was told."""

    url: str
    folder: Path
    server: Server
    said: list[str]

    @property
    def connections(self) -> int:
        """The connections that are open."""
        return len(self.server.server_state.connections)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread or process is about to do."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def token_file(folder: Path, token: str = TOKEN) -> Path:
    """Write a token to a file that nobody else can read, and return where it is."""
    file = folder / "token"
    file.touch(mode=0o600)
    file.write_text(f"{token}\n")
    return file


@contextmanager
def serving_store(folder: Path, *, token: Path | None = None, port: int = 0) -> Iterator[RunningServer]:
    """Serve the store in *folder*; whoever has the token may write."""
    with listening("127.0.0.1", port, has_token=token is not None) as listener, LocalStore(folder) as store:
        said: list[str] = []
        server = server_of(store, Access(read_token(token) if token else None), said.append)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield RunningServer(url_of(listener), folder, server, said)
        finally:
            server.should_exit = True
            thread.join()


class CuttingProxy:
    """Passes connections on to a server, and cuts the one that brings byte number *after* to it, once.

    With *answers* the bytes that the server sends count instead. Before the cut it calls *at_cut*. Connections that
    come later are passed on whole, to where *target* then leads.
    """

    def __init__(
        self,
        target: Callable[[], int],
        after: int,
        at_cut: Callable[[], None] = lambda: None,
        *,
        answers: bool = False,
    ) -> None:
        self._target = target
        self._answers = answers
        self._left = after
        self._at_cut = at_cut
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.sent = 0
        """Bytes that were counted."""
        self.was_cut = False

    @property
    def url(self) -> str:
        """Return where clients reach it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator[CuttingProxy]:
        """Pass connections on inside the block."""
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target()))
            except OSError:
                client.close()
                continue
            counted, copied = (
                ((server, client), (client, server)) if self._answers else ((client, server), (server, client))
            )
            threading.Thread(target=self._pass_on, args=counted, daemon=True).start()
            threading.Thread(target=_copy, args=copied, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with source, target:
            while content := _received(source):
                with self._lock:
                    self.sent += len(content)
                    cut = not self.was_cut and self.sent >= self._left
                    self.was_cut |= cut
                try:
                    target.sendall(content)
                except OSError:
                    return
                if cut:
                    self._at_cut()
                    _cut(source, target)
                    return


def _cut(*connections: socket.socket) -> None:
    for connection in connections:
        with suppress(OSError):  # the other side was quicker
            connection.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while content := _received(source):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""
