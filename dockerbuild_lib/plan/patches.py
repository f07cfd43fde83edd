"""What of the catalogue's patches enters a key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from dockerbuild_lib.core.errors import CatalogError


def patch_digests(patches: Iterable[Path]) -> list[tuple[str, str]]:
    """Return the names of *patches* with their sha256, in their order.

    Raises:
        CatalogError: one cannot be read.

    """
    return [(path.name, _sha256(path)) for path in patches]


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CatalogError(f"the patch cannot be read: {error.strerror}", where=str(path)) from error
