"""Where a repository's submodules are: addresses beside its own, held to the same rules."""

from __future__ import annotations

import re

from dockerbuild_lib.catalog.addresses import repository_address

_PLACE = re.compile(r"(?P<host>[a-z]+://[^/]*/|[^/:]+:)(?P<path>.*)")


def submodule_address(parent: str, address: str) -> str:
    """Return the address of a submodule, which its .gitmodules gives whole, or as a way from the *parent*'s address.

    gitmodules(5): ``./x`` lies inside of the parent, ``../x`` beside it.

    Raises:
        ValueError: it is no address that may be used; a local one may be only where the parent is local too.

    """
    whole = _beside(parent, address) if address.startswith(("./", "../")) else repository_address(address)
    if whole.startswith("file:") and not parent.startswith("file:"):
        raise ValueError(f"{address!r} is a folder of this machine; a repository elsewhere may not name one")
    return whole


def _beside(parent: str, way: str) -> str:
    match = _PLACE.fullmatch(parent)
    parts = match["path"].rstrip("/").split("/") if match else []
    for step in way.split("/"):
        if step == ".." and not parts:
            break
        if step == "..":
            parts.pop()
        elif step not in ("", "."):
            parts.append(step)
    else:
        if match and parts:
            return match["host"] + "/".join(parts)
    raise ValueError(f"{way!r} leads out of {parent!r}")
