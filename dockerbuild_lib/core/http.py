"""What can go wrong with HTTP, said in the project's own errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

from dockerbuild_lib.core.errors import NetworkError

_TRANSIENT_STATUSES = frozenset({408, 429})
_FIRST_HOST_ERROR = 500
_CERTIFICATE_FIX = "name the right CA bundle in pip's configuration (pip config set global.cert)"


class RefusedError(NetworkError):
    """The host answered, and its answer stays the same however often it is asked (404, 403, a redirect loop)."""

    transient = False

    def __init__(
        self, what: str, *, where: str | None = None, fix: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status


class BusyError(NetworkError):
    """The host asked to come back later, in *retry_after* seconds where it said when."""

    def __init__(
        self, what: str, *, where: str | None = None, fix: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(what, where=where, fix=fix or "try again later")
        self.retry_after = retry_after


def redacted(url: str) -> str:
    """Return *url* without the user name and password that it may hold, for messages."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def without_query(url: str) -> str:
    """Return *url* without what follows its path: there stand signatures, which nobody but the host should read."""
    return url.partition("?")[0]


def is_transient(status: int) -> bool:
    """Tell whether the same request may get another answer than this one, later."""
    return status in _TRANSIENT_STATUSES or status >= _FIRST_HOST_ERROR


def retry_after(value: str | None) -> float | None:
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
def translated(url: str, *, certificate_fix: str = _CERTIFICATE_FIX) -> Iterator[None]:
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
        raise RefusedError("the host's certificate does not verify", where=where, fix=certificate_fix) from error
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
