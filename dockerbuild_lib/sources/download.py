"""Files fetched over HTTP: whole and verified, or not there at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockerbuild_lib.core.errors import HashMismatchError
from dockerbuild_lib.core.events import silent
from dockerbuild_lib.core.http import redacted
from dockerbuild_lib.core.retries import DEFAULT_POLICY, RetryPolicy, retried
from dockerbuild_lib.sources.http import Exchange, HttpSettings, exchange, open_session
from dockerbuild_lib.sources.partial import PartialFile, partial_file

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int | None], None]
"""Takes how many bytes of how many are there; None: nobody knows how many."""

_SLOWEST_BYTES_PER_SECOND = 8 * 1024  # of one download, beside several others
_GRACE_SECONDS = 60.0
_UNKNOWN_SIZE = 1 << 27
_START = 64
_HTML_STARTS = (b"<!doctype html", b"<html")


@dataclass(frozen=True)
class Expected:
    """What a file must be; None where nobody knows yet, which is so only while it is being locked."""

    sha256: str | None
    size: int | None

    def fits(self, received: Received) -> bool:
        """Tell whether *received* is it."""
        return self.sha256 in (None, received.sha256) and self.size in (None, received.size)


@dataclass(frozen=True)
class Received:
    """What a file turned out to be."""

    sha256: str
    size: int


class Downloader:
    """Fetches files over HTTP; threads may share it."""

    def __init__(
        self, settings: HttpSettings, *, policy: RetryPolicy = DEFAULT_POLICY, time_limit: float | None = None
    ) -> None:
        """*time_limit*: seconds for one attempt at one file; by default it grows with the file's size."""
        self._settings = settings
        self._policy = policy
        self._time_limit = time_limit
        self._local = threading.local()  # a session of requests is not meant for several threads at once

    def download(self, url: str, target: Path, expected: Expected, progress: Progress = silent.progress) -> Received:
        """Fetch *url* to *target*, which appears only when it is whole and as expected.

        What may pass (connection, reset, timeout, 408, 429, 5xx) is tried again. Where the sha256 is known, an attempt
        goes on where the last one ended, be that one of an earlier run: see :mod:`dockerbuild_lib.sources.partial`.

        Raises:
            NetworkError: the host cannot be reached, breaks off, is too slow, or refuses (404, redirect loop).
            HashMismatchError: the bytes are others than expected.
            NoSpaceError, PermissionDeniedError: *target* cannot be written.

        """
        return retried(lambda: self._attempt(url, target, expected, progress), self._policy)

    def page(self, url: str, *, accept: str, limit: float = 60.0) -> tuple[str, str, bytes]:
        """Return the final URL, the content type and the body of a page; *limit* is in seconds."""

        def attempt() -> tuple[str, str, bytes]:
            with exchange(self._open(), self._settings, url, limit=limit, accept=accept) as answer:
                return answer.url, answer.content_type, b"".join(answer.chunks())

        return retried(attempt, self._policy)

    def _open(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = open_session(self._settings)
        session: requests.Session = self._local.session
        return session

    def _attempt(self, url: str, target: Path, expected: Expected, progress: Progress) -> Received:
        with partial_file(target) as partial:
            if expected.sha256 is None:  # nothing would tell whether the rest belongs to what is there
                partial.restart()
            received = self._complete(url, partial, expected, progress)
            if partial.kept and not expected.fits(received):  # what was kept may be what is wrong
                partial.restart()
                received = self._complete(url, partial, expected, progress)
            if not expected.fits(received):
                raise _mismatch(received, expected, partial.start(_START), redacted(url))
            partial.publish(target)
            return received

    def _complete(self, url: str, partial: PartialFile, expected: Expected, progress: Progress) -> Received:
        """Receive what *partial* lacks; all of it where the host does not serve the rest of a file alone."""
        if partial.size and partial.size == expected.size:
            return Received(partial.sha256, partial.size)
        with self._asked(url, expected, partial.size) as answer:
            if answer.offset == 0:
                partial.restart()
            if answer.offset == partial.size and (expected.size is None or answer.total in (None, expected.size)):
                return _receive(answer, partial, expected, progress)
        partial.restart()
        with self._asked(url, expected) as answer:
            return _receive(answer, partial, expected, progress)

    def _asked(self, url: str, expected: Expected, offset: int = 0) -> AbstractContextManager[Exchange]:
        limit = self._time_limit or time_limit(expected.size)
        return exchange(self._open(), self._settings, url, limit=limit, offset=offset)


def time_limit(size: int | None) -> float:
    """Return how many seconds one attempt at a file of *size* bytes may take."""
    return _GRACE_SECONDS + (_UNKNOWN_SIZE if size is None else size) / _SLOWEST_BYTES_PER_SECOND


def _receive(answer: Exchange, partial: PartialFile, expected: Expected, progress: Progress) -> Received:
    for chunk in answer.chunks():
        partial.append(chunk)
        progress(partial.size, expected.size)
        if expected.size is not None and partial.size > expected.size:
            break  # the rest can only make it longer
    return Received(partial.sha256, partial.size)


def _mismatch(received: Received, expected: Expected, start: bytes, where: str) -> HashMismatchError:
    hint = " (it is a web page)" if start.lstrip().lower().startswith(_HTML_STARTS) else ""
    fix = "the file is not the one that was locked: find out who changed it, or lock it anew with sources.lock"
    if expected.size in (None, received.size):
        what = f"the sha256 is {received.sha256}{hint}, but {expected.sha256} is locked"
    elif received.size > expected.size:
        what = f"more than the {expected.size} bytes that are locked came{hint}"
    else:
        what = f"only {received.size} of {expected.size} locked bytes came{hint}"
    return HashMismatchError(what, where=where, fix=fix)
