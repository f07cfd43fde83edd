"""What is built for, and with what: platforms, Pythons, toolchains, images, libraries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dockerbuild_lib.catalog.base import Count, Flag, Identifier, Model, RequirementText, VersionText
from dockerbuild_lib.catalog.sources import LibrarySource

DebianPackage = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9+.{}:-]+$")]
WheelTag = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
GlibcVersion = Annotated[str, Field(pattern=r"^2\.[0-9]+$")]


class Platform(Model):
    """A kind of machine that wheels run on."""

    triple: str = Field(pattern=r"^[a-z0-9_]+(-[a-z0-9_]+){2,3}$", description="GNU triple.")
    cipd: Identifier = Field(description="The platform's name in CIPD packages.")
    tags: tuple[WheelTag, ...] = Field(
        min_length=1, description="PEP 425 platform tags that its wheels may claim, the best first."
    )
    image: Identifier
    toolchain: Identifier


class Python(Model):
    """A CPython that wheels are built for."""

    source: Literal["debian"] = Field(description="debian: the packages of the image's suite.")
    default: Flag = True


class Toolchain(Model):
    """Compilers, and the flags that every build gets."""

    compiler: Literal["zig", "gcc"]
    glibc: GlibcVersion | None = Field(default=None, description="The oldest glibc that results may need.")
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()


class ImageRecipe(Model):
    """An image made from Debian packages: one base for all platforms, and one image per platform on it."""

    suite: Identifier = Field(description="Debian suite, as in apt's sources.")
    base_packages: tuple[DebianPackage, ...] = Field(
        min_length=1, description="Packages of the build machine, in the base image."
    )
    packages: tuple[DebianPackage, ...] = Field(
        default=(),
        description="Packages of every platform's image; {arch} is the Debian architecture, {triple} the triple.",
    )
    cross_packages: tuple[DebianPackage, ...] = Field(
        default=(), description="More packages, where the platform is not the build machine's."
    )
    tools: tuple[RequirementText, ...] = Field(
        default=(), description="PEP 508 requirements, installed for the build machine's Python in every image."
    )


class Library(Model):
    """A third-party library, built static and position-independent for each target."""

    version: VersionText = Field(description="Upstream's version; of a Debian package without Debian's revision.")
    source: LibrarySource
    configure: tuple[str, ...] = Field(default=(), description="Options of its configure script.")
    autoreconf: Flag = Field(default=False, description="True: its configure script must be made first.")
    revision: Count = 0
