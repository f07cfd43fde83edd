"""Which wheels a yank is about (PEP 592)."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from dockerbuild_lib.core.errors import NotInStoreError, UsageError
from dockerbuild_lib.store.names import VERSION_KEY, check_tag
from dockerbuild_lib.store.protocol import EmbeddedStore, PublishedWheel


def wheels_of_version(store: EmbeddedStore, name: str, version: str) -> tuple[PublishedWheel, ...]:
    """Return the wheels that were published with *version*, the value of a ``version:`` tag.

    *name* is a package, or the name of a distribution: then the wheels of all its packages are meant.

    Raises:
        NotInStoreError: there are none.

    """
    tag = check_tag(f"{VERSION_KEY}:{version}")
    project = canonicalize_name(name)
    named = [wheel for wheel in store.wheels() if name == wheel.pin.package or project == wheel.project]
    tags = store.tags_of([wheel.pin for wheel in named])
    found = tuple(wheel for wheel in named if tag in tags.get(wheel.pin, ()))
    if not found:
        raise NotInStoreError(
            f"no wheel of {name} {version} is published", fix="store.list shows the packages and their versions"
        )
    return found


def check_reason(reason: str) -> str:
    """Return the *reason* of a yank when installers can show it to their users.

    Raises:
        UsageError: there is a line break or another control character in it.

    """
    if not reason.isprintable():
        raise UsageError("the reason has control characters in it", where="--reason", fix="write one line of text")
    return reason
