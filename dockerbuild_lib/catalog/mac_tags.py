"""PEP 425 platform tags of Macs: which macOS and which processors they promise to run on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import mac_platforms

MacRelease = tuple[int, int]
"""A version of macOS, its patches left out: (10, 13), (11, 0)."""

BOTH = "universal2"
FIRST_ARM64: MacRelease = (11, 0)
"""The macOS of the first Macs with arm64."""
_TAG = re.compile(r"macosx_(?P<major>[0-9]{1,3})_(?P<minor>[0-9]{1,3})_(?P<format>[a-z0-9_]+)")
_MACHINES = {"arm64": ("arm64",), "x86_64": ("x86_64",), BOTH: ("arm64", "x86_64"), "intel": ("x86_64",)}
"""Of the formats that are still made; for older ones with several processors nobody makes wheels."""


@dataclass(frozen=True)
class MacTag:
    """One such tag, read."""

    release: MacRelease
    """The oldest macOS that it promises."""
    format: str
    machines: frozenset[str]
    """The processors that all machine code of its wheels must be for; none: it is of an unknown format."""


def parse_mac_tag(tag: str) -> MacTag | None:
    """Return the tag ``macosx_11_0_arm64``, read; None when it is none of Macs."""
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    machines = frozenset(_MACHINES.get(match["format"], ()))
    return MacTag(same_release(int(match["major"]), int(match["minor"])), match["format"], machines)


def same_release(major: int, minor: int) -> MacRelease:
    """Return a version of macOS under one name: 10.16 is what 11.0 calls itself to old programs."""
    return FIRST_ARM64 if (major, minor) == (10, 16) else (major, minor)


def accepted_mac_tags(tag: MacTag) -> Iterator[str]:
    """Yield the tags of all wheels that run where wheels with *tag* run, the best first."""
    yield from mac_platforms(tag.release, tag.format)
