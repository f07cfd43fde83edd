"""Archives at plain addresses as sources: any of several mirrors will do, the sha256 decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dockerbuild_lib.catalog.locks import ArchiveFile
from dockerbuild_lib.catalog.sources import ArchiveSource
from dockerbuild_lib.core.errors import HashMismatchError, LockError, NetworkError
from dockerbuild_lib.core.events import Notice, ProgressLog, StepLog
from dockerbuild_lib.core.http import RefusedError, redacted
from dockerbuild_lib.sources.download import Expected, Received
from dockerbuild_lib.sources.outside import Outside, Wanted

_STARTS = {  # the first bytes of each kind of archive
    b"\x1f\x8b": ".tar.gz",
    b"BZh": ".tar.bz2",
    b"\xfd7zXZ\x00": ".tar.xz",
    b"\x28\xb5\x2f\xfd": ".tar.zst",
    b"PK\x03\x04": ".zip",
}
_TAR_MAGIC = slice(257, 262)


def pin_archive(outside: Outside, wanted: Wanted[ArchiveSource], folder: Path) -> tuple[ArchiveFile, Path]:
    """Return the pin of what the first mirror that answers serves, and the archive in *folder*.

    Raises:
        LockError: it is no archive.
        NetworkError: no mirror serves it.

    """
    urls = wanted.source.urls_of(wanted.version)
    download = folder / "download"

    def attempt(url: str) -> Received:
        return outside.downloader.download(url, download, Expected(None, None))

    received = _first(urls, attempt, wanted.label, lambda line: outside.emit(Notice(line, warning=True)))
    place = download.rename(folder / f"{wanted.label}{_suffix(download, wanted.label)}")
    pin = ArchiveFile(
        name=wanted.name,
        version=wanted.version,
        filename=place.name,
        sha256=received.sha256,
        size=received.size,
        urls=urls,
    )
    return pin, place


def fetch_archive(outside: Outside, locked: ArchiveFile, target: Path, log: ProgressLog) -> None:
    """Fetch the locked archive to *target* from the first mirror that has it; *log* is told of those passed over.

    Raises:
        NetworkError: no mirror serves it, or can be reached.
        HashMismatchError: what is served is another file.

    """

    def attempt(url: str) -> Received:
        return outside.downloader.download(url, target, Expected(locked.sha256, locked.size), log.progress)

    _first(locked.urls, attempt, locked.filename, log)


def _first(urls: Iterable[str], attempt: Callable[[str], Received], where: str, say: StepLog) -> Received:
    failures: list[NetworkError | HashMismatchError] = []
    for url in urls:
        try:
            received = attempt(url)
        except (NetworkError, HashMismatchError) as error:
            failures.append(error)
            continue
        for failure in failures:
            say(f"{where}: a mirror was passed over: {failure.where or redacted(url)}: {failure.what}")
        return received
    raise _nobody_serves(failures, where)


def _nobody_serves(failures: list[NetworkError | HashMismatchError], where: str) -> NetworkError | HashMismatchError:
    """Return one error for all mirrors: what may pass, else another file, else that nobody has it."""
    if len(failures) == 1:
        return failures[0]
    what = f"no mirror serves it: {'; '.join(f'{failure.where}: {failure.what}' for failure in failures)}"
    if any(failure.transient for failure in failures):
        return NetworkError(what, where=where, fix="check the network, then try again")
    if any(isinstance(failure, HashMismatchError) for failure in failures):
        fix = "find out who changed the file, or lock it anew with sources.lock --update"
        return HashMismatchError(what, where=where, fix=fix)
    return RefusedError(what, where=where, fix="name a mirror that has it in the catalogue, then run sources.lock")


def _suffix(archive: Path, where: str) -> str:
    """Return what the archive's file name must end in: addresses often do not tell."""
    with archive.open("rb") as stream:
        start = stream.read(_TAR_MAGIC.stop)
    if start[_TAR_MAGIC] == b"ustar":
        return ".tar"
    for magic, suffix in _STARTS.items():
        if start.startswith(magic):
            return suffix
    kinds = ", ".join([".tar", *_STARTS.values()])
    raise LockError("what its address serves is no archive", where=where, fix=f"name one of these: {kinds}")
