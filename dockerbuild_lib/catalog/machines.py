"""What is built for, and with what: platforms, Pythons, toolchains, images."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dockerbuild_lib.catalog.architectures import Architecture
from dockerbuild_lib.catalog.base import Flag, Identifier, Model, PythonName, RequirementText, VersionText
from dockerbuild_lib.catalog.image_additions import AddedFiles, AddedSources
from dockerbuild_lib.catalog.image_references import ImageReferenceText
from dockerbuild_lib.catalog.sources import LibrarySource

DebianPackage = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9+.{}:-]+(/[a-z0-9-]+)?$")]
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


class CommonPlatform(Model):
    """What platforms of all systems have."""

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
    default: Flag = Field(default=True, description="False: built for only when the platform is named.")

    def tags_for(self, python: str) -> tuple[str, ...]:
        """Return the tags that wheels of a Python may claim."""
        return self.python_platform_tags.get(python, self.tags)


class Platform(CommonPlatform):
    """A kind of Linux machine that wheels are built and tried for, in an image of its own."""

    system: Literal["linux"] = "linux"
    triple: str = Field(pattern=r"^[a-z0-9_]+(-[a-z0-9_]+){2,3}$", description="GNU triple.")
    image: Identifier
    toolchain: Identifier
    glibc: GlibcVersion | None = Field(
        default=None, description="The oldest glibc that its port has, instead of a toolchain's older one."
    )


class PythonUpstream(Model):
    """A CPython that is built from its source, for each platform with its toolchain."""

    version: VersionText = Field(description="The whole version: 3.13.5.")
    source: LibrarySource
    libraries: tuple[Identifier, ...] = Field(
        default=(), description="Libraries of libraries.yaml that its own extension modules are linked with."
    )
    free_threaded: Flag = Field(default=False, description="True: without the global lock; its name ends in t: 3.13t.")


class Python(Model):
    """A CPython that wheels are built for."""

    source: Literal["debian"] | None = Field(
        default=None, description="debian: the packages of the image's suite, where that has the platform's port."
    )
    upstream: PythonUpstream | None = Field(
        default=None, description="What it is built from, where Debian's packages are not taken."
    )
    default: Flag = True

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Self:
        if self.source is None and self.upstream is None:
            raise ValueError("it comes from nowhere; write 'source: debian', or an 'upstream'")
        return self


class Toolchain(Model):
    """Compilers, and the flags that every build gets."""

    compiler: Literal["zig", "gcc", "base"] = Field(
        description="gcc: Debian's cross compilers. base: what the image that the platform's base starts from brings."
    )
    glibc: GlibcVersion | None = Field(default=None, description="The oldest glibc that results may need.")
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    skip: dict[Identifier, str] = Field(default={}, description="Platform -> why it cannot build for it.")

    @property
    def has_fortran(self) -> bool:
        """Whether it compiles Fortran."""
        return self.compiler == "gcc"

    def glibc_for(self, platform: Platform) -> str | None:
        """Return the oldest glibc that results for a platform may need; None: that of the image's suite."""
        return self.glibc and (platform.glibc or self.glibc)


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
    ports: tuple[Identifier, ...] = Field(
        default=("amd64", "arm64"),
        description="Debian architectures whose packages are installed; of others only cross packages are.",
    )
    packages: tuple[DebianPackage, ...] = Field(
        default=(), description="Packages of the platform's port, where the suite has it; {arch} is its name."
    )
    cross_packages: tuple[DebianPackage, ...] = Field(
        default=(),
        description="More packages, where the platform is not the build machine's; {triple} is as Debian writes it.",
    )
    rust: Identifier | None = Field(
        default=None,
        description="Rust's standard library for a platform of another processor: the package of its port, in the very "
        "version that the base has; its compiler is one of the base packages. Left out where the port has none.",
    )
    tools: tuple[RequirementText, ...] = Field(
        default=(), description="PEP 508 requirements, installed for the build machine's Python in every image."
    )
    files: AddedFiles = Field(default={})
    sources: AddedSources = Field(default={})

    def has_port(self, architecture: Architecture) -> bool:
        """Tell whether packages of a platform's own port are installed in its image."""
        return architecture.debian in self.ports
