"""Recipes of wheels: ``config/wheels/<distribution>.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from dockerbuild_lib.catalog.base import (
    Count,
    Flag,
    Identifier,
    Model,
    ModuleName,
    RequirementText,
    VariableName,
    VersionText,
)
from dockerbuild_lib.catalog.sources import SdistSource, WheelSource

PatchName = Annotated[str, Field(pattern=r"^[0-9]{2}-[A-Za-z0-9._-]+\.patch$")]
PlatformPattern = Annotated[str, Field(pattern=r"^[a-z0-9*?][a-z0-9._*?-]*$")]


class VersionRecipe(Model):
    """What one version adds to its wheel's recipe."""

    revision: Count = Field(default=0, description="Raise it to publish the same version again, made anew.")
    default: Flag = Field(default=True, description="False: built only when the version is named.")
    skip: dict[Identifier, str] = Field(default={}, description="Platform -> why it is not built there.")
    patches: tuple[PatchName, ...] = Field(
        default=(), description="Files of config/patches/<distribution>/<version>/, in the order of use."
    )
    environment: dict[VariableName, str] = Field(
        default={}, description="Variables of the build, over those of the wheel."
    )


class _WheelRecipe(Model):
    versions: dict[VersionText, VersionRecipe] = Field(min_length=1)


class SourceWheel(_WheelRecipe):
    """A wheel that is cross-built from its source for each platform."""

    kind: Literal["source"] = "source"
    source: WheelSource = Field(default=SdistSource(type="sdist"), description="Default: the package index's sdist.")
    trial: str = Field(min_length=1, description="Python that uses the wheel; it must end without an error.")
    extensions: tuple[ModuleName, ...] = Field(
        default=(),
        description="The extension modules that the wheel must hold, all of them. Empty: at least one.",
    )
    libraries: tuple[Identifier, ...] = Field(
        default=(), description="Libraries of libraries.yaml that are linked statically."
    )
    build_requires: tuple[RequirementText, ...] = Field(
        default=(), description="PEP 508 requirements of the build, beside those of its pyproject.toml."
    )
    environment: dict[VariableName, str] = Field(default={}, description="Variables of the build.")
    config_settings: dict[str, str] = Field(default={}, description="PEP 517 config settings of the backend.")
    toolchain: Identifier | None = Field(default=None, description="Instead of the platform's toolchain.")
    platforms: tuple[PlatformPattern, ...] = Field(default=("linux-*",), description="Where it is built.")


class UniversalWheel(_WheelRecipe):
    """A pure wheel that the package index already has; it is checked and published as it is."""

    kind: Literal["universal"]


def _kind_of(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "source"))
    return str(getattr(value, "kind", "source"))


WheelRecipe = Annotated[
    Annotated[SourceWheel, Tag("source")] | Annotated[UniversalWheel, Tag("universal")],
    Discriminator(_kind_of),
]
