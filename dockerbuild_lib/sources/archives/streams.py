"""The bytes inside a compressed file, forwards only, in pieces of bounded size and within a budget."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from dockerbuild_lib.sources.archives.budget import Budget
from dockerbuild_lib.sources.archives.members import refused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 256 << 10
"""Bytes that are unpacked at a time."""
_INPUT = 16 << 10
"""Bytes that are taken from the file at a time. What a small stream leaves of them is copied for the next one."""
_LZMA_MEMORY = 256 << 20
"""What an .xz file may ask for; `xz -9` makes files that need 65 MiB."""
_DAMAGE = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError)  # OSError is bz2's


class Decompressor(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was met."""

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to be had without more input."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the compressed stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most *max_length* bytes, and keep the input that was not needed for them."""


class Inflater:
    """zlib's decompressor, which differs from the others: the input that it did not need is the caller's to keep."""

    def __init__(self, window: int) -> None:
        """*window* as in ``zlib.decompressobj``: 31 for gzip's format, -15 for bare deflate."""
        self._inner = zlib.decompressobj(window)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was met."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the compressed stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most *max_length* bytes."""
        found = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # Where the output was cut, more may be ready even when all input is used up.
        self.needs_input = not self._inner.unconsumed_tail and len(found) < max_length
        return found


_LZMA = (b"\xfd7zXZ\0", b"\x5d\0\0")  # .xz, and the .lzma before it
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + kind,)) + b"\x2a\x4d\x18" for kind in range(16)))  # or a skippable frame
_FORMATS: tuple[tuple[str, tuple[bytes, ...], Callable[[], Decompressor]], ...] = (
    ("gzip", (b"\x1f\x8b",), lambda: Inflater(31)),
    ("bzip2", (b"BZh",), bz2.BZ2Decompressor),
    ("xz", _LZMA, lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)),
    # Frames that want a window of more than 128 MiB are refused by the library itself.
    ("zstd", _ZSTD, zstd.ZstdDecompressor),
)


def unpacked_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield what *file* holds, uncompressed, whatever it is compressed with; its first bytes tell."""
    beginning = file.read(_INPUT)
    for name, magics, make in _FORMATS:
        if beginning.startswith(magics):
            return _inflated(name, make, beginning, file)
    return _pieces(beginning, file)


def _pieces(beginning: bytes, file: BinaryIO) -> Iterator[bytes]:
    while beginning:
        yield beginning
        beginning = file.read(PIECE)


def _inflated(name: str, make: Callable[[], Decompressor], data: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Yield what all compressed streams hold that lie one behind the other; zeros may follow them."""
    while data:
        decompressor = make()
        while not decompressor.eof:
            try:
                piece = decompressor.decompress(data, PIECE)
            except _DAMAGE as error:
                raise refused(f"it is damaged: its {name} data cannot be unpacked ({error})") from error
            if piece:
                yield piece
            data = b""
            if decompressor.needs_input and not decompressor.eof and not (data := file.read(_INPUT)):
                raise refused(f"it is truncated: its {name} data ends early")
        data = decompressor.unused_data.lstrip(b"\0")
        while not data and (more := file.read(_INPUT)):
            data = more.lstrip(b"\0")


class Stream:
    """Pieces of any size as one stream, read from front to end; each byte is paid for from *budget*."""

    def __init__(self, pieces: Iterable[bytes], budget: Budget) -> None:
        self._pieces = iter(pieces)
        self._budget = budget
        self._rest = memoryview(b"")

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the next *size* bytes, fewer at the end of the stream, as they come."""
        while size and (taken := self._take(size)):
            size -= len(taken)
            yield bytes(taken)

    def read(self, size: int) -> bytes:
        """Return the next *size* bytes, fewer at the end of the stream."""
        return b"".join(self.chunks(size))

    def _take(self, most: int) -> memoryview:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        taken, self._rest = self._rest[:most], self._rest[most:]
        self._budget.take(len(taken))
        return taken
