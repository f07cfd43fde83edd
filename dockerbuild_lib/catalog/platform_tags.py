"""PEP 425 platform tags: which wheels run where wheels with other tags run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dockerbuild_lib.catalog.mac_tags import accepted_mac_tags, parse_mac_tag

_MANYLINUX = re.compile(r"manylinux_2_(?P<glibc>[0-9]+)_(?P<machine>\w+)")
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""PEP 600: the older names of these tags."""
_PROMISE = re.compile(rf"(manylinux_2_(?P<glibc>[0-9]+)|(?P<legacy>{'|'.join(_LEGACY.values())}))_(?P<machine>\w+)")
_OLDEST_GLIBC = 5
_NEWEST_GLIBC = 99
"""Newer than any that there is."""


def accepted_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of all wheels that run where wheels with *tags* run, the best first.

    A system with glibc 2.17 runs what is made for any older one (PEP 600), and that under its older name too; a Mac
    what is made for an older macOS. A tag that promises neither accepts itself.
    """
    return tuple(dict.fromkeys(accepted for tag in tags for accepted in _accepted(tag)))


def _accepted(tag: str) -> Iterator[str]:
    if mac := parse_mac_tag(tag):
        yield from accepted_mac_tags(mac)
        return
    match = _MANYLINUX.fullmatch(tag)
    if match is None:
        yield tag
        return
    for glibc in range(int(match["glibc"]), _OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{glibc}_{match['machine']}"
        if glibc in _LEGACY:
            yield f"{_LEGACY[glibc]}_{match['machine']}"


def claimable_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags that a wheel for a platform with *tags* may claim: those accepted, and beside them newer ones.

    Many wheels of the package index name a new system beside the old one that they run on already.
    """
    given = tuple(tags)
    machines = dict.fromkeys(match["machine"] for tag in given if (match := _MANYLINUX.fullmatch(tag)))
    return accepted_tags((*given, *(f"manylinux_2_{_NEWEST_GLIBC}_{machine}" for machine in machines)))


def glibc_minor(glibc: str) -> int:
    """Return 17 for 2.17: what versions of glibc are compared by."""
    return int(glibc.removeprefix("2."))


def promised_glibc(tag: str) -> str | None:
    """Return the glibc (2.17) that a tag promises to run with, under its older name too; None: it promises none."""
    if (match := _PROMISE.fullmatch(tag)) is None:
        return None
    return f"2.{match['glibc'] or next(glibc for glibc, name in _LEGACY.items() if name == match['legacy'])}"


def raised_tags(tags: Iterable[str], floor: str) -> tuple[str, ...]:
    """Return what wheels that are linked for the glibc *floor* (2.28) may claim of a platform's *tags*, the best first.

    Tags of an older glibc are left out, and that of the floor itself (PEP 600) comes first. A platform that has no tags
    of any glibc keeps its own.
    """
    given = tuple(tags)
    machines = dict.fromkeys(match["machine"] for tag in given if (match := _PROMISE.fullmatch(tag)))
    kept = [tag for tag in given if glibc_minor(promised_glibc(tag) or floor) >= glibc_minor(floor)]
    return tuple(dict.fromkeys((*(f"manylinux_2_{glibc_minor(floor)}_{machine}" for machine in machines), *kept)))


def newest_glibc(tags: Iterable[str]) -> str | None:
    """Return the newest glibc (2.17) that *tags* promise; None where none does."""
    found = [int(match["glibc"]) for tag in tags if (match := _MANYLINUX.fullmatch(tag))]
    return f"2.{max(found)}" if found else None
