"""Who may write: whoever sends the token (RFC 6750), where the server has one. Reading is open."""

from __future__ import annotations

import hashlib
import hmac
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from dockerbuild_lib.core.errors import PermissionDeniedError, UsageError
from dockerbuild_lib.core.files import translated_os_errors
from dockerbuild_lib.store.serve.status import Code, RpcError

SHORTEST_TOKEN = 20
"""Characters; 20 random ones of 64 cannot be guessed."""
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{SHORTEST_TOKEN},4096}}=*")
_MAKE = "make one: (umask 077; openssl rand -hex 32 > FILE)"


@dataclass(frozen=True)
class Token:
    """A secret of which only the hash is kept, so that it can be neither shown nor logged."""

    digest: bytes

    def is_in(self, authorization: str | None) -> bool:
        """Tell whether a request's Authorization header bears the token, in a time that says nothing of it."""
        scheme, _, value = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(_digest(value.strip()), self.digest)


def read_token(file: Path) -> Token:
    """Return the token that is the one line of *file*.

    Raises:
        UsageError: there is no such file, or no token in it.
        PermissionDeniedError: it cannot be read, or everybody on this machine can.

    """
    with translated_os_errors(file):
        try:
            mode, text = file.stat().st_mode, file.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise UsageError("there is no such file", where=str(file), fix=_MAKE) from None
    if mode & stat.S_IRWXO:
        raise PermissionDeniedError("every user of this machine can read the token", where=str(file), fix="chmod o= it")
    line = text.decode("ascii", "replace").strip()
    if _TOKEN.fullmatch(line) is None:
        raise UsageError(
            f"it holds no token: one line of {SHORTEST_TOKEN} characters or more", where=str(file), fix=_MAKE
        )
    return Token(_digest(line))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True)
class Access:
    """What the server lets callers do."""

    token: Token | None
    """None: nobody may write."""

    def may_write(self, authorization: str | None) -> bool:
        """Tell whether a request with that Authorization header may write."""
        return self.token is not None and self.token.is_in(authorization)

    def check_may_write(self, authorization: str | None) -> None:
        """Refuse a request that may not write.

        Raises:
            RpcError: it may not; the message says why.

        """
        if self.token is None:
            raise RpcError(Code.PERMISSION_DENIED, "this server is read-only")
        if not authorization:
            raise RpcError(Code.UNAUTHENTICATED, "writing needs the token of this server, and none was sent")
        if not self.token.is_in(authorization):
            raise RpcError(Code.PERMISSION_DENIED, "the token that was sent is not the one of this server")
