"""One blob from registry to registry: hashed as it flows, never on a disk."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterator

from dockerbuild_lib.containers.oci.manifests import Descriptor
from dockerbuild_lib.containers.oci.repository import Repository, Upload
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import DockerbuildError, HashMismatchError, NetworkError
from dockerbuild_lib.core.retries import retried

Advance = Callable[[int], None]
"""Told of every piece that was sent, in bytes; of bytes that must be sent again with a minus."""


class VerifiedBlob:
    """The bytes of a blob of *source*, for requests: with a length, and gone through once.

    Where the source's connection breaks, the next one goes on. The last piece is given out only when all of them
    together have the digest, so whoever receives it all has the blob.
    """

    def __init__(self, source: Repository, blob: Descriptor, advance: Advance) -> None:
        self._source = source
        self._blob = blob
        self._advance = advance
        self._reading: Generator[bytes] | None = None
        self.position = 0
        """How many bytes were read."""

    def __len__(self) -> int:
        return self._blob.size

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces.

        Raises:
            HashMismatchError: they are not the blob's.
            NetworkError: the source does not give them, or not all.

        """
        digest = hashlib.sha256()
        try:
            while self.position < self._blob.size:
                chunk = self._next()
                digest.update(chunk)
                self.position += len(chunk)
                if self.position >= self._blob.size:
                    self._check(digest.hexdigest())
                yield chunk
                self._advance(len(chunk))
        finally:
            self._stop_reading()

    def _next(self) -> bytes:
        CONNECTIONS.require(str(self._source))  # the run may have been stopped
        try:
            return self._read()
        except NetworkError as error:
            if not error.transient:
                raise
        return retried(self._read, self._source.retries)

    def _read(self) -> bytes:
        if self._reading is None:
            self._reading = self._source.read_blob(self._blob.digest, self.position)
        try:
            chunk = next(self._reading, b"")
        except BaseException:
            self._stop_reading()
            raise
        if not chunk:
            self._stop_reading()
            raise NetworkError("the registry broke off in the middle of a layer", where=str(self._source))
        return chunk

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _check(self, sha256: str) -> None:
        if self._blob.digest != f"sha256:{sha256}" or self.position > self._blob.size:
            what = f"the registry sent other bytes than those of {self._blob.digest}"
            fix = "nothing of them was kept: find out whether the registry is damaged, or what stands between"
            raise HashMismatchError(what, where=str(self._source), fix=fix)


def copy_blob(source: Repository, target: Repository, blob: Descriptor, advance: Advance) -> None:
    """Copy a blob.

    An upload that breaks off begins anew: the reference registry takes nothing more of one whose request it lost.

    Raises:
        HashMismatchError: the source has other bytes; the target keeps none of them.
        DockerbuildError: what `RegistryConnection.request` raises, of either registry.

    """
    retried(lambda: _attempt(source, target, blob, advance), target.retries)


def _attempt(source: Repository, target: Repository, blob: Descriptor, advance: Advance) -> None:
    sent = 0

    def count(size: int) -> None:
        nonlocal sent
        sent += size
        advance(size)

    upload = target.begin_upload()
    try:
        _send(VerifiedBlob(source, blob, count), target, upload, blob)
    except BaseException:
        advance(-sent)
        with contextlib.suppress(DockerbuildError):  # registries clear what is left behind away by themselves
            target.cancel(upload)
        raise


def _send(body: VerifiedBlob, target: Repository, upload: Upload, blob: Descriptor) -> None:
    # An empty body has no piece that would be held back: the registry's own check must do.
    sent = target.send(upload, body) if blob.size else upload
    target.finish(sent, blob.digest)
