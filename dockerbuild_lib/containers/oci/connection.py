"""Requests to one registry: its address, certificates and login, and its answers in the project's own errors."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from dockerbuild_lib.catalog.image_references import HUB
from dockerbuild_lib.containers.oci.authorization import Authorizer
from dockerbuild_lib.containers.oci.certificates import tls_context
from dockerbuild_lib.containers.oci.credentials import login_for
from dockerbuild_lib.containers.oci.hosts import is_loopback
from dockerbuild_lib.containers.oci.refusals import refusal
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import NetworkError
from dockerbuild_lib.core.http import RefusedError, translated, without_query

if TYPE_CHECKING:
    import ssl

    import requests

_HUB_HOST = f"registry-1.{HUB}"
"""The host that serves Docker Hub's images."""
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 120
"""A registry may look into a large layer before it answers."""
_POOL = 32
"""Connections that are kept open; more than layers are ever copied at a time."""
_UNAUTHORIZED = 401


class RegistryConnection:
    """The registry at ``HOST[:PORT]``. Nothing is asked of it before the first request. Threads may share it.

    It is reached over https; one of this machine itself (on the loopback) over http where it knows nothing else, as
    engines do it.
    """

    def __init__(self, registry: str, environ: Mapping[str, str] = os.environ) -> None:
        self.registry = registry
        self._environ = environ
        self._connecting = threading.Lock()
        self._connected: tuple[str, requests.Session, Authorizer] | None = None

    def request(
        self,
        method: str,
        path: str,
        scope: str,
        *,
        expected: Collection[int],
        **options: Any,  # noqa: ANN401 - requests'
    ) -> requests.Response:
        """Send a request for *path*, or for an address that the registry gave; return its answer, one of *expected*.

        *scope* is what it takes to be allowed.

        Raises:
            AccessRefusedError: the registry does not know this user, or does not let them.
            NoSpaceError: the registry's disk is full.
            RefusedError: any other answer that stays as it is.
            NetworkError: there was no answer, or one that may change; a token ran out while a stream was sent.
            OfflineError: connections are forbidden.

        """
        CONNECTIONS.require(self.registry)
        origin, session, authorizer = self._connection()
        url = urljoin(origin, path)
        is_its_own = _origin_of(url) == origin
        header = authorizer.header(scope) if is_its_own else None
        response = self._send(session, method, url, header, **options)
        if response.status_code == _UNAUTHORIZED and is_its_own:
            challenge = response.headers.get("WWW-Authenticate", "")
            if authorizer.learn(challenge, header, scope):
                response.close()
                _refuse_to_repeat(options.get("data"), self.registry)
                response = self._send(session, method, url, authorizer.header(scope), **options)
        if response.status_code not in expected:
            raise self._refused(response, url)
        return response

    def _refused(self, response: requests.Response, url: str) -> Exception:
        with self._translated(url), response:
            return refusal(response, self.registry)

    def _connection(self) -> tuple[str, requests.Session, Authorizer]:
        with self._connecting:
            if self._connected is None:
                session = _open_session(tls_context(self.registry, self._environ))
                origin = self._origin(session)
                authorizer = Authorizer(origin, login_for(self.registry, self._environ), self._ask)
                self._connected = origin, session, authorizer
            return self._connected

    def _origin(self, session: requests.Session) -> str:
        """Return the registry's ``https://HOST[:PORT]``, or ``http://`` where it is of this machine and plain."""
        host = _HUB_HOST if self.registry == HUB else self.registry
        secure = f"https://{host}"
        if is_loopback(secure) and not self._speaks_tls(session, secure):
            return f"http://{host}"
        return secure

    def _speaks_tls(self, session: requests.Session, origin: str) -> bool:
        import requests  # noqa: PLC0415  # it costs 100 ms to import

        try:
            self._send(session, "GET", f"{origin}/v2/", None).close()
        except RefusedError as error:
            cause = error.__cause__
            return not isinstance(cause, requests.exceptions.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(cause)
        return True

    def _ask(self, method: str, url: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
        """Send a request to the registry's authorization server."""
        assert self._connected is not None  # noqa: S101 - only a registry that has answered names one
        response = self._send(self._connected[1], method, url, None, **options)
        if response.status_code != 200:  # noqa: PLR2004 - OK
            raise self._refused(response, url)
        return response

    def _send(
        self,
        session: requests.Session,
        method: str,
        url: str,
        authorization: str | None,
        **options: Any,  # noqa: ANN401
    ) -> requests.Response:
        headers = dict(options.pop("headers", {}))

        def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if authorization is not None:
                request.headers["Authorization"] = authorization
            return request

        with self._translated(url):
            # Given as `auth`: netrc would win over a header.
            return session.request(
                method,
                url,
                headers=headers,
                auth=authorize,
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                stream=True,
                **options,
            )

    def _translated(self, url: str) -> Any:  # noqa: ANN401 - a context manager
        fix = f"put its CA into /etc/docker/certs.d/{self.registry}/ca.crt"
        return translated(without_query(url), certificate_fix=fix)


def _open_session(context: ssl.SSLContext | None) -> requests.Session:
    import requests  # noqa: PLC0415  # it costs 100 ms to import
    from requests.adapters import HTTPAdapter  # noqa: PLC0415

    class RegistryAdapter(HTTPAdapter):
        """Connections that are checked with *context*, where there is one."""

        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - its signature is given
            super().init_poolmanager(
                connections, maxsize, block, **options, **({"ssl_context": context} if context else {})
            )

    session = requests.Session()
    # A compressed transfer would have another hash than the object.
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("https://", "http://"):
        session.mount(scheme, RegistryAdapter(pool_connections=_POOL, pool_maxsize=_POOL))
    return session


def _refuse_to_repeat(body: object, registry: str) -> None:
    """Refuse to send a stream a second time: whoever began it must begin anew."""
    if body is not None and not isinstance(body, bytes | dict):
        raise NetworkError("the registry asked for a login in the middle of a layer", where=registry)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
