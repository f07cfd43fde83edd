"""Manifests: JSON that says what an image consists of (OCI Image Specification; Docker's schema 2 has its shape)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockerbuild_lib.core.errors import HashMismatchError, ImageFailedError

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
MAX_MANIFEST = 4 << 20
"""Bytes; registries must take as many, and need not take more."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says of another object: its digest (``sha256:...``) and its size in bytes."""

    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry sent it, and what it refers to: other manifests, or a configuration and layers."""

    content: bytes
    media_type: str
    manifests: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()

    @property
    def digest(self) -> str:
        """Its name: ``sha256:...`` of its bytes."""
        return digest_of(self.content)


def digest_of(content: bytes) -> str:
    """Return what an object with these bytes is called."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def is_digest(text: str) -> bool:
    """Tell whether *text* is a digest that this project can check."""
    return _DIGEST.fullmatch(text) is not None


def parse_manifest(content: bytes, media_type: str, digest: str, where: str) -> Manifest:
    """Read the manifest called *digest* that came from *where*.

    Raises:
        HashMismatchError: it has another digest.
        ImageFailedError: it is no manifest of a kind that is known, or says what cannot be.

    """
    if digest_of(content) != digest:
        fix = "the registry, or something before it, is not to be trusted: find out why"
        raise HashMismatchError(f"the manifest has another digest: {digest_of(content)}", where=where, fix=fix)
    try:
        document = json.loads(content)
        return _parsed(content, document.get("mediaType", media_type), document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ImageFailedError(f"the manifest cannot be read ({type(error).__name__}: {error})", where=where) from error


def _parsed(content: bytes, media_type: str, document: Mapping[str, Any]) -> Manifest:
    if document["schemaVersion"] != 2:  # noqa: PLR2004 - the one that both specifications have
        raise ValueError(f"schema {document['schemaVersion']!r} is not supported")
    if media_type in INDEXES:
        return Manifest(content, media_type, manifests=_descriptors(document["manifests"]))
    if media_type in IMAGES:
        return Manifest(content, media_type, blobs=_descriptors([document["config"], *document["layers"]]))
    raise ValueError(f"the type {media_type!r} is not supported")


def _descriptors(values: list[Mapping[str, Any]]) -> tuple[Descriptor, ...]:
    return tuple(_descriptor(value["digest"], value["size"]) for value in values)


def _descriptor(digest: object, size: object) -> Descriptor:
    if not isinstance(digest, str) or not is_digest(digest):
        raise ValueError(f"{digest!r} is no sha256 digest")
    if type(size) is not int or size < 0:
        raise ValueError(f"{size!r} is no size")
    return Descriptor(digest, size)
