"""What a registry's answer means where it is not the one that was hoped for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dockerbuild_lib.core.errors import AccessRefusedError, DockerbuildError, NoSpaceError
from dockerbuild_lib.core.http import BusyError, RefusedError, is_transient, redacted, retry_after, without_query

if TYPE_CHECKING:
    import requests

_DENIED = frozenset({401, 403})
_FULL_DISK = ("no space left", '"err":28', "disk quota")
"""What registries say of a full disk: in words, or as Linux's number of it."""
_MOST_READ = 1 << 14


def refusal(response: requests.Response, registry: str) -> DockerbuildError:
    """Return the error for an answer of *registry*; what it says about it is read, and quoted."""
    status, where = response.status_code, redacted(without_query(response.url))
    body = response.raw.read(_MOST_READ, decode_content=True) or b""
    told = f"the registry answered {status} {_reason(body) or response.reason or ''}".rstrip()
    if status in _DENIED:
        fix = f"log in with an account that may (docker login {registry})"
        return AccessRefusedError(told, where=where, fix=fix)
    if any(sign in body.decode(errors="replace").lower() for sign in _FULL_DISK):
        return NoSpaceError(f"the registry has no space left: {told}", where=where, fix="free some, then run it again")
    if is_transient(status):
        return BusyError(told, where=where, retry_after=retry_after(response.headers.get("Retry-After")))
    return RefusedError(told, where=where, status=status)


def _reason(body: bytes) -> str:
    """Return the messages of the specification's JSON of errors, without what a terminal would obey."""
    try:
        errors = json.loads(body)["errors"]
        said = ", ".join(str(error.get("message") or error.get("code")) for error in errors)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    return "".join(character for character in said[:200] if character.isprintable())
