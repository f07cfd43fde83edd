"""Pins: ``config/locks``, written by ``sources.lock`` only.

A lock names files, never the hosts that serve them: those come from the machine's own configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dockerbuild_lib.catalog.base import Count, DistributionName, Identifier, Model, Sha256, VersionText

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+~!-]*$")]


class IndexFile(Model):
    """A file of the package index: an sdist or a wheel."""

    origin: Literal["index"] = "index"
    distribution: DistributionName
    version: VersionText
    filename: FileName
    sha256: Sha256
    size: Count


class DebianFile(Model):
    """A file of a Debian archive, at *path* below whichever mirror the machine uses."""

    origin: Literal["debian"] = "debian"
    path: str = Field(pattern=r"^pool/[A-Za-z0-9+._~/-]+$")
    version: VersionText
    filename: FileName
    sha256: Sha256
    size: Count


LockedFile = Annotated[IndexFile | DebianFile, Field(discriminator="origin")]


class VersionLock(Model):
    """The pins of one version of a wheel."""

    source: IndexFile = Field(description="The sdist, or the universal wheel.")
    declared_requires: tuple[str, ...] = Field(
        default=(), description="What the sdist's pyproject.toml asks for; kept to say why a wheel is locked."
    )
    added_requires: tuple[str, ...] = Field(default=(), description="What the recipe adds to that.")
    build_requires: dict[str, tuple[IndexFile, ...]] = Field(
        default={}, description="Python (3.11) -> the wheels of its build environment, all of them."
    )


class WheelLock(Model):
    """``locks/wheels/<distribution>.json``."""

    versions: dict[VersionText, VersionLock] = Field(default={})


class LibrariesLock(Model):
    """``locks/libraries.json``."""

    sources: dict[Identifier, DebianFile] = Field(default={})


class ToolsLock(Model):
    """``locks/tools.json``: the Python tools inside every image."""

    requirements: tuple[str, ...] = Field(default=(), description="What the wheels were resolved from.")
    wheels: tuple[IndexFile, ...] = ()
