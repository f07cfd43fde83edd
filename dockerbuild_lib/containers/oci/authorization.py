"""How a registry is told who asks: by name and password, or by a token that its authorization server gives out.

Registries answer 401 with a challenge (RFC 9110, 11.6.1); tokens are got as Docker's Token Authentication Specification
says, those of a refresh token as its OAuth 2 part does. Without a login the server is asked for an anonymous token.
"""

from __future__ import annotations

import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dockerbuild_lib.containers.oci.credentials import Login
from dockerbuild_lib.containers.oci.hosts import is_loopback
from dockerbuild_lib.core.errors import AccessRefusedError

if TYPE_CHECKING:
    import requests

_SCHEME = re.compile(r"\s*(?P<scheme>[A-Za-z]+)(?:\s+(?P<rest>.*))?", re.DOTALL)
_PARAMETER = re.compile(
    r'\s*(?P<name>[A-Za-z_]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s",]+))\s*(?:,|$)'
)
_DEFAULT_SECONDS = 60
"""What a token lives when its server does not say (the specification's number)."""
_MARGIN_SECONDS = 10
_CLIENT = "dockerbuild"


@dataclass(frozen=True)
class Challenge:
    """What a registry wants: its scheme in lower case (``basic``, ``bearer``), and what it says about it."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenge(header: str) -> Challenge | None:
    """Read a ``WWW-Authenticate`` header of one challenge; None: it is none."""
    match = _SCHEME.fullmatch(header)
    if match is None:
        return None
    rest, parameters = (match["rest"] or "").strip(), {}
    while rest:
        parameter = _PARAMETER.match(rest)
        if parameter is None:
            return None
        quoted = parameter["quoted"]
        value = parameter["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        parameters[parameter["name"].lower()] = value
        rest = rest[parameter.end() :]
    return Challenge(match["scheme"].lower(), parameters)


@dataclass(frozen=True)
class _Token:
    header: str
    good_until: float


class Authorizer:
    """Gives the ``Authorization`` header for requests to the registry at *origin* (``https://HOST[:PORT]``).

    It is learnt from the registry's first refusal, and kept for each scope: ``repository:NAME:pull``, or several of
    these with spaces between them. *ask* sends a request to another server.
    """

    def __init__(self, origin: str, login: Login | None, ask: Callable[..., requests.Response]) -> None:
        self._origin = origin
        self._login = login
        self._ask = ask
        self._challenge: Challenge | None = None
        self._tokens: dict[str, _Token] = {}
        self._lock = threading.Lock()

    def header(self, scope: str) -> str | None:
        """Return the header for *scope*; None: nothing is known to be wanted yet."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            return self._basic()
        with self._lock:
            token = self._tokens.get(scope)
            if token is None or token.good_until < time.monotonic():
                token = self._tokens[scope] = self._fetched(self._challenge, scope)
        return token.header

    def learn(self, header: str, refused: str | None, scope: str) -> bool:
        """Take note of a challenge after a request with the header *refused*; tell whether another try is worth it."""
        challenge = parse_challenge(header)
        if challenge is None or challenge.scheme not in ("basic", "bearer"):
            return False
        if challenge.scheme == "basic" and (self._login is None or self._login.is_token):
            return False
        with self._lock:
            self._challenge = challenge
            stale = self._tokens.get(scope)
            if stale is not None and stale.header == refused:
                del self._tokens[scope]
        return refused is None or challenge.scheme == "bearer"

    def _basic(self) -> str:
        assert self._login is not None  # noqa: S101 - learn() takes no such challenge without one
        return f"Basic {b64encode(f'{self._login.user}:{self._login.secret}'.encode()).decode()}"

    def _fetched(self, challenge: Challenge, scope: str) -> _Token:
        realm = challenge.parameters.get("realm", "")
        self._check_realm(realm)
        service = challenge.parameters.get("service", "")
        asked = time.monotonic()
        answer = self._answer(realm, service, scope)
        token, lifetime = answer.get("token") or answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.isprintable():
            raise AccessRefusedError("the registry's authorization server gave no token", where=realm)
        seconds = lifetime if isinstance(lifetime, int) else _DEFAULT_SECONDS
        return _Token(f"Bearer {token}", asked + max(0, seconds - _MARGIN_SECONDS))

    def _answer(self, realm: str, service: str, scope: str) -> dict[str, Any]:
        if self._login is not None and self._login.is_token:
            form = {"grant_type": "refresh_token", "refresh_token": self._login.secret, "client_id": _CLIENT}
            response = self._ask("POST", realm, data={**form, "service": service, "scope": scope})
        else:
            headers = {"Authorization": self._basic()} if self._login is not None else {}
            response = self._ask("GET", realm, params={"service": service, "scope": scope.split(" ")}, headers=headers)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        return answer if isinstance(answer, dict) else {}

    def _check_realm(self, realm: str) -> None:
        """Refuse to send a login in the clear, but for one that stays on this machine."""
        is_local = is_loopback(realm) and urlsplit(realm).scheme == urlsplit(self._origin).scheme
        if urlsplit(realm).scheme != "https" and not is_local:
            what = f"the registry wants the login to be sent to {realm!r}, which is not https"
            raise AccessRefusedError(what, where=self._origin)
