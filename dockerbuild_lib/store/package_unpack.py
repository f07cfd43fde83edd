"""Unpack a package file into a new folder, as CIPD's client lays it out, and never outside of it."""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
import zipfile
from pathlib import Path

from dockerbuild_lib.core.errors import StoreDamagedError, UnsafeArchiveError, UsageError
from dockerbuild_lib.core.files import copy_stream, translated_os_errors
from dockerbuild_lib.store.package_file import (
    MAX_LINK_TARGET,
    PackageContents,
    PackagedMember,
    opened_member,
    opened_members,
)


def unpack_package(file: Path, folder: Path) -> PackageContents:
    """Unpack the package *file* into *folder*, which must be absent or empty; on an error it stays so.

    Files are read-only, as CIPD deploys them: mode 0444 or 0555, less the umask.

    Raises:
        StoreDamagedError: the package is damaged, or has no manifest.
        UnsafeArchiveError: a member or a link leaves the folder.
        UsageError: *folder* holds something already.
        NoSpaceError, PermissionDeniedError: *folder* cannot be written.

    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError("the folder to unpack to is not empty", where=str(folder), fix="name a new one")
    with opened_members(file) as (contents, archive), translated_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        try:
            tree = staging / "tree"
            tree.mkdir()
            for member in contents.members:
                _unpack_member(archive, member, tree / member.name)
            tree.rename(folder)
        finally:
            shutil.rmtree(staging)
    return contents


def _unpack_member(archive: zipfile.ZipFile, member: PackagedMember, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.is_link:
        target.symlink_to(_link_target(archive, member))
        return
    mode = 0o444 | (0o111 if member.executable else 0) | (0o222 if member.writable else 0)
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)  # the umask is taken off here
    with os.fdopen(descriptor, "wb") as stream, opened_member(archive, member.name) as source:
        copy_stream(source, stream)


def _link_target(archive: zipfile.ZipFile, member: PackagedMember) -> str:
    """Return where the link points, when following it cannot leave the folder.

    ``..`` may stand at the start only, where it climbs from a true folder of the package. Behind the name of
    another link it would climb from wherever that link leads, which no look at the text can tell.
    """
    if not 0 < member.size <= MAX_LINK_TARGET:
        raise StoreDamagedError(f"the link {member.name!r} has a target of {member.size} bytes")
    with opened_member(archive, member.name) as stream:
        target = stream.read().decode()
    parts = target.split("/")
    climbs = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    depth = len(posixpath.dirname(member.name).split("/")) if "/" in member.name else 0
    if target.startswith("/") or "\0" in target or climbs > depth or ".." in parts[climbs:]:
        raise UnsafeArchiveError(f"the link {member.name!r} to {target!r} may leave the folder")
    return target
