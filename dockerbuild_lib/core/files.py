"""Files that are whole or absent: written beside their place, synced, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from dockerbuild_lib.core.errors import DockerbuildError, NoSpaceError, PermissionDeniedError

CHUNK = 1 << 20


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


_UMASK = _umask()  # read once, before there are threads: it can only be read by setting it


def sha256_of(path: Path) -> str:
    """Return the sha256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def translated_os_errors(where: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden path into the project's own error, naming *where*."""
    try:
        yield
    except DockerbuildError:
        raise
    except OSError as error:
        known = translate_os_error(error, where)
        if known is error:
            raise
        raise known from error


def translate_os_error(error: OSError, where: Path) -> Exception:
    """Return the error to raise for *error*: the project's own where it has one, else *error* itself."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpaceError("no space left on the device", where=str(where), fix="free space, then run it again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return PermissionDeniedError(
            error.strerror or "permission denied",
            where=str(error.filename or where),
            fix="make it writable for this user, or choose another folder in invoke.yaml",
        )
    return error


@contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary stream whose bytes become *path* as a whole when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _publish(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _publish(temporary: Path, path: Path) -> None:
    temporary.chmod(0o666 & ~_UMASK)
    temporary.replace(path)
    sync_folder(path.parent)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write *content* to *path*, whole or not at all."""
    with translated_os_errors(path), atomic_writer(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def sync_folder(folder: Path) -> None:
    """Make a rename inside *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_stream(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy all bytes of *source* to *target*."""
    shutil.copyfileobj(source, target, CHUNK)
