"""What may be attached to an instance as metadata, and what makes it the same, as CIPD's server has it."""

from __future__ import annotations

import hashlib
import re

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.store.protocol import Metadata

MAX_KEY = 400
MAX_VALUE = 512 * 1024
"""Bytes."""
MAX_CONTENT_TYPE = 400
RESERVED_KEYS = "luci-"
"""Keys that start so are the service's own."""

_KEY = re.compile(r"[a-z0-9_-]+")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2  # noqa: S105  # no password
_QUOTED = r'"(?:[^"\\\r\n]|\\[^\r\n])*"'
_CONTENT_TYPE = re.compile(rf"{_TOKEN}(?:/{_TOKEN})?(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))*[ \t]*;?[ \t]*")
_MAX_TEXT = 32768
_TEXT = frozenset((*b"\r\n\t", *range(0x20, 0x7F)))


def fingerprint(metadata: Metadata) -> str:
    """Return what tells metadata of one instance apart: 32 hexadecimal digits of its key and value."""
    return hashlib.sha256(metadata.key.encode() + b":" + metadata.value).hexdigest()[:32]


def content_type(metadata: Metadata) -> str:
    """Return the MIME type, guessed from the value where none was given."""
    if metadata.content_type:
        return metadata.content_type
    is_text = len(metadata.value) < _MAX_TEXT and _TEXT.issuperset(metadata.value)
    return "text/plain" if is_text else "application/octet-stream"


def check_metadata(metadata: Metadata) -> Metadata:
    """Return *metadata* when a store takes it.

    Raises:
        UsageError: the key, the length of the value or the content type is not valid.

    """
    key = metadata.key
    if _KEY.fullmatch(key) is None or len(key) > MAX_KEY:
        raise UsageError(f"invalid metadata key {key[:40]!r}", fix=f"use at most {MAX_KEY} of a-z, 0-9, '_' and '-'")
    if key.startswith(RESERVED_KEYS):
        raise UsageError(
            f"the metadata key {key!r} is reserved", fix=f"start it with something else than {RESERVED_KEYS}"
        )
    if len(metadata.value) > MAX_VALUE:
        raise UsageError(f"the metadata {key!r} has {len(metadata.value)} bytes", fix=f"use at most {MAX_VALUE}")
    given = metadata.content_type
    if given and (len(given) > MAX_CONTENT_TYPE or _CONTENT_TYPE.fullmatch(given) is None):
        raise UsageError(
            f"invalid content type {given[:80]!r} of metadata {key!r}", fix="write a MIME type: text/plain"
        )
    return metadata
