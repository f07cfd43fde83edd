"""HTTP as this machine is set up for it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import NetworkError
from dockerbuild_lib.core.http import BusyError, RefusedError, is_transient, redacted, retry_after, translated

if TYPE_CHECKING:
    import requests

READ_SIZE = 1 << 18
_UNAUTHORISED = frozenset({401, 403, 407})
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416
_FIRST_ERROR = 400
_CONTENT_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,18})-[0-9]{1,18}/(?P<total>[0-9]{1,18}|\*)")


class TooSlowError(NetworkError):
    """The time limit is over. It is not tried again at once: that would only double the limit."""

    transient = False


@dataclass(frozen=True)
class HttpSettings:
    """What a machine's configuration says about connections; times are in seconds."""

    ca_bundle: str | None = None
    client_certificate: str | None = None
    proxies: tuple[tuple[str, str], ...] = ()
    """Pairs of a scheme and its proxy's URL. None: as the environment says."""
    trusted_hosts: tuple[str, ...] = ()
    """Hosts (or host:port) whose certificates are not checked."""
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    max_redirects: int = 10


def open_session(settings: HttpSettings) -> requests.Session:
    """Return a session with the settings applied; netrc and the environment's proxies count as well."""
    import requests  # noqa: PLC0415  # it costs 100 ms to import

    session = requests.Session()
    session.max_redirects = settings.max_redirects
    session.verify = settings.ca_bundle or True
    session.cert = settings.client_certificate
    session.proxies = dict(settings.proxies)
    # A compressed transfer would hide the size and hash of an archive from the one who reads the stream.
    session.headers["Accept-Encoding"] = "identity"
    if settings.trusted_hosts:
        _trust(session, settings.trusted_hosts)
    return session


def _trust(session: requests.Session, hosts: tuple[str, ...]) -> None:
    import urllib3  # noqa: PLC0415  # comes with requests
    from requests.adapters import HTTPAdapter  # noqa: PLC0415  # it costs 100 ms to import

    class UncheckedAdapter(HTTPAdapter):
        """Connections to a host that the user told pip to trust without a valid certificate."""

        def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:  # noqa: ARG002  # its signature is given
            super().cert_verify(conn, url, False, cert)  # type: ignore[no-untyped-call]  # noqa: FBT003  # requests' own order

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user has decided
    for host in hosts:
        session.mount(f"https://{host}/", UncheckedAdapter())
        if ":" not in host:
            session.mount(f"https://{host}:", UncheckedAdapter())


class Exchange:
    """One answered request, read piece by piece until a deadline (a reading of ``time.monotonic``).

    Its body begins at *offset* of the file (None: the host could make nothing of the part that was asked for), which
    has *total* bytes, where the host tells.
    """

    def __init__(self, response: requests.Response, deadline: float) -> None:
        self._response = response
        self._deadline = deadline
        self.url = response.url
        self.offset, self.total = _place(response)
        self.content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            NetworkError: the connection broke.
            TooSlowError: the deadline passed.
            OfflineError: connections were ended.

        """
        while True:
            with translated(self.url):
                # read1 returns what is there: read would wait for a full buffer from a host that drips.
                chunk = self._response.raw.read1(READ_SIZE)
            if not chunk:
                return
            yield chunk
            CONNECTIONS.require(redacted(self.url))  # the run may have been stopped
            if time.monotonic() > self._deadline:
                raise TooSlowError(
                    "the host sends too slowly, the time limit for this file is over",
                    where=redacted(self.url),
                    fix="try again, or use a nearer mirror",
                )


def _place(response: requests.Response) -> tuple[int | None, int | None]:
    """Return where in the file the body begins, and the file's size, as far as the host tells (RFC 9110, 14.4)."""
    if response.status_code == _RANGE_NOT_SATISFIABLE:
        return None, None
    if response.status_code != _PARTIAL_CONTENT:
        return 0, None
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None:
        return None, None
    return int(told["first"]), None if told["total"] == "*" else int(told["total"])


@contextmanager
def exchange(  # noqa: PLR0913  # each is a fact of the request, and named at the call
    session: requests.Session,
    settings: HttpSettings,
    url: str,
    *,
    limit: float,
    accept: str = "*/*",
    offset: int = 0,
) -> Iterator[Exchange]:
    """Ask for *url* from *offset* on; the answer, headers and body, must be there within *limit* seconds.

    Raises:
        RefusedError: the answer is no, for good.
        NetworkError: no answer, a broken connection, or a failure of the host that may pass.
        OfflineError: connections are forbidden.

    """
    CONNECTIONS.require(redacted(url))
    deadline = time.monotonic() + limit
    with translated(url):
        response = session.get(
            url,
            stream=True,
            headers={"Accept": accept} | ({"Range": f"bytes={offset}-"} if offset else {}),
            timeout=(settings.connect_timeout, settings.read_timeout),
            # Given for the request, since requests lets the environment win over the session's own.
            proxies=dict(settings.proxies) or None,
            verify=settings.ca_bundle,
        )
    try:
        if not (offset and response.status_code == _RANGE_NOT_SATISFIABLE):
            _check_status(response)
        yield Exchange(response, deadline)
    finally:
        response.close()


def _check_status(response: requests.Response) -> None:
    status, where = response.status_code, redacted(response.url)
    if status < _FIRST_ERROR:
        return
    said = f"the host answered {status} {response.reason or ''}".rstrip()
    if is_transient(status):
        raise BusyError(said, where=where, retry_after=retry_after(response.headers.get("Retry-After")))
    fix = "put the host's credentials into netrc or pip's index-url" if status in _UNAUTHORISED else None
    raise RefusedError(said, where=where, fix=fix, status=status)
