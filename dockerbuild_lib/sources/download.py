"""Files fetched over HTTP: whole and verified, or not there at all."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dockerbuild_lib.core.errors import HashMismatchError
from dockerbuild_lib.core.files import atomic_writer, translated_os_errors
from dockerbuild_lib.core.retries import DEFAULT_POLICY, RetryPolicy, retried
from dockerbuild_lib.sources.http import Exchange, HttpSettings, exchange, open_session, redacted

if TYPE_CHECKING:
    import requests

_SLOWEST_BYTES_PER_SECOND = 64 * 1024
_GRACE_SECONDS = 60.0
_UNKNOWN_SIZE = 1 << 30
_HTML_STARTS = (b"<!doctype html", b"<html")


@dataclass(frozen=True)
class Expected:
    """What a file must be; None where nobody knows yet, which is so only while it is being locked."""

    sha256: str | None
    size: int | None


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

    def download(self, url: str, target: Path, expected: Expected) -> Received:
        """Fetch *url* to *target*, which appears only when it is whole and as expected.

        What may pass (connection, reset, timeout, 408, 429, 5xx) is tried again.

        Raises:
            NetworkError: the host cannot be reached, breaks off, is too slow, or refuses (404, redirect loop).
            HashMismatchError: the bytes are others than expected.
            NoSpaceError, PermissionDeniedError: *target* cannot be written.

        """
        return retried(lambda: self._attempt(url, target, expected), self._policy)

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

    def _attempt(self, url: str, target: Path, expected: Expected) -> Received:
        limit = self._time_limit or time_limit(expected.size)
        with (
            exchange(self._open(), self._settings, url, limit=limit) as answer,
            translated_os_errors(target),
            atomic_writer(target) as stream,
        ):
            return _receive(answer, stream, expected)


def time_limit(size: int | None) -> float:
    """Return how many seconds one attempt at a file of *size* bytes may take."""
    return _GRACE_SECONDS + (_UNKNOWN_SIZE if size is None else size) / _SLOWEST_BYTES_PER_SECOND


def _receive(answer: Exchange, stream: BinaryIO, expected: Expected) -> Received:
    digest = hashlib.sha256()
    size = 0
    start = b""
    for chunk in answer.chunks():
        start = start or chunk[:64]
        digest.update(chunk)
        stream.write(chunk)
        size += len(chunk)
        if expected.size is not None and size > expected.size:
            break  # the rest can only make it longer
    received = Received(digest.hexdigest(), size)
    _compare(received, expected, start, redacted(answer.url))
    return received


def _compare(received: Received, expected: Expected, start: bytes, where: str) -> None:
    hint = " (it is a web page)" if start.lstrip().lower().startswith(_HTML_STARTS) else ""
    fix = "the file is not the one that was locked: find out who changed it, or lock it anew with sources.lock"
    if expected.size is not None and received.size != expected.size:
        more = "more than " if received.size > expected.size else ""
        what = f"{received.size} bytes came{hint}, {more}the {expected.size} that are locked"
        if not more:
            what = f"only {received.size} of {expected.size} locked bytes came{hint}"
        raise HashMismatchError(what, where=where, fix=fix)
    if expected.sha256 is not None and received.sha256 != expected.sha256:
        what = f"the sha256 is {received.sha256}{hint}, but {expected.sha256} is locked"
        raise HashMismatchError(what, where=where, fix=fix)
