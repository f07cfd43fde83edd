"""Uploads on their way into the store: folder ``uploads``, of which nobody but the server's user can list the names.

    <instance id>.<secret>.part   received so far
    <instance id>.<secret>.done   this upload was whole
    <instance id>.package         a whole upload, which waits for its registration

All that is known of an upload is in these names and sizes: so it is resumed after a cut, also by a new server.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import DockerbuildError, NotInStoreError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.store.names import instance_id_of_file, is_instance_id
from dockerbuild_lib.store.package_file import read_package
from dockerbuild_lib.store.serve.status import Code, RpcError

MAX_PACKAGE = 16 << 30
"""Bytes."""
MAX_UPLOADS = 256
"""At a time."""
EXPIRY = 24 * 3600.0
"""Seconds without a byte after which an upload is given up."""

_OPERATION = re.compile(r"(?P<instance_id>[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Finished:
    """How an upload ended."""

    instance_id: str
    problem: str | None
    """Why it is refused; None: it is whole."""


class Uploads:
    """The folder *folder*, which the first upload makes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._finishing = threading.Lock()

    def begin(self, instance_id: str) -> str:
        """Return the secret name of a new upload of that instance.

        Raises:
            RpcError: there are too many already.

        """
        with translated_os_errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.remove_expired()
            if sum(1 for _ in self._folder.glob("*.part")) >= MAX_UPLOADS:
                raise RpcError(Code.RESOURCE_EXHAUSTED, f"{MAX_UPLOADS} uploads are going on; try again later")
            operation = f"{instance_id}.{secrets.token_urlsafe(32)}"
            self._part(operation).touch(mode=0o600)
            return operation

    def remove_expired(self) -> None:
        """Remove what was left behind by uploads that nobody went on with."""
        oldest = time.time() - EXPIRY
        for file in self._folder.glob("*.*"):
            with suppress(OSError):  # it is gone already, or another user's
                if file.stat().st_mtime < oldest:
                    file.unlink()

    def received(self, operation: str) -> int:
        """Return how many bytes have come; raises NotInStoreError when there is no such upload."""
        part = self._part(operation)
        with translated_os_errors(part):
            try:
                return part.stat().st_size
            except FileNotFoundError:
                raise NotInStoreError("no such upload") from None

    def append(self, operation: str, content: bytes) -> None:
        """Add the next bytes to an upload that was begun."""
        part = self._part(operation)
        with translated_os_errors(part), part.open("ab", buffering=0) as stream:
            left = memoryview(content)
            while left:
                left = left[stream.write(left) :]

    def finish(self, operation: str) -> Finished:
        """Check what was received: it must be a package file with the bytes that its name says. May be repeated.

        Raises:
            NotInStoreError: there is no such upload.

        """
        part, instance_id = self._part(operation), self._instance_id(operation)
        done = part.with_suffix(".done")
        with self._finishing, translated_os_errors(part):
            if done.exists():
                return Finished(instance_id, None)
            self.received(operation)
            if problem := _problem(part, instance_id):
                part.unlink()
                return Finished(instance_id, problem)
            part.replace(self._whole(instance_id))
            done.touch(mode=0o600)
        return Finished(instance_id, None)

    def whole(self, instance_id: str) -> Path | None:
        """Return the file of a whole upload of that instance, None when there is none."""
        file = self._whole(instance_id)
        return file if file.exists() else None

    def forget(self, instance_id: str) -> None:
        """Remove the whole upload of that instance: the store has it now."""
        self._whole(instance_id).unlink(missing_ok=True)

    def _whole(self, instance_id: str) -> Path:
        return self._folder / f"{instance_id}.package"

    def _part(self, operation: str) -> Path:
        self._instance_id(operation)
        return self._folder / f"{operation}.part"

    @staticmethod
    def _instance_id(operation: str) -> str:
        found = _OPERATION.fullmatch(operation)
        if found is None or not is_instance_id(found["instance_id"]):
            raise NotInStoreError("no such upload")
        return found["instance_id"]


def _problem(file: Path, instance_id: str) -> str | None:
    """Return why *file* cannot become the instance."""
    received = instance_id_of_file(file)
    if received != instance_id:
        return f"what was uploaded has the instance id {received}, not {instance_id}"
    try:
        read_package(file)
    except DockerbuildError as error:
        return f"what was uploaded is no package: {error.what}"
    return None
