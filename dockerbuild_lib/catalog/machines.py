"""What is built for, and with what: platforms, Pythons, toolchains, images, libraries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dockerbuild_lib.catalog.base import Count, Flag, Identifier, Model, PythonName, RequirementText, VersionText
from dockerbuild_lib.catalog.image_references import ImageReferenceText
from dockerbuild_lib.catalog.sources import LibrarySource

DebianPackage = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9+.{}:-]+$")]
WheelTag = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
OWN_TAG_KEYS = ("version", "content_key", "recipe_key", "git_revision")
"""Keys of the CIPD tags that packages of wheels get in any case."""


MAX_TAG = 400
"""Characters, as CIPD's server has it."""


def _further_tag(tag: str) -> str:
    if len(tag) > MAX_TAG:
        raise ValueError(f"the tag {tag[:40]!r}... has {len(tag)} characters; use at most {MAX_TAG}")
    if (key := tag.partition(":")[0]) in OWN_TAG_KEYS:
        raise ValueError(f"every package has a tag {key}: of its own; use another key")
    return tag


PackageTag = Annotated[str, Field(pattern=r"^[a-z0-9_-]+:[A-Za-z0-9._+-]+$"), AfterValidator(_further_tag)]
GlibcVersion = Annotated[str, Field(pattern=r"^2\.[0-9]+$")]


class Platform(Model):
    """A kind of machine that wheels run on."""

    triple: str = Field(pattern=r"^[a-z0-9_]+(-[a-z0-9_]+){2,3}$", description="GNU triple.")
    cipd: Identifier = Field(description="The platform's name in CIPD packages.")
    tags: tuple[WheelTag, ...] = Field(
        min_length=1, description="PEP 425 platform tags that its wheels may claim, the best first."
    )
    python_platform_tags: dict[PythonName, tuple[WheelTag, ...]] = Field(
        default={}, description="Python (3.11) -> its tags here, where they are others than `tags`."
    )
    package_tags: tuple[PackageTag, ...] = Field(
        default=(), description="CIPD tags (key:value) that the packages of its wheels get beside their own."
    )
    image: Identifier
    toolchain: Identifier

    def tags_for(self, python: str) -> tuple[str, ...]:
        """Return the tags that wheels of a Python may claim."""
        return self.python_platform_tags.get(python, self.tags)


class Python(Model):
    """A CPython that wheels are built for."""

    source: Literal["debian"] = Field(description="debian: the packages of the image's suite.")
    default: Flag = True


class Toolchain(Model):
    """Compilers, and the flags that every build gets."""

    compiler: Literal["zig", "gcc", "base"] = Field(
        description="gcc: Debian's cross compilers. base: what the image that the platform's base starts from brings."
    )
    glibc: GlibcVersion | None = Field(default=None, description="The oldest glibc that results may need.")
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()


class ImageRecipe(Model):
    """An image made from Debian packages: one base for all platforms, and one image per platform on it."""

    suite: Identifier = Field(description="Debian suite, as in apt's sources.")
    bases: dict[Identifier, ImageReferenceText] = Field(
        default={},
        description="Platform -> the image that its base starts from, such as dockcross/linux-arm64-lts:latest: it is "
        "taken from the mirror. Empty: the base is made from Debian packages alone, one for all platforms.",
    )
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
