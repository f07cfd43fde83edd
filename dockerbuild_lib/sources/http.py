"""HTTP as this machine is set up for it, and what can go wrong with it said in the project's own errors."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import NetworkError

if TYPE_CHECKING:
    import requests

READ_SIZE = 1 << 18
_TRANSIENT_STATUSES = frozenset({408, 429})
_UNAUTHORISED = frozenset({401, 403, 407})
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416
_FIRST_ERROR = 400
_FIRST_HOST_ERROR = 500
_CONTENT_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,18})-[0-9]{1,18}/(?P<total>[0-9]{1,18}|\*)")


class RefusedError(NetworkError):
    """The host answered, and its answer stays the same however often it is asked (404, 403, a redirect loop)."""

    transient = False

    def __init__(
        self, what: str, *, where: str | None = None, fix: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status


class TooSlowError(NetworkError):
    """The time limit is over. It is not tried again at once: that would only double the limit."""

    transient = False


class BusyError(NetworkError):
    """The host asked to come back later, in *retry_after* seconds where it said when."""

    def __init__(
        self, what: str, *, where: str | None = None, fix: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(what, where=where, fix=fix or "try again later")
        self.retry_after = retry_after


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


def redacted(url: str) -> str:
    """Return *url* without the user name and password that it may hold, for messages."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


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
    if status in _TRANSIENT_STATUSES or status >= _FIRST_HOST_ERROR:
        raise BusyError(said, where=where, retry_after=_retry_after(response.headers.get("Retry-After")))
    fix = "put the host's credentials into netrc or pip's index-url" if status in _UNAUTHORISED else None
    raise RefusedError(said, where=where, fix=fix, status=status)


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what requests and urllib3 raise into :class:`NetworkError` or :class:`RefusedError`."""
    import requests  # noqa: PLC0415  # it costs 100 ms to import
    import urllib3  # noqa: PLC0415  # comes with requests

    where = redacted(url)
    never_good = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema)
    try:
        yield
    except requests.exceptions.TooManyRedirects as error:
        raise RefusedError("the host redirects in a loop", where=where) from error
    except (*never_good, UnicodeError) as error:
        raise RefusedError(f"not an address that can be fetched: {error}", where=where) from error
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        fix = "name the right CA bundle in pip's configuration (pip config set global.cert)"
        raise RefusedError("the host's certificate does not verify", where=where, fix=fix) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise NetworkError(
            _reason(error), where=where, fix="check the network and the proxy, then try again"
        ) from error


def _reason(error: Exception) -> str:
    """Return a short reason: the messages of urllib3 nest object addresses and whole URLs."""
    import requests  # noqa: PLC0415  # it costs 100 ms to import

    text = str(error)
    for sign, reason in (
        ("NameResolutionError", "the host's name cannot be resolved"),
        ("Connection refused", "the host refuses the connection"),
        ("ProxyError", "the proxy cannot be reached"),
        ("IncompleteRead", "the host broke off in the middle"),
        ("Connection reset", "the connection was reset"),
        ("Network is unreachable", "the network is unreachable"),
    ):
        if sign in text:
            return reason
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in text.lower():
        return "the host does not answer in time"
    return f"the connection failed ({type(error).__name__})"
