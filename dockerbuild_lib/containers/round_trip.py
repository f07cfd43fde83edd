"""A folder of the user's that travels to a container of a remote engine, and back with what was changed there.

A file that changed on both sides meanwhile stays as it is here, and that is told: nothing is overwritten in silence.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from dockerbuild_lib.core.errors import DockerbuildError, UnsafeArchiveError
from dockerbuild_lib.core.files import copy_stream, translated_os_errors

Print = tuple[str, int, str]
"""What a file, folder or link is: kind, mode (files only), sha256 or target."""
_SHOWN = 5


@contextmanager
def packed_folder(folder: Path, top: str, user: tuple[int, int]) -> Iterator[tuple[BinaryIO, dict[str, Print]]]:
    """Yield a tar of *folder* under the name *top*, owned by *user* (user and group id), and what each entry was.

    Sockets, pipes and devices stay here.
    """
    sent: dict[str, Print] = {}
    with translated_os_errors(folder), tempfile.TemporaryFile() as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, folder, top, user)
            for path in _entries(folder):
                name = str(path.relative_to(folder))
                seen = print_of(path)
                if seen is not None:
                    sent[name] = seen
                    _add(tar, path, f"{top}/{name}", user)
        stream.seek(0)
        yield cast("BinaryIO", stream), sent


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what is below *folder*, each folder before what is in it; links are not followed."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(path)


def _add(tar: tarfile.TarFile, path: Path, name: str, user: tuple[int, int]) -> None:
    member = tar.gettarinfo(str(path), arcname=name)
    member.uid, member.gid = user
    member.uname = member.gname = ""
    if member.islnk():  # two names of one file: sent twice, for the second may be all that is changed
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", path.stat().st_size
    if member.isreg():
        with path.open("rb") as stream:
            tar.addfile(member, stream)
    else:
        tar.addfile(member)


def print_of(path: Path) -> Print | None:
    """Return what is at *path* now; None for nothing, or for what does not travel."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return "link", 0, str(path.readlink())
        if stat.S_ISDIR(status.st_mode):
            return "folder", 0, ""
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as stream:
                return "file", status.st_mode & 0o777, _sha256(stream)
    except FileNotFoundError:
        return None
    return None


def _sha256(stream: IO[bytes]) -> str:
    return hashlib.file_digest(cast("Any", stream), "sha256").hexdigest()  # a reader of a tar will do


def bring_back(chunks: Iterable[bytes], folder: Path, sent: Mapping[str, Print]) -> None:
    """Make in *folder* the changes that a tar of its copy shows against what was *sent*.

    Raises:
        UnsafeArchiveError: the tar would write outside of the folder.
        DockerbuildError: some files changed here too, and were left alone.

    """
    with translated_os_errors(folder), tempfile.TemporaryFile() as stream:
        stream.writelines(chunks)
        stream.seek(0)
        with tarfile.open(fileobj=stream) as tar:
            returned = {name: member for member in tar if (name := member.name.removeprefix("./").rstrip("/")) != "."}
            kept = [name for name, member in returned.items() if not _take(tar, member, name, folder, sent.get(name))]
        removed = sorted(set(sent) - set(returned), reverse=True)  # what is in a folder before the folder
        kept += [name for name in removed if not _drop(folder / name, sent[name])]
    if kept:
        shown = ", ".join(kept[:_SHOWN]) + (", ..." if len(kept) > _SHOWN else "")
        fix = "they are as they were here; run it again, and change nothing meanwhile"
        what = f"changed here while the command ran, and there too: {shown}"
        raise DockerbuildError(what, where=str(folder), fix=fix)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, folder: Path, before: Print | None) -> bool:
    """Make *name* what it is in the tar; return false when it changed on both sides, and stays."""
    after = _print_in(tar, member)
    if after is None or after == before:
        return True
    target = folder / name
    here = print_of(target)
    if here == after:
        return True
    if here != before:
        return False
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise UnsafeArchiveError(f"{name} would lie outside of the folder", where=str(folder))
    _write(tar, member, target, after)
    return True


def _print_in(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Print | None:
    if member.isdir():
        return "folder", 0, ""
    if member.issym():
        return "link", 0, member.linkname
    stream = tar.extractfile(member) if member.isreg() or member.islnk() else None
    if stream is None:
        return None
    return "file", member.mode & 0o777, _sha256(stream)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, after: Print) -> None:
    kind, mode, text = after
    if target.is_symlink() or (target.is_dir() != (kind == "folder") and not target.is_dir()):
        target.unlink(missing_ok=True)
    if kind == "folder":
        target.mkdir(exist_ok=True)
    elif kind == "link":
        target.unlink(missing_ok=True)
        target.symlink_to(text)
    else:
        _write_file(cast("IO[bytes]", tar.extractfile(member)), target, mode, member.mtime)


def _write_file(stream: IO[bytes], target: Path, mode: int, mtime: float) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as output:
            copy_stream(stream, output)
        temporary.chmod(mode)
        os.utime(temporary, (mtime, mtime))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _drop(target: Path, before: Print) -> bool:
    """Remove what the command removed; return false when it changed here, and stays."""
    here = print_of(target)
    if here is None:
        return True
    if here != before:
        return False
    if here[0] != "folder":
        target.unlink()
    elif not any(target.iterdir()):  # else it got something here
        target.rmdir()
    return True
