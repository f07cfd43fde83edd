"""What every model of the catalogue shares: frozen, unknown keys refused, keys written with hyphens."""

from __future__ import annotations

from typing import Annotated

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SHA256_PATTERN = r"^[0-9a-f]{64}$"
GLIBC_VARIABLE = "DOCKERBUILD_GLIBC"
"""It tells zig's wrappers another glibc than the toolchain's."""


class Model(BaseModel):
    """A frozen part of the catalogue; its keys in YAML are its fields' names with hyphens."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda field: field.replace("_", "-"),
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,  # what is written is what the loader reads
    )


def _canonical_name(name: str) -> str:
    canonical = canonicalize_name(name)
    if name != canonical:
        raise ValueError(f"{name!r} is not a normalised distribution name (PEP 503); write {canonical!r}")
    return name


def _free_variable(name: str) -> str:
    if name == GLIBC_VARIABLE:
        raise ValueError(f"{name} is set by dockerbuild itself; write 'glibc: ...' in the recipe of a wheel")
    return name


def _pep440_version(version: str) -> str:
    try:
        Version(version)
    except InvalidVersion:
        raise ValueError(f"{version!r} is not a version (PEP 440)") from None
    return version


def _pep508_requirement(requirement: str) -> str:
    # Imported here: quick tasks do without it.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    try:
        Requirement(requirement)
    except InvalidRequirement:
        raise ValueError(f"{requirement!r} is not a requirement (PEP 508); write one such as 'meson>=1.4'") from None
    return requirement


Count = Annotated[int, Field(ge=0, strict=True)]
"""A whole number; strict, so that the text '1' is none."""
Flag = Annotated[bool, Field(strict=True)]
"""true or false; strict, so that the text 'yes' is neither."""
PythonName = Annotated[str, Field(pattern=r"^3\.[0-9]+t?$")]
"""A Python's major and minor version: 3.11; 3.13t is the one without the global lock."""
Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN)]
DistributionName = Annotated[str, AfterValidator(_canonical_name)]
RequirementText = Annotated[str, AfterValidator(_pep508_requirement)]
VersionText = Annotated[str, AfterValidator(_pep440_version)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
"""A name of the catalogue's own: a platform, an image, a library, a toolchain."""
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_free_variable)]
ModuleName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
"""A dotted module, as import takes it."""
