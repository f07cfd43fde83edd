"""The kinds of files of the catalogue, and the model of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from dockerbuild_lib.catalog.base import DistributionName, Identifier, PythonName
from dockerbuild_lib.catalog.foreign import PlatformRecipe
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.locks import BasesLock, LibrariesLock, ToolsLock, WheelLock
from dockerbuild_lib.catalog.machines import ImageRecipe, Python, Toolchain
from dockerbuild_lib.catalog.wheels import WheelRecipe


@dataclass(frozen=True, eq=False)
class FileKind:
    """A kind of file: its name, what a file of the kind holds, and whether the catalogue needs it."""

    name: str
    annotation: Any
    title: str = ""
    required: bool = False


_AtLeastOne = Field(min_length=1)

PLATFORMS = FileKind("platforms", Annotated[dict[Identifier, PlatformRecipe], _AtLeastOne], "Platforms", required=True)
PYTHONS = FileKind("pythons", Annotated[dict[PythonName, Python], _AtLeastOne], "Pythons", required=True)
TOOLCHAINS = FileKind("toolchains", Annotated[dict[Identifier, Toolchain], _AtLeastOne], "Toolchains", required=True)
IMAGES = FileKind("images", Annotated[dict[Identifier, ImageRecipe], _AtLeastOne], "Images", required=True)
LIBRARIES = FileKind("libraries", dict[Identifier, Library], "Libraries")
WHEELS = FileKind("wheels", dict[DistributionName, WheelRecipe], "The recipe of one wheel")

TABLES = (PLATFORMS, PYTHONS, TOOLCHAINS, IMAGES, LIBRARIES)
"""One file each, directly in the catalogue's folder. ``WHEELS`` is a folder with a file per distribution."""

WHEEL_LOCK = FileKind("wheels", WheelLock)
LIBRARIES_LOCK = FileKind("libraries", LibrariesLock)
PYTHONS_LOCK = FileKind("pythons", LibrariesLock)
IMAGES_LOCK = FileKind("images", LibrariesLock)
TOOLS_LOCK = FileKind("tools", ToolsLock)
BASES_LOCK = FileKind("bases", BasesLock)


@cache
def adapter(kind: FileKind) -> TypeAdapter[Any]:
    """Return pydantic's validator for files of *kind*."""
    return TypeAdapter(kind.annotation)
