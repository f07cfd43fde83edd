"""The names of a package store: packages, instance ids, tags, refs and versions, as CIPD's server checks them.

Every ``check_`` function returns what it was given, so that it can stand where a value enters.
All of them raise :class:`UsageError`. Whole texts are matched: a trailing newline is never let through.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.core.files import translated_os_errors

MAX_TAG = 400
MAX_REF = 256
VERSION_KEY = "version"
"""The key of the tag that names a package's version; no store treats it specially, publishers do."""

_PATH = re.compile(r"[a-z0-9_.-]+(?:/[a-z0-9_.-]+)*")
_DOTS_ONLY = re.compile(r"(?:^|/)\.+(?:/|$)")
_TAG_KEY = re.compile(r"[a-z0-9_-]+")
_TAG_VALUE = re.compile(r"[A-Za-z0-9$()*+,\-./:;<=>@\\_{}~ ]+")
_REF = re.compile(rf"[a-z0-9_./-]{{1,{MAX_REF}}}")
_SHA1_ID = re.compile(r"[0-9a-f]{40}")
_BASE64_ID = re.compile(r"[A-Za-z0-9_-]{28,}")

_SHA1, _SHA256 = 1, 2
_DIGEST_SIZES = {_SHA1: 20, _SHA256: 32}


def instance_id_of(sha256: bytes) -> str:
    """Return the instance id of a package file whose raw sha256 digest is given."""
    return base64.urlsafe_b64encode(sha256 + bytes([_SHA256])).decode().rstrip("=")


def instance_id_of_file(file: Path) -> str:
    """Read the whole *file* and return the instance id of its bytes."""
    with translated_os_errors(file), file.open("rb") as stream:
        return instance_id_of(hashlib.file_digest(stream, "sha256").digest())


def is_instance_id(text: str) -> bool:
    """Tell whether *text* is an instance id of a known hash: sha256, or the sha1 of old packages."""
    if len(text) == len("0") * 40:
        return _SHA1_ID.fullmatch(text) is not None
    algorithm = _hash_algorithm(text)
    return algorithm in _DIGEST_SIZES


def _looks_like_instance_id(text: str) -> bool:
    """Tell whether *text* may be an instance id, also one of a hash that nobody knows yet."""
    return _SHA1_ID.fullmatch(text) is not None if len(text) == 40 else _hash_algorithm(text) is not None  # noqa: PLR2004  # hex of sha1


def _hash_algorithm(text: str) -> int | None:
    """Return the number of the hash behind a base64 instance id, None when *text* is none."""
    if _BASE64_ID.fullmatch(text) is None:
        return None
    try:
        blob = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    digest, algorithm = blob[:-1], blob[-1]
    if algorithm == 0 or len(digest) % 2 or len(digest) != _DIGEST_SIZES.get(algorithm, len(digest)):
        return None
    return algorithm


def check_instance_id(text: str) -> str:
    """Return *text* when it is an instance id."""
    if not is_instance_id(text):
        raise UsageError(f"{text!r} is not an instance id", fix="store.list and store.describe show instance ids")
    return text


def check_package(name: str) -> str:
    """Return *name* when it is a package name: lower-case components between slashes, none of them only dots."""
    return _check_path(name, "package name")


def check_prefix(prefix: str) -> str:
    """Return *prefix* without its last slash: the start of package names, "" for the store's root."""
    stripped = prefix.removesuffix("/")
    return _check_path(stripped, "package prefix") if stripped else ""


def _check_path(name: str, kind: str) -> str:
    if _PATH.fullmatch(name) is None or _DOTS_ONLY.search(name):
        raise UsageError(
            f"invalid {kind} {name!r}",
            fix="write lower-case letters, digits, '_', '-' and '.' between slashes, and no component of dots only",
        )
    return name


def check_tag(tag: str) -> str:
    """Return *tag* when it is ``key:value`` with a key and a value that CIPD takes."""
    key, colon, value = tag.partition(":")
    if not colon or _TAG_KEY.fullmatch(key) is None:
        raise UsageError(f"invalid tag {tag!r}", fix="write key:value, the key of a-z, 0-9, '_' and '-'")
    if len(tag) > MAX_TAG:
        raise UsageError(f"the tag {tag[:40]!r}... has {len(tag)} characters", fix=f"use at most {MAX_TAG}")
    if _TAG_VALUE.fullmatch(value) is None or value != value.strip(" "):
        raise UsageError(
            f"invalid value of tag {tag!r}",
            fix=r"use letters, digits, spaces inside and any of $()*+,-./:;<=>@\_{}~",
        )
    return tag


def check_ref(ref: str) -> str:
    """Return *ref* when it is a moving name, which must not be mistaken for an instance id."""
    if _REF.fullmatch(ref) is None:
        raise UsageError(f"invalid ref {ref!r}", fix=f"use at most {MAX_REF} of a-z, 0-9, '_', '.', '/' and '-'")
    if _looks_like_instance_id(ref):
        raise UsageError(f"invalid ref {ref!r}", fix="choose another name: this one looks like an instance id")
    return ref


def check_version(version: str) -> str:
    """Return *version* when it is an instance id, a ref or a tag."""
    if _looks_like_instance_id(version):
        return version
    if ":" in version:
        return check_tag(version)
    return check_ref(version)


def split_package_version(text: str, default: str = "latest") -> tuple[str, str]:
    """Return the package and the version of ``PACKAGE@VERSION``; without a version the *default*.

    Raises:
        UsageError: the version is not valid. The package is not looked at.

    """
    package, at, version = text.partition("@")
    return package, check_version(version) if at else default


def version_of(tag: str) -> str | None:
    """Return what follows ``version:`` in *tag*, None for other tags."""
    key, colon, value = tag.partition(":")
    return value if colon and key == VERSION_KEY else None
