"""Third-party libraries: ``config/libraries.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dockerbuild_lib.catalog.addresses import InnerFolder
from dockerbuild_lib.catalog.base import Count, Flag, Identifier, Model, VariableName, VersionText
from dockerbuild_lib.catalog.sources import LibrarySource

BuildSystem = Literal["autotools", "cmake", "configure", "make", "openssl"]


class Library(Model):
    """A third-party library, built static and position-independent for each target."""

    version: VersionText = Field(
        description="Upstream's version; of a Debian package without Debian's revision and mark of repacking (+dfsg)."
    )
    source: LibrarySource
    build_system: BuildSystem = Field(
        default="autotools",
        description="autotools: a configure script of autoconf's; cmake; configure: a script that takes --prefix "
        "and no host; make: a Makefile that takes CC, AR and PREFIX; openssl: OpenSSL's own Configure.",
    )
    subfolder: InnerFolder | None = Field(default=None, description="Its folder, where it is not the source's top.")
    libraries: tuple[Identifier, ...] = Field(
        default=(), description="Libraries of this file that it is built with; who links it links them too."
    )
    configure: tuple[str, ...] = Field(
        default=(), description="Options of its configure script, of cmake, or variables and targets of make."
    )
    environment: dict[VariableName, str] = Field(default={}, description="Variables of the build.")
    autoreconf: Flag = Field(default=False, description="True: its configure script must be made first.")
    revision: Count = Field(default=0, description="Raise it to publish the same version again, made anew.")
