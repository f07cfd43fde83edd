"""Carries input to a command in a container, and its output back, over the one connection that is there for both.

One thread does both ways: two may not use a TLS connection at the same time.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
from contextlib import suppress
from typing import Any

_READ_SIZE = 1 << 16
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_HEADER = struct.Struct(">BxxxL")
"""Of each piece of output, where there is no terminal: its stream, and its size in bytes (Docker's API, attach)."""
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Pump:
    """One such connection; *framed* where standard output and error share it."""

    def __init__(self, stream: Any, *, framed: bool) -> None:  # noqa: ANN401 - the SDK gives a socket of one of several kinds
        self._stream = stream  # what it holds must not be collected while the connection is used
        self._connection: socket.socket = getattr(stream, "_sock", stream)
        self._connection.setblocking(False)  # noqa: FBT003 - Python's own
        self._framed = framed
        self._input_is_open = True
        self._to_send = b""
        self._received = bytearray()

    def run(self) -> None:
        """Carry all there is, until the command closes its end."""
        while not self._ended():
            self._wait()
            self._send()
        self._stream.close()

    def _wait(self) -> None:
        """Wait until the connection or the input has something; then take from the input what there is."""
        sources = [self._connection.fileno()]
        if self._input_is_open and not self._to_send:
            sources.append(_STDIN)
        targets = [self._connection.fileno()] if self._to_send else []
        ready, _, _ = select.select(sources, targets, [])
        if _STDIN in ready:
            self._to_send = self._read_input()

    def _read_input(self) -> bytes:
        """Return what this process is given; at its end, tell the command of it."""
        try:
            chunk = os.read(_STDIN, _READ_SIZE)
        except OSError:
            chunk = b""
        if not chunk:
            self._end_input()
        return chunk

    def _end_input(self) -> None:
        self._input_is_open = False
        with suppress(OSError):
            # SSLSocket's own method would end the decryption of the output too.
            socket.socket.shutdown(self._connection, socket.SHUT_WR)

    def _send(self) -> None:
        """Send what can be sent now; a command that is gone takes no more."""
        if not self._to_send:
            return
        try:
            self._to_send = self._to_send[self._connection.send(self._to_send) :]
        except _NOT_NOW:
            return
        except OSError:
            self._to_send, self._input_is_open = b"", False

    def _ended(self) -> bool:
        """Write out what has come; tell whether that was the end."""
        while True:
            try:
                chunk = self._connection.recv(_READ_SIZE)
            except _NOT_NOW:
                return False
            except OSError:
                return True  # how the command ended, the engine is asked
            if not chunk:
                return True
            self._received += chunk
            self._write_out()

    def _write_out(self) -> None:
        if not self._framed:
            _write(_STDOUT, bytes(self._received))
            self._received.clear()
        while self._framed and len(self._received) >= _HEADER.size:
            source, size = _HEADER.unpack_from(self._received)
            end = _HEADER.size + size
            if len(self._received) < end:
                return
            _write(_STDERR if source == _STDERR else _STDOUT, bytes(self._received[_HEADER.size : end]))
            del self._received[:end]


def _write(descriptor: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(descriptor, chunk) :]
