"""Platforms of other systems than Linux: nothing is built or run for them here, the package index has their wheels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from dockerbuild_lib.catalog.mac_tags import parse_mac_tag
from dockerbuild_lib.catalog.machines import CommonPlatform, Platform

WindowsVersion = Annotated[str, Field(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$")]
WINDOWS_MACHINES = {"win32": "386", "win_amd64": "amd64", "win_arm64": "arm64"}
"""PEP 425 platform tag -> the machine that its wheels are for."""


class _ForeignPlatform(CommonPlatform):
    """What has neither image nor toolchain."""

    def all_tags(self) -> Iterator[str]:
        """Yield every tag, of all Pythons."""
        yield from self.tags
        for tags in self.python_platform_tags.values():
            yield from tags


class MacPlatform(_ForeignPlatform):
    """Macs of one processor, from one version of macOS on: the one that its tags say."""

    system: Literal["macos"]

    @model_validator(mode="after")
    def _is_of_one_machine(self) -> Self:
        if strange := [tag for tag in self.all_tags() if parse_mac_tag(tag) is None]:
            raise ValueError(f"{strange[0]!r} is no tag of Macs; write one such as macosx_11_0_arm64")
        if len(self._machines()) != 1:
            raise ValueError("its tags are not those of one processor; write one such as macosx_11_0_arm64")
        return self

    def _machines(self) -> frozenset[str]:
        parsed = map(parse_mac_tag, self.all_tags())
        return frozenset().union(*(tag.machines for tag in parsed if tag and len(tag.machines) == 1))

    @property
    def machine(self) -> str:
        """Its processor, as the tags say it: ``arm64`` or ``x86_64``."""
        return next(iter(self._machines()))


class WindowsPlatform(_ForeignPlatform):
    """Windows machines of one processor, from one version of Windows on."""

    system: Literal["windows"]
    windows: WindowsVersion = Field(description="The oldest version of Windows among them: 10.0.")

    @model_validator(mode="after")
    def _is_of_one_machine(self) -> Self:
        tags = set(self.all_tags())
        if len(tags) != 1 or not tags <= WINDOWS_MACHINES.keys():
            raise ValueError(f"its tags are not one of Windows; write one of: {', '.join(WINDOWS_MACHINES)}")
        return self

    @property
    def machine(self) -> str:
        """Its processor: ``386``, ``amd64`` or ``arm64``."""
        return WINDOWS_MACHINES[self.tags[0]]


ForeignPlatform = MacPlatform | WindowsPlatform
AnyPlatform = Platform | MacPlatform | WindowsPlatform


def _system_of(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("system", "linux"))
    return str(getattr(value, "system", "linux"))


PlatformRecipe = Annotated[
    Annotated[Platform, Tag("linux")]
    | Annotated[MacPlatform, Tag("macos")]
    | Annotated[WindowsPlatform, Tag("windows")],
    Discriminator(_system_of),
]
