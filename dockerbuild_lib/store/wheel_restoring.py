"""Wheels of the simple index made again, from the packages that they lie in under another name."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from dockerbuild_lib.core.errors import StoreDamagedError, UnsafeArchiveError
from dockerbuild_lib.core.files import CHUNK, sha256_of
from dockerbuild_lib.store.package_file import opened_members
from dockerbuild_lib.store.staging import Staging


def restore_wheel(place: Path, sha256: str, package: Path, staging: Staging) -> bool:
    """Put the wheel with that *sha256* to *place* unless it is there, and tell whether it is there then.

    It is a member of the file *package*, byte for byte; the universal name that it bears there is of no matter.
    """
    if place.is_file() and sha256_of(place) == sha256:
        return True
    try:
        with opened_members(package) as (contents, archive):
            for member in contents.members:
                with archive.open(member.name) as stream:
                    if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:  # type: ignore[arg-type]  # it can be read into a buffer
                        continue
                with archive.open(member.name) as stream:
                    staging.write(place, iter(partial(stream.read, CHUNK), b""))
                return True
    except (StoreDamagedError, UnsafeArchiveError):
        pass  # the package is damaged itself, and named by whoever reads it
    return False
