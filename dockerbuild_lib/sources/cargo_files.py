"""Cargo.lock and Cargo.toml of a source, which is not trusted: what they name, and what they may not name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from dockerbuild_lib.catalog.base import Sha256
from dockerbuild_lib.catalog.settings import ArchiveLimits
from dockerbuild_lib.core.errors import LockError, UnsafeArchiveError
from dockerbuild_lib.sources.archives import Kind, open_archive, read_content

CARGO_LOCK, CARGO_TOML = "Cargo.lock", "Cargo.toml"
_MOST = 64 << 20
"""Bytes of all manifests of a source; a large workspace has a hundredth of them."""
_GIT = re.compile(r"git\+(?P<address>https://[^\s?#@]+)(?P<query>\?[^\s#]*)?#(?P<commit>[0-9a-f]{40}|[0-9a-f]{64})")
_REGISTRIES = ("registry+", "sparse+")
_FIX = "take another version, or patch it"


def cargo_files(archive: Path, limits: ArchiveLimits) -> dict[str, bytes]:
    """Return path -> bytes of what cargo must see of a source to know its crates: manifests, and Cargo.lock.

    Rust files are there too, but empty: that they exist is what makes a manifest valid.

    Raises:
        UnsafeArchiveError: the source is damaged or hostile, beyond *limits*, or its manifests are too large.

    """
    found: dict[str, bytes] = {}
    with open_archive(archive, limits) as opened:
        for member in opened.members():
            if member.kind is not Kind.FILE:
                continue
            if PurePosixPath(member.name).name in (CARGO_LOCK, CARGO_TOML):
                found[member.name] = read_content(member)
                if sum(map(len, found.values())) > _MOST:
                    raise UnsafeArchiveError("its Cargo.toml and Cargo.lock files are too large", fix=_FIX)
            elif member.name.endswith(".rs"):
                found[member.name] = b""
    return found


@dataclass(frozen=True)
class Crate:
    """A package of Cargo.lock that comes from outside: from a registry, or (without *sha256*) a git repository."""

    name: str
    version: str
    sha256: str | None
    """Of its file in the registry."""
    repository: str | None = None

    @property
    def label(self) -> str:
        """How its file and folder are called."""
        return f"{self.name}-{self.version}"


class _Package(BaseModel):
    # These become parts of paths.
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    version: Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+-]*$")]
    source: str | None = None
    checksum: Sha256 | None = None


class _Patch(BaseModel):
    unused: tuple[_Package, ...] = ()


class _Lock(BaseModel):
    package: tuple[_Package, ...] = ()
    patch: _Patch = _Patch()


def crates_of(content: bytes, where: str) -> tuple[Crate, ...]:
    """Return the crates that a Cargo.lock names, without those that are part of the source itself.

    Raises:
        LockError: it is none, or names what is not pinned: a package of a registry without its checksum, of a git
            repository without its commit, or from elsewhere.

    """
    try:
        lock = _Lock.model_validate(tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, RecursionError) as error:
        raise LockError(f"it cannot be read: {' '.join(str(error).split())[:300]}", where=where, fix=_FIX) from error
    packages = [package for package in (*lock.package, *lock.patch.unused) if package.source]
    return tuple(_crate(package, where) for package in packages)


def _crate(package: _Package, where: str) -> Crate:
    source = package.source or ""
    label = f"{package.name} {package.version}"
    if source.startswith(_REGISTRIES):
        if package.checksum is None:
            raise LockError(f"the crate {label} has no checksum in it", where=where, fix=_FIX)
        return Crate(package.name, package.version, package.checksum)
    if source.startswith("git+"):
        match = _GIT.fullmatch(source)
        if match is None:
            what = f"the crate {label} comes from a git repository that is not pinned to a commit over https"
            raise LockError(f"{what}: {source}", where=where, fix=_FIX)
        return Crate(package.name, package.version, None, match["address"])
    raise LockError(f"the crate {label} comes from what cannot be pinned: {source}", where=where, fix=_FIX)


def check_manifest(content: bytes, where: str, repositories: Collection[str]) -> None:
    """Hold that a Cargo.toml names no git repository but *repositories*, and no registry by its address.

    cargo would ask what Cargo.lock does not name too, before it says that the two do not fit.

    Raises:
        LockError: it names another one, or cannot be read.

    """
    try:
        manifest = tomllib.loads(content.decode())
        named = tuple(_addresses(manifest))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LockError(f"it cannot be read: {error}", where=where, fix=_FIX) from error
    for address in named:
        if address.removesuffix("/") not in {repository.removesuffix("/") for repository in repositories}:
            what = f"it names {address}, which Cargo.lock does not pin"
            raise LockError(what, where=where, fix=_FIX)


def _addresses(value: Any) -> Iterator[str]:  # noqa: ANN401 - TOML has no common type
    if isinstance(value, list):
        for item in value:
            yield from _addresses(item)
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("git", "registry-index") and isinstance(inner, str):
                yield inner
            elif key != "metadata":  # which is other programs'
                yield from _addresses(inner)
