"""Recipes of wheels: ``config/wheels/<distribution>.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from dockerbuild_lib.catalog.base import (
    Count,
    DistributionName,
    Flag,
    Identifier,
    Model,
    ModuleName,
    VariableName,
    VersionText,
)
from dockerbuild_lib.catalog.build_requires import HERE, BuildRequires
from dockerbuild_lib.catalog.machines import GlibcVersion, WheelTag
from dockerbuild_lib.catalog.sources import LocalSource, SdistSource, WheelSource

PatchName = Annotated[str, Field(pattern=r"^[0-9]{2}-[A-Za-z0-9._-]+\.patch$")]
PlatformPattern = Annotated[str, Field(pattern=r"^[a-z0-9*?][a-z0-9._*?-]*$")]


PythonTag = Literal["py3", "py2.py3"]
Spelling = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]
VersionSuffix = Annotated[str, Field(pattern=r"^([.-][A-Za-z0-9]+)+$")]


class VersionRecipe(Model):
    """What one version adds to its wheel's recipe."""

    revision: Count = Field(default=0, description="Raise it to publish the same version again, made anew.")
    suffix: VersionSuffix | None = Field(
        default=None, description="What follows the version in its tag, instead of .dockerbuild.<revision>: .chromium.4"
    )
    python_tag: PythonTag | None = Field(default=None, description="Instead of the wheel's python-tag.")
    tags: dict[Identifier, tuple[WheelTag, ...]] = Field(
        default={}, description="Platform -> the tags that its wheels may claim there, instead of the platform's."
    )
    default: Flag = Field(default=True, description="False: built only when the version is named.")
    yanked: str | None = Field(
        default=None, min_length=1, description="Why it is taken although its authors took it back (PEP 592)."
    )
    skip: dict[Identifier, str] = Field(
        default={},
        description="Platform, or platform and Python (mac-amd64-py3.14) -> why there is no wheel of it there.",
    )
    patches: tuple[PatchName, ...] = Field(
        default=(), description="Files of config/patches/<distribution>/<version>/, in the order of use."
    )
    environment: dict[VariableName, str] = Field(
        default={}, description="Variables of the build, over those of the wheel."
    )
    crates: Flag | None = Field(default=None, description="Instead of the wheel's.")
    glibc: GlibcVersion | None = Field(default=None, description="Instead of the wheel's.")


class _NamedWheel(Model):
    """What wheels of every kind have."""

    spelling: Spelling | None = Field(
        default=None, description="How its distribution spells its name, for packages and files: MarkupSafe"
    )


_PackagedAs = Annotated[
    PythonTag, Field(description="PEP 425 Python tag of the universal name that it bears in its package.")
]
_Versions = dict[VersionText, VersionRecipe]
_Trial = Annotated[str, Field(min_length=1, description="Python that uses the wheel; it must end without an error.")]
_TrialRequires = Annotated[
    tuple[DistributionName, ...],
    Field(description="Distributions of this catalogue whose wheels the trial needs beside it: nothing else is there."),
]
_Extensions = Annotated[
    tuple[ModuleName, ...],
    Field(description="The extension modules that the wheel must hold, all of them. Empty: at least one."),
]


_PlatformExtensions = Annotated[
    dict[PlatformPattern, _Extensions],
    Field(description="Platform or pattern (mac-*) -> its extension modules there, instead of `extensions`."),
]


class _BuiltWheel(_NamedWheel):
    """What wheels that are built from source have in common."""

    source: WheelSource = Field(default=SdistSource(type="sdist"), description="Default: the package index's sdist.")
    build_requires: BuildRequires = Field(
        default={},
        description="Distribution -> here (built by this catalogue), any, or versions: in the place of what the source "
        "asks for, or beside it.",
    )
    environment: dict[VariableName, str] = Field(default={}, description="Variables of the build.")
    crates: Flag = Field(
        default=False, description="True: it has Rust code; the crates that its Cargo.lock names are pinned too."
    )
    config_settings: dict[str, str] = Field(default={}, description="PEP 517 config settings of the backend.")
    versions: _Versions = Field(
        default={}, min_length=1, description="Of a local folder none is written: it tells its own."
    )

    def has_crates(self, version: str) -> bool:
        """Tell whether a version's crates are pinned."""
        own = self.versions.get(version, VersionRecipe()).crates
        return self.crates if own is None else own

    @property
    def built_here(self) -> tuple[str, ...]:
        """The build requirements that this catalogue builds itself, for the build machine."""
        return tuple(name for name, tail in self.build_requires.items() if tail == HERE)

    @model_validator(mode="after")
    def _has_versions_or_tells_its_own(self) -> Self:
        if isinstance(self.source, LocalSource) and self.versions:
            raise ValueError("'versions' stand here, but a local folder tells its own version; remove them")
        if not isinstance(self.source, LocalSource) and not self.versions:
            raise ValueError("missing key 'versions'; add 'versions: ...'")
        return self


class SourceWheel(_BuiltWheel):
    """A wheel that is cross-built from its source for each platform."""

    kind: Literal["source"] = "source"
    trial: _Trial
    trial_requires: _TrialRequires = ()
    python_tag: _PackagedAs = "py2.py3"
    extensions: _Extensions = ()
    libraries: tuple[Identifier, ...] = Field(
        default=(), description="Libraries of libraries.yaml that are linked statically."
    )
    platform_extensions: _PlatformExtensions = Field(default={})
    toolchain: Identifier | None = Field(default=None, description="Instead of the platform's toolchain.")
    glibc: GlibcVersion | None = Field(
        default=None, description="The oldest glibc that its wheels run with, instead of the toolchain's older one."
    )
    platforms: tuple[PlatformPattern, ...] = Field(default=("linux-*",), description="Where it is built.")
    prebuilt: tuple[PlatformPattern, ...] = Field(
        default=(), description="Where the package index's wheel is taken instead of building one: mac-*."
    )

    def glibc_of(self, version: str) -> str | None:
        """Return the oldest glibc that the recipe names for a version; None: the toolchain's counts."""
        return self.versions.get(version, VersionRecipe()).glibc or self.glibc

    @model_validator(mode="after")
    def _takes_only_what_the_index_has(self) -> Self:
        if isinstance(self.source, LocalSource) and self.prebuilt:
            raise ValueError("'prebuilt' stands here, but the package index has no wheels of a local folder; remove it")
        return self


class PureWheel(_BuiltWheel):
    """A wheel without machine code that is built from its source, once for all platforms."""

    kind: Literal["pure"]
    python_tag: PythonTag = Field(default="py3", description="PEP 425 Python tag that it must bear.")
    trial: str = Field(default="", description="Python that uses the wheel. Empty: it is only installed.")
    trial_requires: _TrialRequires = ()


class UniversalWheel(_NamedWheel):
    """A pure wheel that the package index already has; it is checked and published as it is."""

    kind: Literal["universal"]
    versions: _Versions = Field(min_length=1)


class PrebuiltWheel(_NamedWheel):
    """Wheels that the package index has for each platform; they are checked, tried, and published as they are."""

    kind: Literal["prebuilt"]
    trial: _Trial
    trial_requires: _TrialRequires = ()
    python_tag: _PackagedAs = "py2.py3"
    extensions: _Extensions = ()
    platform_extensions: _PlatformExtensions = Field(default={})
    platforms: tuple[PlatformPattern, ...] = Field(default=("linux-*",), description="Where it is taken for.")
    versions: _Versions = Field(min_length=1)


BuiltWheel = SourceWheel | PureWheel
"""What is built from source."""
TargetedWheel = SourceWheel | PrebuiltWheel
"""What is another wheel for each platform and Python."""
TriedWheel = SourceWheel | PureWheel | PrebuiltWheel
"""What is tried."""
Wheel = SourceWheel | PureWheel | UniversalWheel | PrebuiltWheel


def _kind_of(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "source"))
    return str(getattr(value, "kind", "source"))


WheelRecipe = Annotated[
    Annotated[SourceWheel, Tag("source")]
    | Annotated[PureWheel, Tag("pure")]
    | Annotated[UniversalWheel, Tag("universal")]
    | Annotated[PrebuiltWheel, Tag("prebuilt")],
    Discriminator(_kind_of),
]
